/*
 * num.c - decimal and hexadecimal text.
 */
#include "base/num.h"

bool
sb_parse_u64(const char *text, size_t len, uint64_t *np)
{
	uint64_t n = 0;

	if (len == 0 || len > 20)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || !sb_mul_u64(n, 10, &n) ||
		    !sb_add_u64(n, (uint64_t)(text[i] - '0'), &n))
			return false;
	}
	*np = n;
	return true;
}

bool
sb_parse_i64(const char *text, size_t len, int64_t *np)
{
	bool minus = len > 0 && text[0] == '-';
	uint64_t n;

	if (!sb_parse_u64(text + minus, len - minus, &n) ||
	    n > (uint64_t)INT64_MAX)
		return false;
	*np = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
sb_parse_hex(const char *text, size_t len, uint8_t *out, size_t n)
{
	if (len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
sb_format_hex(const uint8_t *in, size_t n, char *out)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digit[in[i] >> 4];
		out[2 * i + 1] = digit[in[i] & 15];
	}
	out[2 * n] = '\0';
}
