/*
 * view.c - records of a batch, straight from its columns.
 */
#include "codec/batch.h"

#include "codec/chain.h"

/*
 * Sum of (entry + min) over a length column, where each counts one more than
 * its bytes unless it is zero.  False where it is over the section limit.
 */
static bool
lengths_sum(const struct sb_view *v, enum sb_column c, uint32_t min,
    bool plus_one, uint64_t *sump, size_t *absentp)
{
	uint64_t n = v->head.count;
	uint8_t width = v->head.width[c];
	uint64_t sum;

	/* With width 8 a sum of 2^20 entries could wrap; lengths never need
	 * more than 4 bytes. */
	if (width > 4)
		return false;
	*absentp = 0;
	if (plus_one && min == 0)
		*absentp = sb_column_zeros(v->col[c], width, n);
	sum = sb_column_sum(v->col[c], width, n) + n * min;
	if (plus_one)
		sum -= n - *absentp;
	*sump = sum;
	return sum <= SB_BATCH_SECTION_MAX;
}

/* Offsets and times must go up, or binary search in them means nothing. */
static bool
ascending(const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;
	uint8_t ow = h->width[SB_COL_OFFSET];
	uint8_t tw = h->width[SB_COL_TIME];
	uint64_t before;

	if (ow != 0) {
		before = sb_column_get(v->col[SB_COL_OFFSET], ow, 0);
		for (size_t i = 1; i < h->count; i++) {
			uint64_t d =
			    sb_column_get(v->col[SB_COL_OFFSET], ow, i);

			if (d <= before)
				return false;
			before = d;
		}
		if (before >= h->next - h->base)
			return false;
	}
	if (tw != 0) {
		before = 0;
		for (size_t i = 0; i < h->count; i++) {
			uint64_t d = sb_column_get(v->col[SB_COL_TIME], tw, i);

			if (d < before ||
			    d > (uint64_t)(INT64_MAX - h->base_time))
				return false;
			before = d;
		}
	}
	return true;
}

/* Sums of the three length columns; false where one cannot be right. */
static bool
sections_sum(struct sb_view *v, uint64_t *valuesp)
{
	const struct sb_batch *h = &v->head;
	size_t nulls, absent;

	if (!lengths_sum(v, SB_COL_VALUE_LEN, h->value_len_min, true, valuesp,
		&nulls) ||
	    !lengths_sum(v, SB_COL_KEY_LEN, h->key_len_min, true, &v->keys_len,
		&absent) ||
	    !lengths_sum(v, SB_COL_HEADER_LEN, h->header_len_min, false,
		&v->headers_len, &absent))
		return false;
	*valuesp += (uint64_t)h->count * h->delim_len;
	v->nulls = nulls > 0;
	return true;
}

static const uint8_t *
lay_columns(struct sb_view *v, const uint8_t *columns)
{
	for (int c = 0; c < SB_COLS; c++) {
		v->col[c] = columns;
		columns += (uint64_t)v->head.width[c] * v->head.count;
	}
	return columns;
}

int
sb_view_open(struct sb_view *v, const struct sb_batch *head,
    const uint8_t *columns, const uint8_t *values, const char **whyp)
{
	const uint8_t *at;
	uint64_t values_sum;

	v->head = *head;
	v->values = values;
	at = lay_columns(v, columns);
	if (!sections_sum(v, &values_sum) || values_sum != head->values_raw ||
	    (uint64_t)(at - columns) + v->keys_len + v->headers_len !=
		head->columns_raw ||
	    !ascending(v)) {
		*whyp = "batch columns contradict its head";
		return SBLOG_EDAMAGE;
	}
	*whyp = NULL;
	v->keys = at;
	v->headers = at + v->keys_len;
	return 0;
}

void
sb_view_reopen(struct sb_view *v, const struct sb_batch *head,
    const uint8_t *columns, const uint8_t *values)
{
	const uint8_t *at;
	size_t absent;

	v->head = *head;
	v->values = values;
	v->keys = at = lay_columns(v, columns);
	v->keys_len = 0;
	v->headers_len = head->columns_raw - (uint64_t)(at - columns);
	if (head->key_len_min > 0 || head->width[SB_COL_KEY_LEN] > 0) {
		(void)lengths_sum(v, SB_COL_KEY_LEN, head->key_len_min, true,
		    &v->keys_len, &absent);
		v->headers_len -= v->keys_len;
	}
	v->headers = at + v->keys_len;
	v->nulls = head->value_len_min == 0;
}

/* A length column's entry: bytes, or absent. */
static struct sblog_bytes
take(const uint8_t *section, uint64_t pos, uint64_t entry)
{
	if (entry == 0)
		return (struct sblog_bytes){ .data = NULL };
	return (struct sblog_bytes){ .data = section + pos, .len = entry - 1 };
}

static int64_t
user_time(const struct sb_view *v, uint64_t index)
{
	const struct sb_batch *h = &v->head;
	uint64_t entry;

	if (!(h->flags & SB_BATCH_USER_TIME))
		return SBLOG_NO_TIME;
	entry = h->width[SB_COL_USER_TIME] == 0
	    ? 1
	    : sb_column_get(v->col[SB_COL_USER_TIME],
		  h->width[SB_COL_USER_TIME], index);
	if (entry == 0)
		return SBLOG_NO_TIME;
	return (int64_t)((uint64_t)h->user_time_min + (entry - 1));
}

void
sb_view_record(const struct sb_view *v, struct sb_at *at,
    struct sblog_record *rec)
{
	const struct sb_batch *h = &v->head;
	uint64_t i = at->index;

	sb_assert(i < h->count);
	rec->offset = sb_view_offset(v, i);
	rec->time_us = sb_view_time(v, i);
	rec->user_time_us = user_time(v, i);
	rec->value = take(v->values, at->value_pos,
	    h->value_len_min +
		sb_column_get(v->col[SB_COL_VALUE_LEN],
		    h->width[SB_COL_VALUE_LEN], i));
	at->value_pos += rec->value.len + h->delim_len;
	rec->key = take(v->keys, at->key_pos,
	    h->key_len_min +
		sb_column_get(v->col[SB_COL_KEY_LEN], h->width[SB_COL_KEY_LEN],
		    i));
	at->key_pos += rec->key.len;
	rec->headers.len = h->header_len_min +
	    sb_column_get(v->col[SB_COL_HEADER_LEN],
		h->width[SB_COL_HEADER_LEN], i);
	rec->headers.data =
	    rec->headers.len ? v->headers + at->header_pos : NULL;
	at->header_pos += rec->headers.len;
	at->index++;
}

/* Bytes of entries [from, to) of a length column, absent ones count none. */
static uint64_t
span(const struct sb_view *v, enum sb_column c, uint32_t min, bool plus_one,
    uint64_t from, uint64_t to)
{
	uint8_t width = v->head.width[c];
	const uint8_t *column = v->col[c] + from * width;
	uint64_t n = to - from;
	uint64_t sum = sb_column_sum(column, width, n) + n * min;

	if (plus_one)
		sum -= n - (min == 0 ? sb_column_zeros(column, width, n) : 0);
	return sum;
}

void
sb_view_skip(const struct sb_view *v, struct sb_at *at, uint64_t index)
{
	const struct sb_batch *h = &v->head;
	uint64_t from = at->index;

	sb_assert(from <= index && index <= h->count);
	if (from == index)
		return;
	at->value_pos +=
	    span(v, SB_COL_VALUE_LEN, h->value_len_min, true, from, index) +
	    (index - from) * h->delim_len;
	if (v->keys_len > 0)
		at->key_pos +=
		    span(v, SB_COL_KEY_LEN, h->key_len_min, true, from, index);
	if (v->headers_len > 0)
		at->header_pos += span(v, SB_COL_HEADER_LEN, h->header_len_min,
		    false, from, index);
	at->index = index;
}

uint64_t
sb_view_offset(const struct sb_view *v, uint64_t index)
{
	uint8_t width = v->head.width[SB_COL_OFFSET];

	if (width == 0)
		return v->head.base + index;
	return v->head.base +
	    sb_column_get(v->col[SB_COL_OFFSET], width, index);
}

int64_t
sb_view_time(const struct sb_view *v, uint64_t index)
{
	return v->head.base_time +
	    (int64_t)sb_column_get(v->col[SB_COL_TIME],
		v->head.width[SB_COL_TIME], index);
}

uint64_t
sb_view_find(const struct sb_view *v, uint64_t offset)
{
	uint64_t low = 0, high = v->head.count;

	if (offset <= v->head.base)
		return 0;
	if (v->head.width[SB_COL_OFFSET] == 0)
		return offset - v->head.base < high ? offset - v->head.base
						    : high;
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (sb_view_offset(v, mid) < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint64_t
sb_view_find_time(const struct sb_view *v, int64_t time_us)
{
	uint64_t low = 0, high = v->head.count;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (sb_view_time(v, mid) < time_us)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* All lengths the same, one time, dense, and nothing but values. */
static bool
even(const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;

	for (int c = 0; c < SB_COLS; c++)
		if (h->width[c] != 0)
			return false;
	return h->columns_raw == 0 && h->key_len_min == 0 &&
	    h->value_len_min > 0 && !(h->flags & SB_BATCH_USER_TIME);
}

uint64_t
sb_view_chain_at(const struct sb_view *v, uint64_t index)
{
	uint64_t chain = v->head.chain;
	struct sb_at at = { 0 };
	struct sblog_record rec;

	if (even(v)) {
		size_t len = v->head.value_len_min - 1;

		return sb_chain_even(chain, v->values, len,
		    len + v->head.delim_len, index, v->head.base,
		    v->head.base_time);
	}
	while (at.index < index) {
		sb_view_record(v, &at, &rec);
		chain = sb_chain_record(chain, &rec);
	}
	return chain;
}

uint64_t
sb_view_chain(const struct sb_view *v)
{
	return sb_view_chain_at(v, v->head.count);
}
