/*
 * overhead.h - the scenario "tool": what measuring itself costs.
 */
#ifndef CMD_BENCH_OVERHEAD_H
#define CMD_BENCH_OVERHEAD_H

#include "bench/scenario.h"

/* Nanoseconds of an empty operation, of asking the time, and of adding to a
 * histogram.  None of them is subtracted anywhere. */
void overhead_run(const struct bench_ctx *ctx, struct bench_result *result);

#endif
