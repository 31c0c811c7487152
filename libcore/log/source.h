/*
 * source.h - one file of records, opened for reading: a segment is mapped, a
 * WAL is read through a window.
 *
 * Only the manifest and the batches themselves are believed: a damaged file
 * head, foot or index costs no record.
 */
#ifndef SB_LOG_SOURCE_H
#define SB_LOG_SOURCE_H

#include "codec/batch.h"
#include "codec/manifest.h"
#include "sblog.h"
#include "store/index.h"
#include "store/window.h"

struct sb_source {
	struct sb_file file; /* as the manifest had it */
	char name[64];
	int fd;         /* -1: not open */
	int dirfd;      /* borrowed */
	uint8_t *map;   /* of a segment */
	uint64_t size;  /* bytes of the file when it was opened */
	uint64_t start; /* position of the first batch */
	uint64_t limit; /* where batches end */
	struct sb_window window;
	struct sb_buf columns, values; /* decompressed */
	/* Position of the batch whose whole view was made last and still lies
	 * in memory, 0: none. */
	uint64_t viewed;
	struct sb_index index; /* of a segment */
	bool index_tried;
	uint64_t populated, released, ahead; /* of the mapping */
	uint8_t topic[SB_ID_SIZE];
	struct sb_cpu cpu;
};

#define SB_SOURCE_INIT ((struct sb_source){ .fd = -1 })

/* limit: where batches of an active WAL end; else ignored.  SBLOG_ENOENT: the
 * file is not there (any more). */
int sb_source_open(struct sb_source *s, int dirfd, const struct sb_file *file,
    const uint8_t topic[static SB_ID_SIZE], uint64_t limit,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_source_close(struct sb_source *s);

/* len bytes at pos, as sb_window_get. */
int sb_source_bytes(struct sb_source *s, uint64_t pos, size_t len,
    const uint8_t **atp, struct sblog_err *err) SB_MUST_CHECK;

/*
 * The head at pos.  SBLOG_END: batches end here.  SBLOG_EDAMAGE: err has file
 * and pos, not the offsets.
 */
int sb_source_head(struct sb_source *s, uint64_t pos, struct sb_batch *head,
    struct sblog_err *err) SB_MUST_CHECK;

enum sb_want {
	SB_WANT_COLUMNS, /* offsets, times, lengths, keys, headers */
	SB_WANT_ALL,
};

/* The batch whose head was read from pos: verified, decompressed, decoded.
 * *view is valid until the next call. */
int sb_source_view(struct sb_source *s, uint64_t pos,
    const struct sb_batch *head, enum sb_want want, struct sb_view *view,
    struct sblog_err *err) SB_MUST_CHECK;

/* Only the hashes of the stored sections: nothing is decompressed. */
int sb_source_hashes(struct sb_source *s, uint64_t pos,
    const struct sb_batch *head, struct sblog_err *err) SB_MUST_CHECK;

/* The next position >= pos with a good head, or UINT64_MAX. */
int sb_source_resync(struct sb_source *s, uint64_t pos, uint64_t *foundp,
    struct sb_batch *head, struct sblog_err *err) SB_MUST_CHECK;

/*
 * Where to begin reading to get to offset (or with by_time to the first record
 * with time >= (int64_t)offset): the position of a batch at or before it and
 * the offset expected there.  From the index where there is one.
 */
int sb_source_seek(struct sb_source *s, uint64_t offset, bool by_time,
    uint64_t *posp, uint64_t *expectedp, struct sblog_err *err) SB_MUST_CHECK;

/* Sequential reading has passed pos: let go of mapped pages behind it, and
 * have some before it read in. */
void sb_source_pace(struct sb_source *s, uint64_t pos);

#endif
