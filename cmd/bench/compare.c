/*
 * compare.c - bench compare: a result beside a baseline.
 */
#include "bench/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "bench/load.h"
#include "bench/mem.h"
#include "bench/value.h"

enum { COLUMNS = 7 };

struct row {
	const struct bench_measure *base, *next;
	struct stat_comparison c;
	char *cells[COLUMNS];
};

struct table {
	const struct compare_options *o;
	const char *base_path, *next_path;
	struct bench_result *base, *next;
	struct row *rows;
	size_t count;
	size_t verdicts[4];
};

bool
compare_share(const char *text, double *share)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text)
		return false;
	if (strcmp(end, "%") == 0)
		v /= 100;
	else if (*end != '\0')
		return false;
	if (!(v > 0 && v < 1))
		return false;
	*share = v;
	return true;
}

static const struct bench_measure *
find(const struct bench_result *r, const char *name)
{
	for (size_t i = 0; i < r->measure_count; i++)
		if (strcmp(r->measures[i]->name, name) == 0)
			return r->measures[i];
	return NULL;
}

/* Is the workload of each what it is of the other?  The first difference is
 * told.  Text of "go test" says nothing about it. */
static bool
same_workload(const struct table *t, const struct bench_measure *a,
    const struct bench_measure *b)
{
	for (size_t i = 0; i < a->param_count; i++) {
		const char *name = a->params[i].name;
		const char *value = bench_measure_param_of(b, name);

		if (value != NULL && strcmp(value, a->params[i].value) == 0)
			continue;
		report_fail("%s: another workload: %s has %s %s, in %s it is "
			    "%s",
		    t->next_path, b->name, name, value ? value : "unset",
		    t->base_path, a->params[i].value);
		return false;
	}
	return true;
}

static bool
comparable(const struct table *t, const struct bench_measure *a,
    const struct bench_measure *b)
{
	if (strcmp(a->unit, b->unit) != 0 ||
	    a->higher_is_better != b->higher_is_better) {
		report_fail("%s: %s is in %s, %s has %s in %s", t->next_path,
		    b->name, b->unit, t->base_path, a->name, a->unit);
		return false;
	}
	if (a->param_count == 0 || b->param_count == 0)
		return true;
	if (b->param_count > a->param_count) {
		report_fail("%s: another workload: %s has more words than in "
			    "%s",
		    t->next_path, b->name, t->base_path);
		return false;
	}
	return same_workload(t, a, b);
}

static void
add(struct table *t, const struct bench_measure *a,
    const struct bench_measure *b)
{
	struct row *row;
	size_t na, nb;
	double *va = bench_measure_values(a, &na);
	double *vb = bench_measure_values(b, &nb);

	t->rows = mem_grow(t->rows, t->count, sizeof(*t->rows));
	row = &t->rows[t->count++];
	memset(row, 0, sizeof(*row));
	row->base = a;
	row->next = b;
	row->c =
	    stat_compare(va, na, vb, nb, a->higher_is_better, &t->o->limits);
	t->verdicts[row->c.verdict]++;
	free(va);
	free(vb);
}

/* Measures that --match names. */
static enum exit_status
match_named(struct table *t)
{
	for (size_t i = 0; i < t->o->match.count; i++) {
		char *base = mem_text(t->o->match.items[i]);
		char *equals = strchr(base, '=');
		const struct bench_measure *a, *b;

		if (equals != NULL)
			*equals = '\0';
		a = find(t->base, base);
		b = equals == NULL ? NULL : find(t->next, equals + 1);
		free(base);
		if (a == NULL || b == NULL) {
			report_fail("--match %s: %s has no such measure",
			    t->o->match.items[i],
			    a == NULL ? t->base_path : t->next_path);
			return EXIT_COND;
		}
		/* Who names both knows that the workloads differ. */
		if (strcmp(a->unit, b->unit) != 0 && !comparable(t, a, b))
			return EXIT_COND;
		add(t, a, b);
	}
	return EXIT_DONE;
}

static enum exit_status
match_all(struct table *t)
{
	for (size_t i = 0; i < t->base->measure_count; i++) {
		const struct bench_measure *a = t->base->measures[i];
		const struct bench_measure *b = find(t->next, a->name);

		if (b == NULL)
			continue;
		if (!comparable(t, a, b))
			return EXIT_COND;
		add(t, a, b);
	}
	return EXIT_DONE;
}

/* -- text ----------------------------------------------------------------- */

/* "25.4 us +-2 %": the median and how far a value is from it at most. */
static char *
spread(const struct bench_measure *m, double median)
{
	char value[VALUE_SIZE];
	double far = 0;
	size_t n;
	double *v = bench_measure_values(m, &n);

	for (size_t i = 0; i < n; i++)
		far = fmax(far, fabs(v[i] - median));
	free(v);
	value_format(median, m->unit, value);
	if (n < 2 || median == 0)
		return mem_text(value);
	return mem_format("%s +-%.0f %%", value, 100 * far / fabs(median));
}

static void
fill_cells(struct row *row, double alpha)
{
	const struct stat_comparison *c = &row->c;

	row->cells[0] = mem_text(row->next->name);
	row->cells[1] = spread(row->base, c->base);
	row->cells[2] = spread(row->next, c->next);
	row->cells[3] = c->test.p < alpha || c->ratio == 1
	    ? mem_format("%+.2f %%", 100 * (c->ratio - 1))
	    : mem_text("~");
	row->cells[4] = isfinite(c->interval.low) && c->base_count > 1
	    ? mem_format("%.3f..%.3f", c->interval.low, c->interval.high)
	    : mem_text("-");
	row->cells[5] = mem_format("(p=%.3f n=%zu+%zu)", c->test.p,
	    c->base_count, c->next_count);
	row->cells[6] = mem_text(stat_verdict_name(c->verdict));
}

static void
print_cells(char *const cells[COLUMNS], const size_t width[COLUMNS])
{
	for (int i = 0; i < COLUMNS - 1; i++)
		printf("%-*s  ", (int)width[i], cells[i]);
	printf("%s\n", cells[COLUMNS - 1]);
}

/* The geometric mean of the ratios of one unit's measures, if more than one. */
static void
print_geomean(const struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const char *unit = t->rows[i].base->unit;
		double sum = 0;
		size_t n = 0;

		for (size_t k = 0; k < t->count; k++) {
			const struct stat_comparison *c = &t->rows[k].c;

			if (strcmp(t->rows[k].base->unit, unit) != 0 ||
			    !(c->ratio > 0) || !isfinite(c->ratio))
				continue;
			if (k < i)
				break; /* its unit was printed */
			sum += log(c->ratio);
			n++;
		}
		if (n > 1)
			printf("geometric mean of %zu in %s: %+.2f %%\n", n,
			    unit, 100 * (exp(sum / (double)n) - 1));
	}
}

/* What is in one of the two and was not set beside something. */
static void
print_alone(const struct table *t, const struct bench_result *r,
    const char *path)
{
	for (size_t i = 0; i < r->measure_count; i++) {
		const struct bench_measure *m = r->measures[i];
		bool used = false;

		for (size_t k = 0; k < t->count; k++)
			used |= t->rows[k].base == m || t->rows[k].next == m;
		if (!used)
			printf("only in %s: %s\n", path, m->name);
	}
}

static void
print_text(struct table *t)
{
	char head_text[COLUMNS][16] = { "measure", "base", "new", "change",
		"interval", "test", "verdict" };
	char *head[COLUMNS];
	size_t width[COLUMNS];

	for (int i = 0; i < COLUMNS; i++) {
		head[i] = head_text[i];
		width[i] = strlen(head[i]);
	}
	for (size_t k = 0; k < t->count; k++) {
		fill_cells(&t->rows[k], t->o->limits.alpha);
		for (int i = 0; i < COLUMNS; i++)
			if (strlen(t->rows[k].cells[i]) > width[i])
				width[i] = strlen(t->rows[k].cells[i]);
	}
	print_cells(head, width);
	for (size_t k = 0; k < t->count; k++)
		print_cells(t->rows[k].cells, width);
	print_geomean(t);
	print_alone(t, t->base, t->base_path);
	print_alone(t, t->next, t->next_path);
	printf("%zu worse, %zu better, %zu noise, %zu inconclusive\n",
	    t->verdicts[STAT_WORSE], t->verdicts[STAT_BETTER],
	    t->verdicts[STAT_NOISE], t->verdicts[STAT_INCONCLUSIVE]);
}

/* -- JSON ----------------------------------------------------------------- */

static json_t *
real(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *
row_json(const struct row *row)
{
	const struct stat_comparison *c = &row->c;

	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:[o,o],s:o,s:o,s:s,"
			 "s:s}",
	    "measure", row->next->name, "base_measure", row->base->name, "unit",
	    row->base->unit, "base_runs", (json_int_t)c->base_count, "new_runs",
	    (json_int_t)c->next_count, "base", real(c->base), "new",
	    real(c->next), "ratio", real(c->ratio), "interval",
	    real(c->interval.low), real(c->interval.high), "u", real(c->test.u),
	    "p", real(c->test.p), "method",
	    c->test.method == STAT_EXACT ? "exact" : "normal", "verdict",
	    stat_verdict_name(c->verdict));
}

static void
print_json(const struct table *t, enum exit_status status)
{
	json_t *list = json_array(), *doc;

	for (size_t i = 0; i < t->count; i++)
		(void)json_array_append_new(list, row_json(&t->rows[i]));
	doc = json_pack("{s:s,s:s,s:s,s:f,s:f,s:o,s:I,s:I,s:I,s:I,s:i}",
	    "schema", "sblog.bench-compare/1", "base", t->base_path, "new",
	    t->next_path, "alpha", t->o->limits.alpha, "threshold",
	    t->o->limits.threshold, "measures", list, "worse",
	    (json_int_t)t->verdicts[STAT_WORSE], "better",
	    (json_int_t)t->verdicts[STAT_BETTER], "noise",
	    (json_int_t)t->verdicts[STAT_NOISE], "inconclusive",
	    (json_int_t)t->verdicts[STAT_INCONCLUSIVE], "status", (int)status);
	(void)json_dumpf(doc, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(doc);
}

/* ------------------------------------------------------------------------- */

static struct bench_result *
load(const char *path)
{
	char why[BENCH_WHY_SIZE];
	struct bench_result *r = load_result(path, why);

	if (r == NULL)
		report_fail("%s: %s", path, why);
	else if (r->partial)
		report_note("%s: this result is partial", path);
	return r;
}

static enum exit_status
compare(struct table *t)
{
	enum exit_status status;

	t->base = load(t->base_path);
	t->next = t->base == NULL ? NULL : load(t->next_path);
	if (t->next == NULL)
		return EXIT_FAILED;
	if ((status = match_named(t)) != EXIT_DONE ||
	    (status = match_all(t)) != EXIT_DONE)
		return status;
	if (t->count == 0) {
		report_fail("%s: no measure of %s is in it", t->next_path,
		    t->base_path);
		return EXIT_COND;
	}
	if (t->o->fail && t->verdicts[STAT_WORSE] > 0)
		status = EXIT_REGRESSION;
	if (t->o->json)
		print_json(t, status);
	else
		print_text(t);
	return status;
}

enum exit_status
bench_compare(const struct compare_options *o, const char *base,
    const char *next)
{
	struct table t = { .o = o, .base_path = base, .next_path = next };
	enum exit_status status = compare(&t);

	for (size_t k = 0; k < t.count; k++)
		for (int i = 0; i < COLUMNS; i++)
			free(t.rows[k].cells[i]);
	free(t.rows);
	bench_result_free(t.base);
	bench_result_free(t.next);
	return status;
}
