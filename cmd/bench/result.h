/*
 * result.h - what a benchmark run found: the document "sblog.bench/1".
 *
 * A result holds measures (one row of a table each), a measure holds runs, and
 * a run is one number with what was seen beside it.  Strings are owned by the
 * document and copied when they are set.  A process that finds no memory says
 * so and ends with status 1: a benchmark has nothing to save.
 */
#ifndef CMD_BENCH_RESULT_H
#define CMD_BENCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/hist.h"

#define BENCH_SCHEMA "sblog.bench/1"

enum { BENCH_WHY_SIZE = 512 };

/* A number that was not taken: NAN in a run, null in the document. */

struct bench_run {
	double value;   /* in the unit of the measure */
	double seconds; /* measured part, without warm-up */
	uint64_t ops, bytes;
	double cpu_seconds;  /* user and system, of all processes */
	double memory_bytes; /* greatest resident size */
	double allocs_per_op, alloc_bytes_per_op;
	bool failed;          /* its data was wrong: its value does not count */
	bool missed;          /* it missed a target: its value counts */
	char *why;            /* what failed or was missed; NULL */
	struct hist *latency; /* from the intended start, ns; NULL */
	struct hist *service; /* from the real start, ns; NULL */
	/* operations in each interval of the run, for plots over time */
	double *series, series_seconds; /* NULL; length of an interval */
	size_t series_count;
};

/* One word of the workload, such as "max_bytes=1048576".  Two measures can be
 * compared only if these are equal. */
struct bench_param {
	char *name, *value;
};

struct bench_measure {
	char *name;     /* "readpath/sealed/1M" */
	char *scenario; /* "readpath" */
	char *unit;     /* "ns/op", "ops/s", "MiB/s" */
	bool higher_is_better;
	char *rows;      /* rows of the published figures, "64,66,70"; "" */
	char *published; /* their figure, with its unit; "" */
	char *hides;     /* what its label hides; "" */
	struct bench_param *params;
	size_t param_count;
	struct bench_run **runs; /* each stays where it is */
	size_t run_count;
};

struct bench_result {
	char *version; /* of sblog */
	char *host, *cpu, *kernel, *filesystem, *governor, *compiler;
	char *sync;   /* sync mode of the workloads, or "" for several */
	char *remark; /* of --remark; "" */
	unsigned cpus;
	uint64_t memory_bytes;
	int64_t time_us;                 /* when it began */
	bool partial;                    /* interrupted, or a scenario failed */
	struct bench_measure **measures; /* each stays where it is */
	size_t measure_count;
};

/* An empty document; what is known of this machine is filled in, dir is where
 * the stores will be. */
struct bench_result *bench_result_new(const char *dir);
void bench_result_free(struct bench_result *r);

/* The measure of that name, made if it is new.  unit is set on making. */
struct bench_measure *bench_result_measure(struct bench_result *r,
    const char *scenario, const char *name, const char *unit,
    bool higher_is_better);
void bench_measure_cite(struct bench_measure *m, const char *rows,
    const char *published, const char *hides);
/* Set, or change, a word of the workload. */
void bench_measure_param(struct bench_measure *m, const char *name,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *bench_measure_param_of(const struct bench_measure *m,
    const char *name); /* NULL: it has none */
/* One run more: counts 0, what may be missing NAN. */
struct bench_run *bench_measure_run(struct bench_measure *m);
/* Empty histograms and series, owned by the run. */
struct hist *bench_run_latency(struct bench_run *run);
struct hist *bench_run_service(struct bench_run *run);
double *bench_run_series(struct bench_run *run, double seconds, size_t count);
void bench_run_fail(struct bench_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void bench_run_miss(struct bench_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Replace a string of the document. */
void bench_set(char **field, const char *value);

/* The values of all runs that did not fail; *np of them; caller frees. */
double *bench_measure_values(const struct bench_measure *m, size_t *np);
/* The latencies (or service times) of all runs in one; NULL: there are none;
 * caller frees. */
struct hist *bench_measure_latency(const struct bench_measure *m);
struct hist *bench_measure_service(const struct bench_measure *m);

/* The document to a file that appears complete or not at all, or to standard
 * output for "-".  0, or -1 with the reason in why. */
int bench_result_write(const struct bench_result *r, const char *path,
    char why[BENCH_WHY_SIZE]);
/* NULL: not such a document; the reason, with the measure, in why.  A file:
 * load_result() of load.h. */
struct bench_result *bench_result_parse(const char *text, size_t len,
    char why[BENCH_WHY_SIZE]);

#endif
