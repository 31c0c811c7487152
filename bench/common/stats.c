/*
 * stats.c - middle and tail of a set of figures.
 *
 * No figure is ever dropped: an outlier is what somebody will wait for.
 */
#include "common/stats.h"

#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
stats_sort(double *figures, size_t n)
{
	qsort(figures, n, sizeof(*figures), compare);
}

double
stats_rank(const double *figures, size_t n, double share)
{
	size_t i = (size_t)(share * (double)n);

	return figures[i < n ? i : n - 1];
}

double
stats_mean(const double *figures, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += figures[i];
	return sum / (double)n;
}
