/*
 * print.c - measures as a table for people.
 */
#include "bench/print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stat.h"
#include "bench/value.h"
#include "common/report.h"

#define LINE "%-32s %11s %11s %9s %7s  %-24s  %s"

/* Spaces at the end are not printed. */
static void
line(const char *name, const char *value, const char *other, const char *bytes,
    const char *allocs, const char *published, const char *hides)
{
	char text[1024];
	size_t len;

	(void)snprintf(text, sizeof(text), LINE, name, value, other, bytes,
	    allocs, published, hides);
	len = strlen(text);
	while (len > 0 && text[len - 1] == ' ')
		len--;
	printf("%.*s\n", (int)len, text);
}

void
print_heading(void)
{
	line("MEASURE", "OURS", "THAT IS", "B/OP", "ALLOCS", "PUBLISHED",
	    "WHAT ITS LABEL HIDES");
}

/* A time as a rate, and the other way. */
static void
other_way(const struct bench_measure *m, double v, char out[VALUE_SIZE])
{
	const struct bench_run *run = m->runs[m->run_count - 1];

	out[0] = '\0';
	if (strcmp(m->unit, "ns/op") == 0 && v > 0)
		value_format(1e9 / v, "ops/s", out);
	else if (strcmp(m->unit, "MiB/s") == 0 && run->ops > 0)
		value_format(run->seconds * 1e9 / (double)run->ops, "ns", out);
	else if (m->higher_is_better && v > 0 && run->ops > 0)
		value_format(1e9 / v, "ns", out);
}

void
print_measure(const struct bench_measure *m)
{
	const struct bench_run *run;
	char value[VALUE_SIZE], other[VALUE_SIZE];
	char bytes[VALUE_SIZE] = "", allocs[VALUE_SIZE] = "";
	double *v, median;
	size_t n;

	v = bench_measure_values(m, &n);
	if (n > 0) {
		median = stat_median(v, n);
		run = m->runs[m->run_count - 1];
		value_format(median, m->unit, value);
		other_way(m, median, other);
		if (isfinite(run->allocs_per_op)) {
			(void)snprintf(bytes, sizeof(bytes), "%.0f B",
			    run->alloc_bytes_per_op);
			(void)snprintf(allocs, sizeof(allocs), "%.2g",
			    run->allocs_per_op);
		}
		line(m->name, value, other, bytes, allocs, m->published,
		    m->hides);
	}
	free(v);
}

void
print_failures(const struct bench_result *r)
{
	for (size_t i = 0; i < r->measure_count; i++) {
		const struct bench_measure *m = r->measures[i];

		for (size_t k = 0; k < m->run_count; k++)
			if (m->runs[k]->failed || m->runs[k]->missed)
				report_fail("%s, run %zu: %s", m->name, k + 1,
				    m->runs[k]->why);
	}
}
