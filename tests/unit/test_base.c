/*
 * test_base.c - base/num, base/buf, base/err: numbers, buffers, errors.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/le.h"
#include "base/num.h"
#include "check.h"

static void
numbers_are_digits_that_fit(void)
{
	static const struct {
		const char *text;
		int ok;
		uint64_t n;
	} list[] = {
		{ "0", 1, 0 },
		{ "18446744073709551615", 1, UINT64_MAX },
		{ "18446744073709551616", 0, 0 },
		{ "99999999999999999999", 0, 0 },
		{ "", 0, 0 },
		{ "-1", 0, 0 },
		{ " 1", 0, 0 },
		{ "1x", 0, 0 },
	};
	int64_t i;

	for (size_t k = 0; k < sizeof(list) / sizeof(list[0]); k++) {
		uint64_t n = 7;

		CHECK_U64(sb_parse_u64(list[k].text, strlen(list[k].text), &n),
		    list[k].ok);
		CHECK_U64(n, list[k].ok ? list[k].n : 7);
	}
	CHECK(sb_parse_i64("-5", 2, &i) && i == -5);
	CHECK(!sb_parse_i64("9223372036854775808", 19, &i));
}

static void
hexadecimal_round_trip(void)
{
	const uint8_t in[4] = { 0x00, 0x9f, 0xa0, 0xff };
	uint8_t out[4];
	char text[9];

	sb_format_hex(in, 4, text);
	CHECK_STR(text, "009fa0ff");
	CHECK(sb_parse_hex(text, 8, out, 4));
	CHECK_BYTES(out, in, 4);
	CHECK(!sb_parse_hex("009FA0FF", 8, out, 4));
	CHECK(!sb_parse_hex(text, 7, out, 4));
}

static void
sums_that_overflow_are_refused(void)
{
	uint64_t n = 3;

	CHECK(sb_add_u64(UINT64_MAX - 1, 1, &n) && n == UINT64_MAX);
	CHECK(!sb_add_u64(UINT64_MAX, 1, &n));
	CHECK(!sb_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &n));
	CHECK_U64(sb_align_up(4097, 4096), 8192);
	CHECK_U64(sb_align_up(4096, 4096), 4096);
}

static void
integers_are_little_endian(void)
{
	uint8_t b[8];

	sb_put_u64(b, UINT64_C(0x0102030405060708));
	CHECK_U64(b[0], 8);
	CHECK_U64(b[7], 1);
	CHECK_U64(sb_get_u64(b), UINT64_C(0x0102030405060708));
	CHECK_U64(sb_get_u32(b), 0x05060708);
}

static void
buffers_grow_and_keep(void)
{
	struct sb_buf b = SB_BUF_INIT;

	for (unsigned i = 0; i < 5000; i++) {
		uint8_t byte = (uint8_t)i;

		CHECK_U64(sb_buf_add(&b, &byte, 1), 0);
	}
	CHECK_U64(b.len, 5000);
	for (unsigned i = 0; i < 5000; i++)
		CHECK_U64(b.data[i], (uint8_t)i);
	CHECK_U64(sb_buf_addf(&b, "%d-%s", 42, "x"), 0);
	CHECK_BYTES(b.data + 5000, "42-x", 4);
	CHECK_U64(sb_buf_reserve(&b, SIZE_MAX), (uint64_t)SBLOG_ENOMEM);
	CHECK_U64(b.len, 5004);
	sb_buf_release(&b);
	CHECK(b.data == NULL);
}

static void
errors_say_where(void)
{
	struct sblog_err err;

	CHECK(sb_err_damage(&err, "f.wal", 8192, 3, 5, "x %d", 1) ==
	    SBLOG_EDAMAGE);
	CHECK_STR(err.msg, "x 1");
	CHECK_STR(err.file, "f.wal");
	CHECK_U64(err.pos, 8192);
	CHECK_U64(err.offset, 3);
	CHECK_U64(err.end, 5);
	CHECK(
	    sb_err_sys(&err, SBLOG_EIO, -28, "g", "cannot write") == SBLOG_EIO);
	CHECK_STR(err.msg, "cannot write: No space left on device");
	CHECK_U64(err.sys, 28);
	CHECK_U64(err.offset, SBLOG_NO_OFFSET);
	CHECK_STR(sblog_code_name(SBLOG_EDAMAGE), "damage");
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "num: numbers are digits that fit",
		    numbers_are_digits_that_fit },
		{ "num: hexadecimal round trip", hexadecimal_round_trip },
		{ "num: sums that overflow are refused",
		    sums_that_overflow_are_refused },
		{ "le: integers are little-endian",
		    integers_are_little_endian },
		{ "buf: buffers grow and keep", buffers_grow_and_keep },
		{ "err: errors say where", errors_say_where },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
