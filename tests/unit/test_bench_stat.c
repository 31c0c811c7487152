/*
 * test_bench_stat.c - cmd/bench/stat: the test, the interval, the verdict.
 *
 * Reference values: wilcox.test() of R 4.2.2, as in the comments.
 */
#include <math.h>
#include <stdlib.h>

#include "bench/stat.h"
#include "check.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
near(double got, double want, double relative)
{
	return fabs(got - want) <= relative * fabs(want);
}

static struct stat_test
shifted(size_t n, double scale, double by)
{
	double a[64], b[64];

	for (size_t i = 0; i < n; i++) {
		a[i] = (double)i + 1;
		b[i] = ((double)i + 1) * scale + by;
	}
	return stat_mann_whitney(a, n, b, n);
}

static void
exact_values_are_those_of_r(void)
{
	/* the example of ?wilcox.test (Hollander and Wolfe 1973, p. 69f) */
	const double x[] = { 0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64,
		0.73, 1.46 };
	const double y[] = { 1.15, 0.88, 0.90, 0.74, 1.21 };
	const double odd[] = { 1, 3, 5, 7 }, even[] = { 2, 4, 6, 8, 10 };
	struct stat_test t = stat_mann_whitney(x, 10, y, 5);

	CHECK(t.u == 35 && t.method == STAT_EXACT);
	CHECK(near(t.p, 0.254412254412254, 1e-12));
	t = stat_mann_whitney(odd, 4, even, 5);
	CHECK(t.u == 6 && near(t.p, 0.412698412698413, 1e-12));
	/* wilcox.test(1:5, 6:10), (1:3, 4:6), (1:20, 1:20 + 5.5) */
	t = shifted(5, 1, 5);
	CHECK(t.u == 0 && t.method == STAT_EXACT);
	CHECK(near(t.p, 0.00793650793650794, 1e-12));
	t = shifted(3, 1, 3);
	CHECK(t.u == 0 && near(t.p, 0.1, 1e-12));
	t = shifted(20, 1, 5.5);
	CHECK(t.u == 105 && near(t.p, 0.009483607191205, 1e-12));
}

static void
exact_values_hold_up_to_49(void)
{
	/* wilcox.test(1:49, 1:49 + 7.25), + 0.5, 1:49 * 0.9 + 0.013 */
	struct stat_test t = shifted(49, 1, 7.25);

	CHECK(t.u == 861 && t.method == STAT_EXACT);
	CHECK(near(t.p, 0.0155460314792924, 1e-10));
	t = shifted(49, 1, 0.5);
	CHECK(t.u == 1176 && near(t.p, 0.865210357152815, 1e-10));
	t = shifted(49, 0.9, 0.013);
	CHECK(t.u == 1321 && near(t.p, 0.395530425562924, 1e-10));
}

static void
ties_and_many_values_are_corrected_as_in_r(void)
{
	const double a[] = { 1, 2, 2, 3, 4 }, b[] = { 2, 3, 3, 5, 6 };
	const double before[] = { 25.4, 25.1, 25.9, 25.4, 25.4 };
	const double after[] = { 18.3, 18.2, 18.5, 18.3, 18.3 };
	/* airquality$Ozone of May and of August, without those missing */
	const double may[] = { 41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18,
		14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37 };
	const double august[] = { 39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28,
		65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85 };
	struct stat_test t = stat_mann_whitney(a, 5, b, 5);

	CHECK(t.u == 6 && t.method == STAT_NORMAL);
	CHECK(near(t.p, 0.198828944016442, 1e-12));
	t = stat_mann_whitney(before, 5, after, 5);
	CHECK(t.u == 25 && near(t.p, 0.0101760122432236, 1e-12));
	t = stat_mann_whitney(may, COUNT(may), august, COUNT(august));
	CHECK(t.u == 127.5 && near(t.p, 0.000120807830768774, 1e-12));
	/* wilcox.test(1:50, 1:50 + 7.25): no ties, and not exact any more */
	t = shifted(50, 1, 7.25);
	CHECK(t.u == 903 && t.method == STAT_NORMAL);
	CHECK(near(t.p, 0.0169077075031912, 1e-12));
}

static void
nothing_to_tell_is_p_1(void)
{
	const double same[] = { 5, 5, 5 };

	CHECK(stat_mann_whitney(same, 3, same, 3).p == 1);
	CHECK(stat_mann_whitney(same, 0, same, 3).p == 1);
	CHECK(stat_mann_whitney(same, 1, same, 1).p == 1);
}

static void
medians_lie_in_the_middle(void)
{
	double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };

	CHECK(stat_median(odd, 3) == 2);
	CHECK(stat_median(even, 4) == 2.5);
	CHECK(isnan(stat_median(odd, 0)));
}

/* Numbers with the standard deviation 1, by the sum of twelve. */
static double
normal(unsigned *seed)
{
	double sum = -6;

	for (int i = 0; i < 12; i++) {
		*seed = *seed * 1664525u + 1013904223u;
		sum += (double)(*seed >> 8) / (1 << 24);
	}
	return sum;
}

static void
sample(double *v, size_t n, double mean, double share, unsigned *seed)
{
	for (size_t i = 0; i < n; i++)
		v[i] = mean * (1 + share * normal(seed));
}

static void
the_interval_holds_the_ratio_and_repeats(void)
{
	double a[20], b[20];
	struct stat_interval one, two;
	unsigned seed = 7, holds = 0;

	for (int round = 0; round < 100; round++) {
		sample(a, 20, 1000, 0.02, &seed);
		sample(b, 20, 1100, 0.02, &seed);
		one = stat_ratio_interval(a, 20, b, 20, 0.05);
		CHECK(one.low <= one.high);
		holds += one.low <= 1.1 && 1.1 <= one.high;
	}
	/* 95 expected; the bootstrap of a median is rather too wide */
	CHECK(holds >= 88);
	two = stat_ratio_interval(a, 20, b, 20, 0.05);
	CHECK(one.low == two.low && one.high == two.high);
	two = stat_ratio_interval(a, 20, b, 20, 0.5);
	CHECK(two.low > one.low && two.high < one.high);
}

static void
zeros_and_absent_values_have_an_answer(void)
{
	const double zero[] = { 0, 0, 0, 0, 0 }, one[] = { 1, 1, 1, 1, 1 };
	const double some[] = { 0, 1, 0, 1, 1 };
	const struct stat_limits limits = { 0.05, 0.03 };

	CHECK(stat_compare(zero, 5, zero, 5, false, &limits).verdict ==
	    STAT_NOISE);
	CHECK(stat_compare(zero, 5, one, 5, false, &limits).verdict ==
	    STAT_WORSE);
	CHECK(stat_compare(one, 5, zero, 5, false, &limits).verdict ==
	    STAT_BETTER);
	CHECK(stat_compare(some, 5, one, 5, false, &limits).verdict ==
	    STAT_INCONCLUSIVE);
	CHECK(stat_compare(one, 5, one, 0, false, &limits).verdict ==
	    STAT_INCONCLUSIVE);
}

static void
few_values_are_inconclusive(void)
{
	const double a[] = { 100, 101, 102 }, b[] = { 200, 201, 202 };
	const double a4[] = { 100, 101, 102, 103 },
		     b4[] = { 200, 201, 202, 203 };
	const struct stat_limits limits = { 0.05, 0.03 };

	/* p of 3 against 3 is 0.1 at best, of 4 against 4 it is 0.029 */
	CHECK(stat_compare(a, 3, b, 3, false, &limits).verdict ==
	    STAT_INCONCLUSIVE);
	CHECK(stat_compare(a4, 4, b4, 4, false, &limits).verdict == STAT_WORSE);
	CHECK(stat_compare(a4, 4, b4, 4, true, &limits).verdict == STAT_BETTER);
	CHECK(stat_compare(b4, 4, a4, 4, true, &limits).verdict == STAT_WORSE);
}

static void
a_change_below_the_threshold_is_noise(void)
{
	double a[10], b[10];
	const struct stat_limits wide = { 0.05, 0.03 }, tight = { 0.05, 0.01 };

	for (int i = 0; i < 10; i++) {
		a[i] = 1000 + i;
		b[i] = 1020.5 + i;
	}
	CHECK(stat_compare(a, 10, b, 10, false, &wide).verdict == STAT_NOISE);
	CHECK(stat_compare(a, 10, b, 10, false, &tight).verdict == STAT_WORSE);
}

static void
identical_builds_are_not_told_apart(void)
{
	const struct stat_limits limits = { 0.05, 0.03 }, none = { 0.05, 1e-9 };
	unsigned seed = 11, verdicts = 0, bare = 0;
	double a[20], b[20];

	for (int round = 0; round < 200; round++) {
		enum stat_verdict v;

		sample(a, 20, 1000, 0.05, &seed);
		sample(b, 20, 1000, 0.05, &seed);
		v = stat_compare(a, 20, b, 20, false, &limits).verdict;
		verdicts += v == STAT_WORSE || v == STAT_BETTER;
		v = stat_compare(a, 20, b, 20, false, &none).verdict;
		bare += v == STAT_WORSE || v == STAT_BETTER;
	}
	/* 5 % of 200 are 10, of which 16 is two standard deviations off */
	CHECK(bare <= 16);
	CHECK(verdicts <= bare);
}

static void
five_percent_are_found_ten_times_of_ten(void)
{
	const struct stat_limits limits = { 0.05, 0.03 };
	unsigned seed = 23;
	double a[20], b[20];

	for (int round = 0; round < 10; round++) {
		sample(a, 20, 1000, 0.01, &seed);
		sample(b, 20, 1050, 0.01, &seed);
		CHECK(stat_compare(a, 20, b, 20, false, &limits).verdict ==
		    STAT_WORSE);
	}
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "stat: exact values are those of R",
		    exact_values_are_those_of_r },
		{ "stat: exact values hold up to 49",
		    exact_values_hold_up_to_49 },
		{ "stat: ties and many values are corrected as in R",
		    ties_and_many_values_are_corrected_as_in_r },
		{ "stat: nothing to tell is p 1", nothing_to_tell_is_p_1 },
		{ "stat: medians lie in the middle",
		    medians_lie_in_the_middle },
		{ "stat: the interval holds the ratio and repeats",
		    the_interval_holds_the_ratio_and_repeats },
		{ "stat: zeros and absent values have an answer",
		    zeros_and_absent_values_have_an_answer },
		{ "stat: few values are inconclusive",
		    few_values_are_inconclusive },
		{ "stat: a change below the threshold is noise",
		    a_change_below_the_threshold_is_noise },
		{ "stat: identical builds are not told apart",
		    identical_builds_are_not_told_apart },
		{ "stat: five percent are found ten times of ten",
		    five_percent_are_found_ten_times_of_ten },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
