/*
 * batch.h - the batch: unit of write, checksum, visibility and atomicity; the
 * same layout in a WAL and in a segment.
 *
 * Bytes in, struct out, and back; no files, no allocation.
 *
 * A batch is a head of 128 bytes, the columns section, the values section and
 * zeros up to total_size.  Head, little-endian (the manual page sblog-wal(5) is
 * the specification; tests/cli/format.bats compares the two):
 *
 *	  0  u64  head_hash       XXH3 of bytes 8..127, seed S
 *	  8  u32  magic           "SBB1", of a trailer "SBE1"
 *	 12  u32  count           records; 0 only in a trailer
 *	 16  u64  base            first offset covered; batches tile the offsets
 *	 24  u64  next            offset behind the last one
 *	 32  i64  base_time       append time of the first record, microseconds
 *	 40  u64  durable_upto    durable end known when this was written
 *	 48  u64  chain           chain of everything before base
 *	 56  i64  user_time_min   added to the user time column
 *	 64  u64  columns_hash    XXH3 of the stored columns section, seed S + 1
 *	 72  u64  values_hash     XXH3 of the stored values section, seed S + 2
 *	 80  u32  total_size      bytes from this head to the next, times 8
 *	 84  u32  columns_raw     bytes of the columns section, decompressed
 *	 88  u32  columns_stored  bytes of it in the file
 *	 92  u32  values_raw      bytes of the values section, decompressed
 *	 96  u32  values_stored   bytes of it in the file
 *	100  u32  value_len_min   added to the value length column
 *	104  u32  key_len_min     added to the key length column
 *	108  u32  header_len_min  added to the header length column
 *	112  u8   value_len_width bytes of an entry of each column: 0, 1, 2, 4, 8
 *	113  u8   key_len_width
 *	114  u8   header_len_width
 *	115  u8   time_width
 *	116  u8   offset_width
 *	117  u8   user_time_width
 *	118  u8   flags           SB_BATCH_*
 *	119  u8   delim_len       bytes behind each value, 0 to 8
 *	120  u64  delim           those bytes, then zeros
 *
 * S is sb_seed(salt of the file, position of the head, base).
 *
 * The columns section: six columns of count entries each, in the order of
 * their widths above, without gaps; then all key bytes; then all header bytes.
 * An entry plus the column's minimum is
 *   value length + 1, 0 for no value    key length + 1, 0 for no key
 *   bytes of encoded headers            append time - base_time
 *   offset - base (width 0: the index)  user time - user_time_min + 1, 0: none
 * [base, next) of one batch begins where that of the batch before ends; a hole
 * (offsets that no record has) shows in the offset column only.
 * A column of width 0 has no bytes: every entry is 0 (user time: 1 if the
 * flag SB_BATCH_USER_TIME is set).
 * The values section: every value, behind each the delim_len delimiter bytes.
 */
#ifndef SB_CODEC_BATCH_H
#define SB_CODEC_BATCH_H

#include "base/check.h"
#include "codec/hash.h"
#include "sblog.h"

enum {
	SB_BATCH_MAGIC = 0x31424253,   /* "SBB1" */
	SB_TRAILER_MAGIC = 0x31454253, /* "SBE1" */

	SB_BATCH_HEAD_HASH_AT = 0,
	SB_BATCH_MAGIC_AT = 8,
	SB_BATCH_COUNT_AT = 12,
	SB_BATCH_BASE_AT = 16,
	SB_BATCH_NEXT_AT = 24,
	SB_BATCH_BASE_TIME_AT = 32,
	SB_BATCH_DURABLE_UPTO_AT = 40,
	SB_BATCH_CHAIN_AT = 48,
	SB_BATCH_USER_TIME_MIN_AT = 56,
	SB_BATCH_COLUMNS_HASH_AT = 64,
	SB_BATCH_VALUES_HASH_AT = 72,
	SB_BATCH_TOTAL_SIZE_AT = 80,
	SB_BATCH_COLUMNS_RAW_AT = 84,
	SB_BATCH_COLUMNS_STORED_AT = 88,
	SB_BATCH_VALUES_RAW_AT = 92,
	SB_BATCH_VALUES_STORED_AT = 96,
	SB_BATCH_VALUE_LEN_MIN_AT = 100,
	SB_BATCH_KEY_LEN_MIN_AT = 104,
	SB_BATCH_HEADER_LEN_MIN_AT = 108,
	SB_BATCH_WIDTHS_AT = 112,
	SB_BATCH_FLAGS_AT = 118,
	SB_BATCH_DELIM_LEN_AT = 119,
	SB_BATCH_DELIM_AT = 120,
	SB_BATCH_HEAD_SIZE = 128,

	SB_BATCH_COLUMNS_LZ4 = 1, /* columns section is one LZ4 block */
	SB_BATCH_VALUES_LZ4 = 2,  /* values section is one LZ4 block */
	SB_BATCH_USER_TIME = 4,   /* some record has a user time */
	SB_BATCH_FLAGS = 7,       /* those that version 1 knows */

	SB_BATCH_ALIGN = 8,         /* of every head in a file */
	SB_BATCH_BULK = 64 << 10,   /* from here on padded to a page */
	SB_BATCH_BULK_ALIGN = 4096, /* so that bulk writes cover whole pages */
};

/* Sections and total: bounded so that 32-bit fields and sums hold. */
#define SB_BATCH_SECTION_MAX UINT64_C(0x7fffffff)
#define SB_BATCH_TOTAL_MAX UINT64_C(0x1ffffff00)
/* Offsets end here: the topic is full. */
#define SB_OFFSET_MAX (UINT64_MAX >> 1)

enum sb_column {
	SB_COL_VALUE_LEN,
	SB_COL_KEY_LEN,
	SB_COL_HEADER_LEN,
	SB_COL_TIME,
	SB_COL_OFFSET,
	SB_COL_USER_TIME,
	SB_COLS,
};

struct sb_batch {
	uint32_t magic, count;
	uint64_t base, next;
	int64_t base_time;
	uint64_t durable_upto, chain;
	int64_t user_time_min;
	uint64_t columns_hash, values_hash;
	uint64_t total_size; /* bytes, a multiple of 8 */
	uint32_t columns_raw, columns_stored, values_raw, values_stored;
	uint32_t value_len_min, key_len_min, header_len_min;
	uint8_t width[SB_COLS];
	uint8_t flags, delim_len;
	uint8_t delim[SBLOG_DELIM_MAX];
};

static inline uint64_t
sb_batch_columns_pos(uint64_t pos)
{
	return pos + SB_BATCH_HEAD_SIZE;
}

static inline uint64_t
sb_batch_values_pos(const struct sb_batch *b, uint64_t pos)
{
	return pos + SB_BATCH_HEAD_SIZE + b->columns_stored;
}

/* Bytes of the batch without the zeros at its end. */
static inline uint64_t
sb_batch_used(const struct sb_batch *b)
{
	return (uint64_t)SB_BATCH_HEAD_SIZE + b->columns_stored +
	    b->values_stored;
}

/* Write the head of a batch at byte pos of the file with this salt. */
void sb_batch_encode(const struct sb_batch *b,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    uint8_t out[static SB_BATCH_HEAD_SIZE]);

/*
 * Read a head.  *whyp is a static string that names the first thing wrong, or
 * NULL.  Returns 0, SBLOG_EDAMAGE or SBLOG_EFORMAT (right hash, but not of this
 * version); *b is set only on 0.  What a head says fits together on 0: sizes,
 * widths and counts may be believed.
 */
int sb_batch_decode(struct sb_batch *b, const uint8_t salt[static SB_SALT_SIZE],
    uint64_t pos, const uint8_t in[static SB_BATCH_HEAD_SIZE],
    const char **whyp) SB_MUST_CHECK;

/* The fields of a head that sb_batch_decode has accepted before: no checks. */
void sb_batch_load(struct sb_batch *b,
    const uint8_t in[static SB_BATCH_HEAD_SIZE]);

/* Hashes of the stored sections of a batch at pos. */
uint64_t sb_batch_hash_columns(struct sb_cpu *cpu, const struct sb_batch *b,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos, const void *data);
uint64_t sb_batch_hash_values(struct sb_cpu *cpu, const struct sb_batch *b,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos, const void *data);

/* ---- columns ---- */

/* The narrowest width (0, 1, 2, 4, 8) for entries 0..max. */
uint8_t sb_width_for(uint64_t max);

void sb_column_put(uint8_t *column, uint8_t width, size_t i, uint64_t entry);

static inline uint64_t
sb_column_get(const uint8_t *column, uint8_t width, size_t i)
{
	switch (width) {
	case 0:
		return 0;
	case 1:
		return column[i];
	case 2:
		return (uint64_t)column[2 * i] |
		    (uint64_t)column[2 * i + 1] << 8;
	case 4:
		return (uint64_t)column[4 * i] |
		    (uint64_t)column[4 * i + 1] << 8 |
		    (uint64_t)column[4 * i + 2] << 16 |
		    (uint64_t)column[4 * i + 3] << 24;
	default:
		column += 8 * i;
		return (uint64_t)column[0] | (uint64_t)column[1] << 8 |
		    (uint64_t)column[2] << 16 | (uint64_t)column[3] << 24 |
		    (uint64_t)column[4] << 32 | (uint64_t)column[5] << 40 |
		    (uint64_t)column[6] << 48 | (uint64_t)column[7] << 56;
	}
}

/* Sum of entries 0..n-1, modulo 2^64; and how many of them are zero. */
uint64_t sb_column_sum(const uint8_t *column, uint8_t width, size_t n);
size_t sb_column_zeros(const uint8_t *column, uint8_t width, size_t n);

/* ---- reading a batch's records ---- */

/*
 * A decoded batch: borrowed pointers into its raw sections.  values may be NULL
 * where only columns are wanted.
 */
struct sb_view {
	struct sb_batch head;
	const uint8_t *col[SB_COLS];
	const uint8_t *keys, *headers, *values;
	uint64_t keys_len, headers_len;
	bool nulls; /* some value is null */
};

/* Where in its sections a record of a view begins. */
struct sb_at {
	uint64_t index, value_pos, key_pos, header_pos;
};

/*
 * Look at a batch whose hashes have been verified (or not: nothing here reads
 * beyond the sections whatever they hold).  columns are head->columns_raw
 * bytes, values head->values_raw bytes.  0 or SBLOG_EDAMAGE with *whyp set.
 */
int sb_view_open(struct sb_view *v, const struct sb_batch *head,
    const uint8_t *columns, const uint8_t *values,
    const char **whyp) SB_MUST_CHECK;

/* The same for a batch that sb_view_open has accepted before: no checks. */
void sb_view_reopen(struct sb_view *v, const struct sb_batch *head,
    const uint8_t *columns, const uint8_t *values);

/* The record at *at; *at moves to the next.  at->index < head.count. */
void sb_view_record(const struct sb_view *v, struct sb_at *at,
    struct sblog_record *rec);

/* Move *at forward to index (at->index <= index <= head.count). */
void sb_view_skip(const struct sb_view *v, struct sb_at *at, uint64_t index);

/* Index of the first record with an offset >= offset; count if none. */
uint64_t sb_view_find(const struct sb_view *v, uint64_t offset);
/* Index of the first record with an append time >= time_us; count if none. */
uint64_t sb_view_find_time(const struct sb_view *v, int64_t time_us);

uint64_t sb_view_offset(const struct sb_view *v, uint64_t index);
int64_t sb_view_time(const struct sb_view *v, uint64_t index);

/* Chain before the record at index (up to count), and behind the last one. */
uint64_t sb_view_chain_at(const struct sb_view *v, uint64_t index);
uint64_t sb_view_chain(const struct sb_view *v);

/* ---- making one ---- */

/*
 * Columns of recs[0..n-1], whose offsets and times are set and go up.
 * head->base is set by the caller: the end of the batch before, which is below
 * recs[0].offset where there is a hole.  First sb_plan: fills head (all but hashes, stored sizes, flags of
 * compression, durable_upto, chain, total_size; delim is taken from it) and so
 * says columns_raw and values_raw.  SBLOG_ETOOBIG: *badp is the index of the
 * first record over a limit (SBLOG_* maxima or value_max), or n if the sum is.
 * Then sb_plan_columns writes exactly columns_raw bytes, and sb_plan_values
 * values_raw bytes.  sb_plan_until: the batch ends at next, behind the offset of
 * the last record or later, where compaction left out what followed.
 */
int sb_plan_until(struct sb_batch *head, const struct sblog_record *recs,
    size_t n, uint64_t next, uint64_t value_max, size_t *badp) SB_MUST_CHECK;
int sb_plan(struct sb_batch *head, const struct sblog_record *recs, size_t n,
    uint64_t value_max, size_t *badp) SB_MUST_CHECK;
void sb_plan_columns(const struct sb_batch *head,
    const struct sblog_record *recs, uint8_t *columns);
void sb_plan_values(const struct sb_batch *head,
    const struct sblog_record *recs, uint8_t *values);

/*
 * The same for n bare values of a run, ends as sb_scan found them, all at
 * head->base_time with dense offsets from head->base.
 */
int sb_plan_run(struct sb_batch *head, const uint32_t *ends, size_t n,
    uint64_t value_max, size_t *badp) SB_MUST_CHECK;
void sb_plan_run_columns(const struct sb_batch *head, const uint32_t *ends,
    uint8_t *columns);

#endif
