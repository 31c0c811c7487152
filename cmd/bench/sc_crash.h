/*
 * sc_crash.h - scenarios: processes that are killed while they append.
 */
#ifndef CMD_BENCH_SC_CRASH_H
#define CMD_BENCH_SC_CRASH_H

#include "bench/scenario.h"

/* Writers and a process that seals, through the library. */
void crash_library(const struct bench_ctx *ctx, struct bench_result *result);
/* sblog-append, which says on its output what is durable. */
void crash_command(const struct bench_ctx *ctx, struct bench_result *result);

#endif
