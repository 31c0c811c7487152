/*
 * scan.c - find where delimited values end.
 */
#include "codec/scan.h"

#include <string.h>

#include "base/check.h"

enum { WIDE_FROM = 16 << 10 };

static size_t
scan_byte(const uint8_t *data, size_t len, uint8_t delim, uint32_t *ends,
    size_t max)
{
	const uint8_t *at = data;
	size_t n = 0;

	while (n < max) {
		at = memchr(at, delim, len - (size_t)(at - data));
		if (at == NULL)
			break;
		ends[n++] = (uint32_t)(at - data);
		at++;
	}
	return n;
}

static size_t
scan_string(const uint8_t *data, size_t len, const uint8_t *delim,
    size_t delim_len, uint32_t *ends, size_t max)
{
	const uint8_t *at = data;
	size_t n = 0;

	while (n < max) {
		at = memmem(at, len - (size_t)(at - data), delim, delim_len);
		if (at == NULL)
			break;
		ends[n++] = (uint32_t)(at - data);
		at += delim_len;
	}
	return n;
}

size_t
sb_scan(struct sb_cpu *cpu, const uint8_t *data, size_t len,
    const uint8_t *delim, size_t delim_len, uint32_t *ends, size_t max)
{
	sb_assert(delim_len > 0 && len <= UINT32_MAX);

	if (delim_len > 1)
		return scan_string(data, len, delim, delim_len, ends, max);
#if defined(__x86_64__)
	if (len >= WIDE_FROM && sb_cpu_wide(cpu))
		return sb_scan_avx2(data, len, delim[0], ends, max);
#else
	(void)cpu;
#endif
	return scan_byte(data, len, delim[0], ends, max);
}
