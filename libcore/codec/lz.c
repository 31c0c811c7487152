/*
 * lz.c - one LZ4 block, bounds checked.
 */
#include "codec/lz.h"

#include <limits.h>
#include <lz4.h>

size_t
sb_lz_bound(size_t len)
{
	if (len > LZ4_MAX_INPUT_SIZE)
		return 0;
	return (size_t)LZ4_compressBound((int)len);
}

size_t
sb_lz_state_size(void)
{
	return (size_t)LZ4_sizeofState();
}

size_t
sb_lz_pack(void *state, const uint8_t *in, size_t len, uint8_t *out,
    size_t size)
{
	int n;

	if (len == 0 || len > LZ4_MAX_INPUT_SIZE)
		return 0;
	n = LZ4_compress_fast_extState(state, (const char *)in, (char *)out,
	    (int)len, size > INT_MAX ? INT_MAX : (int)size, 1);
	return n > 0 ? (size_t)n : 0;
}

int
sb_lz_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t raw_len)
{
	if (len > INT_MAX || raw_len > INT_MAX)
		return -1;
	return LZ4_decompress_safe((const char *)in, (char *)out, (int)len,
		   (int)raw_len) == (int)raw_len
	    ? 0
	    : -1;
}

int
sb_lz_unpack_part(const uint8_t *in, size_t len, uint8_t *out, size_t want,
    size_t raw_len)
{
	int n;

	if (len > INT_MAX || raw_len > INT_MAX || want > raw_len)
		return -1;
	n = LZ4_decompress_safe_partial((const char *)in, (char *)out, (int)len,
	    (int)want, (int)raw_len);
	return n >= (int)want ? 0 : -1;
}
