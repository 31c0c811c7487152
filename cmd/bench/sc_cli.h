/*
 * sc_cli.h - scenarios: one process for each operation.
 */
#ifndef CMD_BENCH_SC_CLI_H
#define CMD_BENCH_SC_CLI_H

#include "bench/scenario.h"

/* Each: what is written is durable, or with arg "none" it is not. */
void cli_append(const struct bench_ctx *ctx, struct bench_result *result);
void cli_append_parallel(const struct bench_ctx *ctx,
    struct bench_result *result);
void cli_append_batches(const struct bench_ctx *ctx,
    struct bench_result *result);
void cli_read(const struct bench_ctx *ctx, struct bench_result *result);
void cli_commit(const struct bench_ctx *ctx, struct bench_result *result);
void cli_get(const struct bench_ctx *ctx, struct bench_result *result);

#endif
