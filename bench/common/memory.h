/*
 * memory.h - hashing memory at the speed the processor has.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool memory_has_avx2(void);

/* XXH3-64; only where memory_has_avx2(). */
uint64_t memory_xxh3_avx2(const void *data, size_t len);

#endif
