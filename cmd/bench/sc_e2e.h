/*
 * sc_e2e.h - scenarios: from the process that appends to the one that follows.
 */
#ifndef CMD_BENCH_SC_E2E_H
#define CMD_BENCH_SC_E2E_H

#include "bench/scenario.h"

/* One producer and one follower at a rate; arg: struct e2e. */
struct e2e {
	bool durable;
	bool batches; /* of a hundred, else one message in an append */
};

extern const struct e2e e2e_durable, e2e_published, e2e_batches;

void e2e_latency(const struct bench_ctx *ctx, struct bench_result *result);
/* 1, 2, 4, 8, 16 producers and a follower, and the other way, as fast as it
 * goes. */
void e2e_producers(const struct bench_ctx *ctx, struct bench_result *result);
void e2e_consumers(const struct bench_ctx *ctx, struct bench_result *result);

/* Lines through the commands: a pipe to one that appends, and one from another
 * that follows. */
void e2e_pipe(const struct bench_ctx *ctx, struct bench_result *result);

#endif
