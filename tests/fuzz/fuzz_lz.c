/*
 * fuzz_lz.c - codec/lz: any bytes unpack to the size they are said to have or
 * are refused; a part is the beginning of the whole; what is packed comes back.
 *
 * Input: 3 bytes of the raw size, 3 of how much is wanted of it; the block.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/lz.h"
#include "fuzz.h"

enum { HEAD = 6, RAW_CAP = 1 << 20 };

static size_t
number(const uint8_t *at)
{
	return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16;
}

static void
unpack(const uint8_t *in, size_t len, size_t raw, size_t want)
{
	uint8_t *whole = calloc(raw + 1, 1), *part = calloc(raw + 1, 1);
	int rc;

	MUST(whole != NULL && part != NULL);
	rc = sb_lz_unpack_part(in, len, part, want, raw);
	if (sb_lz_unpack(in, len, whole, raw) == 0) {
		MUST(rc == 0);
		MUST(memcmp(whole, part, want) == 0);
	}
	MUST(whole[raw] == 0 && part[raw] == 0);
	free(whole);
	free(part);
}

static void
round_trip(const uint8_t *in, size_t len)
{
	size_t room = sb_lz_bound(len), n;
	uint8_t *packed = malloc(room + 1), *back = malloc(len + 1);
	void *state = malloc(sb_lz_state_size());

	MUST(packed != NULL && back != NULL && state != NULL);
	n = sb_lz_pack(state, in, len, packed, room);
	MUST((n > 0) == (len > 0));
	if (n > 0) {
		MUST(sb_lz_unpack(packed, n, back, len) == 0);
		MUST(memcmp(back, in, len) == 0);
	}
	free(packed);
	free(back);
	free(state);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t raw, want;

	if (size < HEAD)
		return 0;
	raw = number(data) % (RAW_CAP + 1);
	want = number(data + 3) % (raw + 1);
	unpack(data + HEAD, size - HEAD, raw, want);
	round_trip(data + HEAD, size - HEAD);
	return 0;
}
