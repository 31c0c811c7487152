/*
 * scenarios.c - the table of scenarios.
 */
#include "bench/scenario.h"

#include "bench/overhead.h"

const struct bench_scenario bench_scenarios[] = {
	{ "tool", "tool", "", "", "not subtracted from anything",
	    "what measuring itself costs: an empty operation, the clock, the "
	    "histogram",
	    overhead_run, NULL, true },
	{ .name = NULL },
};
