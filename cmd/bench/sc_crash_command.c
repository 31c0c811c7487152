/*
 * sc_crash_command.c - a scenario: sblog-append is killed, and what it has
 * printed as durable is looked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/mem.h"
#include "bench/proc.h"
#include "bench/sc_crash.h"
#include "bench/work.h"
#include "common/stop.h"

enum {
	ROUNDS = 200,
	ROUNDS_QUICK = 30,
	LINES = 3000, /* of its input */
	LINE = 64,
	LIFE = 30000000, /* ns */
	WHY = 300,
};

#define MARK "the round is over"

struct crash {
	const struct bench_ctx *ctx;
	struct work_log log;
	char *program, *in, *out;
	bool durable;
	uint64_t state, begun, rounds;
	uint64_t base; /* offset of the first line of the round */
	uint64_t acked, lost;
	char why[WHY];
};

static size_t
make_line(uint64_t round, uint64_t i, char out[static LINE])
{
	int n = snprintf(out, LINE, "%" PRIu64 " %" PRIu64 " ", round, i);

	/* Longer and shorter ones. */
	n += (int)(i % 40);
	work_text(round << 32 | i, out + n - i % 40, i % 40);
	return (size_t)n;
}

static void
write_input(struct crash *c)
{
	FILE *f = fopen(c->in, "we");
	char line[LINE];
	bool ok = f != NULL;

	for (uint64_t i = 0; i < LINES && ok; i++) {
		size_t len = make_line(c->rounds, i, line);

		line[len] = '\n';
		ok = fwrite(line, 1, len + 1, f) == len + 1;
	}
	if (!ok || fclose(f) != 0)
		work_fail("%s: %s", c->in, strerror(errno));
}

static void
append_and_kill(struct crash *c)
{
	const char *const argv[] = { c->program, "-C", c->log.dir, "--ack",
		"--batch-bytes=256",
		c->durable ? "--sync=batch" : "--sync=none", "t", NULL };
	const struct proc_files files = { .in = c->in, .out = c->out };
	pid_t pid = proc_spawn(argv, &files);
	int status;

	work_sleep_until(work_now() + work_random(&c->state) % LIFE);
	(void)kill(pid, SIGKILL);
	status = proc_wait(pid, NULL);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		work_fail("%s: ended with status %d", c->program,
		    WEXITSTATUS(status));
}

static void
wrong(struct crash *c, const char *what)
{
	if (c->why[0] == '\0')
		(void)snprintf(c->why, sizeof(c->why), "round %" PRIu64 ": %s",
		    c->rounds + 1, what);
}

/* Complete lines that say base, base + 1, ...: how many. */
static uint64_t
read_acks(struct crash *c)
{
	FILE *f = fopen(c->out, "re");
	char line[64];
	uint64_t n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strchr(line, '\n') == NULL)
			break;
		if (strtoull(line, NULL, 10) != c->base + n)
			wrong(c, "an offset was printed that is not the next");
		n++;
	}
	if (f != NULL)
		(void)fclose(f);
	return n;
}

/* The next to append decides what becomes of a batch that was written and not
 * published: only then it is known what is there. */
static void
settle(struct crash *c)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	const struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME,
		.value = { MARK, sizeof(MARK) - 1 } };
	struct sblog_err err;
	uint64_t first;

	work_need(sblog_append(c->log.topic, &rec, 1, &opts, &first, &err),
	    &err, "append");
}

static bool
is_mark(const struct sblog_record *rec)
{
	return rec->value.len == sizeof(MARK) - 1 &&
	    memcmp(rec->value.data, MARK, sizeof(MARK) - 1) == 0;
}

/* Lines of the input, from the first one, that are in the log, and behind them
 * our own: how many. */
static uint64_t
read_log(struct crash *c)
{
	const struct sblog_cursor_opts opts = { .from = c->base, .copy = 1 };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	char line[LINE];
	uint64_t n = 0;
	int rc = sblog_cursor_open(&cur, c->log.topic, &opts, &err);

	if (rc < 0) {
		wrong(c, err.msg);
		return 0;
	}
	while (
	    (rc = sblog_cursor_next(cur, &rec, &err)) == 0 && !is_mark(&rec)) {
		size_t len = make_line(c->rounds, n, line);

		if (n == LINES || rec.offset != c->base + n ||
		    rec.value.len != len ||
		    memcmp(rec.value.data, line, len) != 0) {
			wrong(c, "not the lines that were sent");
			break;
		}
		n++;
	}
	if (rc != 0)
		wrong(c, rc < 0 ? err.msg : "the last record is missing");
	sblog_cursor_close(cur);
	return n;
}

static void
check_round(struct crash *c)
{
	uint64_t acked = read_acks(c), there;

	settle(c);
	there = read_log(c);
	c->acked += acked;
	if (there < acked) {
		c->lost += acked - there;
		wrong(c, "lines whose offsets were printed are missing");
	}
	c->base += there + 1;
}

static bool
more(const struct crash *c)
{
	const struct bench_options *o = c->ctx->options;

	if (stop_wanted() || c->why[0] != '\0')
		return false;
	if (o->duration_us > 0)
		return work_now() < c->begun + o->duration_us * 1000;
	return c->rounds < (o->quick ? ROUNDS_QUICK : ROUNDS);
}

void
crash_command(const struct bench_ctx *ctx, struct bench_result *result)
{
	const struct bench_options *o = ctx->options;
	struct crash c = { .ctx = ctx,
		.durable = o->sync != BENCH_SYNC_NONE,
		.state = o->seed + ctx->run * UINT64_C(1000003) + 1 };
	struct bench_measure *m =
	    bench_measure_of(ctx, result, "kept", "%", true);
	struct bench_run *run = bench_measure_run(m);

	bench_measure_param(m, "sync", "%s", c.durable ? "batch" : "none");
	c.program = mem_format("%s/sblog-append", ctx->bin);
	c.in = mem_format("%s/in", ctx->directory);
	c.out = mem_format("%s/out", ctx->directory);
	work_open(&c.log, ctx->directory, "t", NULL);
	c.begun = work_now();
	for (; more(&c); c.rounds++) {
		write_input(&c);
		append_and_kill(&c);
		check_round(&c);
	}
	run->seconds = (double)(work_now() - c.begun) / 1e9;
	run->ops = c.acked;
	if (c.rounds > 0)
		run->value = c.acked == 0
		    ? 100
		    : 100 * (double)(c.acked - c.lost) / (double)c.acked;
	if (c.why[0] != '\0')
		bench_run_fail(run,
		    "%.6g %% of %" PRIu64 " acknowledged lines are there; %s",
		    run->value, c.acked, c.why);
	work_close(&c.log);
	free(c.program);
	free(c.in);
	free(c.out);
}
