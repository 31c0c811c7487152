/*
 * sc_log.h - scenarios: append to a log and read it, one operation at a time.
 */
#ifndef CMD_BENCH_SC_LOG_H
#define CMD_BENCH_SC_LOG_H

#include "bench/micro.h"

/* Published, not synced. */
extern const struct micro log_append_1, log_append_5, log_append_100,
    log_append_39, log_append_bulk;
/* Durable before the call returns, one by one and in batches. */
extern const struct micro log_sync_39, log_sync_39_long, log_durable_1,
    log_durable_10, log_durable_100;
extern const struct micro log_read_1k, log_get, log_scan_100, log_fetch_empty,
    log_fetch_100;

/* One record after the cache was dropped for each. */
void log_read_cold(const struct bench_ctx *ctx, struct bench_result *result);

#endif
