/*
 * key.h - hashes of keys, categories and tokens, as the key indexes hold them.
 *
 * 95 bits of XXH3-128, seeded with the topic's identity so that nobody who
 * merely appends can choose keys that collide.  Whoever finds a record by its
 * hash compares the key itself.
 */
#ifndef SB_CODEC_KEY_H
#define SB_CODEC_KEY_H

#include "codec/hash.h"
#include "sblog.h"

struct sb_key {
	uint64_t hash;
	uint32_t more; /* 31 further bits, and bit 0: not of a key */
};

/* Of a record's key. */
struct sb_key sb_key_of(const uint8_t topic[static SB_ID_SIZE],
    struct sblog_bytes key);

/* Of a category: never that of a key with the same bytes. */
struct sb_key sb_key_of_category(const uint8_t topic[static SB_ID_SIZE],
    struct sblog_bytes category);

/* Of a token of an append that is applied once. */
struct sb_key sb_key_of_token(const uint8_t topic[static SB_ID_SIZE],
    struct sblog_bytes token);

/* What stands before the first '-' of a key: all of it if there is none. */
static inline struct sblog_bytes
sb_key_category(struct sblog_bytes key)
{
	const char *at = key.data;
	size_t n = 0;

	while (n < key.len && at[n] != '-')
		n++;
	return (struct sblog_bytes){ key.data, n };
}

#endif
