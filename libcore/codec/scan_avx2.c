/*
 * scan_avx2.c - find one byte value in a run, 64 bytes at a time.
 */
#include "codec/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

static uint64_t
matches(const uint8_t *at, __m256i want)
{
	__m256i low = _mm256_loadu_si256((const __m256i *)(const void *)at);
	__m256i high =
	    _mm256_loadu_si256((const __m256i *)(const void *)(at + 32));
	uint32_t a =
	    (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, want));
	uint32_t b =
	    (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, want));

	return a | (uint64_t)b << 32;
}

size_t
sb_scan_avx2(const uint8_t *data, size_t len, uint8_t delim, uint32_t *ends,
    size_t max)
{
	const __m256i want = _mm256_set1_epi8((char)delim);
	size_t n = 0, pos = 0;

	for (; pos + 64 <= len; pos += 64) {
		uint64_t bits = matches(data + pos, want);

		while (bits != 0) {
			if (n == max)
				return n;
			ends[n++] =
			    (uint32_t)pos + (uint32_t)__builtin_ctzll(bits);
			bits &= bits - 1;
		}
	}
	for (; pos < len && n < max; pos++)
		if (data[pos] == delim)
			ends[n++] = (uint32_t)pos;
	return n;
}
#endif
