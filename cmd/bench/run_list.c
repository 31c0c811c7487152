/*
 * run_list.c - list the scenarios.
 */
#include <stdio.h>

#include <jansson.h>

#include "bench/plan.h"

static json_t *
describe(const struct bench_scenario *s)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "name", s->name,
	    "group", s->group, "rows", s->rows, "published", s->published,
	    "hides", s->hides, "what", s->what, "tour", (int)s->tour);
}

enum exit_status
bench_list(const struct bench_options *o, char **operands, int count)
{
	json_t *doc = json_object(), *list = json_array();
	enum exit_status status;
	struct plan p;

	status = plan_make(&p, o, operands, count, false);
	for (size_t i = 0; status == EXIT_DONE && i < p.count; i++) {
		const struct bench_scenario *s = &p.items[i].scenario;

		if (o->json)
			(void)json_array_append_new(list, describe(s));
		else
			printf("%s\t%s\t%s\t%s\n", s->name, s->group, s->rows,
			    s->what);
	}
	(void)json_object_set_new(doc, "schema",
	    json_string("sblog.bench-list/1"));
	(void)json_object_set_new(doc, "scenarios", list);
	if (o->json && status == EXIT_DONE) {
		(void)json_dumpf(doc, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	json_decref(doc);
	plan_free(&p);
	return status;
}
