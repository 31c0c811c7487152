/*
 * run.c - run scenarios: a fresh directory for each, a result in the end.
 */
#include "bench/run.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/mem.h"
#include "bench/plan.h"
#include "bench/print.h"
#include "bench/proc.h"
#include "common/stop.h"

/* What bench_abandon() must know; there is one run in a process. */
static struct {
	const struct bench_options *options;
	struct bench_result *result;
	const char *directory; /* of the run that is under way */
	size_t printed;        /* measures */
	bool forked;
} session;

/* -- a fresh directory for each run --------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

char *
run_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return mem_text(".");
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return mem_text(path);
}

char *
run_directory(const struct bench_options *o)
{
	const char *tmp = getenv("TMPDIR"), *parent = o->directory;
	char *directory;

	if (parent == NULL)
		parent = tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp";
	directory = mem_format("%s/sblog-bench-XXXXXX", parent);
	if (mkdtemp(directory) != NULL)
		return directory;
	report_fail("%s: %s", directory, strerror(errno));
	free(directory);
	return NULL;
}

enum exit_status
run_remove(const char *directory)
{
	if (nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0)
		return EXIT_DONE;
	report_fail("%s: cannot be removed: %s", directory, strerror(errno));
	return EXIT_FAILED;
}

/* -- the end ------------------------------------------------------------------ */

/* Was data wrong, or a target missed? */
static bool
any_failed(const struct bench_result *r)
{
	for (size_t i = 0; i < r->measure_count; i++)
		for (size_t k = 0; k < r->measures[i]->run_count; k++)
			if (r->measures[i]->runs[k]->failed ||
			    r->measures[i]->runs[k]->missed)
				return true;
	return false;
}

static void
print_new(void)
{
	const struct bench_result *r = session.result;

	if (session.options->json)
		return;
	report_progress_end();
	if (session.printed == 0 && r->measure_count > 0)
		print_heading();
	while (session.printed < r->measure_count)
		print_measure(r->measures[session.printed++]);
	(void)fflush(stdout);
}

/* Print and write what there is. */
static enum exit_status
finish(enum exit_status status)
{
	struct bench_result *r = session.result;
	char why[BENCH_WHY_SIZE];

	r->partial |= status != EXIT_DONE;
	if (any_failed(r))
		status = report_worse(status, EXIT_COND);
	print_new();
	print_failures(r);
	if (session.options->json && bench_result_write(r, "-", why) < 0) {
		report_fail("%s", why);
		status = EXIT_FAILED;
	}
	if (session.options->output != NULL &&
	    bench_result_write(r, session.options->output, why) < 0) {
		report_fail("%s", why);
		status = EXIT_FAILED;
	}
	return status;
}

void
bench_forked(void)
{
	session.forked = true;
}

void
bench_abandon(enum exit_status status)
{
	if (session.forked || session.result == NULL)
		_exit((int)status);
	proc_end_all();
	if (session.directory != NULL)
		(void)run_remove(session.directory);
	exit(report_finish(finish(report_worse(status, EXIT_FAILED))));
}

struct bench_measure *
bench_measure_of(const struct bench_ctx *ctx, struct bench_result *result,
    const char *name, const char *unit, bool higher_is_better)
{
	const struct bench_scenario *s = ctx->scenario;
	char *full = name == NULL ? mem_text(s->name)
				  : mem_format("%s/%s", s->name, name);
	struct bench_measure *m =
	    bench_result_measure(result, s->name, full, unit, higher_is_better);

	bench_measure_cite(m, s->rows, s->published, s->hides);
	free(full);
	return m;
}

/* -- the runs ------------------------------------------------------------------ */

static enum exit_status
run_once(const struct plan_item *item, struct bench_ctx *ctx)
{
	char *directory = run_directory(&item->options);
	enum exit_status status;

	if (directory == NULL)
		return EXIT_FAILED;
	ctx->options = &item->options;
	ctx->scenario = &item->scenario;
	ctx->directory = session.directory = directory;
	item->scenario.run(ctx, session.result);
	session.directory = NULL;
	status = run_remove(directory);
	free(directory);
	return status;
}

uint64_t
run_steps(const struct plan *p, uint64_t *most)
{
	uint64_t sum = 0;

	*most = 0;
	for (size_t i = 0; i < p->count; i++) {
		uint64_t runs = run_count(&p->items[i]);

		sum += runs;
		*most = runs > *most ? runs : *most;
	}
	return sum;
}

uint64_t
run_count(const struct plan_item *item)
{
	return item->options.runs == 0 ? 1 : item->options.runs;
}

/* Run number `run` of items [from, to). */
static enum exit_status
run_round(const struct plan *p, size_t from, size_t to, struct bench_ctx *ctx,
    uint64_t *step, uint64_t steps)
{
	enum exit_status status = EXIT_DONE;

	for (size_t i = from; i < to && !stop_wanted(); i++) {
		if (ctx->run >= run_count(&p->items[i]))
			continue;
		report_step(*step, steps, (double)*step / (double)steps,
		    p->items[i].scenario.name);
		status = report_worse(status, run_once(&p->items[i], ctx));
		++*step;
	}
	return status;
}

static enum exit_status
run_plan(const struct plan *p, bool interleave)
{
	struct bench_ctx ctx = { .options = NULL };
	enum exit_status status = EXIT_DONE;
	uint64_t most, steps = run_steps(p, &most), step = 0;
	char *bin = run_folder();

	ctx.bin = bin;
	for (ctx.run = 0; interleave && ctx.run < most; ctx.run++)
		status = report_worse(status,
		    run_round(p, 0, p->count, &ctx, &step, steps));
	for (size_t i = 0; !interleave && i < p->count; i++) {
		for (ctx.run = 0; ctx.run < run_count(&p->items[i]); ctx.run++)
			status = report_worse(status,
			    run_round(p, i, i + 1, &ctx, &step, steps));
		print_new();
	}
	session.result->partial |= stop_wanted();
	report_progress_end();
	free(bin);
	return status;
}

/* Nothing of a long run is lost because nobody can write its result. */
static bool
output_works(const char *path)
{
	char *tmp;
	FILE *f;

	if (path == NULL || strcmp(path, "-") == 0)
		return true;
	tmp = mem_format("%s.tmp", path);
	if ((f = fopen(tmp, "we")) == NULL)
		report_fail("%s: %s", path, strerror(errno));
	else {
		(void)fclose(f);
		(void)unlink(tmp);
	}
	free(tmp);
	return f != NULL;
}

static enum exit_status
run_operands(const struct bench_options *o, char **operands, int count,
    bool tour)
{
	const char *tmp = getenv("TMPDIR");
	enum exit_status status;
	struct plan p;

	status = plan_make(&p, o, operands, count, tour);
	if (status == EXIT_DONE && !output_works(o->output))
		status = EXIT_FAILED;
	if (status != EXIT_DONE) {
		plan_free(&p);
		return status;
	}
	stop_hold();
	if (o->against != NULL) {
		status = run_against(o, &p);
		plan_free(&p);
		stop_release();
		return status;
	}
	session.options = o;
	session.result = bench_result_new(o->directory != NULL ? o->directory
		: tmp != NULL && tmp[0] != '\0'                ? tmp
							       : "/tmp");
	if (o->remark != NULL)
		bench_set(&session.result->remark, o->remark);
	status = finish(run_plan(&p, o->interleave));
	bench_result_free(session.result);
	session.result = NULL;
	plan_free(&p);
	/* What was measured until a signal came is kept; then it ends this. */
	(void)fflush(stdout);
	stop_release();
	return status;
}

enum exit_status
bench_run(const struct bench_options *o, char **operands, int count)
{
	return run_operands(o, operands, count, false);
}

enum exit_status
bench_tour(const struct bench_options *o)
{
	struct bench_options quick = *o;

	quick.quick = true;
	return run_operands(&quick, NULL, 0, true);
}
