/*
 * sc_log.c - scenarios: append to a log and read it, one operation at a time.
 */
#include "bench/sc_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cold.h"
#include "bench/mem.h"
#include "bench/work.h"

enum {
	KEY_SIZE = 3,
	BULK = 1 << 20, /* bytes of text in one call */
	LINE = 100,
	COLD = 50,
	COLD_QUICK = 5,
};

/* -- append ------------------------------------------------------------------ */

struct append_state {
	struct work_log log;
	struct sblog_record *recs;
	size_t n;
	struct sblog_append_opts opts;
	struct sblog_run text;
	uint64_t expected; /* end of the log */
	uint64_t value_len;
};

static void
append(void *arg, uint64_t count)
{
	struct append_state *s = arg;
	struct sblog_err err;
	uint64_t first;

	for (uint64_t i = 0; i < count; i++) {
		work_need(sblog_append(s->log.topic, s->recs, s->n, &s->opts,
			      &first, &err),
		    &err, "append");
		if (first != s->expected)
			work_fail("appended at %" PRIu64 ", not at %" PRIu64,
			    first, s->expected);
		s->expected += s->n;
	}
}

static void
append_run(void *arg, uint64_t count)
{
	struct append_state *s = arg;
	struct sblog_appended done;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++) {
		struct sblog_run run = s->text;

		while (run.len > 0) {
			work_need(sblog_append_run(s->log.topic, &run, &s->opts,
				      &done, &err),
			    &err, "append");
			run.data = (const char *)run.data + done.consumed;
			run.len -= done.consumed;
		}
		s->expected += s->n;
	}
}

static struct append_state *
append_open(const struct bench_ctx *ctx, size_t n, const char *key,
    const char *value, enum sblog_sync sync)
{
	struct append_state *s = mem_new(1, sizeof(*s));

	work_open(&s->log, ctx->directory, "t", NULL);
	s->n = n;
	s->opts.sync = sync;
	s->value_len = strlen(value);
	s->recs = mem_new(n, sizeof(*s->recs));
	for (size_t i = 0; i < n; i++) {
		s->recs[i] = (struct sblog_record){
			.user_time_us = SBLOG_NO_TIME,
			.value = { value, s->value_len },
		};
		if (key != NULL)
			s->recs[i].key =
			    (struct sblog_bytes){ key, strlen(key) };
	}
	return s;
}

/* Everything that was appended must be there, with the right length. */
static void
append_close(void *arg, char why[BENCH_WHY_SIZE])
{
	const struct sblog_cursor_opts opts = { .copy = 1 };
	struct append_state *s = arg;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t n = 0, bad = 0;

	work_need(sblog_cursor_open(&cur, s->log.topic, &opts, &err), &err,
	    "read");
	while (n < s->expected) {
		int rc = sblog_cursor_next(cur, &rec, &err);

		work_need(rc, &err, "read");
		if (rc == SBLOG_END)
			break;
		bad += rec.offset != n || rec.value.len != s->value_len;
		n++;
	}
	if (n != s->expected || bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "%" PRIu64 " of %" PRIu64 " records are there, %" PRIu64
		    " of them are not what was appended",
		    n, s->expected, bad);
	sblog_cursor_close(cur);
	work_close(&s->log);
	free(s->recs);
	free(s);
}

/* 3 + 5 bytes, as the published figure. */
static void *
open_8(const struct bench_ctx *ctx, const struct micro *m)
{
	return append_open(ctx, (size_t)m->n, m->n == 5 ? "key1" : "key",
	    m->n == 5 ? "value1" : "value", SBLOG_SYNC_NONE);
}

static const char bytes_39[] = "this is a test message for benchmarking";
static const char bytes_48[] =
    "{\"id\":1,\"user\":\"alice\",\"amount\":17,\"currency\":\"x\"}";

static void *
open_39(const struct bench_ctx *ctx, const struct micro *m)
{
	(void)m;
	return append_open(ctx, 1, NULL, bytes_39, SBLOG_SYNC_NONE);
}

static void *
open_39_sync(const struct bench_ctx *ctx, const struct micro *m)
{
	struct append_state *s =
	    append_open(ctx, 1, NULL, bytes_39, SBLOG_SYNC_BATCH);

	if (m->n > 1) { /* a log that is long already */
		s->expected = micro_n(ctx, m);
		work_fill(&s->log, s->expected, s->value_len, 1000);
	}
	return s;
}

static void *
open_durable(const struct bench_ctx *ctx, const struct micro *m)
{
	return append_open(ctx, (size_t)m->n, NULL, bytes_48, SBLOG_SYNC_BATCH);
}

static void *
open_bulk(const struct bench_ctx *ctx, const struct micro *m)
{
	size_t lines = (size_t)m->bytes / LINE;
	struct append_state *s =
	    append_open(ctx, lines, NULL, "", SBLOG_SYNC_NONE);
	char *text = mem_new(lines, LINE);

	for (size_t i = 0; i < lines; i++) {
		work_text(i, text + i * LINE, LINE - 1);
		text[i * LINE + LINE - 1] = '\n';
	}
	s->value_len = LINE - 1;
	s->text = (struct sblog_run){ .data = text, .len = lines * LINE };
	return s;
}

static void
close_bulk(void *arg, char why[BENCH_WHY_SIZE])
{
	struct append_state *s = arg;
	const void *data = s->text.data;

	append_close(s, why);
	free((void *)(uintptr_t)data);
}

const struct micro log_append_1 = { open_8, append, append_close,
	"records=1 key=3 value=5 sync=none", 1, 0, 2000000, 0 };
const struct micro log_append_5 = { open_8, append, append_close,
	"records=5 key=4 value=6 sync=none", 5, 0, 500000, 0 };
const struct micro log_append_100 = { open_8, append, append_close,
	"records=100 key=3 value=5 sync=none", 100, 0, 50000, 0 };
const struct micro log_append_39 = { open_39, append, append_close,
	"records=1 value=39 sync=none", 1, 0, 2000000, 0 };
const struct micro log_append_bulk = { open_bulk, append_run, close_bulk,
	"value=99 sync=none", 1, 0, 1000, BULK / LINE *LINE };
const struct micro log_sync_39 = { open_39_sync, append, append_close,
	"records=1 value=39 sync=batch", 1, 0, 5000, 0 };
const struct micro log_sync_39_long = { open_39_sync, append, append_close,
	"records=1 value=39 sync=batch", 100000, 10000, 5000, 0 };
const struct micro log_durable_1 = { open_durable, append, append_close,
	"records=1 value=48 sync=batch", 1, 0, 5000, 0 };
const struct micro log_durable_10 = { open_durable, append, append_close,
	"records=10 value=48 sync=batch", 10, 0, 5000, 0 };
const struct micro log_durable_100 = { open_durable, append, append_close,
	"records=100 value=48 sync=batch", 100, 0, 5000, 0 };

/* -- read -------------------------------------------------------------------- */

struct read_state {
	struct work_log log;
	struct sblog_cursor *cur; /* of an empty fetch */
	uint64_t end, at, bad;
	uint64_t len; /* of a value */
};

static void *
read_open(const struct bench_ctx *ctx, uint64_t n, size_t len, bool sealed)
{
	struct read_state *s = mem_new(1, sizeof(*s));

	work_open(&s->log, ctx->directory, "t", NULL);
	work_fill(&s->log, n, len, 100);
	if (sealed)
		work_seal(&s->log);
	s->end = n;
	s->len = len;
	return s;
}

static void
read_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct read_state *s = arg;

	if (s->bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "%" PRIu64 " records were not those asked for", s->bad);
	sblog_cursor_close(s->cur);
	work_close(&s->log);
	free(s);
}

/* Read from a place until so many records or so many bytes were there. */
static void
fetch(struct read_state *s, uint64_t from, uint64_t records, uint64_t bytes)
{
	const struct sblog_cursor_opts opts = { .from = from, .copy = 1 };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t got = 0, sum = 0;

	work_need(sblog_cursor_open(&cur, s->log.topic, &opts, &err), &err,
	    "read");
	while (got < records && sum + s->len <= bytes) {
		int rc = sblog_cursor_next(cur, &rec, &err);

		work_need(rc, &err, "read");
		if (rc == SBLOG_END)
			break;
		s->bad += rec.offset != from + got || rec.value.len != s->len;
		sum += rec.value.len;
		got++;
	}
	if (from + got < s->end && got < records && sum + s->len <= bytes)
		s->bad++;
	sblog_cursor_close(cur);
}

static void
read_1k(void *arg, uint64_t count)
{
	struct read_state *s = arg;

	for (uint64_t i = 0; i < count; i++, s->at += 127)
		fetch(s, s->at % s->end, UINT64_MAX, 1024);
}

static void
read_100(void *arg, uint64_t count)
{
	struct read_state *s = arg;

	for (uint64_t i = 0; i < count; i++, s->at += 100)
		fetch(s, s->at % s->end, 100, UINT64_MAX);
}

static void
get(void *arg, uint64_t count)
{
	struct read_state *s = arg;
	struct sblog_record rec;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++, s->at += 7919) {
		work_need(sblog_get(s->log.topic, s->at % s->end, &rec, &err),
		    &err, "get");
		s->bad +=
		    rec.offset != s->at % s->end || rec.value.len != s->len;
	}
}

static void
fetch_empty(void *arg, uint64_t count)
{
	struct read_state *s = arg;
	struct sblog_record rec;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++)
		s->bad += sblog_cursor_next(s->cur, &rec, &err) != SBLOG_END;
}

static void *
open_1000(const struct bench_ctx *ctx, const struct micro *m)
{
	(void)m;
	return read_open(ctx, 1000, 8, false);
}

static void *
open_100(const struct bench_ctx *ctx, const struct micro *m)
{
	(void)m;
	return read_open(ctx, 100, 30, false);
}

static void *
open_scan(const struct bench_ctx *ctx, const struct micro *m)
{
	(void)m;
	return read_open(ctx, 10000, 100, true);
}

static void *
open_empty(const struct bench_ctx *ctx, const struct micro *m)
{
	struct read_state *s = read_open(ctx, 100, 30, false);
	struct sblog_cursor_opts opts = { .from = s->end,
		.to = SBLOG_NO_OFFSET };
	struct sblog_err err;

	(void)m;
	work_need(sblog_cursor_open(&s->cur, s->log.topic, &opts, &err), &err,
	    "read");
	return s;
}

const struct micro log_read_1k = { open_1000, read_1k, read_close,
	"records=1000 value=8 max_bytes=1024", 1000, 0, 0, 0 };
const struct micro log_get = { open_1000, get, read_close,
	"records=1000 value=8", 1000, 0, 0, 0 };
const struct micro log_scan_100 = { open_scan, read_100, read_close,
	"records=10000 value=100 sealed=lz4 read=100", 10000, 0, 0, 0 };
const struct micro log_fetch_empty = { open_empty, fetch_empty, read_close,
	"records=100", 100, 0, 0, 0 };
const struct micro log_fetch_100 = { open_100, read_100, read_close,
	"records=100 value=30 read=100", 100, 0, 0, 0 };

/* Nothing is kept open: the first look at a log after its pages have gone. */
void
log_read_cold(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct bench_measure *m =
	    bench_measure_of(ctx, result, NULL, "ns/op", false);
	struct bench_run *run = bench_measure_run(m);
	struct hist *h = bench_run_latency(run);
	uint64_t count = ctx->options->quick ? COLD_QUICK : COLD, seed = 1;
	struct read_state *s = read_open(ctx, 100000, 100, true);
	struct cold_state cold;

	micro_workload(m, "records=100000 value=100 sealed=lz4");
	run->seconds = 0;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t begun;

		work_close(&s->log);
		cold = cold_drop(ctx->directory);
		if (cold.resident != 0) {
			bench_run_fail(run,
			    "%" PRIu64 " of %" PRIu64
			    " pages stay in the cache: nothing is cold",
			    cold.resident, cold.pages);
			work_open(&s->log, ctx->directory, "t", NULL);
			break;
		}
		begun = work_now();
		work_open(&s->log, ctx->directory, "t", NULL);
		s->at = work_random(&seed);
		get(s, 1);
		hist_add(h, work_now() - begun, 1);
		run->seconds += (double)(work_now() - begun) / 1e9;
		run->ops++;
	}
	run->value = run->ops == 0 ? 0 : run->seconds * 1e9 / (double)run->ops;
	if (s->bad != 0)
		bench_run_fail(run, "not the records asked for");
	sblog_cursor_close(s->cur);
	work_close(&s->log);
	free(s);
}
