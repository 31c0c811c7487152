/*
 * scenario.h - what can be measured: a table of scenarios.
 */
#ifndef CMD_BENCH_SCENARIO_H
#define CMD_BENCH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/result.h"
#include "common/report.h"

/* What the command line asks of a run. */
struct bench_options {
	uint64_t runs;         /* repetitions; 0: as the scenario likes */
	bool quick;            /* small sizes, few repetitions */
	bool json;             /* of list */
	const char *output;    /* file of the result; NULL: none */
	const char *remark;    /* NULL: none */
	const char *directory; /* where the stores go; NULL: a temporary one */
};

/* What a scenario gets for one run. */
struct bench_ctx {
	const struct bench_options *options;
	const char *directory; /* fresh and empty */
	const char *bin;       /* folder of the commands under test */
	unsigned run;          /* 0, 1, ... */
};

struct bench_scenario {
	const char *name, *group;
	const char *rows;      /* published figures it stands for, "9,10" */
	const char *published; /* them, as text, with what the label hides */
	const char *what;      /* what it does, one line */
	/* One run: adds one run to each of its measures. */
	enum exit_status (
	    *run)(const struct bench_ctx *ctx, struct bench_result *result);
};

/* All there are, in the order in which they run; ended by name NULL. */
extern const struct bench_scenario bench_scenarios[];

/* bench list, bench run, and bench alone; operands are names of scenarios,
 * groups, or files. */
enum exit_status bench_list(const struct bench_options *o, char **operands,
    int count);
enum exit_status bench_run(const struct bench_options *o, char **operands,
    int count);
enum exit_status bench_tour(const struct bench_options *o);

#endif
