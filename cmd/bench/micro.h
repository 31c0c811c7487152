/*
 * micro.h - one operation, again and again: nanoseconds, allocations.
 */
#ifndef CMD_BENCH_MICRO_H
#define CMD_BENCH_MICRO_H

#include "bench/scenario.h"

/* The argument of a scenario whose run is micro_run. */
struct micro {
	/* Whatever the operation needs; checked and freed by close.  */
	void *(*open)(const struct bench_ctx *ctx, const struct micro *m);
	/* The operation, count times. */
	void (*op)(void *state, uint64_t count);
	/* After all; says what is wrong in why, which is empty. */
	void (*close)(void *state, char why[BENCH_WHY_SIZE]);
	const char *workload; /* "records=1 value=5", words of the measure */
	uint64_t n;       /* records of an operation, or how many there are */
	uint64_t quick_n; /* of a quick run; 0: n */
	uint64_t most;    /* operations of a run at most, 0: any number */
	uint64_t bytes;   /* of an operation: the unit is MiB/s; 0: ns/op */
};

/* n, or what a quick run has of it. */
uint64_t micro_n(const struct bench_ctx *ctx, const struct micro *m);

/*
 * Warm up until it takes some time, then measure for longer; one run of the
 * measure that is called as the scenario.
 */
void micro_run(const struct bench_ctx *ctx, struct bench_result *result);

/* Words "name=value" of the workload, separated by spaces. */
void micro_workload(struct bench_measure *m, const char *words);

#endif
