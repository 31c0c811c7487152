/*
 * measure.h - the frame of a benchmark program: a table of measures, run by
 * name, each printing "name <tab> figure <tab> unit" lines.
 *
 * A measure runs once and times only what it is about; rounds, alternation
 * and medians are the work of bench/run.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

/* What the command line says. */
struct measure_env {
	const char *dir;   /* everything is written below it */
	const char *sblog; /* the command under test */
	uint64_t lines;    /* of W100 */
	const void *arg;   /* of measure_main */
};

struct measure {
	const char *name; /* NULL ends the table */
	void (*run)(const struct measure_env *env);
	const char *what; /* for -l */
};

enum { MEASURE_SKIPPED = 77 }; /* exit status: cannot be measured here */

/* PROGRAM [-l] [-d DIR] [-n LINES] [-b SBLOG] MEASURE... */
int measure_main(int argc, char **argv, const struct measure *table,
    const void *arg);

void measure_print(const char *name, double figure, const char *unit);

/* End the program: what failed on what; says errno if it is not 0. */
_Noreturn void measure_fail(const char *what, const char *on);

/* End the program: this machine lacks what it needs. */
_Noreturn void measure_skip(const char *why, const char *on);

#endif
