/*
 * hist.c - a log-linear histogram of times: three digits from 1 ns to 1 h.
 */
#include "bench/hist.h"

#include <math.h>
#include <string.h>

void
hist_init(struct hist *h)
{
	memset(h, 0, sizeof(*h));
}

/* 2047 is bucket 2047, 2048 and 2049 are bucket 2048. */
unsigned
hist_bucket(uint64_t ns)
{
	unsigned bits, shift;

	if (ns < 2 * HIST_HALF)
		return (unsigned)ns;
	bits = 64 - (unsigned)__builtin_clzll(ns);
	shift = bits - 11;
	return shift * HIST_HALF + (unsigned)(ns >> shift);
}

uint64_t
hist_lowest(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * HIST_HALF)
		return bucket;
	shift = bucket / HIST_HALF - 1;
	return (uint64_t)(bucket - shift * HIST_HALF) << shift;
}

uint64_t
hist_highest(unsigned bucket)
{
	return hist_lowest(bucket + 1) - 1;
}

void
hist_add(struct hist *h, uint64_t ns, uint64_t n)
{
	if (n == 0)
		return;
	if (h->total == 0 || ns < h->min)
		h->min = ns;
	h->total += n;
	if (ns > h->max)
		h->max = ns;
	if (ns > HIST_MAX)
		h->overflow += n;
	else
		h->count[hist_bucket(ns)] += n;
}

void
hist_merge(struct hist *into, const struct hist *from)
{
	if (from->total == 0)
		return;
	if (into->total == 0 || from->min < into->min)
		into->min = from->min;
	into->total += from->total;
	into->overflow += from->overflow;
	if (from->max > into->max)
		into->max = from->max;
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (from->count[i] != 0)
			into->count[i] += from->count[i];
}

uint64_t
hist_percentile(const struct hist *h, double percent)
{
	/* 99.9 % of 1000 must not become 1000 by a rounding error. */
	double want = ceil((double)h->total * percent / 100 - 1e-6);
	uint64_t seen = 0, rank = want < 1 ? 1 : (uint64_t)want;

	if (h->total == 0)
		return 0;
	if (rank > h->total)
		rank = h->total;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= rank)
			return hist_highest(i) < h->max ? hist_highest(i)
							: h->max;
	}
	return UINT64_MAX;
}

/* The middle of a bucket stands for its values. */
static double
middle(unsigned i)
{
	return ((double)hist_lowest(i) + (double)hist_highest(i)) / 2;
}

double
hist_mean(const struct hist *h)
{
	double sum = (double)h->overflow * (double)HIST_MAX;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (h->count[i] != 0)
			sum += (double)h->count[i] * middle(i);
	return h->total == 0 ? 0 : sum / (double)h->total;
}

double
hist_stddev(const struct hist *h)
{
	double mean = hist_mean(h), d = (double)HIST_MAX - mean;
	double sum = (double)h->overflow * d * d;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (h->count[i] != 0) {
			d = middle(i) - mean;
			sum += (double)h->count[i] * d * d;
		}
	return h->total == 0 ? 0 : sqrt(sum / (double)h->total);
}
