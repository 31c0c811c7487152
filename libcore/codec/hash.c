/*
 * hash.c - checksums, and the choice of instructions for them.
 */
#include "codec/hash.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Below this many bytes asking for AVX2 costs more than it could save. */
enum { WIDE_FROM = 16 << 10 };

#if defined(__x86_64__)
static int
has_avx2(void)
{
	unsigned a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) ||
	    !(c & bit_AVX))
		return 0;
	/* XCR0: the system saves the XMM and YMM registers. */
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & 6) != 6)
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) &&
	    (b & bit_BMI2);
}
#else
static int
has_avx2(void)
{
	return 0;
}
#endif

int
sb_cpu_wide(struct sb_cpu *cpu)
{
	if (cpu->avx2 == 0)
		cpu->avx2 = has_avx2() ? 1 : -1;
	return cpu->avx2 > 0;
}

uint64_t
sb_hash64(struct sb_cpu *cpu, const void *data, size_t len, uint64_t seed)
{
	if (len >= WIDE_FROM && sb_cpu_wide(cpu))
		return sb_hash64_avx2(data, len, seed);
	return XXH3_64bits_withSeed(data, len, seed);
}

uint64_t
sb_hash_key(const void *data, size_t len)
{
	return XXH3_64bits(data, len);
}

uint64_t
sb_seed(const uint8_t salt[static SB_SALT_SIZE], uint64_t pos, uint64_t base)
{
	uint8_t place[SB_SALT_SIZE + 16];

	memcpy(place, salt, SB_SALT_SIZE);
	sb_put_u64(place + SB_SALT_SIZE, pos);
	sb_put_u64(place + SB_SALT_SIZE + 8, base);
	return XXH3_64bits(place, sizeof(place));
}
