/*
 * report_html.c - results as one HTML file that needs nothing else.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/plot.h"
#include "bench/report_bench.h"
#include "bench/value.h"

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c1e21;--soft:#5c6670;--page:#fff;"
    "--line:#d9dee3;--card:#f6f8fa;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e7eb;--soft:#9aa4af;"
    "--page:#14171a;--line:#333a41;--card:#1c2126;--bad:#ff8a80}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--page);"
    "color:var(--ink);font:16px/1.45 system-ui,sans-serif;"
    "-webkit-text-size-adjust:100%}\n"
    "h1{font-size:1.5rem;margin:.5rem 0}\n"
    "h2{font-size:1.2rem;margin:2rem 0 .5rem;border-bottom:1px solid "
    "var(--line);padding-bottom:.25rem;overflow-wrap:anywhere}\n"
    "h3{font-size:1rem;margin:0 0 .5rem;font-weight:600;"
    "overflow-wrap:anywhere}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;"
    "margin:.5rem 0 1rem;font-size:.9rem}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".wide{overflow-x:auto;margin:0 0 1rem}\n"
    "table{border-collapse:collapse;font-size:.9rem;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.3rem .6rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line);vertical-align:top}\n"
    "th{color:var(--soft);font-weight:600}\n"
    "th:first-child,td:first-child,.t{text-align:left}\n"
    "td.t{white-space:normal;min-width:14rem}"
    "td.r{white-space:normal;text-align:left;min-width:6rem}"
    "small{display:block;color:var(--soft)}\n"
    ".plots{display:grid;gap:1rem;"
    "grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr))}\n"
    "figure{margin:0;padding:.75rem;background:var(--card);border-radius:.5rem;"
    "min-width:0}\n"
    "figure svg{display:block;width:100%;height:auto;color:var(--ink)}\n"
    "summary{color:var(--soft);font-size:.9rem;cursor:pointer}\n"
    ".bad{color:var(--bad);font-weight:600}\n"
    "@media(max-width:40rem){body{padding:.75rem}"
    "table.rows,.rows tbody,.rows td{display:block}"
    ".rows thead{display:none}"
    ".rows tr{display:grid;grid-template-columns:1fr 1fr;gap:0 1rem;"
    "border-bottom:1px solid var(--line);padding:.5rem 0}"
    ".rows td,.rows td.t,.rows td.r{border:0;padding:.05rem 0;min-width:0;"
    "text-align:left;white-space:normal}"
    ".rows td:first-child,.rows td.t{grid-column:1/-1;"
    "overflow-wrap:anywhere}.rows td:first-child{font-weight:600}"
    ".rows td:empty{display:none}"
    ".rows td[data-h]::before{content:attr(data-h) \" \";"
    "color:var(--soft);font-size:.85em}}\n";

static void
put_text(FILE *f, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			(void)fputc((unsigned char)*text < 0x20 ? ' ' : *text,
			    f);
		}
}

enum { COLUMNS = 11, ROWS = 9, PUBLISHED = 10 };

static const char *const heads[COLUMNS] = { "measure", "median", "range",
	"runs", "p50", "p99", "max", "B/op", "allocs/op", "rows", "published" };

/* What stands in the columns of a row; the texts belong to row and runs. */
static void
take_cells(const struct report_row *row, char runs[48],
    const char *cells[COLUMNS])
{
	const struct bench_measure *m = row->measure;

	(void)snprintf(runs, 48, row->failed ? "%zu, %zu failed" : "%zu",
	    row->runs, row->failed);
	memcpy(cells,
	    ((const char *const[COLUMNS]){ m->name, row->value, row->spread,
		runs, row->p50, row->p99, row->max, row->bytes_per_op,
		row->allocs_per_op, m->rows,
		m->published[0] != '\0' ? m->published : m->hides }),
	    COLUMNS * sizeof(cells[0]));
}

/* A cell; on a phone its head stands before it. */
static void
put_cell(FILE *f, const char *head, const char *kind, const char *text)
{
	(void)fprintf(f, "<td class=\"%s\"", kind);
	if (head != NULL)
		(void)fprintf(f, " data-h=\"%s\"", head);
	(void)fputc('>', f);
	for (; *text != '\0'; text++) {
		const char one[2] = { *text, '\0' };

		put_text(f, one);
		/* a list of rows may be broken */
		if (*text == ',' && kind[0] == 'r')
			fputs("<wbr>", f);
	}
}

static void
put_row(FILE *f, const struct bench_measure *m, const bool used[COLUMNS])
{
	const char *cells[COLUMNS];
	struct report_row row;
	char runs[48];

	report_fill(&row, m);
	take_cells(&row, runs, cells);
	(void)fprintf(f, "<tr%s>", row.failed ? " class=\"bad\"" : "");
	for (int i = 0; i < COLUMNS; i++) {
		if (!used[i])
			continue;
		put_cell(f, i == 0 ? NULL : heads[i],
		    i == ROWS            ? "r"
			: i == PUBLISHED ? "t"
					 : "n",
		    cells[i]);
		if (i == PUBLISHED && m->published[0] && m->hides[0]) {
			fputs("<small>", f);
			put_text(f, m->hides);
			fputs("</small>", f);
		}
		fputs("</td>", f);
	}
	fputs("</tr>\n", f);
}

/* The measures, without the columns that are empty for all of them. */
static void
put_table(const struct reports *r, const struct bench_result *result, FILE *f)
{
	bool used[COLUMNS] = { true };
	const char *cells[COLUMNS];
	struct report_row row;
	char runs[48];

	for (size_t k = 0; k < result->measure_count; k++) {
		if (!report_wants(r, result->measures[k]))
			continue;
		report_fill(&row, result->measures[k]);
		take_cells(&row, runs, cells);
		for (int i = 0; i < COLUMNS; i++)
			used[i] |= cells[i][0] != '\0';
	}
	fputs("<div class=\"wide\"><table class=\"rows\"><thead><tr>", f);
	for (int i = 0; i < COLUMNS; i++)
		if (used[i])
			(void)fprintf(f, "<th%s>%s</th>",
			    i >= ROWS ? " class=\"t\"" : "", heads[i]);
	fputs("</tr></thead><tbody>\n", f);
	for (size_t k = 0; k < result->measure_count; k++)
		if (report_wants(r, result->measures[k]))
			put_row(f, result->measures[k], used);
	fputs("</tbody></table></div>\n", f);
}

static void
put_failures(const struct reports *r, const struct bench_result *result,
    FILE *f)
{
	for (size_t i = 0; i < result->measure_count; i++) {
		const struct bench_measure *m = result->measures[i];

		for (size_t k = 0; report_wants(r, m) && k < m->run_count;
		     k++) {
			if (!m->runs[k]->failed && !m->runs[k]->missed)
				continue;
			fputs("<p class=\"bad\">", f);
			put_text(f, m->name);
			(void)fprintf(f, ", run %zu: ", k + 1);
			put_text(f,
			    m->runs[k]->why ? m->runs[k]->why : "failed");
			fputs("</p>\n", f);
		}
	}
}

/* The points of a plot, line by line. */
static void
put_points(FILE *f, const struct plot *p)
{
	char text[VALUE_SIZE];

	fputs("<div class=\"wide\"><table><thead><tr><th>line</th><th>", f);
	put_text(f, p->x_label);
	fputs("</th><th>", f);
	put_text(f, p->unit);
	fputs("</th></tr></thead><tbody>\n", f);
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < p->lines[i].count; k++) {
			fputs("<tr>", f);
			put_cell(f, NULL, "n", k == 0 ? p->lines[i].name : "");
			fputs("</td>", f);
			if (p->x_axis == PLOT_PERCENT)
				(void)snprintf(text, sizeof(text), "%.5g %%",
				    100 * (1 - 1 / p->lines[i].x[k]));
			else
				(void)snprintf(text, sizeof(text), "%.10g",
				    p->lines[i].x[k]);
			put_cell(f, NULL, "n", text);
			fputs("</td>", f);
			value_format(p->lines[i].y[k], p->unit, text);
			put_cell(f, NULL, "n", text);
			fputs("</td></tr>\n", f);
		}
	fputs("</tbody></table></div>\n", f);
}

static void
put_plot(FILE *f, const struct plot *p, size_t result, size_t number)
{
	char *name = mem_format("p%zu_%zu_", result, number);
	char *svg = plot_svg(p, name);

	fputs("<figure><h3>", f);
	put_text(f, p->title);
	fputs("</h3>\n", f);
	if (svg != NULL) {
		fputs(svg, f);
		fputs("<details><summary>as numbers</summary>\n", f);
	}
	put_points(f, p);
	fputs(svg != NULL ? "</details></figure>\n" : "</figure>\n", f);
	free(svg);
	free(name);
}

static void
put_plots(const struct bench_result *result, size_t number, FILE *f)
{
	size_t n;
	struct plot *plots = plot_all(result, &n);

	if (n > 0)
		fputs("<div class=\"plots\">\n", f);
	for (size_t i = 0; i < n; i++)
		put_plot(f, &plots[i], number, i);
	if (n > 0)
		fputs("</div>\n", f);
	plot_free_all(plots, n);
}

static void
put_result(const struct reports *r, size_t number, FILE *f)
{
	const struct bench_result *result = r->results[number];
	char facts[REPORT_FACTS][2][160];

	fputs("<h2>", f);
	put_text(f, r->paths[number]);
	fputs("</h2>\n", f);
	if (result->partial)
		fputs("<p class=\"bad\">This result is partial.</p>\n", f);
	report_facts(result, facts);
	fputs("<dl>", f);
	for (size_t k = 0; k < REPORT_FACTS; k++) {
		if (facts[k][1][0] == '\0')
			continue;
		(void)fprintf(f, "<dt>%s</dt><dd>", facts[k][0]);
		put_text(f, facts[k][1]);
		fputs("</dd>\n", f);
	}
	fputs("</dl>\n", f);
	put_table(r, result, f);
	put_failures(r, result, f);
	put_plots(result, number, f);
}

void
report_html(const struct reports *r, FILE *f)
{
	(void)fprintf(f,
	    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
	    "charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width,"
	    "initial-scale=1\">\n<title>sblog bench</title>\n"
	    "<style>\n%s</style></head><body>\n<h1>sblog bench</h1>\n",
	    style);
	for (size_t i = 0; i < r->count; i++)
		put_result(r, i, f);
	fputs("</body></html>\n", f);
}
