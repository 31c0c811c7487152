/*
 * plot.c - what can be drawn of a result: curves over a word of the workload,
 * latency by percentile, throughput over time and the spread of runs.
 */
#include "bench/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/stat.h"

enum { LINES_MAX = 8 }; /* more cannot be told apart */

struct set {
	struct plot *plots;
	size_t count;
};

static struct plot *
new_plot(struct set *s, char *title, const char *x_label, const char *unit)
{
	struct plot *p;

	s->plots = mem_grow(s->plots, s->count, sizeof(*p));
	p = &s->plots[s->count++];
	memset(p, 0, sizeof(*p));
	p->title = title;
	p->x_label = mem_text(x_label);
	p->unit = mem_text(unit);
	return p;
}

static struct plot_line *
new_line(struct plot *p, const char *name)
{
	struct plot_line *line;

	p->lines = mem_grow(p->lines, p->count, sizeof(*line));
	line = &p->lines[p->count++];
	memset(line, 0, sizeof(*line));
	line->name = mem_text(name);
	return line;
}

static void
new_point(struct plot_line *line, double x, double y)
{
	line->x = mem_grow(line->x, line->count, sizeof(double));
	line->y = mem_grow(line->y, line->count, sizeof(double));
	line->x[line->count] = x;
	line->y[line->count++] = y;
}

static void
free_plot(struct plot *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->lines[i].name);
		free(p->lines[i].x);
		free(p->lines[i].y);
	}
	free(p->lines);
	free(p->title);
	free(p->x_label);
	free(p->unit);
}

void
plot_free_all(struct plot *plots, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_plot(&plots[i]);
	free(plots);
}

/* Take the last plot back if it has nothing to show. */
static void
keep_if(struct set *s, bool worth)
{
	if (!worth)
		free_plot(&s->plots[--s->count]);
}

static double
median_of(const struct bench_measure *m)
{
	size_t n;
	double *v = bench_measure_values(m, &n), median = stat_median(v, n);

	free(v);
	return median;
}

/* -- curves over a word of the workload ----------------------------------- */

static bool
numeric(const struct bench_measure *m, const char *param, double *vp)
{
	const char *text = bench_measure_param_of(m, param);
	char *end;

	if (text == NULL)
		return false;
	*vp = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*vp);
}

/* Do they differ in that word and in nothing else? */
static bool
same_but(const struct bench_measure *a, const struct bench_measure *b,
    const char *param)
{
	if (a->param_count != b->param_count ||
	    strcmp(a->scenario, b->scenario) != 0 ||
	    strcmp(a->unit, b->unit) != 0)
		return false;
	for (size_t i = 0; i < a->param_count; i++) {
		const char *name = a->params[i].name;
		const char *value = bench_measure_param_of(b, name);

		if (value == NULL ||
		    (strcmp(name, param) != 0 &&
			strcmp(value, a->params[i].value) != 0))
			return false;
	}
	return true;
}

/* The words that the lines of a plot do not share name a line. */
static char *
line_name(const struct bench_result *r, const struct bench_measure *m,
    const char *param)
{
	char *name = mem_text("");

	for (size_t i = 0; i < m->param_count; i++) {
		bool differs = false;
		char *longer;

		for (size_t k = 0; k < r->measure_count; k++) {
			const struct bench_measure *o = r->measures[k];
			const char *value =
			    bench_measure_param_of(o, m->params[i].name);
			double x;

			if (strcmp(o->scenario, m->scenario) != 0 ||
			    strcmp(o->unit, m->unit) != 0 || value == NULL ||
			    !numeric(o, param, &x))
				continue;
			differs |= strcmp(value, m->params[i].value) != 0;
		}
		if (!differs || strcmp(m->params[i].name, param) == 0)
			continue;
		longer = mem_format("%s%s%s %s", name, name[0] ? ", " : "",
		    m->params[i].name, m->params[i].value);
		free(name);
		name = longer;
	}
	if (name[0] == '\0') {
		free(name);
		name = mem_text(m->scenario);
	}
	return name;
}

static int
by_x(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (x[0] > y[0]) - (x[0] < y[0]);
}

static void
sort_line(struct plot_line *line)
{
	double *pairs = mem_new(line->count, 2 * sizeof(double));

	for (size_t i = 0; i < line->count; i++) {
		pairs[2 * i] = line->x[i];
		pairs[2 * i + 1] = line->y[i];
	}
	qsort(pairs, line->count, 2 * sizeof(double), by_x);
	for (size_t i = 0; i < line->count; i++) {
		line->x[i] = pairs[2 * i];
		line->y[i] = pairs[2 * i + 1];
	}
	free(pairs);
}

/* One line through m and all that differ from it only in param; three points
 * are the least that show a shape. */
static void
add_curve(const struct bench_result *r, struct plot *p,
    const struct bench_measure *m, const char *param)
{
	char *name = line_name(r, m, param);
	struct plot_line *line = new_line(p, name);
	double x, y;

	free(name);
	for (size_t i = 0; i < r->measure_count; i++)
		if (same_but(m, r->measures[i], param) &&
		    numeric(r->measures[i], param, &x) &&
		    isfinite(y = median_of(r->measures[i])))
			new_point(line, x, y);
	sort_line(line);
	if (line->count < 3 || line->x[0] == line->x[line->count - 1]) {
		free(line->name);
		free(line->x);
		free(line->y);
		p->count--;
	}
}

static bool
first_of_line(const struct bench_result *r, size_t at, const char *param)
{
	for (size_t i = 0; i < at; i++)
		if (same_but(r->measures[at], r->measures[i], param))
			return false;
	return true;
}

static bool
wide(const struct plot *p, bool of_y)
{
	double low = INFINITY, high = 0;

	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < p->lines[i].count; k++) {
			double v = of_y ? p->lines[i].y[k] : p->lines[i].x[k];

			low = fmin(low, v);
			high = fmax(high, v);
		}
	return low > 0 && high >= 8 * low;
}

static void
add_curves(struct set *s, const struct bench_result *r, size_t at,
    const char *param)
{
	const struct bench_measure *first = r->measures[at];
	struct plot *p =
	    new_plot(s, mem_format("%s against %s", first->scenario, param),
		param, first->unit);
	double x;

	for (size_t i = at; i < r->measure_count && p->count < LINES_MAX; i++)
		if (strcmp(r->measures[i]->scenario, first->scenario) == 0 &&
		    strcmp(r->measures[i]->unit, first->unit) == 0 &&
		    numeric(r->measures[i], param, &x) &&
		    first_of_line(r, i, param))
			add_curve(r, p, r->measures[i], param);
	p->x_axis = wide(p, false) ? PLOT_LOG : PLOT_LINEAR;
	p->log_y = wide(p, true);
	p->bytes_x =
	    strstr(param, "bytes") != NULL || strstr(param, "size") != NULL;
	keep_if(s, p->count > 0);
}

/* Was there a measure before of this scenario and unit with that word? */
static bool
first_with(const struct bench_result *r, size_t at, const char *param)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(r->measures[i]->scenario,
			r->measures[at]->scenario) == 0 &&
		    strcmp(r->measures[i]->unit, r->measures[at]->unit) == 0 &&
		    bench_measure_param_of(r->measures[i], param) != NULL)
			return false;
	return true;
}

/* -- latency, time, runs -------------------------------------------------- */

static void
add_percentiles(struct plot *p, char *name, const struct hist *h)
{
	struct plot_line *line;

	if (h == NULL || h->total == 0)
		return;
	line = new_line(p, name);
	/* Nine points for each nine, as far as there are values to rank. */
	for (double inverse = 1; inverse <= 2 * (double)h->total;
	     inverse *= 1.2915) {
		uint64_t ns = hist_percentile(h, 100 * (1 - 1 / inverse));

		if (ns == UINT64_MAX)
			break;
		new_point(line, inverse, (double)ns);
	}
}

static bool
first_of_scenario(const struct bench_result *r, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(r->measures[i]->scenario,
			r->measures[at]->scenario) == 0)
			return false;
	return true;
}

static void
add_latency(struct set *s, const struct bench_result *r, size_t at)
{
	const char *scenario = r->measures[at]->scenario;
	struct plot *p =
	    new_plot(s, mem_format("%s: latency by percentile", scenario),
		"percentile", "ns");

	p->x_axis = PLOT_PERCENT;
	for (size_t i = at; i < r->measure_count; i++) {
		const struct bench_measure *m = r->measures[i];
		struct hist *latency, *service;
		char *name;

		if (strcmp(m->scenario, scenario) != 0 ||
		    p->count + 2 > LINES_MAX)
			continue;
		latency = bench_measure_latency(m);
		service = bench_measure_service(m);
		add_percentiles(p, m->name, latency);
		name = mem_format("%s (service)", m->name);
		add_percentiles(p, name, service);
		free(name);
		free(latency);
		free(service);
	}
	p->log_y = wide(p, true);
	keep_if(s, p->count > 0);
}

static void
add_time(struct set *s, const struct bench_measure *m)
{
	struct plot *p = new_plot(s, mem_format("%s: over time", m->name),
	    "seconds", "ops/s");

	for (size_t i = 0; i < m->run_count && p->count < LINES_MAX; i++) {
		const struct bench_run *run = m->runs[i];
		struct plot_line *line;
		char *name;

		if (run->series_count < 2 || !(run->series_seconds > 0))
			continue;
		name = mem_format("run %zu", i + 1);
		line = new_line(p, name);
		free(name);
		for (size_t k = 0; k < run->series_count; k++)
			new_point(line, (double)(k + 1) * run->series_seconds,
			    run->series[k] / run->series_seconds);
	}
	keep_if(s, p->count > 0);
}

/* Every run of a scenario in percent of the median of its measure. */
static void
add_runs(struct set *s, const struct bench_result *r, size_t at)
{
	const char *scenario = r->measures[at]->scenario;
	struct plot *p = new_plot(s, mem_format("%s: the runs", scenario),
	    "run", "% of median");

	for (size_t i = at; i < r->measure_count; i++) {
		const struct bench_measure *m = r->measures[i];
		double median = median_of(m);
		struct plot_line *line;

		if (strcmp(m->scenario, scenario) != 0 || m->run_count < 3 ||
		    p->count == LINES_MAX || !(median > 0))
			continue;
		line = new_line(p, m->name);
		for (size_t k = 0; k < m->run_count; k++)
			if (isfinite(m->runs[k]->value) && !m->runs[k]->failed)
				new_point(line, (double)k + 1,
				    100 * m->runs[k]->value / median);
	}
	keep_if(s, p->count > 0);
}

struct plot *
plot_all(const struct bench_result *r, size_t *np)
{
	struct set s = { NULL, 0 };
	double x;

	for (size_t i = 0; i < r->measure_count; i++)
		for (size_t k = 0; k < r->measures[i]->param_count; k++) {
			const char *param = r->measures[i]->params[k].name;

			if (numeric(r->measures[i], param, &x) &&
			    first_with(r, i, param))
				add_curves(&s, r, i, param);
		}
	for (size_t i = 0; i < r->measure_count; i++)
		if (first_of_scenario(r, i))
			add_latency(&s, r, i);
	for (size_t i = 0; i < r->measure_count; i++)
		add_time(&s, r->measures[i]);
	for (size_t i = 0; i < r->measure_count; i++)
		if (first_of_scenario(r, i))
			add_runs(&s, r, i);
	*np = s.count;
	return s.plots;
}
