/*
 * test_bench_hist.c - cmd/bench/hist: buckets, percentiles, merging.
 */
#include <math.h>
#include <stdlib.h>

#include "bench/hist.h"
#include "check.h"

static struct hist h, other;

static void
buckets_follow_one_another(void)
{
	CHECK_U64(hist_bucket(0), 0);
	CHECK_U64(hist_bucket(2047), 2047);
	CHECK_U64(hist_bucket(2048), 2048);
	CHECK_U64(hist_bucket(2049), 2048);
	CHECK_U64(hist_bucket(2050), 2049);
	CHECK_U64(hist_bucket(4095), 3071);
	CHECK_U64(hist_bucket(4096), 3072);
	CHECK(hist_bucket(HIST_MAX) < HIST_BUCKETS);
	for (unsigned i = 0; i < HIST_BUCKETS - 1; i++) {
		CHECK_U64(hist_bucket(hist_lowest(i)), i);
		CHECK_U64(hist_bucket(hist_highest(i)), i);
		CHECK_U64(hist_highest(i) + 1, hist_lowest(i + 1));
	}
}

static void
a_bucket_is_three_digits_wide(void)
{
	for (unsigned i = 2048; i < HIST_BUCKETS - 1; i++)
		CHECK((hist_highest(i) - hist_lowest(i) + 1) * 1000 <=
		    hist_lowest(i));
}

static void
over_an_hour_is_counted_and_not_hidden(void)
{
	hist_init(&h);
	hist_add(&h, HIST_MAX, 1);
	CHECK_U64(h.overflow, 0);
	hist_add(&h, HIST_MAX + 1, 2);
	hist_add(&h, UINT64_MAX, 1);
	CHECK_U64(h.overflow, 3);
	CHECK_U64(h.total, 4);
	CHECK_U64(h.max, UINT64_MAX);
	CHECK_U64(hist_percentile(&h, 25), hist_highest(hist_bucket(HIST_MAX)));
	CHECK_U64(hist_percentile(&h, 26), UINT64_MAX);
}

static void
an_empty_one_has_answers(void)
{
	hist_init(&h);
	CHECK_U64(hist_percentile(&h, 50), 0);
	CHECK(hist_mean(&h) == 0 && hist_stddev(&h) == 0);
	hist_add(&h, 5, 0);
	CHECK_U64(h.total, 0);
	CHECK_U64(h.min, 0);
}

static void
percentiles_are_ranks(void)
{
	hist_init(&h);
	for (uint64_t i = 1; i <= 1000; i++)
		hist_add(&h, i, 1);
	CHECK_U64(hist_percentile(&h, 0), 1);
	CHECK_U64(hist_percentile(&h, 0.1), 1);
	CHECK_U64(hist_percentile(&h, 50), 500);
	CHECK_U64(hist_percentile(&h, 50.01), 501);
	CHECK_U64(hist_percentile(&h, 95), 950);
	CHECK_U64(hist_percentile(&h, 99), 990);
	CHECK_U64(hist_percentile(&h, 99.9), 999);
	CHECK_U64(hist_percentile(&h, 99.99), 1000);
	CHECK_U64(hist_percentile(&h, 100), 1000);
	CHECK(hist_mean(&h) == 500.5);
	/* sqrt((1000^2 - 1) / 12) */
	CHECK(fabs(hist_stddev(&h) - 288.674990257210) < 1e-9);
}

static void
the_greatest_is_exact(void)
{
	hist_init(&h);
	hist_add(&h, 1234567, 3);
	CHECK_U64(hist_percentile(&h, 50), 1234567);
	hist_add(&h, 10000000, 1);
	CHECK_U64(hist_percentile(&h, 100), 10000000);
	CHECK(hist_percentile(&h, 50) >= 1234567 &&
	    hist_percentile(&h, 50) <= 1234567 + 1234567 / 1000);
}

static void
merged_is_as_if_added_to_one(void)
{
	static struct hist both;

	hist_init(&h);
	hist_init(&other);
	hist_init(&both);
	for (uint64_t i = 0, v = 1; i < 10000; i++) {
		v = v * 6364136223846793005u + 1442695040888963407u;
		hist_add(i % 3 ? &h : &other, v >> (20 + i % 40), 1 + i % 2);
		hist_add(&both, v >> (20 + i % 40), 1 + i % 2);
	}
	hist_merge(&h, &other);
	CHECK_BYTES(&h, &both, sizeof(h));
	/* Merging is not averaging: 90 fast ones and 10 slow ones. */
	hist_init(&h);
	hist_init(&other);
	hist_add(&h, 10, 90);
	hist_add(&other, 1000, 10);
	hist_merge(&h, &other);
	CHECK_U64(hist_percentile(&h, 50), 10);
	CHECK_U64(hist_percentile(&h, 95), 1000);
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "hist: buckets follow one another",
		    buckets_follow_one_another },
		{ "hist: a bucket is three digits wide",
		    a_bucket_is_three_digits_wide },
		{ "hist: over an hour is counted and not hidden",
		    over_an_hour_is_counted_and_not_hidden },
		{ "hist: an empty one has answers", an_empty_one_has_answers },
		{ "hist: percentiles are ranks", percentiles_are_ranks },
		{ "hist: the greatest is exact", the_greatest_is_exact },
		{ "hist: merged is as if added to one",
		    merged_is_as_if_added_to_one },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
