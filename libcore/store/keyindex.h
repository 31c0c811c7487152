/*
 * keyindex.h - the keys of a segment: which of its records have a key.
 *
 * Derivable and never trusted: each page verifies by itself, and the record
 * that is found must have the key.  BASE.kdx, little-endian: a head of 4096
 * bytes,
 *
 *	  0       file head    magic "sblogKDX", salt and base of the segment,
 *	                       count = entries, of_size = bytes of the segment
 *	128  u64  pages        hash pages
 *	136  u64  postings     numbers in the posting pages
 *	144  u64  head2_hash   XXH3 of bytes 128..143, seed sb_seed(salt, 128,
 *	                       base)
 *
 * then the hash pages, 4096 bytes each.  Page p holds the entries whose hash
 * times the number of pages, shifted down by 64 bits, is p:
 *
 *	  0  u64  page_hash    XXH3 of bytes 8..4095, seed sb_seed(salt,
 *	                       position of the page, base)
 *	  8  u32  n            entries, in order of hash, then more
 *	 12  u32  zero
 *	 16       n entries of 32 bytes:
 *	      0  u64  hash       of a key or of a category (codec/key.h)
 *	      8  u64  first_pos  how many of the same come in files before
 *	     16  u32  more       further bits of the hash; bit 0: not a key
 *	     20  u32  count      records of it in this segment
 *	     24  u32  post       count 1: offset - base; else its first posting
 *	     28  u32  zero
 *
 * then the posting pages: page_hash as above, then 1022 u32 each, the offset -
 * base of every record of an entry, going up.
 */
#ifndef SB_STORE_KEYINDEX_H
#define SB_STORE_KEYINDEX_H

#include "base/buf.h"
#include "codec/filehead.h"
#include "codec/key.h"
#include "codec/manifest.h"
#include "sblog.h"
#include "sys/tmp.h"

/* ---- reading ---- */

struct sb_keyindex {
	uint8_t *map; /* NULL: not open */
	uint64_t size, pages, entries, postings;
	uint8_t *seen; /* bit i: page i, hash and posting pages, was verified */
	uint8_t salt[SB_SALT_SIZE];
	uint64_t base;
	struct sb_cpu cpu;
};

#define SB_KEYINDEX_INIT ((struct sb_keyindex){ .map = NULL })

struct sb_keyindex_entry {
	struct sb_key key;
	uint64_t first_pos;
	uint32_t count, post;
};

/* SBLOG_ENOENT: none.  SBLOG_EDAMAGE: not that of this segment, or damaged. */
int sb_keyindex_open(struct sb_keyindex *x, int dirfd,
    const struct sb_file *segment, const uint8_t topic[static SB_ID_SIZE],
    struct sblog_err *err) SB_MUST_CHECK;
void sb_keyindex_close(struct sb_keyindex *x);

/* 0, SBLOG_END (no record has it) or SBLOG_EDAMAGE. */
int sb_keyindex_find(struct sb_keyindex *x, struct sb_key key,
    struct sb_keyindex_entry *e) SB_MUST_CHECK;

/* offset - base of record number i of an entry.  SBLOG_EDAMAGE. */
int sb_keyindex_posting(struct sb_keyindex *x,
    const struct sb_keyindex_entry *e, uint32_t i,
    uint32_t *relp) SB_MUST_CHECK;

/* Entry number i of page p; SBLOG_END behind the last of the page. */
int sb_keyindex_at(struct sb_keyindex *x, uint64_t p, uint32_t i,
    struct sb_keyindex_entry *e) SB_MUST_CHECK;

/* ---- writing ---- */

struct sb_keyindex_writer {
	struct sb_tmp file;
	uint8_t salt[SB_SALT_SIZE], topic[SB_ID_SIZE];
	uint64_t base, chain, of_size;
	uint64_t pages, page; /* of them, and the one being filled */
	uint64_t entries, postings;
	uint8_t hash_page[4096], post_page[4096];
	struct sb_cpu cpu;
};

#define SB_KEYINDEX_WRITER_INIT \
	((struct sb_keyindex_writer){ .file = SB_TMP_INIT })

/* pages: enough for about 75 entries each. */
int sb_keyindex_create(struct sb_keyindex_writer *w, int dirfd,
    const struct sb_file *segment, const uint8_t topic[static SB_ID_SIZE],
    uint64_t pages, struct sblog_err *err) SB_MUST_CHECK;

/*
 * An entry and the offset - base of its records; entries come in order of hash,
 * more.  SBLOG_ETOOBIG: too few pages, begin again with twice as many.
 */
int sb_keyindex_add(struct sb_keyindex_writer *w,
    const struct sb_keyindex_entry *e, const uint32_t *rels,
    struct sblog_err *err) SB_MUST_CHECK;

/* Into place, durably. */
int sb_keyindex_commit(struct sb_keyindex_writer *w,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_keyindex_discard(struct sb_keyindex_writer *w);

#endif
