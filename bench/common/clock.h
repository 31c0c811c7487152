/*
 * clock.h - the time, for measuring.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock that only goes forward. */
static inline uint64_t
clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Seconds since an earlier clock_ns(). */
static inline double
clock_since(uint64_t start_ns)
{
	return (double)(clock_ns() - start_ns) / 1e9;
}

#endif
