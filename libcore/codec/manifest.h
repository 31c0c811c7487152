/*
 * manifest.h - the text that says which files make a topic: encode and decode.
 *
 * sblog-manifest(5) is the specification.  One line each, fields separated by
 * one space, numbers decimal, in this order; the last line is the hash of every
 * byte before it (XXH3-64, seed 0, 16 hexadecimal digits):
 *
 *	sblog-manifest 1
 *	generation N
 *	topic HEX32
 *	created MICROSECONDS
 *	start OFFSET
 *	segment base=N next=N count=N size=N raw=N salt=HEX32 chain=HEX16
 *	    end=HEX16 first=US last=US                       (one line)
 *	    [rev=N clean=US]                                 (compacted)
 *	wal base=N next=N count=N size=N raw=N salt=HEX32 chain=HEX16 end=HEX16
 *	    first=US last=US                                 (finished)
 *	active base=N salt=HEX32 chain=HEX16                 (at most one, last)
 *	lost from=N to=N                                     (known damage)
 *	hash HEX16
 *
 * Files follow each other without gap or overlap in offset order (a lost range
 * counts as covered); segments come before WALs, the active WAL is the last.
 */
#ifndef SB_CODEC_MANIFEST_H
#define SB_CODEC_MANIFEST_H

#include "base/buf.h"
#include "base/check.h"
#include "codec/hash.h"
#include "sblog.h"

enum { SB_MANIFEST_MAX = 64 << 20 }; /* bytes of a manifest */

struct sb_file {
	enum sblog_file_kind kind;
	uint64_t base;
	uint64_t next, count, size, raw; /* not of the active WAL: 0 */
	uint8_t salt[SB_SALT_SIZE];
	uint64_t chain, end_chain; /* end_chain: 0 for the active WAL */
	int64_t first_time, last_time;
	/* of a segment that was compacted, else 0 */
	uint32_t revision;  /* part of its name; 0: it was not rewritten */
	int64_t clean_time; /* when its tombstones were seen first; 1: none */
};

struct sb_lost {
	uint64_t from, to; /* offsets [from, to) */
};

struct sb_manifest {
	uint64_t generation;
	uint8_t topic[SB_ID_SIZE];
	int64_t created;
	uint64_t start;
	struct sb_file *files; /* owned */
	size_t file_count;
	struct sb_lost *lost; /* owned */
	size_t lost_count;
};

#define SB_MANIFEST_INIT ((struct sb_manifest){ .files = NULL })

void sb_manifest_release(struct sb_manifest *m);

/* Deep copy into an initialised (or released) *to. */
int sb_manifest_copy(struct sb_manifest *to,
    const struct sb_manifest *from) SB_MUST_CHECK;

/* Put a file at index i (the rest moves up) / take it out.  SBLOG_ENOMEM. */
int sb_manifest_insert(struct sb_manifest *m, size_t i,
    const struct sb_file *file) SB_MUST_CHECK;
void sb_manifest_remove(struct sb_manifest *m, size_t i);
int sb_manifest_add_lost(struct sb_manifest *m, uint64_t from,
    uint64_t to) SB_MUST_CHECK;

/* The active WAL, or NULL. */
struct sb_file *sb_manifest_active(const struct sb_manifest *m);

/* Append the text to *out (which the caller has initialised). */
int sb_manifest_encode(const struct sb_manifest *m,
    struct sb_buf *out) SB_MUST_CHECK;

/*
 * 0, SBLOG_ENOMEM, SBLOG_EDAMAGE or SBLOG_EFORMAT (newer version).  *whyp is a
 * static string, *posp the byte where it went wrong.  The hash is checked
 * before anything is believed.  *m is set only on 0 and then released by the caller.
 */
int sb_manifest_decode(struct sb_manifest *m, const uint8_t *text, size_t len,
    const char **whyp, uint64_t *posp) SB_MUST_CHECK;

#endif
