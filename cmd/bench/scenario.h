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

/* When appends are durable, as far as the command line says. */
enum bench_sync { BENCH_SYNC_DEFAULT, BENCH_SYNC_BATCH, BENCH_SYNC_NONE };

/* What the command line, or a file, asks of a run; 0 and NULL: as the scenario
 * likes. */
struct bench_options {
	uint64_t runs;         /* repetitions */
	bool quick;            /* small sizes, few repetitions */
	bool json;             /* of list: a document; of run: the result */
	const char *output;    /* file of the result */
	const char *remark;    /* to be kept in it */
	const char *directory; /* where the stores go; NULL: a temporary one */
	bool interleave;       /* all scenarios once, then all again */
	const char *against;   /* sblog-bench of another build */
	bool fail;             /* with that: something worse is a failure */

	uint64_t duration_us, rate, producers, consumers;
	const char *size; /* bytes of a value: "100", "200..500" */
	const char *keys; /* how many, and how they are spread: "1000:1.1" */
	int sync;         /* enum bench_sync */
	uint64_t max_bytes, seed;
	uint64_t spike_rate, spike_us;
};

struct bench_scenario;

/* What a scenario gets for one run. */
struct bench_ctx {
	const struct bench_options *options;
	const struct bench_scenario *scenario;
	const char *directory; /* fresh and empty */
	const char *bin;       /* folder of the commands under test */
	unsigned run;          /* 0, 1, ... */
};

struct bench_scenario {
	const char *name, *group;
	const char *rows;      /* published figures it stands for, "9,10" */
	const char *published; /* them, as text */
	const char *hides;     /* what their label hides */
	const char *what;      /* what it does, one line */
	/* One run: adds one run to each of its measures.  What cannot go on
	 * ends in bench_abandon(). */
	void (*run)(const struct bench_ctx *ctx, struct bench_result *result);
	const void *arg; /* of run */
	bool tour;       /* part of the tour */
};

/* All there are, in the order in which they run; ended by name NULL. */
extern const struct bench_scenario bench_scenarios[];

/* The measure SCENARIO/NAME, or (name NULL) SCENARIO, with what the scenario
 * says of published figures. */
struct bench_measure *bench_measure_of(const struct bench_ctx *ctx,
    struct bench_result *result, const char *name, const char *unit,
    bool higher_is_better);

/*
 * The run cannot go on, and why was said: its directory is removed, the result
 * so far is printed and written, marked as partial.  In a process that was
 * forked by a scenario, only that process ends.
 */
_Noreturn void bench_abandon(enum exit_status status);

/* Called in a process that a scenario has forked. */
void bench_forked(void);

/* bench list, bench run, and bench alone; operands are names of scenarios,
 * patterns, groups, or files. */
enum exit_status bench_list(const struct bench_options *o, char **operands,
    int count);
enum exit_status bench_run(const struct bench_options *o, char **operands,
    int count);
enum exit_status bench_tour(const struct bench_options *o);

#endif
