/*
 * run.c - list scenarios and run them.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "bench/mem.h"
#include "bench/scenario.h"

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

	if (n > 0)
		printf("%s\t%.6g\t%s\t%s\t%s\n", m->name, v[n - 1], m->unit,
		    m->published, m->hides);
	free(v);
}

enum exit_status
bench_run(const struct bench_options *o, char **operands, int count)
{
	enum exit_status status = check_names(operands, count);
	const char *dir = o->directory != NULL ? o->directory : ".";
	struct bench_ctx ctx = { .options = o, .directory = dir };
	char why[BENCH_WHY_SIZE];
	struct bench_result *r;

	if (status != EXIT_DONE)
		return status;
	r = bench_result_new(dir);
	if (o->remark != NULL)
		bench_set(&r->remark, o->remark);
	for (const struct bench_scenario *s = bench_scenarios; s->name != NULL;
	     s++) {
		if (!wanted(s, operands, count))
			continue;
		for (ctx.run = 0; ctx.run < (o->runs ? o->runs : 1); ctx.run++)
			status = report_worse(status, s->run(&ctx, r));
	}
	r->partial = status != EXIT_DONE;
	for (size_t i = 0; i < r->measure_count; i++)
		print_value(r->measures[i]);
	if (o->output != NULL && bench_result_write(r, o->output, why) < 0) {
		report_fail("%s", why);
		status = EXIT_FAILED;
	}
	bench_result_free(r);
	return status;
}

enum exit_status
bench_tour(const struct bench_options *o)
{
	struct bench_options quick = *o;

	quick.quick = true;
	return bench_run(&quick, NULL, 0);
}
