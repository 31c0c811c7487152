/*
 * xxh3_avx2.h - hashing at the speed the processor has.
 */
#ifndef BENCH_XXH3_AVX2_H
#define BENCH_XXH3_AVX2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool xxh3_avx2_works(void);

/* XXH3-64; only where xxh3_avx2_works(). */
uint64_t xxh3_avx2(const void *data, size_t len);

#endif
