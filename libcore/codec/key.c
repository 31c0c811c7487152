/*
 * key.c - hashes of keys, categories and tokens, as the key indexes hold them.
 */
#include "codec/key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"

#define CATEGORY_SEED UINT64_C(0x79726f6765746163) /* "category" */
#define TOKEN_SEED UINT64_C(0x6563006e656b6f74)    /* "token" */

static struct sb_key
hash(uint64_t seed, struct sblog_bytes bytes)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(bytes.data, bytes.len, seed);

	return (struct sb_key){ h.low64, (uint32_t)h.high64 & ~1u };
}

struct sb_key
sb_key_of(const uint8_t topic[static SB_ID_SIZE], struct sblog_bytes key)
{
	return hash(sb_get_u64(topic), key);
}

struct sb_key
sb_key_of_category(const uint8_t topic[static SB_ID_SIZE],
    struct sblog_bytes category)
{
	struct sb_key key = hash(sb_get_u64(topic) ^ CATEGORY_SEED, category);

	key.more |= 1;
	return key;
}

struct sb_key
sb_key_of_token(const uint8_t topic[static SB_ID_SIZE],
    struct sblog_bytes token)
{
	struct sb_key key = hash(sb_get_u64(topic) ^ TOKEN_SEED, token);

	key.more |= 1;
	return key;
}
