/*
 * sc_keys.h - scenarios: keys, consumer groups, topics.
 */
#ifndef CMD_BENCH_SC_KEYS_H
#define CMD_BENCH_SC_KEYS_H

#include "bench/micro.h"

extern const struct micro keys_put, keys_get, keys_iterate;
extern const struct micro groups_commit, groups_commit_durable, groups_get;
extern const struct micro topics_create, topics_open, topics_list,
    topics_list_1000;

/* The message store's operations at a growing number of messages. */
void streams_write(const struct bench_ctx *ctx, struct bench_result *result);
void streams_write_durable(const struct bench_ctx *ctx,
    struct bench_result *result);
void streams_get_10(const struct bench_ctx *ctx, struct bench_result *result);
void streams_category_100(const struct bench_ctx *ctx,
    struct bench_result *result);

#endif
