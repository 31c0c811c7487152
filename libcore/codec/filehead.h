/*
 * filehead.h - the first 128 bytes of a WAL, a segment or an index, and the
 * last 128 of a segment.
 *
 * File head, little-endian (sblog-store(5) is the specification;
 * tests/cli/format.bats compares the two):
 *
 *	  0  u64  head_hash    XXH3 of bytes 8..127, seed 0
 *	  8  u64  magic        "sblogWAL", "sblogSEG", "sblogIDX",
 *                       "sblogWDX", "sblogKDX", "sblogKTB"
 *	 16  u16  major        1; another one is refused
 *	 18  u16  minor        0; a higher one is read
 *	 20  u32  features     bits that a reader must know; none in version 1
 *	 24  u64  salt0        random, bytes 0..7 of the salt
 *	 32  u64  salt1        bytes 8..15 of the salt
 *	 40  u64  topic0       bytes 0..7 of the topic's identity
 *	 48  u64  topic1       bytes 8..15 of it
 *	 56  u64  base         first offset that the file may hold
 *	 64  u64  chain        chain of everything before base
 *	 72  i64  created      microseconds since 1970
 *	 80  u32  head_size    bytes before the first batch or entry
 *	 84  u32  reserved     0
 *	 88  u64  count        index: entries; else 0
 *	 96  u64  body_hash    index: XXH3 of what follows, seed sb_seed(salt,
 *	                       count, base); else 0
 *	104  u64  body_size    index: bytes of what follows; else 0
 *	112  u64  of_size      index: bytes of the file it is made for; else 0
 *	120  u64  zero         0
 *
 * Foot of a segment, at its size - 128:
 *
 *	  0  u64  foot_hash    XXH3 of bytes 8..127, seed sb_seed(salt, position
 *	                       of the foot, base)
 *	  8  u64  magic        "sblogEND"
 *	 16  u64  base         first offset, as in the head
 *	 24  u64  next         offset behind the last one covered
 *	 32  u64  count        records
 *	 40  u64  batches      blocks
 *	 48  u64  raw          bytes of all values sections, decompressed
 *	 56  u64  chain        chain of everything before base
 *	 64  u64  end_chain    chain of everything before next
 *	 72  i64  first_time   append time of the first record
 *	 80  i64  last_time    append time of the last record
 *	 88  u64  blocks_end   position behind the last block
 *	 96  u64  zero0        0
 *	104  u64  zero1        0
 *	112  u64  zero2        0
 *	120  u64  zero3        0
 */
#ifndef SB_CODEC_FILEHEAD_H
#define SB_CODEC_FILEHEAD_H

#include "base/check.h"
#include "codec/hash.h"
#include "sblog.h"

enum {
	SB_FILE_HEAD_SIZE = 128,
	SB_SEG_FOOT_SIZE = 128,
	SB_WAL_HEAD_SIZE = 4096, /* batches start on a page */
	SB_SEG_HEAD_SIZE = 128,
	SB_FORMAT_MAJOR = 1,
	SB_FORMAT_MINOR = 0,
};

#define SB_MAGIC_WAL "sblogWAL"
#define SB_MAGIC_SEG "sblogSEG"
#define SB_MAGIC_IDX "sblogIDX"
#define SB_MAGIC_WDX "sblogWDX"
#define SB_MAGIC_KDX "sblogKDX"
#define SB_MAGIC_KTB "sblogKTB"
#define SB_MAGIC_END "sblogEND"

struct sb_file_head {
	char magic[9];
	uint8_t salt[SB_SALT_SIZE];
	uint8_t topic[SB_ID_SIZE];
	uint64_t base, chain;
	int64_t created;
	uint32_t head_size;
	uint64_t count, body_hash, body_size, of_size;
};

void sb_file_head_encode(const struct sb_file_head *h,
    uint8_t out[static SB_FILE_HEAD_SIZE]);

/* 0, SBLOG_EDAMAGE, or SBLOG_EFORMAT for a newer version; *whyp says why. */
int sb_file_head_decode(struct sb_file_head *h, const char *magic,
    const uint8_t in[static SB_FILE_HEAD_SIZE],
    const char **whyp) SB_MUST_CHECK;

struct sb_seg_foot {
	uint64_t base, next, count, batches, raw, chain, end_chain;
	int64_t first_time, last_time;
	uint64_t blocks_end;
};

/* pos: byte position of the foot in the file. */
void sb_seg_foot_encode(const struct sb_seg_foot *f,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    uint8_t out[static SB_SEG_FOOT_SIZE]);
int sb_seg_foot_decode(struct sb_seg_foot *f,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    const uint8_t in[static SB_SEG_FOOT_SIZE], const char **whyp) SB_MUST_CHECK;

#endif
