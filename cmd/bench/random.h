/*
 * random.h - numbers that look random and are the same for the same seed.
 */
#ifndef CMD_BENCH_RANDOM_H
#define CMD_BENCH_RANDOM_H

#include <stdint.h>

/* splitmix64: the next number of a sequence. */
uint64_t work_random(uint64_t *state);

#endif
