/*
 * sc_streams.c - scenarios: the operations of a message store, at a growing
 * number of messages.
 *
 * Ten messages to a stream, the streams in ten categories by turns; a hundred
 * messages are of one category, as those published.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/sc_keys.h"
#include "bench/work.h"

enum {
	EACH = 10, /* messages of a stream */
	CATEGORIES = 10,
	KEY = 24,
	BATCH = 1000,
	WRITES = 20000,
	SYNCED = 500,
	READS = 5000,
	QUICK = 20, /* of that many operations one */
};

static const uint64_t sizes[] = { 100, 10000, 1000000 };
static const uint64_t quick_sizes[] = { 100, 10000, 100000 };

struct streams {
	struct work_log log;
	uint64_t n;       /* messages when the measuring begins */
	uint64_t streams; /* so far */
	uint64_t categories;
	uint64_t state; /* of random numbers */
	uint64_t bad;
};

static struct sblog_bytes
name_stream(const struct streams *s, uint64_t i, char key[static KEY])
{
	int len = snprintf(key, KEY, "account%d-%" PRIu64,
	    (int)(i % s->categories), i);

	return (struct sblog_bytes){ key, (size_t)len };
}

static struct sblog_bytes
name_category(const struct streams *s, uint64_t i, char key[static KEY])
{
	int len = snprintf(key, KEY, "account%d", (int)(i % s->categories));

	return (struct sblog_bytes){ key, (size_t)len };
}

static const char event[] = "{\"accountId\":4711,\"name\":\"Test Account\"}";

/* n messages: one to each stream, then the next one to each. */
static void
fill(struct streams *s)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct sblog_record *recs = mem_new(BATCH, sizeof(*recs));
	char(*keys)[KEY] = mem_new(BATCH, sizeof(*keys));
	struct sblog_err err;
	uint64_t first;

	s->streams = s->n / EACH;
	for (uint64_t i = 0; i < s->n; i += BATCH) {
		size_t count = s->n - i < BATCH ? (size_t)(s->n - i) : BATCH;

		for (size_t k = 0; k < count; k++)
			recs[k] = (struct sblog_record){
				.user_time_us = SBLOG_NO_TIME,
				.key = name_stream(s, (i + k) % s->streams,
				    keys[k]),
				.value = { event, sizeof(event) - 1 },
			};
		work_need(sblog_append(s->log.topic, recs, count, &opts, &first,
			      &err),
		    &err, "append");
	}
	free(keys);
	free(recs);
}

/* One message to a stream that is not there yet. */
static void
write_one(struct streams *s, enum sblog_sync sync)
{
	char key[KEY];
	const struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME,
		.key = name_stream(s, s->streams++, key),
		.value = { event, sizeof(event) - 1 } };
	const struct sblog_expect none = { .kind = SBLOG_EXPECT_KEY_LAST,
		.value = SBLOG_NO_OFFSET,
		.key = rec.key };
	const struct sblog_append_opts opts = { .sync = sync,
		.expect = &none,
		.expect_count = 1 };
	struct sblog_err err;
	uint64_t first;

	work_need(sblog_append(s->log.topic, &rec, 1, &opts, &first, &err),
	    &err, "append");
}

static void
write_published(struct streams *s)
{
	write_one(s, SBLOG_SYNC_NONE);
}

static void
write_durable(struct streams *s)
{
	write_one(s, SBLOG_SYNC_BATCH);
}

static uint64_t
read_some(struct streams *s, const struct sblog_cursor_opts *opts, uint64_t n)
{
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t got = 0, before = 0;
	int rc = 0;

	work_need(sblog_cursor_open(&cur, s->log.topic, opts, &err), &err,
	    "read");
	while (got < n && (rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		s->bad += rec.key.len < opts->key.len ||
		    memcmp(rec.key.data, opts->key.data, opts->key.len) != 0 ||
		    (got > 0 && rec.offset <= before);
		before = rec.offset;
		got++;
	}
	work_need(rc, &err, "read");
	sblog_cursor_close(cur);
	return got;
}

static void
get_10(struct streams *s)
{
	char key[KEY];
	const struct sblog_cursor_opts opts = {
		.key = name_stream(s, work_random(&s->state) % s->streams, key),
		.copy = 1,
	};

	s->bad += read_some(s, &opts, 10) != 10;
}

/* From anywhere, but so that a hundred follow: of a category is every tenth. */
static void
category_100(struct streams *s)
{
	uint64_t behind = 100 * s->categories;
	char key[KEY];
	struct sblog_cursor_opts opts = {
		.key = name_category(s, work_random(&s->state), key),
		.category = 1,
		.copy = 1,
	};

	if (s->n > behind)
		opts.from = work_random(&s->state) % (s->n - behind);
	s->bad += read_some(s, &opts, 100) != 100;
}

struct operation {
	void (*run)(struct streams *s);
	uint64_t count;
	bool writes;
	const char *sync;
};

static void
check_end(struct streams *s, const struct operation *op, uint64_t count,
    struct bench_run *run)
{
	uint64_t expected = s->n + (op->writes ? count : 0);
	struct sblog_info info;
	struct sblog_err err;

	work_need(sblog_topic_info(s->log.topic, &info, &err), &err, "info");
	if (info.records != expected || s->bad != 0)
		bench_run_fail(run,
		    "%" PRIu64 " of %" PRIu64 " messages are there, %" PRIu64
		    " answers were wrong",
		    info.records, expected, s->bad);
}

static void
measure_at(const struct bench_ctx *ctx, struct bench_result *result,
    const struct operation *op, uint64_t n)
{
	uint64_t count = ctx->options->quick ? op->count / QUICK : op->count;
	struct streams s = { .n = n,
		.categories = n <= 100 ? 1 : CATEGORIES,
		.state = ctx->options->seed + 1 };
	char name[32];
	struct bench_measure *m;
	struct bench_run *run;
	uint64_t cpu, begun, last;
	struct hist *h;

	(void)snprintf(name, sizeof(name), "%" PRIu64, n);
	m = bench_measure_of(ctx, result, name, "ns/op", false);
	bench_measure_param(m, "messages", "%" PRIu64, n);
	if (op->sync != NULL)
		bench_measure_param(m, "sync", "%s", op->sync);
	work_open(&s.log, ctx->directory, name, NULL);
	fill(&s);
	run = bench_measure_run(m);
	h = bench_run_service(run);
	op->run(&s);
	cpu = work_cpu();
	begun = last = work_now();
	for (uint64_t i = 1; i < count; i++) {
		uint64_t now;

		op->run(&s);
		now = work_now();
		hist_add(h, now - last, 1);
		last = now;
	}
	run->ops = count - 1;
	run->seconds = (double)(last - begun) / 1e9;
	run->cpu_seconds = (double)(work_cpu() - cpu) / 1e9;
	run->value = run->seconds * 1e9 / (double)run->ops;
	check_end(&s, op, count, run);
	work_close(&s.log);
}

static void
measure(const struct bench_ctx *ctx, struct bench_result *result,
    const struct operation *op)
{
	for (int i = 0; i < 3; i++)
		measure_at(ctx, result, op,
		    ctx->options->quick ? quick_sizes[i] : sizes[i]);
}

void
streams_write(const struct bench_ctx *ctx, struct bench_result *result)
{
	static const struct operation op = { write_published, WRITES, true,
		"none" };

	measure(ctx, result, &op);
}

void
streams_write_durable(const struct bench_ctx *ctx, struct bench_result *result)
{
	static const struct operation op = { write_durable, SYNCED, true,
		"batch" };

	measure(ctx, result, &op);
}

void
streams_get_10(const struct bench_ctx *ctx, struct bench_result *result)
{
	static const struct operation op = { get_10, READS, false, NULL };

	measure(ctx, result, &op);
}

void
streams_category_100(const struct bench_ctx *ctx, struct bench_result *result)
{
	static const struct operation op = { category_100, READS, false, NULL };

	measure(ctx, result, &op);
}
