/*
 * hash.h - checksums: XXH3-64 (xxHash 0.8, doc/xxhash_spec.md), mixed with
 * where the bytes belong.
 */
#ifndef SB_CODEC_HASH_H
#define SB_CODEC_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { SB_SALT_SIZE = 16, SB_ID_SIZE = 16 };

/*
 * Which instructions this processor has: asked once per handle and only when
 * there is enough to hash, because in a virtual machine one CPUID costs as
 * much as hashing 100 KB.  Zero: not asked yet.
 */
struct sb_cpu {
	signed char avx2; /* 1 yes, -1 no, 0 not asked */
};

/* XXH3-64 with seed; the same value on every processor. */
uint64_t sb_hash64(struct sb_cpu *cpu, const void *data, size_t len,
    uint64_t seed);

/* XXH3-64 of a short run of bytes: a key, a name. */
uint64_t sb_hash_key(const void *data, size_t len);

/*
 * The seed for a unit at byte pos of a file whose salt is given: XXH3-64 of
 * salt, pos and base (16 + 8 + 8 bytes, little-endian).  Right bytes in the
 * wrong place, file or generation do not verify.
 */
uint64_t sb_seed(const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    uint64_t base);

/* Does the processor have AVX2, and does the system save its registers? */
int sb_cpu_wide(struct sb_cpu *cpu);

/* The variant compiled for AVX2; only after sb_cpu_wide() said 1. */
uint64_t sb_hash64_avx2(const void *data, size_t len, uint64_t seed);

#endif
