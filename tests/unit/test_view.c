/*
 * test_view.c - codec/plan, columns, view: random records into a batch and out
 * again, against the records themselves; and hostile columns.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/batch.h"
#include "codec/chain.h"

enum { MANY = 300 };

static uint64_t state = 1;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static uint8_t pool[1 << 16];

static struct sblog_bytes
some_bytes(uint64_t kinds, uint64_t max)
{
	if (kinds == 0 || any(4) == 0)
		return (struct sblog_bytes){ NULL, 0 };
	return (struct sblog_bytes){ pool + any(1000), any(max + 1) };
}

static struct sblog_record recs[MANY];

/* Records of a shape: which columns there are, and how wide. */
static size_t
make_records(uint64_t base)
{
	bool keys = any(2), headers = any(2), user = any(2), holes = any(2);
	bool times = any(2), nulls = any(2), even = any(3) == 0;
	uint64_t max = UINT64_C(1) << any(11), offset = base + any(3);
	size_t n = 1 + any(MANY - 1);
	int64_t time = (int64_t)any(1000000);

	for (size_t i = 0; i < n; i++) {
		struct sblog_record *r = &recs[i];

		*r = (struct sblog_record){ .offset = offset, .time_us = time };
		r->value = nulls
		    ? some_bytes(1, max)
		    : (struct sblog_bytes){ pool, even ? max : any(max + 1) };
		r->key = some_bytes(keys, 40);
		if (headers && any(2))
			r->headers = (struct sblog_bytes){ "\1\0\1\0\0\0h", 7 };
		r->user_time_us = user && any(3) ? (int64_t)any(1u << 30) - 5000
						 : SBLOG_NO_TIME;
		offset += 1 + (holes ? any(500) * any(2) : 0);
		time += times ? (int64_t)any(1u << 20) : 0;
	}
	return n;
}

static void
check_bytes_same(struct sblog_bytes got, struct sblog_bytes want)
{
	CHECK((got.data == NULL) == (want.data == NULL));
	CHECK_U64(got.len, want.len);
	if (want.len > 0)
		CHECK_BYTES(got.data, want.data, want.len);
}

static void
check_record(const struct sblog_record *got, const struct sblog_record *want)
{
	CHECK_U64(got->offset, want->offset);
	CHECK_U64(got->time_us, want->time_us);
	CHECK_U64(got->user_time_us, want->user_time_us);
	check_bytes_same(got->key, want->key);
	check_bytes_same(got->value, want->value);
	CHECK_U64(got->headers.len, want->headers.len);
}

static void
records_come_back(void)
{
	for (size_t i = 0; i < sizeof(pool); i++)
		pool[i] = (uint8_t)any(256);
	for (int round = 0; round < 2000; round++) {
		uint64_t base = any(1000), chain = 3;
		size_t n = make_records(base), bad = 0;
		struct sb_batch head = { .delim_len = (uint8_t)any(3),
			.base = base };
		uint8_t *columns, *values;
		struct sb_at at = { 0 };
		struct sblog_record got;
		struct sb_view view;
		const char *why;

		CHECK_U64(sb_plan(&head, recs, n, SBLOG_VALUE_MAX, &bad), 0);
		columns = malloc(head.columns_raw + 1u);
		values = malloc(head.values_raw + 1u);
		sb_plan_columns(&head, recs, columns);
		sb_plan_values(&head, recs, values);
		head.chain = chain;
		CHECK_U64(sb_view_open(&view, &head, columns, values, &why), 0);
		for (size_t i = 0; i < n; i++) {
			sb_view_record(&view, &at, &got);
			check_record(&got, &recs[i]);
			chain = sb_chain_record(chain, &recs[i]);
		}
		CHECK_U64(sb_view_chain(&view), chain);
		for (int k = 0; k < 20; k++) {
			uint64_t i = any(n), j = any(recs[n - 1].offset + 3);
			uint64_t first = 0;
			struct sb_at skip = { 0 };

			sb_view_skip(&view, &skip, i);
			sb_view_record(&view, &skip, &got);
			check_record(&got, &recs[i]);
			while (first < n && recs[first].offset < j)
				first++;
			CHECK_U64(sb_view_find(&view, j), first);
			first = 0;
			while (first < n && recs[first].time_us < (int64_t)j)
				first++;
			CHECK_U64(sb_view_find_time(&view, (int64_t)j), first);
		}
		free(columns);
		free(values);
	}
}

/* Any bytes as columns: refused, or every record lies inside its section. */
static void
hostile_columns_stay_inside(void)
{
	unsigned accepted = 0;

	for (int round = 0; round < 20000; round++) {
		size_t n = make_records(0), bad = 0;
		struct sb_batch head = { .delim_len = 1 };
		struct sblog_record got;
		uint8_t *columns, *values;
		struct sb_at at = { 0 };
		struct sb_view v;
		const char *why;

		CHECK_U64(sb_plan(&head, recs, n, SBLOG_VALUE_MAX, &bad), 0);
		columns = malloc(head.columns_raw + 1u);
		values = malloc(head.values_raw + 1u);
		sb_plan_columns(&head, recs, columns);
		for (int k = 0; k < 3 && head.columns_raw > 0; k++)
			columns[any(head.columns_raw)] = (uint8_t)any(256);
		if (any(4) == 0)
			head.value_len_min = (uint32_t)any(UINT32_MAX);
		if (sb_view_open(&v, &head, columns, values, &why) == 0) {
			accepted++;
			while (at.index < head.count) {
				sb_view_record(&v, &at, &got);
				CHECK(at.value_pos <= head.values_raw);
				CHECK(at.key_pos <= v.keys_len);
				CHECK(at.header_pos <= v.headers_len);
			}
		} else {
			CHECK(why != NULL);
		}
		free(columns);
		free(values);
	}
	CHECK(accepted > 0);
}

static void
runs_are_planned_like_records(void)
{
	const uint32_t ends[] = { 3, 4, 9 };
	uint8_t columns[16];
	struct sb_batch head = { .delim_len = 1, .base = 5 };
	struct sb_view view;
	const char *why;
	size_t bad = 9;

	CHECK_U64(sb_plan_run(&head, ends, 3, 100, &bad), 0);
	CHECK_U64(head.values_raw, 10);
	CHECK_U64(head.next, 8);
	sb_plan_run_columns(&head, ends, columns);
	CHECK_U64(sb_view_open(&view, &head, columns,
		      (const uint8_t *)"abc\n\nabcd\n", &why),
	    0);
	CHECK(sb_plan_run(&head, ends, 3, 3, &bad) == SBLOG_ETOOBIG);
	CHECK_U64(bad, 2);
}

static void
records_over_a_limit_are_named(void)
{
	struct sblog_record list[2] = {
		{ .user_time_us = SBLOG_NO_TIME, .value = { pool, 5 } },
		{ .user_time_us = SBLOG_NO_TIME,
		    .value = { pool, 6 },
		    .offset = 1 },
	};
	struct sb_batch head = { .delim_len = 1 };
	size_t bad = 9;

	CHECK(sb_plan(&head, list, 2, 5, &bad) == SBLOG_ETOOBIG);
	CHECK_U64(bad, 1);
	list[1].value.len = 5;
	list[0].key = (struct sblog_bytes){ pool, SBLOG_KEY_MAX + 1 };
	CHECK(sb_plan(&head, list, 2, 5, &bad) == SBLOG_ETOOBIG);
	CHECK_U64(bad, 0);
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "view: random records come back", records_come_back },
		{ "view: hostile columns stay inside",
		    hostile_columns_stay_inside },
		{ "plan: runs are planned like records",
		    runs_are_planned_like_records },
		{ "plan: records over a limit are named",
		    records_over_a_limit_are_named },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
