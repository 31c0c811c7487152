/*
 * fuzz_index.c - store/index: an entry of a WAL index that is accepted encodes
 * to the same bytes; looking in columns of any bytes stays inside, and in
 * ascending ones agrees with a search from the front.
 *
 * Input: a byte, odd where the entry's hash is to be made right; 8 bytes of
 * the entry's number; its 32 bytes, then numbers of 8 bytes each to look in.
 */
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "fuzz.h"
#include "store/index.h"

enum { HEAD = 9, WORD = 8 };

static void
check_entry(const uint8_t *bytes, uint64_t i, bool repair)
{
	uint8_t in[SB_WINDEX_ENTRY_SIZE], again[SB_WINDEX_ENTRY_SIZE];
	struct sb_index_entry e = {
		.offset = sb_get_u64(bytes),
		.pos = sb_get_u64(bytes + WORD),
		.time = (int64_t)sb_get_u64(bytes + 2 * WORD),
	};

	memcpy(in, bytes, sizeof(in));
	if (repair)
		sb_windex_encode(&e, i, fuzz_salt, in);
	if (!sb_windex_decode(&e, i, fuzz_salt, in)) {
		MUST(!repair);
		return;
	}
	sb_windex_encode(&e, i, fuzz_salt, again);
	MUST(memcmp(again, in, sizeof(in)) == 0);
	/* The same bytes as another entry are not one. */
	MUST(!sb_windex_decode(&e, i + 1, fuzz_salt, in));
}

static void
check_find(const uint8_t *column, uint64_t n, uint64_t key)
{
	const struct sb_index ix = {
		.count = n,
		.offsets = column,
		.positions = column,
		.times = column,
	};
	uint64_t got = sb_index_find(&ix, key), want = 0;
	bool ascending = true;

	MUST(got <= n);
	MUST(sb_index_find_time(&ix, (int64_t)key) < n);
	for (uint64_t i = 1; i < n; i++)
		if (sb_index_at(&ix, i).offset < sb_index_at(&ix, i - 1).offset)
			ascending = false;
	if (!ascending)
		return;
	while (want < n && sb_index_at(&ix, want).offset <= key)
		want++;
	MUST(got == (want == 0 ? n : want - 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t number, n;
	uint8_t *column;

	if (size < HEAD + SB_WINDEX_ENTRY_SIZE)
		return 0;
	number = sb_get_u64(data + 1);
	check_entry(data + HEAD, number % (UINT64_C(1) << 56), data[0] & 1);
	n = (size - HEAD) / WORD;
	column = malloc(n * WORD);
	MUST(column != NULL);
	memcpy(column, data + HEAD, n * WORD);
	check_find(column, n, number);
	check_find(column, n, sb_get_u64(column + number % n * WORD));
	free(column);
	return 0;
}
