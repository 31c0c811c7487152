/*
 * xxh3_avx2.c - hashing at the speed the processor has.
 *
 * Compiled for AVX2 (the Makefile goes by the name of the file), so nothing else
 * may be here.
 */
#include "common/xxh3_avx2.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

bool
xxh3_avx2_works(void)
{
#ifdef __AVX2__
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

uint64_t
xxh3_avx2(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}
