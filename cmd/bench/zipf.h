/*
 * zipf.h - numbers that follow Zipf's law: few of them very often.
 */
#ifndef CMD_BENCH_ZIPF_H
#define CMD_BENCH_ZIPF_H

#include <stdint.h>

/* Number k of n, counted from 0, is drawn in proportion to (k + 1)^-s. */
struct zipf {
	double n, s;
	double h_first, h_last, shift; /* of the rejection */
};

/* n >= 1; s > 0. */
void zipf_init(struct zipf *z, uint64_t n, double s);

/* One number, from the sequence of work_random(). */
uint64_t zipf_next(const struct zipf *z, uint64_t *state);

#endif
