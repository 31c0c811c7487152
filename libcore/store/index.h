/*
 * index.h - where batches lie: of a segment complete, of a WAL sparse.
 *
 * Derivable and never trusted: the batch found through it must be the one that
 * was looked for, else the file is scanned.
 *
 * Segment index (BASE.idx, sblog-index(5)): file head (codec/filehead.h, magic
 * "sblogIDX", salt and base of the segment, count = n, of_size = bytes of the
 * segment), then three columns of n u64 each: base offset, byte position and
 * base time of every batch.  body_hash covers the columns.
 *
 * WAL index (BASE.wdx): file head (magic "sblogWDX", salt and base of the WAL),
 * then entries of 32 bytes in order, about one for each 256 KiB of WAL:
 *
 *	  0  u64  offset      base offset of a batch
 *	  8  u64  pos         its byte position in the WAL
 *	 16  u64  time        its base time
 *	 24  u64  entry_hash  XXH3 of bytes 0..23, seed sb_seed(salt, byte
 *	                      position of the entry, offset)
 *
 * An entry is written after the batch, without a sync; one whose hash does not
 * verify ends the list.
 */
#ifndef SB_STORE_INDEX_H
#define SB_STORE_INDEX_H

#include "base/buf.h"
#include "codec/filehead.h"
#include "codec/manifest.h"
#include "sblog.h"

enum {
	SB_WINDEX_ENTRY_SIZE = 32,
	SB_WINDEX_STEP = 256 << 10, /* bytes of WAL between entries */
};

struct sb_index_entry {
	uint64_t offset, pos;
	int64_t time;
};

/* ---- of a segment ---- */

/* An index opened for reading: mapped columns. */
struct sb_index {
	void *map; /* NULL: not open */
	uint64_t map_size, count;
	const uint8_t *offsets, *positions, *times; /* count u64 each, LE */
};

#define SB_INDEX_INIT ((struct sb_index){ .map = NULL })

/*
 * Open and check head and hash.  SBLOG_ENOENT: none; SBLOG_EDAMAGE: not the
 * index of this segment, or damaged.  Both mean: go on without.
 */
int sb_index_open(struct sb_index *ix, int dirfd, const struct sb_file *segment,
    const uint8_t topic[static SB_ID_SIZE], struct sb_cpu *cpu,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_index_close(struct sb_index *ix);

/* Number of the last batch with base offset <= offset; count if none. */
uint64_t sb_index_find(const struct sb_index *ix, uint64_t offset);
/* Number of the last batch with base time < time; 0 if none. */
uint64_t sb_index_find_time(const struct sb_index *ix, int64_t time);
struct sb_index_entry sb_index_at(const struct sb_index *ix, uint64_t i);

/* Write the index file of a segment, complete or not at all; no fsync of the
 * directory is needed.  entries in order. */
int sb_index_save(int dirfd, const struct sb_file *segment,
    const uint8_t topic[static SB_ID_SIZE],
    const struct sb_index_entry *entries, uint64_t n, struct sb_cpu *cpu,
    struct sblog_err *err) SB_MUST_CHECK;

/* ---- of a WAL ---- */

/* Bytes of a new WAL index: its head. */
void sb_windex_head(const struct sb_file *wal,
    const uint8_t topic[static SB_ID_SIZE],
    uint8_t out[static SB_FILE_HEAD_SIZE]);

/* Encode entry number i (0, 1, ...). */
void sb_windex_encode(const struct sb_index_entry *e, uint64_t i,
    const uint8_t salt[static SB_SALT_SIZE],
    uint8_t out[static SB_WINDEX_ENTRY_SIZE]);
/* false: not a valid entry number i */
bool sb_windex_decode(struct sb_index_entry *e, uint64_t i,
    const uint8_t salt[static SB_SALT_SIZE],
    const uint8_t in[static SB_WINDEX_ENTRY_SIZE]);

/*
 * The last entry of the WAL's index with offset <= offset (by_time: with
 * time < (int64_t)offset).  False: none, start at the first batch.
 */
bool sb_windex_find(int dirfd, const struct sb_file *wal, bool by_time,
    uint64_t offset, struct sb_index_entry *e);

#endif
