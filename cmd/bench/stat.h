/*
 * stat.h - are these numbers different, and by how much?
 */
#ifndef CMD_BENCH_STAT_H
#define CMD_BENCH_STAT_H

#include <stdbool.h>
#include <stddef.h>

/* How a p-value was found. */
enum stat_method { STAT_EXACT, STAT_NORMAL };

struct stat_test {
	double u; /* pairs where a is greater, half for equal ones: R's W */
	double
	    p; /* two-sided; 1 where all values are equal, or none is there */
	enum stat_method method;
};

struct stat_interval {
	double low, high;
};

/* Sorted in place.  NAN for none. */
double stat_median(double *v, size_t n);

/*
 * The Mann-Whitney U test, two-sided: exact where both have fewer than 50
 * values and no two are equal, else the normal approximation with correction
 * for ties and continuity, as wilcox.test() of R does.
 */
struct stat_test stat_mann_whitney(const double *a, size_t na, const double *b,
    size_t nb);

/*
 * Where median(b) / median(a) lies with 1 - alpha: percentile bootstrap, both
 * sides drawn anew, the same draws in every call.  A side that is 0 throughout
 * gives 0, 1 or INFINITY; NAN on both ends where a side is empty, has a
 * negative value, or is 0 only in part.
 */
struct stat_interval stat_ratio_interval(const double *a, size_t na,
    const double *b, size_t nb, double alpha);

enum stat_verdict {
	STAT_INCONCLUSIVE, /* too few values to tell, or they disagree */
	STAT_NOISE,        /* no difference that matters */
	STAT_BETTER,
	STAT_WORSE,
};

struct stat_limits {
	double alpha;     /* 0.05 */
	double threshold; /* least change that matters, 0.03 */
};

struct stat_comparison {
	size_t base_count, next_count;
	double base, next; /* medians */
	double ratio;      /* next / base */
	struct stat_interval interval;
	struct stat_test test;
	enum stat_verdict verdict;
};

/*
 * Better or worse only if p < alpha, the interval excludes 1 and the effect is
 * over the threshold.  Inconclusive if no outcome of so few values could give
 * p < alpha (and the values are not all equal), or if the effect is over the
 * threshold and only one of the other two conditions holds.  Else noise.
 */
struct stat_comparison stat_compare(const double *base, size_t nbase,
    const double *next, size_t nnext, bool higher_is_better,
    const struct stat_limits *limits);

const char *stat_verdict_name(enum stat_verdict v);

#endif
