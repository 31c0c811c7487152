/*
 * fuzz_batch.c - codec/batch, view: a head that is accepted encodes back to
 * the same bytes, and every record of columns that are accepted lies inside
 * its section, wherever the walk begins.
 *
 * Input: a byte of MODE_*, 128 bytes of a head, then its sections; what is
 * missing is zeros.
 */
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "codec/batch.h"
#include "codec/headers.h"
#include "fuzz.h"

enum {
	MODE_RAW = 1,     /* the head as it is: the hash will hardly fit */
	MODE_TRAILER = 2, /* the other magic */
	MODE_SIZES = 4,   /* stored sizes and total follow from the raw ones */
	MODE_DENSE = 8,   /* few records, without holes */

	POS = 4096,
	SECTION_CAP = 1 << 20, /* bytes */
};

static volatile uint8_t sink;

static void
touch(struct sblog_bytes b)
{
	const uint8_t *data = b.data;
	uint8_t sum = 0;

	for (size_t i = 0; i < b.len; i++)
		sum ^= data[i];
	sink = sum;
}

/* The record at index, found in every other way. */
static void
check_ways(const struct sb_view *v, const struct sblog_record *rec,
    uint64_t index)
{
	struct sblog_record again;
	struct sb_at at = { 0 };

	sb_view_skip(v, &at, index);
	sb_view_record(v, &at, &again);
	MUST(again.offset == rec->offset && again.time_us == rec->time_us);
	MUST(again.value.data == rec->value.data);
	MUST(again.key.data == rec->key.data);
	MUST(again.headers.data == rec->headers.data);
	MUST(sb_view_find(v, rec->offset) == index);
	MUST(sb_view_find_time(v, rec->time_us) <= index);
}

static void
walk(const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;
	uint64_t step = h->count / 64 + 1, offset = 0;
	struct sblog_record rec;
	struct sb_at at = { 0 }, skip;
	int64_t time = 0;

	while (at.index < h->count) {
		uint64_t index = at.index;

		skip = at;
		sb_view_record(v, &at, &rec);
		sb_view_skip(v, &skip, at.index);
		MUST(memcmp(&skip, &at, sizeof(at)) == 0);
		MUST(rec.offset >= h->base && rec.offset < h->next);
		MUST(index == 0 || rec.offset > offset);
		MUST(rec.time_us >= time);
		offset = rec.offset;
		time = rec.time_us;
		touch(rec.value);
		touch(rec.key);
		touch(rec.headers);
		(void)sb_headers_ok(rec.headers);
		if (index % step == 0)
			check_ways(v, &rec, index);
	}
	MUST(at.value_pos == h->values_raw);
	MUST(at.key_pos == v->keys_len && at.header_pos == v->headers_len);
	MUST(sb_view_find(v, h->next) == h->count);
	(void)sb_view_chain(v);
}

/* len bytes of the input, then zeros: never one more than that. */
static uint8_t *
section(const uint8_t **datap, size_t *sizep, size_t len)
{
	size_t have = *sizep < len ? *sizep : len;
	uint8_t *copy = calloc(len > 0 ? len : 1, 1);

	MUST(copy != NULL);
	if (have > 0)
		memcpy(copy, *datap, have);
	*datap += have;
	*sizep -= have;
	return copy;
}

static void
open_view(const struct sb_batch *head, const uint8_t *data, size_t size)
{
	uint8_t *columns, *values;
	struct sb_view v, again;
	const char *why;

	if (head->count == 0 || head->columns_raw > SECTION_CAP ||
	    head->values_raw > SECTION_CAP)
		return;
	columns = section(&data, &size, head->columns_raw);
	values = section(&data, &size, head->values_raw);
	if (sb_view_open(&v, head, columns, values, &why) == 0) {
		walk(&v);
		sb_view_reopen(&again, head, columns, values);
		MUST(again.keys == v.keys && again.keys_len == v.keys_len);
		MUST(again.headers == v.headers &&
		    again.headers_len == v.headers_len);
	} else {
		MUST(why != NULL);
	}
	free(columns);
	free(values);
}

static void
repair(struct sb_batch *b, uint8_t mode)
{
	b->magic = mode & MODE_TRAILER ? SB_TRAILER_MAGIC : SB_BATCH_MAGIC;
	if (mode & MODE_DENSE) {
		b->count = b->count % 64 + 1;
		b->base %= SB_OFFSET_MAX / 2;
		b->next = b->base + b->count;
		b->flags &= SB_BATCH_FLAGS;
		b->delim_len %= SBLOG_DELIM_MAX + 1;
	}
	if (mode & MODE_SIZES) {
		b->columns_stored = b->columns_raw;
		b->values_stored = b->values_raw;
		b->total_size = sb_align_up(sb_batch_used(b), SB_BATCH_ALIGN);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t head[SB_BATCH_HEAD_SIZE], again[SB_BATCH_HEAD_SIZE];
	struct sb_batch b, got;
	const char *why;

	if (size < 1 + SB_BATCH_HEAD_SIZE)
		return 0;
	memcpy(head, data + 1, sizeof(head));
	if (!(data[0] & MODE_RAW)) {
		sb_batch_load(&b, head);
		repair(&b, data[0]);
		if (b.total_size > SB_BATCH_TOTAL_MAX)
			return 0;
		sb_batch_encode(&b, fuzz_salt, POS, head);
	}
	if (sb_batch_decode(&got, fuzz_salt, POS, head, &why) < 0) {
		MUST(why != NULL);
		return 0;
	}
	MUST(got.total_size <= SB_BATCH_TOTAL_MAX);
	sb_batch_encode(&got, fuzz_salt, POS, again);
	MUST(memcmp(again, head, sizeof(head)) == 0);
	open_view(&got, data + 1 + SB_BATCH_HEAD_SIZE,
	    size - 1 - SB_BATCH_HEAD_SIZE);
	return 0;
}
