/*
 * scenarios.c - the table of scenarios.
 */
#include "bench/scenario.h"

const struct bench_scenario bench_scenarios[] = {
	{ .name = NULL },
};
