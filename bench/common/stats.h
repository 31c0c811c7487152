/*
 * stats.h - middle and tail of a set of figures.
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

/* Sort upwards; the functions below want sorted figures. */
void stats_sort(double *figures, size_t n);

/* The figure that a share (0 to 1) of all are not above; n is at least 1. */
double stats_rank(const double *figures, size_t n, double share);

/* The mean of all, outliers included. */
double stats_mean(const double *figures, size_t n);

#endif
