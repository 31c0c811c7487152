/*
 * report_bench.h - bench report: results as Markdown, HTML, CSV, Prometheus
 * text and .hgrm.
 */
#ifndef CMD_BENCH_REPORT_BENCH_H
#define CMD_BENCH_REPORT_BENCH_H

#include <stdbool.h>
#include <stdio.h>

#include "bench/result.h"
#include "common/report.h"

struct reports {
	struct bench_result **results;
	const char *const *paths; /* borrowed */
	size_t count;
	const char *only; /* pattern for names of measures; NULL: all */
};

struct report_options {
	const char *html, *prometheus; /* files, "-": standard output */
	bool markdown, csv, hgrm;
	const char *only;
};

/* Read the results and write every report asked for, Markdown if none is. */
enum exit_status bench_report(const struct report_options *o, char **paths,
    int count);

/* What a table says about a measure; texts are fit for no format yet. */
struct report_row {
	const struct bench_measure *measure;
	char value[48], spread[24], p50[48], p99[48], max[48];
	char bytes_per_op[48], allocs_per_op[48];
	size_t runs, failed;
};

bool report_wants(const struct reports *r, const struct bench_measure *m);
void report_fill(struct report_row *row, const struct bench_measure *m);
/* The machine of a result in words, name and value by turns, NULL-ended. */
enum { REPORT_FACTS = 11 };
void report_facts(const struct bench_result *r,
    char facts[REPORT_FACTS][2][160]);

void report_markdown(const struct reports *r, FILE *f);
void report_html(const struct reports *r, FILE *f);
void report_csv(const struct reports *r, FILE *f);
void report_prometheus(const struct reports *r, FILE *f);
void report_hgrm(const struct reports *r, FILE *f);

#endif
