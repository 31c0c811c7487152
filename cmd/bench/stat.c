/*
 * stat.c - are these numbers different, and by how much?
 */
#include "bench/stat.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"

enum {
	EXACT_BELOW = 50, /* values on each side; as in R */
	RESAMPLES = 10000,
};

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
sorted_median(const double *v, size_t n)
{
	if (n == 0)
		return NAN;
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double
stat_median(double *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), ascending);
	return sorted_median(v, n);
}

static double *
sorted(const double *v, size_t n)
{
	double *copy = mem_new(n, sizeof(double));

	if (n > 0)
		memcpy(copy, v, n * sizeof(double));
	(void)stat_median(copy, n);
	return copy;
}

/* -- Mann-Whitney --------------------------------------------------------- */

/*
 * P(U <= u) if both samples come from one distribution.  The number of
 * arrangements of m and n values with a given U is the coefficient of the
 * Gaussian binomial (m + n over m): multiply by 1 - q^(n + i), divide by
 * 1 - q^i, for i = 1 .. m.  Counts are kept as shares to stay in range.
 */
static double
exact_below(size_t m, size_t n, size_t u)
{
	size_t len = m * n + 1;
	double *f = mem_new(len, sizeof(double)), sum = 0, p;

	f[0] = 1;
	for (size_t i = 1; i <= m; i++) {
		for (size_t k = len; k-- > n + i;)
			f[k] -= f[k - n - i];
		for (size_t k = i; k < len; k++)
			f[k] += f[k - i];
		/* of (n + i over i) arrangements, one share each */
		for (size_t k = 0; k < len; k++)
			f[k] *= (double)i / (double)(n + i);
	}
	for (size_t k = 0; k <= u && k < len; k++)
		sum += f[k];
	p = sum < 0 ? 0 : sum;
	free(f);
	return p > 1 ? 1 : p;
}

/*
 * U of a from both sorted sides, and the sum of t^3 - t over groups of t equal
 * values, which the correction for ties needs.
 */
static double
count_pairs(const double *a, size_t na, const double *b, size_t nb,
    double *tiesp)
{
	size_t i = 0, j = 0;
	double u = 0;

	*tiesp = 0;
	while (i < na || j < nb) {
		double v = j >= nb || (i < na && a[i] <= b[j]) ? a[i] : b[j];
		size_t ia = i, jb = j;
		double t;

		while (i < na && a[i] == v)
			i++;
		while (j < nb && b[j] == v)
			j++;
		u += (double)(i - ia) * ((double)jb + (double)(j - jb) / 2);
		t = (double)(i - ia + j - jb);
		*tiesp += t * t * t - t;
	}
	return u;
}

static double
normal_p(double u, double na, double nb, double ties)
{
	double n = na + nb, z = u - na * nb / 2;
	double sigma = sqrt(na * nb / 12 * (n + 1 - ties / (n * (n - 1))));

	if (!(sigma > 0))
		return 1;
	z = fabs(z) <= 0.5 ? 0 : (fabs(z) - 0.5) / sigma;
	return erfc(z / sqrt(2));
}

static struct stat_test
test_sorted(const double *a, size_t na, const double *b, size_t nb)
{
	struct stat_test t = { .p = 1, .method = STAT_EXACT };
	double ties, low;

	if (na == 0 || nb == 0)
		return t;
	t.u = count_pairs(a, na, b, nb, &ties);
	if (ties == 0 && na < EXACT_BELOW && nb < EXACT_BELOW) {
		low = fmin(t.u, (double)(na * nb) - t.u);
		t.p = fmin(1, 2 * exact_below(na, nb, (size_t)low));
		return t;
	}
	t.method = STAT_NORMAL;
	t.p = normal_p(t.u, (double)na, (double)nb, ties);
	return t;
}

struct stat_test
stat_mann_whitney(const double *a, size_t na, const double *b, size_t nb)
{
	double *sa = sorted(a, na), *sb = sorted(b, nb);
	struct stat_test t = test_sorted(sa, na, sb, nb);

	free(sa);
	free(sb);
	return t;
}

/* -- bootstrap ------------------------------------------------------------ */

/* SplitMix64, Steele, Lea and Flood 2014. */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/*
 * The median of n draws from sorted v.  Draws are counted by place instead of
 * sorted: the median is where half of them is reached.
 */
static double
resampled_median(const double *v, size_t n, unsigned *times, uint64_t *state)
{
	size_t seen = 0, i = 0;
	double low;

	memset(times, 0, n * sizeof(*times));
	for (size_t k = 0; k < n; k++)
		times[(size_t)((draw(state) >> 32) * n >> 32)]++;
	while ((seen += times[i]) * 2 < n)
		i++;
	low = v[i];
	if (seen * 2 > n)
		return low;
	/* exactly half: the other middle value is the next one drawn */
	do
		i++;
	while (times[i] == 0);
	return (low + v[i]) / 2;
}

static struct stat_interval
interval_sorted(const double *a, size_t na, const double *b, size_t nb,
    double alpha)
{
	struct stat_interval out = { NAN, NAN };
	size_t most = na > nb ? na : nb, cut;
	uint64_t state = 1;
	unsigned *times;
	double *ratio;

	if (na == 0 || nb == 0 || a[0] < 0 || b[0] < 0)
		return out;
	/* Counts such as allocations may be 0 throughout. */
	if (a[na - 1] == 0 && b[nb - 1] == 0)
		return (struct stat_interval){ 1, 1 };
	if (a[na - 1] == 0 && b[0] > 0)
		return (struct stat_interval){ INFINITY, INFINITY };
	if (b[nb - 1] == 0 && a[0] > 0)
		return (struct stat_interval){ 0, 0 };
	if (!(a[0] > 0) || !(b[0] > 0))
		return out;
	times = mem_new(most, sizeof(*times));
	ratio = mem_new(RESAMPLES, sizeof(*ratio));
	for (size_t i = 0; i < RESAMPLES; i++) {
		double base = resampled_median(a, na, times, &state);

		ratio[i] = resampled_median(b, nb, times, &state) / base;
	}
	(void)stat_median(ratio, RESAMPLES);
	cut = (size_t)(alpha / 2 * RESAMPLES);
	if (cut >= RESAMPLES / 2)
		cut = RESAMPLES / 2 - 1;
	out.low = ratio[cut];
	out.high = ratio[RESAMPLES - 1 - cut];
	free(times);
	free(ratio);
	return out;
}

struct stat_interval
stat_ratio_interval(const double *a, size_t na, const double *b, size_t nb,
    double alpha)
{
	double *sa = sorted(a, na), *sb = sorted(b, nb);
	struct stat_interval out = interval_sorted(sa, na, sb, nb, alpha);

	free(sa);
	free(sb);
	return out;
}

/* -- verdict -------------------------------------------------------------- */

/* The least p that so many values can give: all of one side above the other.
 * It is 2 / (na + nb over na). */
static double
least_p(size_t na, size_t nb)
{
	double p = 2;

	if (na == 0 || nb == 0)
		return 1;
	for (size_t i = 1; i <= na; i++)
		p *= (double)i / (double)(nb + i);
	return fmin(p, 1);
}

static enum stat_verdict
judge(const struct stat_comparison *c, bool higher_is_better,
    const struct stat_limits *limits)
{
	bool significant = c->test.p < limits->alpha;
	bool excludes = c->interval.low > 1 || c->interval.high < 1;
	/* the same for twice and for half: log(1 + threshold) */
	bool over = fabs(log(c->ratio)) > log1p(limits->threshold);

	if (isnan(c->ratio) || isnan(c->interval.low) || c->ratio < 0)
		return STAT_INCONCLUSIVE;
	if (significant && excludes && over)
		return (c->ratio > 1) == higher_is_better ? STAT_BETTER
							  : STAT_WORSE;
	/* A constant is a constant, however often it was looked at. */
	if (c->interval.low == 1 && c->interval.high == 1)
		return STAT_NOISE;
	if (least_p(c->base_count, c->next_count) >= limits->alpha)
		return STAT_INCONCLUSIVE;
	return over && (significant || excludes) ? STAT_INCONCLUSIVE
						 : STAT_NOISE;
}

struct stat_comparison
stat_compare(const double *base, size_t nbase, const double *next, size_t nnext,
    bool higher_is_better, const struct stat_limits *limits)
{
	double *a = sorted(base, nbase), *b = sorted(next, nnext);
	struct stat_comparison c = {
		.base_count = nbase,
		.next_count = nnext,
		.base = sorted_median(a, nbase),
		.next = sorted_median(b, nnext),
	};

	c.ratio = c.base == c.next ? 1 : c.next / c.base;
	c.test = test_sorted(a, nbase, b, nnext);
	c.interval = interval_sorted(a, nbase, b, nnext, limits->alpha);
	c.verdict = judge(&c, higher_is_better, limits);
	free(a);
	free(b);
	return c;
}

const char *
stat_verdict_name(enum stat_verdict v)
{
	static const char *const names[] = {
		[STAT_INCONCLUSIVE] = "inconclusive",
		[STAT_NOISE] = "noise",
		[STAT_BETTER] = "better",
		[STAT_WORSE] = "worse",
	};

	return names[v];
}
