/*
 * num.h - arithmetic on numbers that came from outside, and decimal and
 * hexadecimal text.
 */
#ifndef SB_BASE_NUM_H
#define SB_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
sb_add_u64(uint64_t a, uint64_t b, uint64_t *sump)
{
	return !__builtin_add_overflow(a, b, sump);
}

static inline bool
sb_mul_u64(uint64_t a, uint64_t b, uint64_t *productp)
{
	return !__builtin_mul_overflow(a, b, productp);
}

static inline uint64_t
sb_align_up(uint64_t n, uint64_t power_of_two)
{
	return (n + power_of_two - 1) & ~(power_of_two - 1);
}

static inline uint64_t
sb_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
sb_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* All of text[0..len-1] must be decimal digits (1 to 20) that fit 64 bits. */
bool sb_parse_u64(const char *text, size_t len, uint64_t *np);

/* The same with an optional leading minus. */
bool sb_parse_i64(const char *text, size_t len, int64_t *np);

/* 2 * n lower-case hexadecimal digits to n bytes, and back (with NUL). */
bool sb_parse_hex(const char *text, size_t len, uint8_t *out, size_t n);
void sb_format_hex(const uint8_t *in, size_t n, char *out);

#endif
