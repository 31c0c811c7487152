/*
 * cut.h - the file systems that may be found after a power cut.
 */
#ifndef TESTS_MODEL_CUT_H
#define TESTS_MODEL_CUT_H

#include "common/fs.h"

/* How much a file system promises about what was not synced. */
enum cut_profile {
	CUT_ANY,     /* nothing: names, sizes and sectors each for themselves */
	CUT_ORDERED, /* metadata in order, new data before the size (ext4) */
	CUT_SNAPSHOT, /* all as it was at some moment, but for syncs (btrfs) */
	CUT_PROFILES,
};

/* One of n things that may have happened; called in the same order for the
 * same answers. */
typedef uint32_t (*cut_choose)(void *arg, uint32_t n);

/* What is found in *to, if the power fails for *from now. */
void cut_make(struct fs *to, const struct fs *from, enum cut_profile profile,
    cut_choose choose, void *arg);

#endif
