/*
 * test_codec.c - codec: hashes, scanning, chains, headers, LZ4, file heads,
 * heads of batches.  What is encoded comes back; a damaged one is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/batch.h"
#include "codec/chain.h"
#include "codec/filehead.h"
#include "codec/headers.h"
#include "codec/lz.h"
#include "codec/scan.h"

enum { SIZE = 200000 };

static const uint8_t salt[SB_SALT_SIZE] = "0123456789abcde";

static uint64_t
next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

static uint8_t *
noise(size_t len, unsigned letters)
{
	uint8_t *data = malloc(len);
	uint64_t state = 42;

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(next(&state) % letters);
	return data;
}

/* Known answers: xxHash 0.8, tests/sanity_test_vectors.h, and xxhsum. */
static void
hashes_are_xxh3(void)
{
	struct sb_cpu cpu = { 0 };

	CHECK_U64(sb_hash64(&cpu, "", 0, 0), UINT64_C(0x2d06800538d394c2));
	CHECK_U64(sb_hash64(&cpu, "abc", 3, 0), UINT64_C(0x78af5f94892f3950));
}

static void
every_processor_hashes_alike(void)
{
	struct sb_cpu wide = { 0 }, narrow = { .avx2 = -1 };
	uint8_t *data = noise(SIZE, 256);

	for (size_t len = 0; len < SIZE; len += 1 + len / 7)
		for (uint64_t seed = 0; seed < 3; seed++)
			CHECK_U64(sb_hash64(&wide, data, len, seed),
			    sb_hash64(&narrow, data, len, seed));
	free(data);
}

static void
seeds_depend_on_place(void)
{
	uint8_t other[SB_SALT_SIZE] = "0123456789abcdf";

	CHECK(sb_seed(salt, 1, 2) == sb_seed(salt, 1, 2));
	CHECK(sb_seed(salt, 1, 2) != sb_seed(salt, 2, 1));
	CHECK(sb_seed(salt, 1, 2) != sb_seed(other, 1, 2));
}

static void
every_processor_finds_the_same_ends(void)
{
	struct sb_cpu wide = { 0 }, narrow = { .avx2 = -1 };
	uint32_t *a = malloc(SIZE * sizeof(*a));
	uint32_t *b = malloc(SIZE * sizeof(*b));
	uint8_t *data = noise(SIZE, 20);
	const uint8_t delim = 7;

	for (size_t len = 16384; len < SIZE; len += 9973) {
		for (size_t max = 1; max < SIZE; max = max * 5 + 1) {
			size_t n = sb_scan(&wide, data, len, &delim, 1, a, max);

			CHECK_U64(n,
			    sb_scan(&narrow, data, len, &delim, 1, b, max));
			CHECK(memcmp(a, b, n * sizeof(*a)) == 0);
		}
	}
	CHECK_U64(sb_scan(&wide, (const uint8_t *)"a||b|c||", 8,
		      (const uint8_t *)"||", 2, a, 10),
	    2);
	CHECK_U64(a[0], 1);
	CHECK_U64(a[1], 6);
	free(a);
	free(b);
	free(data);
}

static void
a_chain_does_not_depend_on_batches(void)
{
	const char *text = "one\nfour\n\nx\n";
	uint32_t ends[4] = { 3, 8, 9, 11 };
	uint64_t whole, parts = SB_CHAIN_START;
	size_t begin = 0;

	whole = sb_chain_run(SB_CHAIN_START, (const uint8_t *)text, ends, 4, 1,
	    100, 5);
	for (unsigned i = 0; i < 4; i++) {
		struct sblog_record rec = {
			.offset = 100 + i,
			.time_us = 5,
			.user_time_us = SBLOG_NO_TIME,
			.value = { text + begin, ends[i] - begin },
		};

		parts = sb_chain_record(parts, &rec);
		begin = ends[i] + 1;
	}
	CHECK_U64(parts, whole);
	CHECK_U64(sb_chain_even(1, (const uint8_t *)"ab,cd,", 2, 3, 2, 7, 9),
	    sb_chain_run(1, (const uint8_t *)"ab,cd,",
		(const uint32_t[]){ 2, 5 }, 2, 1, 7, 9));
}

static void
a_chain_tells_records_apart(void)
{
	struct sblog_record a = { .user_time_us = SBLOG_NO_TIME,
		.value = { "", 0 } };
	struct sblog_record list[8];
	uint64_t chains[8];

	for (int i = 0; i < 8; i++)
		list[i] = a;
	list[1].value.data = NULL; /* null is not empty */
	list[2].key = (struct sblog_bytes){ "", 0 };
	list[3].key = (struct sblog_bytes){ "k", 1 };
	list[4].user_time_us = 0;
	list[5].offset = 1;
	list[6].time_us = 1;
	list[7].headers = (struct sblog_bytes){ "\1\0\1\0\0\0h", 7 };
	for (int i = 0; i < 8; i++) {
		chains[i] = sb_chain_record(SB_CHAIN_START, &list[i]);
		for (int j = 0; j < i; j++)
			CHECK(chains[i] != chains[j]);
	}
}

static void
headers_round_trip_and_are_bounded(void)
{
	struct sblog_bytes run, name, value;
	uint8_t buf[64];
	size_t len = 0;

	CHECK_U64(sblog_headers_add(buf, sizeof(buf), &len,
		      (struct sblog_bytes){ "a", 1 },
		      (struct sblog_bytes){ "", 0 }),
	    0);
	CHECK_U64(sblog_headers_add(buf, sizeof(buf), &len,
		      (struct sblog_bytes){ "bb", 2 },
		      (struct sblog_bytes){ NULL, 0 }),
	    0);
	run = (struct sblog_bytes){ buf, len };
	CHECK(sb_headers_ok(run));
	CHECK_U64(sblog_headers_next(&run, &name, &value), 0);
	CHECK(name.len == 1 && value.data != NULL && value.len == 0);
	CHECK_U64(sblog_headers_next(&run, &name, &value), 0);
	CHECK(name.len == 2 && value.data == NULL);
	CHECK(sblog_headers_next(&run, &name, &value) == SBLOG_END);
	for (size_t cut = 1; cut < len; cut++)
		if (cut != 7) /* the end of the first */
			CHECK(!sb_headers_ok((struct sblog_bytes){ buf, cut }));
	len = 60;
	CHECK(sblog_headers_add(buf, sizeof(buf), &len,
		  (struct sblog_bytes){ "a", 1 },
		  (struct sblog_bytes){ "b", 1 }) == SBLOG_EINVAL);
	CHECK_U64(len, 68);
}

static void
lz4_round_trip_and_parts(void)
{
	uint8_t *data = noise(100000, 3), *packed = malloc(200000);
	uint8_t *out = malloc(100000);
	void *state = malloc(sb_lz_state_size());
	size_t n = sb_lz_pack(state, data, 100000, packed, 200000);

	CHECK(n > 0 && n < 100000);
	CHECK_U64(sb_lz_unpack(packed, n, out, 100000), 0);
	CHECK_BYTES(out, data, 100000);
	memset(out, 9, 100000);
	CHECK_U64(sb_lz_unpack_part(packed, n, out, 500, 100000), 0);
	CHECK_BYTES(out, data, 500);
	CHECK(sb_lz_unpack(packed, n, out, 99999) < 0);
	CHECK(sb_lz_unpack(packed, n - 1, out, 100000) < 0);
	CHECK_U64(sb_lz_pack(state, data, 100000, packed, 50), 0);
	free(data);
	free(packed);
	free(out);
	free(state);
}

static const struct sb_batch sample = {
	.magic = SB_BATCH_MAGIC,
	.count = 3,
	.base = 1000,
	.next = 1003,
	.base_time = 77,
	.durable_upto = 999,
	.chain = 5,
	.total_size = 144,
	.values_raw = 12,
	.values_stored = 12,
	.value_len_min = 4,
	.delim_len = 1,
	.delim = "\n",
};

static void
batch_heads_round_trip(void)
{
	uint8_t head[SB_BATCH_HEAD_SIZE], again[SB_BATCH_HEAD_SIZE];
	struct sb_batch got;
	const char *why;

	sb_batch_encode(&sample, salt, 4096, head);
	CHECK_U64(sb_batch_decode(&got, salt, 4096, head, &why), 0);
	CHECK_U64(got.count, 3);
	CHECK_U64(got.next, 1003);
	CHECK_U64(got.total_size, 144);
	sb_batch_encode(&got, salt, 4096, again);
	CHECK_BYTES(again, head, sizeof(head));
}

static void
any_flipped_bit_of_a_head_is_refused(void)
{
	uint8_t head[SB_BATCH_HEAD_SIZE];
	struct sb_batch got;
	const char *why;

	for (size_t bit = 0; bit < 8 * sizeof(head); bit++) {
		sb_batch_encode(&sample, salt, 4096, head);
		head[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(sb_batch_decode(&got, salt, 4096, head, &why) ==
		    SBLOG_EDAMAGE);
		CHECK(why != NULL);
	}
}

static void
a_head_in_the_wrong_place_is_refused(void)
{
	uint8_t head[SB_BATCH_HEAD_SIZE];
	uint8_t other[SB_SALT_SIZE] = { 0 };
	struct sb_batch got;
	const char *why;

	sb_batch_encode(&sample, salt, 4096, head);
	CHECK(sb_batch_decode(&got, salt, 4104, head, &why) < 0);
	CHECK(sb_batch_decode(&got, other, 4096, head, &why) < 0);
}

/* Hash right, contents impossible: what a decoder may never believe. */
static void
heads_that_contradict_themselves_are_refused(void)
{
	struct sb_batch list[10];
	uint8_t head[SB_BATCH_HEAD_SIZE];
	struct sb_batch got;
	const char *why;

	for (int i = 0; i < 10; i++)
		list[i] = sample;
	list[0].count = 0;
	list[1].count = SBLOG_BATCH_RECORDS_MAX + 1;
	list[2].next = 999;
	list[3].next = 1004; /* without an offset column */
	list[4].width[0] = 3;
	list[5].width[3] = 8; /* columns that are not there */
	list[6].values_stored = 11;
	list[7].total_size = 136;
	list[8].total_size = 8192;
	list[9].delim_len = 9;
	for (int i = 0; i < 10; i++) {
		sb_batch_encode(&list[i], salt, 0, head);
		CHECK(sb_batch_decode(&got, salt, 0, head, &why) ==
		    SBLOG_EDAMAGE);
	}
	list[0] = sample;
	list[0].flags = 128;
	sb_batch_encode(&list[0], salt, 0, head);
	CHECK(sb_batch_decode(&got, salt, 0, head, &why) == SBLOG_EFORMAT);
}

static void
file_heads_round_trip_and_refuse(void)
{
	const struct sb_file_head h = { .magic = SB_MAGIC_WAL,
		.base = 9,
		.chain = 8,
		.head_size = 4096,
		.count = 7 };
	uint8_t bytes[SB_FILE_HEAD_SIZE];
	struct sb_file_head got;
	const char *why;

	sb_file_head_encode(&h, bytes);
	CHECK_U64(sb_file_head_decode(&got, SB_MAGIC_WAL, bytes, &why), 0);
	CHECK(got.base == 9 && got.head_size == 4096 && got.count == 7);
	CHECK(sb_file_head_decode(&got, SB_MAGIC_SEG, bytes, &why) < 0);
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		sb_file_head_encode(&h, bytes);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(sb_file_head_decode(&got, SB_MAGIC_WAL, bytes, &why) < 0);
	}
}

static void
segment_feet_round_trip_and_refuse(void)
{
	const struct sb_seg_foot f = { .base = 1,
		.next = 9,
		.count = 8,
		.batches = 1,
		.blocks_end = 500 };
	uint8_t bytes[SB_SEG_FOOT_SIZE];
	struct sb_seg_foot got;
	const char *why;

	sb_seg_foot_encode(&f, salt, 500, bytes);
	CHECK_U64(sb_seg_foot_decode(&got, salt, 500, bytes, &why), 0);
	CHECK(got.next == 9 && got.blocks_end == 500);
	CHECK(sb_seg_foot_decode(&got, salt, 508, bytes, &why) < 0);
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		sb_seg_foot_encode(&f, salt, 500, bytes);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(sb_seg_foot_decode(&got, salt, 500, bytes, &why) < 0);
	}
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "hash: known answers of XXH3-64", hashes_are_xxh3 },
		{ "hash: every processor hashes alike",
		    every_processor_hashes_alike },
		{ "hash: seeds depend on place", seeds_depend_on_place },
		{ "scan: every processor finds the same ends",
		    every_processor_finds_the_same_ends },
		{ "chain: does not depend on batches",
		    a_chain_does_not_depend_on_batches },
		{ "chain: tells records apart", a_chain_tells_records_apart },
		{ "headers: round trip, bounded",
		    headers_round_trip_and_are_bounded },
		{ "lz: round trip, parts", lz4_round_trip_and_parts },
		{ "batch: heads round trip", batch_heads_round_trip },
		{ "batch: any flipped bit of a head is refused",
		    any_flipped_bit_of_a_head_is_refused },
		{ "batch: a head in the wrong place is refused",
		    a_head_in_the_wrong_place_is_refused },
		{ "batch: heads that contradict themselves are refused",
		    heads_that_contradict_themselves_are_refused },
		{ "filehead: round trip, flipped bits refused",
		    file_heads_round_trip_and_refuse },
		{ "filehead: segment feet",
		    segment_feet_round_trip_and_refuse },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
