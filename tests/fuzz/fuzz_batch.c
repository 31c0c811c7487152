/*
 * fuzz_batch.c - codec/batch and codec/view against arbitrary heads and columns.
 *
 * The head's hash is repaired, so that what lies behind it is reached.
 * Properties: an accepted head encodes back to the same bytes; no record lies
 * outside its section.
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"
#include "codec/batch.h"
#include "codec/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTION_MAX = 1 << 16 };

static const uint8_t salt[SB_SALT_SIZE] = { 1, 2, 3 };

static void
repair(uint8_t head[SB_BATCH_HEAD_SIZE])
{
	if (sb_get_u32(head + SB_BATCH_MAGIC_AT) != SB_TRAILER_MAGIC)
		sb_put_u32(head + SB_BATCH_MAGIC_AT, SB_BATCH_MAGIC);
	sb_put_u64(head,
	    XXH3_64bits_withSeed(head + 8, SB_BATCH_HEAD_SIZE - 8,
		sb_seed(salt, 4096, sb_get_u64(head + SB_BATCH_BASE_AT))));
}

static void
walk(const struct sb_view *v)
{
	struct sb_at at = { 0 }, skip;
	struct sblog_record rec;

	while (at.index < v->head.count) {
		skip = at;
		sb_view_record(v, &at, &rec);
		if (at.value_pos > v->head.values_raw ||
		    at.key_pos > v->keys_len || at.header_pos > v->headers_len)
			__builtin_trap();
		(void)sb_headers_ok(rec.headers);
		sb_view_skip(v, &skip, at.index);
		if (memcmp(&skip, &at, sizeof(at)) != 0)
			__builtin_trap();
		if (sb_view_find(v, rec.offset) != at.index - 1)
			__builtin_trap();
	}
	(void)sb_view_chain(v);
	(void)sb_view_find_time(v, 5);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[SB_BATCH_HEAD_SIZE], again[SB_BATCH_HEAD_SIZE];
	uint8_t *columns, *values;
	struct sb_batch b;
	struct sb_view v;
	const char *why;
	size_t n;

	if (size < sizeof(head))
		return 0;
	memcpy(head, data, sizeof(head));
	repair(head);
	if (sb_batch_decode(&b, salt, 4096, head, &why) < 0)
		return 0;
	sb_batch_encode(&b, salt, 4096, again);
	if (memcmp(again, head, sizeof(head)) != 0)
		__builtin_trap();
	if (b.magic == SB_TRAILER_MAGIC || b.columns_raw > SECTION_MAX ||
	    b.values_raw > SECTION_MAX)
		return 0;
	/* Sections of exactly their sizes, so that a byte too far is seen. */
	columns = calloc(b.columns_raw + 1u, 1);
	values = calloc(b.values_raw + 1u, 1);
	n = size - sizeof(head) < b.columns_raw ? size - sizeof(head)
						: b.columns_raw;
	memcpy(columns, data + sizeof(head), n);
	if (sb_view_open(&v, &b, columns, values, &why) == 0)
		walk(&v);
	free(columns);
	free(values);
	return 0;
}
