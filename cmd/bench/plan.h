/*
 * plan.h - which scenarios a command line asks for, and with what options.
 */
#ifndef CMD_BENCH_PLAN_H
#define CMD_BENCH_PLAN_H

#include <stdio.h>

#include "bench/scenario.h"

/* A scenario to be run; options of a file are below those of the command line. */
struct plan_item {
	struct bench_scenario scenario; /* of a file: called as the file */
	struct bench_options options;
	char *operand; /* that means this one, for another sblog-bench */
	char **texts;  /* what the strings of a file's options point into */
	size_t text_count;
};

struct plan {
	struct plan_item *items;
	size_t count;
};

/*
 * Every operand is the name of a scenario or a group, a pattern, or a file;
 * without any, all scenarios (tour: those of the tour).  USAGE, and the reason
 * was said, before anything is run.
 */
enum exit_status plan_make(struct plan *p, const struct bench_options *o,
    char **operands, int count, bool tour);
void plan_free(struct plan *p);

/* Are the options as a scenario can take them?  Says why not. */
bool plan_check(const struct bench_options *o);

/* Fill item from a file of lines "name = value"; says what is wrong with it. */
enum exit_status plan_file(struct plan_item *item, FILE *f, const char *path);

#endif
