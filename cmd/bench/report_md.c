/*
 * report_md.c - results as Markdown.
 */
#include <string.h>

#include "bench/report_bench.h"

/* A cell: no bar, no line end, no tag. */
static void
put_cell(FILE *f, const char *text)
{
	fputs(" ", f);
	for (; *text != '\0'; text++) {
		if (strchr("|\\<*_`[", *text) != NULL)
			(void)fputc('\\', f);
		(void)fputc((unsigned char)*text < 0x20 ? ' ' : *text, f);
	}
	fputs(" |", f);
}

static void
put_row(FILE *f, const struct bench_measure *m)
{
	struct report_row row;
	char runs[48];

	report_fill(&row, m);
	(void)snprintf(runs, sizeof(runs),
	    row.failed ? "%zu, %zu failed" : "%zu", row.runs, row.failed);
	fputs("|", f);
	put_cell(f, m->name);
	put_cell(f, row.value);
	put_cell(f, row.spread);
	put_cell(f, runs);
	put_cell(f, row.p50);
	put_cell(f, row.p99);
	put_cell(f, row.max);
	put_cell(f, row.bytes_per_op);
	put_cell(f, row.allocs_per_op);
	put_cell(f, m->rows);
	put_cell(f, m->published);
	put_cell(f, m->hides);
	fputs("\n", f);
}

static void
put_failures(FILE *f, const struct bench_measure *m)
{
	for (size_t i = 0; i < m->run_count; i++)
		if (m->runs[i]->failed || m->runs[i]->missed)
			(void)fprintf(f, "- %s, run %zu %s: %s\n", m->name,
			    i + 1,
			    m->runs[i]->failed ? "failed" : "missed its target",
			    m->runs[i]->why == NULL ? "" : m->runs[i]->why);
}

void
report_markdown(const struct reports *r, FILE *f)
{
	char facts[REPORT_FACTS][2][160];

	for (size_t i = 0; i < r->count; i++) {
		const struct bench_result *result = r->results[i];

		(void)fprintf(f, "%s## %s\n\n", i > 0 ? "\n" : "", r->paths[i]);
		if (result->partial)
			fputs("**This result is partial.**\n\n", f);
		report_facts(result, facts);
		for (size_t k = 0; k < REPORT_FACTS; k++)
			if (facts[k][1][0] != '\0')
				(void)fprintf(f, "- %s: %s\n", facts[k][0],
				    facts[k][1]);
		fputs("\n| measure | median | range | runs | p50 | p99 | max | "
		      "B/op | allocs/op | rows | published | what its label "
		      "hides |\n"
		      "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|---|\n",
		    f);
		for (size_t k = 0; k < result->measure_count; k++)
			if (report_wants(r, result->measures[k]))
				put_row(f, result->measures[k]);
		for (size_t k = 0; k < result->measure_count; k++)
			if (report_wants(r, result->measures[k]))
				put_failures(f, result->measures[k]);
	}
}
