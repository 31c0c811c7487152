/*
 * result.c - what a benchmark run found, in memory.
 */
#include "bench/result.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/facts.h"
#include "bench/mem.h"

void
bench_set(char **field, const char *value)
{
	char *copy = mem_text(value == NULL ? "" : value);

	free(*field);
	*field = copy;
}

struct bench_result *
bench_result_new(const char *dir)
{
	struct bench_result *r = mem_new(1, sizeof(*r));
	char **const texts[] = { &r->version, &r->host, &r->cpu, &r->kernel,
		&r->filesystem, &r->governor, &r->compiler, &r->sync,
		&r->remark };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		bench_set(texts[i], "");
	if (dir != NULL)
		facts_fill(r, dir);
	return r;
}

static void
free_run(struct bench_run *run)
{
	free(run->why);
	free(run->latency);
	free(run->service);
	free(run->series);
	free(run);
}

static void
free_measure(struct bench_measure *m)
{
	for (size_t i = 0; i < m->run_count; i++)
		free_run(m->runs[i]);
	for (size_t i = 0; i < m->param_count; i++) {
		free(m->params[i].name);
		free(m->params[i].value);
	}
	free(m->runs);
	free(m->params);
	free(m->name);
	free(m->scenario);
	free(m->unit);
	free(m->rows);
	free(m->published);
	free(m->hides);
	free(m);
}

void
bench_result_free(struct bench_result *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->measure_count; i++)
		free_measure(r->measures[i]);
	free(r->measures);
	free(r->version);
	free(r->host);
	free(r->cpu);
	free(r->kernel);
	free(r->filesystem);
	free(r->governor);
	free(r->compiler);
	free(r->sync);
	free(r->remark);
	free(r);
}

struct bench_measure *
bench_result_measure(struct bench_result *r, const char *scenario,
    const char *name, const char *unit, bool higher_is_better)
{
	struct bench_measure *m;

	for (size_t i = 0; i < r->measure_count; i++)
		if (strcmp(r->measures[i]->name, name) == 0)
			return r->measures[i];
	m = mem_new(1, sizeof(*m));
	m->name = mem_text(name);
	m->scenario = mem_text(scenario);
	m->unit = mem_text(unit);
	m->higher_is_better = higher_is_better;
	bench_measure_cite(m, "", "", "");
	r->measures = mem_grow(r->measures, r->measure_count,
	    sizeof(struct bench_measure *));
	r->measures[r->measure_count++] = m;
	return m;
}

void
bench_measure_cite(struct bench_measure *m, const char *rows,
    const char *published, const char *hides)
{
	bench_set(&m->rows, rows);
	bench_set(&m->published, published);
	bench_set(&m->hides, hides);
}

void
bench_measure_param(struct bench_measure *m, const char *name, const char *fmt,
    ...)
{
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < m->param_count; i++)
		if (strcmp(m->params[i].name, name) == 0) {
			bench_set(&m->params[i].value, value);
			return;
		}
	m->params = mem_grow(m->params, m->param_count, sizeof(m->params[0]));
	m->params[m->param_count].name = mem_text(name);
	m->params[m->param_count++].value = mem_text(value);
}

const char *
bench_measure_param_of(const struct bench_measure *m, const char *name)
{
	for (size_t i = 0; i < m->param_count; i++)
		if (strcmp(m->params[i].name, name) == 0)
			return m->params[i].value;
	return NULL;
}

struct bench_run *
bench_measure_run(struct bench_measure *m)
{
	struct bench_run *run = mem_new(1, sizeof(*run));

	run->value = run->seconds = NAN;
	run->cpu_seconds = run->memory_bytes = NAN;
	run->allocs_per_op = run->alloc_bytes_per_op = NAN;
	m->runs = mem_grow(m->runs, m->run_count, sizeof(struct bench_run *));
	m->runs[m->run_count++] = run;
	return run;
}

static struct hist *
fresh(struct hist **slot)
{
	if (*slot == NULL)
		*slot = mem_new(1, sizeof(**slot));
	else
		hist_init(*slot);
	return *slot;
}

struct hist *
bench_run_latency(struct bench_run *run)
{
	return fresh(&run->latency);
}

struct hist *
bench_run_service(struct bench_run *run)
{
	return fresh(&run->service);
}

double *
bench_run_series(struct bench_run *run, double seconds, size_t count)
{
	free(run->series);
	run->series = mem_new(count, sizeof(double));
	run->series_seconds = seconds;
	run->series_count = count;
	return run->series;
}

static void
set_why(struct bench_run *run, const char *fmt, va_list ap)
{
	char why[BENCH_WHY_SIZE];

	(void)vsnprintf(why, sizeof(why), fmt, ap);
	bench_set(&run->why, why);
}

void
bench_run_fail(struct bench_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_why(run, fmt, ap);
	va_end(ap);
	run->failed = true;
}

void
bench_run_miss(struct bench_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_why(run, fmt, ap);
	va_end(ap);
	run->missed = true;
}

double *
bench_measure_values(const struct bench_measure *m, size_t *np)
{
	double *v = mem_new(m->run_count, sizeof(double));

	*np = 0;
	for (size_t i = 0; i < m->run_count; i++)
		if (!m->runs[i]->failed && isfinite(m->runs[i]->value))
			v[(*np)++] = m->runs[i]->value;
	return v;
}

static void
merge(struct hist **all, const struct hist *one)
{
	if (one == NULL)
		return;
	if (*all == NULL)
		(void)fresh(all);
	hist_merge(*all, one);
}

struct hist *
bench_measure_latency(const struct bench_measure *m)
{
	struct hist *all = NULL;

	for (size_t i = 0; i < m->run_count; i++)
		merge(&all, m->runs[i]->latency);
	return all;
}

struct hist *
bench_measure_service(const struct bench_measure *m)
{
	struct hist *all = NULL;

	for (size_t i = 0; i < m->run_count; i++)
		merge(&all, m->runs[i]->service);
	return all;
}
