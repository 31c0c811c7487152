/*
 * hash_avx2.c - XXH3-64 compiled for AVX2 where the processor knows it.
 */
#include "codec/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
sb_hash64_avx2(const void *data, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(data, len, seed);
}
