/*
 * plan.c - lay out a batch: columns and sizes first, then the bytes.
 */
#include "codec/batch.h"

#include <string.h>

/* Smallest and largest of what a column will hold. */
struct range {
	uint64_t min, max;
};

static void
widen(struct range *r, uint64_t v)
{
	if (v < r->min)
		r->min = v;
	if (v > r->max)
		r->max = v;
}

static uint64_t
length_entry(struct sblog_bytes b)
{
	return b.data == NULL ? 0 : (uint64_t)b.len + 1;
}

struct ranges {
	struct range value, key, header;
	int64_t user_min, user_max; /* min > max: none has one */
	bool user_gaps;             /* some have none */
	uint64_t values, keys, headers;
	bool dense;
};

static bool
within_limits(const struct sblog_record *rec, uint64_t value_max)
{
	return rec->value.len <= value_max &&
	    rec->value.len <= SBLOG_VALUE_MAX &&
	    rec->key.len <= SBLOG_KEY_MAX &&
	    rec->headers.len <= SBLOG_HEADERS_MAX;
}

static int
measure(struct ranges *r, uint64_t base, const struct sblog_record *recs,
    size_t n, uint64_t value_max, size_t *badp)
{
	*r = (struct ranges){
		.value.min = UINT64_MAX,
		.key.min = UINT64_MAX,
		.header.min = UINT64_MAX,
		.user_min = INT64_MAX,
		.user_max = INT64_MIN,
		.dense = true,
	};
	for (size_t i = 0; i < n; i++) {
		const struct sblog_record *rec = &recs[i];

		if (!within_limits(rec, value_max)) {
			*badp = i;
			return SBLOG_ETOOBIG;
		}
		widen(&r->value, length_entry(rec->value));
		widen(&r->key, length_entry(rec->key));
		widen(&r->header, rec->headers.len);
		r->values += rec->value.len;
		r->keys += rec->key.len;
		r->headers += rec->headers.len;
		r->dense = r->dense && rec->offset == base + i;
		if (rec->user_time_us == SBLOG_NO_TIME) {
			r->user_gaps = true;
			continue;
		}
		if (rec->user_time_us < r->user_min)
			r->user_min = rec->user_time_us;
		if (rec->user_time_us > r->user_max)
			r->user_max = rec->user_time_us;
	}
	return 0;
}

static void
plan_user_time(struct sb_batch *head, const struct ranges *r)
{
	head->user_time_min = 0;
	head->width[SB_COL_USER_TIME] = 0;
	if (r->user_min > r->user_max)
		return;
	head->flags |= SB_BATCH_USER_TIME;
	head->user_time_min = r->user_min;
	if (r->user_gaps || r->user_min != r->user_max)
		head->width[SB_COL_USER_TIME] = sb_width_for(
		    (uint64_t)r->user_max - (uint64_t)r->user_min + 1);
}

/* Sum up the sections; false where one is over its limit. */
static bool
plan_sizes(struct sb_batch *head, uint64_t values, uint64_t tails)
{
	uint64_t entry = 0, columns;

	for (int c = 0; c < SB_COLS; c++)
		entry += head->width[c];
	columns = entry * head->count + tails;
	values += (uint64_t)head->count * head->delim_len;
	if (columns > SB_BATCH_SECTION_MAX || values > SB_BATCH_SECTION_MAX)
		return false;
	head->columns_raw = head->columns_stored = (uint32_t)columns;
	head->values_raw = head->values_stored = (uint32_t)values;
	return true;
}

/* Said one by one, where they do not follow from the base and the count. */
static uint8_t
offset_width(const struct sb_batch *head, uint64_t last, bool dense)
{
	if (dense && head->next - head->base == head->count)
		return 0;
	return last == head->base ? 1 : sb_width_for(last - head->base);
}

int
sb_plan_until(struct sb_batch *head, const struct sblog_record *recs, size_t n,
    uint64_t next, uint64_t value_max, size_t *badp)
{
	struct ranges r;
	int rc;

	sb_assert(n > 0 && n <= SBLOG_BATCH_RECORDS_MAX);
	sb_assert(head->base <= recs[0].offset);
	sb_assert(next > recs[n - 1].offset);
	if ((rc = measure(&r, head->base, recs, n, value_max, badp)) < 0)
		return rc;
	head->magic = SB_BATCH_MAGIC;
	head->flags = 0;
	head->count = (uint32_t)n;
	head->next = next;
	head->base_time = recs[0].time_us;
	head->value_len_min = (uint32_t)r.value.min;
	head->key_len_min = (uint32_t)r.key.min;
	head->header_len_min = (uint32_t)r.header.min;
	head->width[SB_COL_VALUE_LEN] = sb_width_for(r.value.max - r.value.min);
	head->width[SB_COL_KEY_LEN] = sb_width_for(r.key.max - r.key.min);
	head->width[SB_COL_HEADER_LEN] =
	    sb_width_for(r.header.max - r.header.min);
	head->width[SB_COL_TIME] =
	    sb_width_for((uint64_t)(recs[n - 1].time_us - recs[0].time_us));
	head->width[SB_COL_OFFSET] =
	    offset_width(head, recs[n - 1].offset, r.dense);
	plan_user_time(head, &r);
	if (!plan_sizes(head, r.values, r.keys + r.headers)) {
		*badp = n;
		return SBLOG_ETOOBIG;
	}
	return 0;
}

int
sb_plan(struct sb_batch *head, const struct sblog_record *recs, size_t n,
    uint64_t value_max, size_t *badp)
{
	sb_assert(n > 0);
	return sb_plan_until(head, recs, n, recs[n - 1].offset + 1, value_max,
	    badp);
}

static uint64_t
user_entry(const struct sb_batch *head, const struct sblog_record *rec)
{
	if (rec->user_time_us == SBLOG_NO_TIME)
		return 0;
	return (uint64_t)rec->user_time_us - (uint64_t)head->user_time_min + 1;
}

void
sb_plan_columns(const struct sb_batch *head, const struct sblog_record *recs,
    uint8_t *columns)
{
	uint8_t *col[SB_COLS];
	uint8_t *tail = columns;

	for (int c = 0; c < SB_COLS; c++) {
		col[c] = tail;
		tail += (size_t)head->width[c] * head->count;
	}
	for (size_t i = 0; i < head->count; i++) {
		const struct sblog_record *rec = &recs[i];

		sb_column_put(col[SB_COL_VALUE_LEN],
		    head->width[SB_COL_VALUE_LEN], i,
		    length_entry(rec->value) - head->value_len_min);
		sb_column_put(col[SB_COL_KEY_LEN], head->width[SB_COL_KEY_LEN],
		    i, length_entry(rec->key) - head->key_len_min);
		sb_column_put(col[SB_COL_HEADER_LEN],
		    head->width[SB_COL_HEADER_LEN], i,
		    rec->headers.len - head->header_len_min);
		sb_column_put(col[SB_COL_TIME], head->width[SB_COL_TIME], i,
		    (uint64_t)(rec->time_us - head->base_time));
		sb_column_put(col[SB_COL_OFFSET], head->width[SB_COL_OFFSET], i,
		    rec->offset - head->base);
		sb_column_put(col[SB_COL_USER_TIME],
		    head->width[SB_COL_USER_TIME], i, user_entry(head, rec));
		if (rec->key.len > 0)
			tail = (uint8_t *)memcpy(tail, rec->key.data,
				   rec->key.len) +
			    rec->key.len;
	}
	for (size_t i = 0; i < head->count; i++) {
		if (recs[i].headers.len == 0)
			continue;
		memcpy(tail, recs[i].headers.data, recs[i].headers.len);
		tail += recs[i].headers.len;
	}
	sb_assert(tail == columns + head->columns_raw);
}

void
sb_plan_values(const struct sb_batch *head, const struct sblog_record *recs,
    uint8_t *values)
{
	uint8_t *at = values;

	for (size_t i = 0; i < head->count; i++) {
		if (recs[i].value.len > 0)
			memcpy(at, recs[i].value.data, recs[i].value.len);
		at += recs[i].value.len;
		memcpy(at, head->delim, head->delim_len);
		at += head->delim_len;
	}
	sb_assert(at == values + head->values_raw);
}

int
sb_plan_run(struct sb_batch *head, const uint32_t *ends, size_t n,
    uint64_t value_max, size_t *badp)
{
	uint32_t begin = 0, min = UINT32_MAX, max = 0;

	sb_assert(n > 0 && n <= SBLOG_BATCH_RECORDS_MAX);
	for (size_t i = 0; i < n; i++) {
		uint32_t len = ends[i] - begin;

		if (len < min)
			min = len;
		if (len > max) {
			max = len;
			if (len > value_max || len > SBLOG_VALUE_MAX) {
				*badp = i;
				return SBLOG_ETOOBIG;
			}
		}
		begin = ends[i] + head->delim_len;
	}
	head->magic = SB_BATCH_MAGIC;
	head->flags = 0;
	head->count = (uint32_t)n;
	head->next = head->base + n;
	head->user_time_min = 0;
	memset(head->width, 0, sizeof(head->width));
	head->value_len_min = min + 1;
	head->key_len_min = 0;
	head->header_len_min = 0;
	head->width[SB_COL_VALUE_LEN] = sb_width_for(max - min);
	if (!plan_sizes(head, begin - (uint64_t)n * head->delim_len, 0)) {
		*badp = n;
		return SBLOG_ETOOBIG;
	}
	return 0;
}

void
sb_plan_run_columns(const struct sb_batch *head, const uint32_t *ends,
    uint8_t *columns)
{
	uint8_t width = head->width[SB_COL_VALUE_LEN];
	uint32_t begin = 0;

	if (width == 0)
		return;
	for (size_t i = 0; i < head->count; i++) {
		sb_column_put(columns, width, i,
		    ends[i] - begin + 1 - head->value_len_min);
		begin = ends[i] + head->delim_len;
	}
}
