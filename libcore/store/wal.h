/*
 * wal.h - the write-ahead log file: create, write a batch, find its valid end.
 */
#ifndef SB_STORE_WAL_H
#define SB_STORE_WAL_H

#include "codec/batch.h"
#include "codec/filehead.h"
#include "codec/manifest.h"
#include "sblog.h"

/* A WAL opened for appending, or for looking at it. */
struct sb_wal {
	int fd;       /* -1: not open */
	int index_fd; /* -1: not open, or none */
	char name[64];
	struct sb_file_head head;
	uint64_t ino;
};

#define SB_WAL_INIT ((struct sb_wal){ .fd = -1, .index_fd = -1 })

/*
 * Make BASE.wal durable under its name: head, fsync, rename, fsync of the
 * directory.  A file of that name that no manifest names is moved to
 * lost+found first.  Fills *file as an active WAL.
 */
int sb_wal_create(int dirfd, const uint8_t topic[static SB_ID_SIZE],
    uint64_t base, uint64_t chain, struct sb_file *file,
    struct sblog_err *err) SB_MUST_CHECK;

/* Open and check that it is the file the manifest means. */
int sb_wal_open(struct sb_wal *w, int dirfd, const struct sb_file *file,
    const uint8_t topic[static SB_ID_SIZE], bool write,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_wal_close(struct sb_wal *w);

/* What a walk over a WAL knows behind the last good batch. */
struct sb_tail {
	uint64_t pos, end, chain;
	int64_t last_time; /* of the last record, 0: none */
	int64_t
	    first_time; /* of the first record since the walk began, 0: none */
	uint64_t count, raw;
	uint64_t durable_upto; /* the largest seen in a good batch */
	bool trailer;          /* a trailer was found: the WAL is finished */
	uint64_t last_pos;     /* of the last good batch, 0: none */
};

/*
 * Walk from *tail (a position where a batch may begin) as far as batches are
 * good in every respect: hashes, contents, chain, no gap.  Up to limit bytes
 * (UINT64_MAX: the size of the file).  Returns 0 with *tail moved and *whyp
 * saying why the walk ended (NULL: at the limit or at a trailer); < 0 only when
 * reading fails.
 */
int sb_wal_walk(const struct sb_wal *w, struct sb_tail *tail, uint64_t limit,
    struct sb_cpu *cpu, const char **whyp, struct sblog_err *err) SB_MUST_CHECK;

/*
 * The next position >= pos, below limit, where a head of this WAL verifies;
 * UINT64_MAX if none.  Fills *head.
 */
int sb_wal_resync(const struct sb_wal *w, uint64_t pos, uint64_t limit,
    uint64_t *foundp, struct sb_batch *head,
    struct sblog_err *err) SB_MUST_CHECK;

/* Move bytes [pos, size) of a WAL to lost+found/NAME.POS, unless all zero;
 * then cut the file at pos.  *zerop says whether they were. */
int sb_wal_quarantine(const struct sb_wal *w, int dirfd, uint64_t pos,
    bool *zerop, struct sblog_err *err) SB_MUST_CHECK;

#endif
