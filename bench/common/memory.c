/*
 * memory.c - hashing memory at the speed the processor has.
 *
 * Compiled for AVX2 (rules.mk); nothing else may be in this file, as it would
 * be compiled so too.
 */
#include "common/memory.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

bool
memory_has_avx2(void)
{
#ifdef __AVX2__
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

uint64_t
memory_xxh3_avx2(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}
