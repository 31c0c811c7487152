/*
 * manifest.h - load and replace the list of files that make up a topic.
 */
#ifndef SB_STORE_MANIFEST_H
#define SB_STORE_MANIFEST_H

#include "codec/manifest.h"

/*
 * Read the manifest in dirfd.  SBLOG_ENOENT: there is none.  SBLOG_EDAMAGE,
 * SBLOG_EFORMAT as sb_manifest_decode, with file and byte position.
 */
int sb_manifest_load(struct sb_manifest *m, int dirfd,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * Replace it: write, fsync, rename, fsync of the directory.  The caller holds
 * lock.append and has raised the generation.  Codes as sb_tmp_commit.
 */
int sb_manifest_save(const struct sb_manifest *m, int dirfd,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
