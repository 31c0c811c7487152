/*
 * hist.h - a log-linear histogram of times: three digits from 1 ns to 1 h.
 *
 * Plain bytes without pointers, so that it may lie in memory that processes
 * share.  Histograms are merged by adding counts; percentiles are taken from
 * the merged counts and are never averaged.
 */
#ifndef CMD_BENCH_HIST_H
#define CMD_BENCH_HIST_H

#include <stdint.h>

/*
 * Up to 2047 every value has a bucket of its own; above, each doubling has
 * 1024 buckets, so that a bucket is at most 1/1024 of its values wide.
 */
enum { HIST_HALF = 1024, HIST_BUCKETS = 33 * HIST_HALF };

#define HIST_MAX UINT64_C(3600000000000) /* ns: one hour */

/* Memory that is zero is an empty one, and most of it stays untouched. */
struct hist {
	uint64_t total;    /* values added, with those over HIST_MAX */
	uint64_t overflow; /* of them, those over HIST_MAX */
	uint64_t min, max; /* exact, or 0; max also of those over HIST_MAX */
	uint64_t count[HIST_BUCKETS];
};

void hist_init(struct hist *h);

/* Add n values of ns nanoseconds. */
void hist_add(struct hist *h, uint64_t ns, uint64_t n);
void hist_merge(struct hist *into, const struct hist *from);

/* The bucket of a value up to HIST_MAX, and the values a bucket stands for. */
unsigned hist_bucket(uint64_t ns);
uint64_t hist_lowest(unsigned bucket);
uint64_t hist_highest(unsigned bucket);

/*
 * The value that percent % of all values do not exceed: the top of its bucket,
 * no more than the greatest value seen.  UINT64_MAX where it lies among those
 * over HIST_MAX; 0 for an empty histogram.
 */
uint64_t hist_percentile(const struct hist *h, double percent);

/* Mean of the counted values, those over HIST_MAX taken as HIST_MAX; 0 if
 * there is none. */
double hist_mean(const struct hist *h);
double hist_stddev(const struct hist *h);

#endif
