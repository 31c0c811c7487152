/*
 * sc_cli.c - scenarios: one process for each operation.
 *
 * The commands are those beside this program.  What they did is looked at
 * through the library, and what they printed is compared byte by byte.
 */
#include "bench/sc_cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/proc.h"
#include "bench/work.h"
#include "common/stop.h"

enum {
	SINGLE = 100,  /* operations one after the other */
	MANY = 1000,   /* records */
	PARALLEL = 50, /* processes at a time */
	BATCH = 100,   /* records of a process */
	SHORT = 48,    /* bytes of a record */
	LONG = 70,
	LINE = 96,
	NUMBER_AT = 12, /* in a record */
};

struct cli {
	const struct bench_ctx *ctx;
	struct work_log log;
	bool durable;
	char *program, *in, *out; /* paths; in has room for a number */
	struct proc_cost cost;
	struct bench_run *run;
	uint64_t ops;
};

/* -- records, and files that have them ------------------------------------------- */

/* As the published script writes them, so long without the newline. */
static size_t
record(uint64_t i, size_t len, char out[static LINE])
{
	int n = snprintf(out, LINE,
	    "{\"order_id\":%" PRIu64 ",\"amount\":%" PRIu64 ",\"note\":\"", i,
	    i * 10);

	while ((size_t)n < len - 2)
		out[n++] = 'x';
	out[n++] = '"';
	out[n++] = '}';
	return (size_t)n;
}

static char *
input(const struct cli *c, uint64_t i)
{
	return mem_format("%s/in-%" PRIu64, c->ctx->directory, i);
}

/* File i with records [first, first + n). */
static void
write_input(const struct cli *c, uint64_t i, uint64_t first, uint64_t n,
    size_t len)
{
	char *path = input(c, i), line[LINE];
	FILE *f = fopen(path, "we");
	bool ok = f != NULL;

	for (uint64_t k = 0; k < n && ok; k++) {
		size_t size = record(first + k, len, line);

		line[size] = '\n';
		ok = fwrite(line, 1, size + 1, f) == size + 1;
	}
	if (!ok || fclose(f) != 0)
		work_fail("%s: %s", path, strerror(errno));
	free(path);
}

/* -- processes ----------------------------------------------------------------------- */

static struct cli *
open_cli(const struct bench_ctx *ctx, struct bench_result *result,
    const char *program, const char *unit)
{
	struct cli *c = mem_new(1, sizeof(*c));
	struct bench_measure *m;

	c->ctx = ctx;
	c->durable = ctx->scenario->arg == NULL;
	if (ctx->options->sync != BENCH_SYNC_DEFAULT)
		c->durable = ctx->options->sync == BENCH_SYNC_BATCH;
	c->program = mem_format("%s/sblog-%s", ctx->bin, program);
	c->out = mem_format("%s/out", ctx->directory);
	work_open(&c->log, ctx->directory, "t", NULL);
	m = bench_measure_of(ctx, result, NULL, unit,
	    strcmp(unit, "ns/op") != 0);
	bench_measure_param(m, "sync", "%s", c->durable ? "batch" : "none");
	c->run = bench_measure_run(m);
	return c;
}

static const char *
sync_word(const struct cli *c)
{
	return c->durable ? "--sync=batch" : "--sync=none";
}

/* One operation, and how long it took. */
static void
operate(struct cli *c, const char *const argv[], const struct proc_files *files)
{
	uint64_t begun = work_now();

	proc_run(argv, files, &c->cost);
	hist_add(c->run->latency, work_now() - begun, 1);
	c->ops++;
}

/* records: what the operations had; the unit is ns/op or records a second. */
static void
close_cli(struct cli *c, uint64_t begun, uint64_t records, bool rate)
{
	struct bench_run *run = c->run;

	run->seconds = (double)(work_now() - begun) / 1e9;
	run->ops = rate ? records : c->ops;
	run->cpu_seconds = c->cost.cpu_seconds;
	if (!c->cost.rss_unknown)
		run->memory_bytes = (double)c->cost.rss;
	if (run->ops > 0)
		run->value = rate ? (double)records / run->seconds
				  : run->seconds * 1e9 / (double)run->ops;
}

static void
free_cli(struct cli *c)
{
	work_close(&c->log);
	free(c->program);
	free(c->out);
	free(c);
}

/* -- what is in the log ------------------------------------------------------------------ */

/* Records 0 to n - 1, each once; in order, or in any. */
static void
check_records(struct cli *c, uint64_t n, size_t len, bool ordered)
{
	const struct sblog_cursor_opts opts = { .copy = 1 };
	bool *there = mem_new(n, sizeof(bool));
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t good = 0, found = 0, next = 0;
	char line[LINE];
	int rc;

	work_need(sblog_cursor_open(&cur, c->log.topic, &opts, &err), &err,
	    "read");
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		uint64_t i = n;

		found++;
		if (rec.value.len > NUMBER_AT)
			i = strtoull((const char *)rec.value.data + NUMBER_AT,
			    NULL, 10);
		if (i >= n || there[i] || (ordered && i < next) ||
		    record(i, len, line) != rec.value.len ||
		    memcmp(line, rec.value.data, rec.value.len) != 0)
			continue;
		next = i + 1;
		there[i] = true;
		good++;
	}
	work_need(rc, &err, "read");
	if (good != n || found != n)
		bench_run_fail(c->run,
		    "%" PRIu64 " of %" PRIu64
		    " records are in the log, and %" PRIu64 " others",
		    good, n, found - good);
	sblog_cursor_close(cur);
	free(there);
}

/* Does the file of the output begin with this, and has no more? */
static bool
printed(const struct cli *c, const char *text, size_t len)
{
	char *got = mem_new(len + 2, 1);
	FILE *f = fopen(c->out, "re");
	size_t n = f == NULL ? 0 : fread(got, 1, len + 1, f);
	bool same = n == len && memcmp(got, text, len) == 0;

	if (f != NULL)
		(void)fclose(f);
	free(got);
	return same;
}

/* -- append -------------------------------------------------------------------------------- */

void
cli_append(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct cli *c = open_cli(ctx, result, "append", "ns/op");
	const char *const argv[] = { c->program, "-C", c->log.dir, sync_word(c),
		"t", NULL };
	uint64_t begun, done = 0;

	(void)bench_run_latency(c->run);
	for (uint64_t i = 0; i < SINGLE; i++)
		write_input(c, i, i, 1, SHORT);
	begun = work_now();
	for (; done < SINGLE && !stop_wanted(); done++) {
		char *path = input(c, done);
		const struct proc_files files = { .in = path };

		operate(c, argv, &files);
		free(path);
	}
	close_cli(c, begun, done, false);
	check_records(c, done, SHORT, true);
	free_cli(c);
}

/* So many processes at a time; the next ones when all of them are done. */
void
cli_append_parallel(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct cli *c = open_cli(ctx, result, "append", "records/s");
	const char *const argv[] = { c->program, "-C", c->log.dir, sync_word(c),
		"t", NULL };
	pid_t pids[PARALLEL];
	uint64_t begun, done = 0;

	for (uint64_t i = 0; i < MANY; i++)
		write_input(c, i, i, 1, LONG);
	begun = work_now();
	for (; done < MANY && !stop_wanted(); done += PARALLEL) {
		for (uint64_t k = 0; k < PARALLEL; k++) {
			char *path = input(c, done + k);
			const struct proc_files files = { .in = path };

			pids[k] = proc_spawn(argv, &files);
			free(path);
		}
		for (uint64_t k = 0; k < PARALLEL; k++)
			proc_finish(pids[k], c->program, &c->cost);
	}
	close_cli(c, begun, done, true);
	check_records(c, done, LONG, false);
	free_cli(c);
}

void
cli_append_batches(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct cli *c = open_cli(ctx, result, "append", "records/s");
	const char *const argv[] = { c->program, "-C", c->log.dir, sync_word(c),
		"t", NULL };
	uint64_t begun, done = 0;

	(void)bench_run_latency(c->run);
	for (uint64_t i = 0; i < MANY / BATCH; i++)
		write_input(c, i, i * BATCH, BATCH, LONG);
	begun = work_now();
	for (; done < MANY && !stop_wanted(); done += BATCH) {
		char *path = input(c, done / BATCH);
		const struct proc_files files = { .in = path };

		operate(c, argv, &files);
		free(path);
	}
	close_cli(c, begun, done, true);
	check_records(c, done, LONG, true);
	free_cli(c);
}

/* -- read -------------------------------------------------------------------------------- */

static void
fill(struct cli *c, uint64_t n)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_BATCH };
	struct sblog_err err;
	char line[LINE];
	uint64_t first;

	for (uint64_t i = 0; i < n; i++) {
		const struct sblog_record rec = {
			.user_time_us = SBLOG_NO_TIME,
			.value = { line, record(i, LONG, line) },
		};

		work_need(
		    sblog_append(c->log.topic, &rec, 1,
			i + 1 == n
			    ? &opts
			    : &(struct
				  sblog_append_opts){ .sync = SBLOG_SYNC_NONE },
			&first, &err),
		    &err, "append");
	}
}

void
cli_read(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct cli *c = open_cli(ctx, result, "read", "records/s");
	const char *const argv[] = { c->program, "-C", c->log.dir, "-c", "1000",
		"t", NULL };
	const struct proc_files files = { .out = c->out };
	char *text = mem_new(MANY, LINE);
	size_t len = 0;
	uint64_t begun;

	for (uint64_t i = 0; i < MANY; i++) {
		len += record(i, LONG, text + len);
		text[len++] = '\n';
	}
	(void)bench_run_latency(c->run);
	fill(c, MANY);
	begun = work_now();
	operate(c, argv, &files);
	close_cli(c, begun, MANY, true);
	if (!printed(c, text, len))
		bench_run_fail(c->run,
		    "sblog-read did not print the %d records", MANY);
	free(text);
	free_cli(c);
}

/* -- groups ------------------------------------------------------------------------------- */

void
cli_commit(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct cli *c = open_cli(ctx, result, "group", "ns/op");
	char offset[24];
	const char *const argv[] = { c->program, "-C", c->log.dir, "commit",
		sync_word(c), "t", "g", offset, NULL };
	const struct proc_files files = { .in = NULL };
	struct sblog_group group;
	struct sblog_err err;
	uint64_t begun;

	(void)bench_run_latency(c->run);
	fill(c, SINGLE);
	begun = work_now();
	while (c->ops < SINGLE && !stop_wanted()) {
		(void)snprintf(offset, sizeof(offset), "%" PRIu64, c->ops + 1);
		operate(c, argv, &files);
	}
	close_cli(c, begun, c->ops, false);
	work_need(sblog_group_get(c->log.topic, "g", &group, &err), &err, "g");
	if (group.committed != c->ops)
		bench_run_fail(c->run,
		    "%" PRIu64 " is committed, and not %" PRIu64,
		    group.committed, c->ops);
	free_cli(c);
}

/* The columns are topic, group, committed, ... */
static bool
printed_committed(const struct cli *c, uint64_t committed)
{
	char line[1024] = "", start[64];
	FILE *f = fopen(c->out, "re");
	bool same;

	(void)snprintf(start, sizeof(start), "t\tg\t%" PRIu64 "\t", committed);
	same = f != NULL && fgets(line, sizeof(line), f) != NULL &&
	    strncmp(line, start, strlen(start)) == 0;
	if (f != NULL)
		(void)fclose(f);
	return same;
}

void
cli_get(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct cli *c = open_cli(ctx, result, "group", "ns/op");
	const char *const argv[] = { c->program, "-C", c->log.dir, "show",
		"--tsv", "t", "g", NULL };
	const struct sblog_commit_opts opts = { .sync = SBLOG_SYNC_NONE };
	const struct proc_files files = { .out = c->out };
	struct sblog_err err;
	uint64_t begun, bad = 0, pause = 0;

	(void)bench_run_latency(c->run);
	fill(c, SINGLE);
	begun = work_now();
	while (c->ops < SINGLE && !stop_wanted()) {
		uint64_t before = work_now();

		work_need(sblog_group_commit(c->log.topic, "g", c->ops + 1,
			      &opts, &err),
		    &err, "commit");
		pause += work_now() - before;
		operate(c, argv, &files);
		before = work_now();
		bad += !printed_committed(c, c->ops);
		pause += work_now() - before;
	}
	/* What is not the command is not counted. */
	close_cli(c, begun + pause, c->ops, false);
	if (bad > 0)
		bench_run_fail(c->run,
		    "%" PRIu64 " of %" PRIu64 " answers were wrong", bad,
		    c->ops);
	free_cli(c);
}
