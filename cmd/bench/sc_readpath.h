/*
 * sc_readpath.h - scenarios: reading a log, sealed and not, in pieces of all
 * sizes, by one or many, with and without the page cache.
 */
#ifndef CMD_BENCH_SC_READPATH_H
#define CMD_BENCH_SC_READPATH_H

#include "bench/scenario.h"

/* 10 MB of records of 100 bytes, in pieces of 1 KB to 10 MB. */
void readpath_chunk(const struct bench_ctx *ctx, struct bench_result *result);
/* 1, 10 and 100 MB, in pieces of 1 MB. */
void readpath_size(const struct bench_ctx *ctx, struct bench_result *result);
/* The first look after the pages were dropped, and the second. */
void readpath_cold(const struct bench_ctx *ctx, struct bench_result *result);
/* 1 to 8 processes on the same segment. */
void readpath_readers(const struct bench_ctx *ctx, struct bench_result *result);
/* Record after record, and from anywhere. */
void readpath_order(const struct bench_ctx *ctx, struct bench_result *result);

#endif
