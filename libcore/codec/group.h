/*
 * group.h - one slot of a file of a consumer group: encode, decode, choose.
 *
 * A file has two slots, at bytes 0 and 4096, both written when it is made;
 * commits are written to them in turn.  A slot, little-endian (sblog-group(5) is the specification;
 * tests/cli/format.bats compares the two):
 *
 *	  0  u64  head_hash    XXH3 of bytes 8..127, seed: see below
 *	  8  u64  magic        "sblogGRP"
 *	 16  u16  major        1; another one is refused
 *	 18  u16  minor        0; a higher one is read
 *	 20  u32  features     bits that a reader must know; none in version 1
 *	 24  u64  topic0       bytes 0..7 of the topic's identity
 *	 32  u64  topic1       bytes 8..15 of it
 *	 40  u64  seq          number of this commit, from 1; odd ones at 0,
 *	                       even ones at 4096
 *	 48  u64  offset       committed: the next record wanted
 *	 56  u64  chain        of everything before offset
 *	 64  i64  time         of the commit, microseconds since 1970
 *	 72  u64  epoch        of a shard: how many leases it has had; of a
 *	                       group: a random number, new with every division
 *	 80  u32  shards       of a group: its number of shards, or 0
 *	 84  u32  flags        1 parked, 2 not known durable when committed,
 *	                       4 the chain was not known, 8 the group is removed
 *	 88  u64  of_epoch     of a shard: epoch of its group when it was taken
 *	 96  u64  note_hash    XXH3 of the note, same seed
 *	104  u32  note_size    bytes of the note, at most 1024
 *	108  u32  reserved     0
 *	112  u64  zero0        0
 *	120  u64  zero1        0
 *	128       note         note_size bytes
 *
 * The seed is sb_seed(identity of the topic, position of the slot, XXH3 of the
 * file's name): right bytes in another slot, file or topic do not verify.
 * Head and note have hashes of their own because the head, in one sector, is
 * written whole or not at all, and is believed without its note if need be.
 */
#ifndef SB_CODEC_GROUP_H
#define SB_CODEC_GROUP_H

#include "base/check.h"
#include "codec/hash.h"
#include "sblog.h"

enum {
	SB_SLOT_HEAD_SIZE = 128,
	SB_SLOT_SIZE = SB_SLOT_HEAD_SIZE + SBLOG_NOTE_MAX,
	SB_SLOT_STRIDE = 4096,
	SB_SLOT_ATOMIC = 512, /* bytes that a device writes whole or not */
	SB_GROUP_FILE_SIZE = 2 * SB_SLOT_STRIDE,
	SB_SLOT_PARKED = 1,
	SB_SLOT_UNDURABLE = 2,
	SB_SLOT_NO_CHAIN = 4,
	SB_SLOT_REMOVED = 8,
};

struct sb_slot {
	uint64_t seq, offset, chain;
	int64_t time;
	uint64_t epoch, of_epoch;
	uint32_t shards, flags, note_len;
	const uint8_t *note; /* borrowed */
};

/* Where commits of this number go. */
uint64_t sb_slot_pos(uint64_t seq);

/* Bytes written; out must have SB_SLOT_SIZE.  name_hash: sb_hash_key of the
 * name of the file. */
size_t sb_slot_encode(const struct sb_slot *s,
    const uint8_t topic[static SB_ID_SIZE], uint64_t name_hash, uint8_t *out);

/* The better the smaller. */
enum sb_slot_state {
	SB_SLOT_GOOD,
	SB_SLOT_NO_NOTE, /* the head is good, the note is not */
	SB_SLOT_BAD,
	SB_SLOT_NEWER, /* written by a newer version of sblog */
};

/*
 * Decode the slot at byte pos of its file from in, of which len bytes are
 * there.  *whyp says what is wrong, or is NULL.  s->note points into in.
 */
enum sb_slot_state sb_slot_decode(struct sb_slot *s,
    const uint8_t topic[static SB_ID_SIZE], uint64_t name_hash, uint64_t pos,
    const uint8_t *in, size_t len, const char **whyp) SB_MUST_CHECK;

/* A whole file: what it says, and what is wrong with it. */
struct sb_slots {
	struct sb_slot now;   /* the last commit that can be believed */
	bool damaged;         /* one of the slots is */
	uint64_t damaged_pos; /* where */
	const char *why;      /* if so */
};

/* 0, SBLOG_EDAMAGE: neither slot is good, SBLOG_EFORMAT: a newer version. */
int sb_slots_decode(struct sb_slots *s, const uint8_t topic[static SB_ID_SIZE],
    uint64_t name_hash, const uint8_t *in, size_t len) SB_MUST_CHECK;

#endif
