/*
 * run.c - list scenarios and run them.
 */
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "bench/mem.h"
#include "bench/scenario.h"
#include "bench/stat.h"
#include "bench/value.h"
#include "common/stop.h"

static bool
wanted(const struct bench_scenario *s, char **operands, int count)
{
	for (int i = 0; i < count; i++)
		if (fnmatch(operands[i], s->name, 0) == 0 ||
		    strcmp(operands[i], s->group) == 0)
			return true;
	return count == 0;
}

/* Every operand must name something, before anything is run. */
static enum exit_status
check_names(char **operands, int count)
{
	for (int i = 0; i < count; i++) {
		const struct bench_scenario *s = bench_scenarios;

		while (s->name != NULL && !wanted(s, operands + i, 1))
			s++;
		if (s->name == NULL) {
			report_fail("%s: no such scenario (see sblog bench "
				    "list)",
			    operands[i]);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

enum exit_status
bench_list(const struct bench_options *o, char **operands, int count)
{
	enum exit_status status = check_names(operands, count);
	json_t *doc = json_object(), *list = json_array();

	for (const struct bench_scenario *s = bench_scenarios;
	     status == EXIT_DONE && s->name != NULL; s++) {
		if (!wanted(s, operands, count))
			continue;
		if (!o->json)
			printf("%s\t%s\t%s\t%s\n", s->name, s->group, s->rows,
			    s->what);
		else
			(void)json_array_append_new(list,
			    json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", s->name,
				"group", s->group, "rows", s->rows, "published",
				s->published, "what", s->what));
	}
	(void)json_object_set_new(doc, "schema",
	    json_string("sblog.bench-list/1"));
	(void)json_object_set_new(doc, "scenarios", list);
	if (o->json && status == EXIT_DONE) {
		(void)json_dumpf(doc, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	json_decref(doc);
	return status;
}

static void
print_value(const struct bench_measure *m)
{
	size_t n;
	double *v = bench_measure_values(m, &n);
	char value[VALUE_SIZE];

	for (size_t i = 0; i < m->run_count; i++)
		if (m->runs[i]->failed)
			report_fail("%s, run %zu: %s", m->name, i + 1,
			    m->runs[i]->why);
	if (n > 0) {
		value_format(stat_median(v, n), m->unit, value);
		printf("%-28s %12s  %s%s%s\n", m->name, value, m->published,
		    m->published[0] && m->hides[0] ? "; " : "", m->hides);
	}
	free(v);
}

/* -- a fresh directory for each run --------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* The folder of this program, where the commands under test are. */
static char *
own_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return mem_text(".");
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return mem_text(path);
}

static enum exit_status
run_once(const struct bench_scenario *s, struct bench_ctx *ctx,
    struct bench_result *r, const char *parent)
{
	char *directory = mem_format("%s/sblog-bench-XXXXXX", parent);
	enum exit_status status = EXIT_FAILED;

	if (mkdtemp(directory) == NULL) {
		report_fail("%s: %s", directory, strerror(errno));
		free(directory);
		return EXIT_FAILED;
	}
	ctx->directory = directory;
	status = s->run(ctx, r);
	if (nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
		report_fail("%s: cannot be removed: %s", directory,
		    strerror(errno));
		status = report_worse(status, EXIT_FAILED);
	}
	free(directory);
	return status;
}

static enum exit_status
run_all(const struct bench_options *o, char **operands, int count,
    struct bench_result *r, const char *parent)
{
	struct bench_ctx ctx = { .options = o };
	enum exit_status status = EXIT_DONE;
	uint64_t runs = o->runs != 0 ? o->runs : 1;
	char *bin = own_folder();

	ctx.bin = bin;
	for (const struct bench_scenario *s = bench_scenarios; s->name != NULL;
	     s++) {
		if (!wanted(s, operands, count))
			continue;
		for (ctx.run = 0; ctx.run < runs && !stop_wanted(); ctx.run++)
			status =
			    report_worse(status, run_once(s, &ctx, r, parent));
		r->partial |= stop_wanted();
	}
	free(bin);
	return status;
}

/* A run whose data was wrong is worse than none. */
static bool
any_failed(const struct bench_result *r)
{
	for (size_t i = 0; i < r->measure_count; i++)
		for (size_t k = 0; k < r->measures[i]->run_count; k++)
			if (r->measures[i]->runs[k]->failed)
				return true;
	return false;
}

enum exit_status
bench_run(const struct bench_options *o, char **operands, int count)
{
	enum exit_status status = check_names(operands, count);
	const char *parent = o->directory, *tmp = getenv("TMPDIR");
	char why[BENCH_WHY_SIZE];
	struct bench_result *r;

	if (status != EXIT_DONE)
		return status;
	if (parent == NULL)
		parent = tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp";
	r = bench_result_new(parent);
	if (o->remark != NULL)
		bench_set(&r->remark, o->remark);
	stop_hold();
	status = run_all(o, operands, count, r, parent);
	r->partial |= status != EXIT_DONE;
	if (any_failed(r))
		status = report_worse(status, EXIT_COND);
	for (size_t i = 0; i < r->measure_count; i++)
		print_value(r->measures[i]);
	if (o->output != NULL && bench_result_write(r, o->output, why) < 0) {
		report_fail("%s", why);
		status = EXIT_FAILED;
	}
	bench_result_free(r);
	/* What was measured until a signal came is kept; then it ends this. */
	(void)fflush(stdout);
	stop_release();
	return status;
}

enum exit_status
bench_tour(const struct bench_options *o)
{
	struct bench_options quick = *o;

	quick.quick = true;
	return bench_run(&quick, NULL, 0);
}
