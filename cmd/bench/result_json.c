/*
 * result_json.c - the document "sblog.bench/1", written and read.
 *
 * Its fields are described in sblog-bench(5).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "bench/mem.h"
#include "bench/result.h"

/* -- writing -------------------------------------------------------------- */

static void
put_text(json_t *to, const char *key, const char *value)
{
	/* Bytes that are not UTF-8 cannot stand in JSON. */
	if (json_object_set_new(to, key, json_string(value)) < 0)
		(void)json_object_set_new(to, key, json_string("?"));
}

static void
put_real(json_t *to, const char *key, double value)
{
	(void)json_object_set_new(to, key,
	    isfinite(value) ? json_real(value) : json_null());
}

static void
put_u64(json_t *to, const char *key, uint64_t value)
{
	(void)json_object_set_new(to, key, json_integer((json_int_t)value));
}

static void
put_hist(json_t *to, const char *key, const struct hist *h)
{
	json_t *o, *buckets;

	if (h == NULL)
		return;
	o = json_object();
	buckets = json_array();
	put_u64(o, "total", h->total);
	put_u64(o, "overflow", h->overflow);
	if (h->total != 0) {
		put_u64(o, "min", h->min);
		put_u64(o, "max", h->max);
	}
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		if (h->count[i] != 0)
			(void)json_array_append_new(buckets,
			    json_pack("[I,I]", (json_int_t)hist_lowest(i),
				(json_int_t)h->count[i]));
	(void)json_object_set_new(o, "buckets", buckets);
	(void)json_object_set_new(to, key, o);
}

static json_t *
run_json(const struct bench_run *run)
{
	json_t *o = json_object(), *series;

	put_real(o, "value", run->value);
	put_real(o, "seconds", run->seconds);
	put_u64(o, "ops", run->ops);
	put_u64(o, "bytes", run->bytes);
	put_real(o, "cpu_seconds", run->cpu_seconds);
	put_real(o, "memory_bytes", run->memory_bytes);
	put_real(o, "allocs_per_op", run->allocs_per_op);
	put_real(o, "alloc_bytes_per_op", run->alloc_bytes_per_op);
	(void)json_object_set_new(o, "failed", json_boolean(run->failed));
	if (run->missed)
		(void)json_object_set_new(o, "missed", json_true());
	if (run->why != NULL)
		put_text(o, "why", run->why);
	put_hist(o, "latency", run->latency);
	put_hist(o, "service", run->service);
	if (run->series != NULL) {
		series = json_array();
		for (size_t i = 0; i < run->series_count; i++)
			(void)json_array_append_new(series,
			    json_real(run->series[i]));
		put_real(o, "series_seconds", run->series_seconds);
		(void)json_object_set_new(o, "series", series);
	}
	return o;
}

static json_t *
measure_json(const struct bench_measure *m)
{
	json_t *o = json_object(), *list = json_object();

	put_text(o, "name", m->name);
	put_text(o, "scenario", m->scenario);
	put_text(o, "unit", m->unit);
	put_text(o, "better", m->higher_is_better ? "higher" : "lower");
	put_text(o, "rows", m->rows);
	put_text(o, "published", m->published);
	put_text(o, "hides", m->hides);
	for (size_t i = 0; i < m->param_count; i++)
		put_text(list, m->params[i].name, m->params[i].value);
	(void)json_object_set_new(o, "workload", list);
	list = json_array();
	for (size_t i = 0; i < m->run_count; i++)
		(void)json_array_append_new(list, run_json(m->runs[i]));
	(void)json_object_set_new(o, "runs", list);
	return o;
}

static json_t *
result_json(const struct bench_result *r)
{
	json_t *o = json_object(), *list = json_array();

	put_text(o, "schema", BENCH_SCHEMA);
	put_text(o, "version", r->version);
	put_text(o, "host", r->host);
	put_text(o, "cpu", r->cpu);
	put_u64(o, "cpus", r->cpus);
	put_u64(o, "memory_bytes", r->memory_bytes);
	put_text(o, "kernel", r->kernel);
	put_text(o, "filesystem", r->filesystem);
	put_text(o, "governor", r->governor);
	put_text(o, "compiler", r->compiler);
	put_text(o, "sync", r->sync);
	put_text(o, "remark", r->remark);
	put_u64(o, "time_us", (uint64_t)r->time_us);
	(void)json_object_set_new(o, "partial", json_boolean(r->partial));
	for (size_t i = 0; i < r->measure_count; i++)
		(void)json_array_append_new(list, measure_json(r->measures[i]));
	(void)json_object_set_new(o, "measures", list);
	return o;
}

static int
refuse(char why[BENCH_WHY_SIZE], const char *path)
{
	(void)snprintf(why, BENCH_WHY_SIZE, "%s: %s", path, strerror(errno));
	return -1;
}

int
bench_result_write(const struct bench_result *r, const char *path,
    char why[BENCH_WHY_SIZE])
{
	bool standard = strcmp(path, "-") == 0;
	char *temporary = mem_format("%s.tmp", path);
	FILE *f = standard ? stdout : fopen(temporary, "we");
	json_t *doc;
	int rc = 0, error;

	if (f == NULL) {
		free(temporary);
		return refuse(why, path);
	}
	doc = result_json(r);
	if (json_dumpf(doc, f, JSON_COMPACT | JSON_REAL_PRECISION(17)) < 0 ||
	    fputc('\n', f) == EOF || fflush(f) != 0)
		rc = refuse(why, path);
	error = errno;
	if (!standard && fclose(f) != 0 && rc == 0)
		rc = refuse(why, path);
	if (!standard && rc == 0 && rename(temporary, path) < 0)
		rc = refuse(why, path);
	if (!standard && rc < 0)
		(void)unlink(temporary);
	json_decref(doc);
	free(temporary);
	errno = error;
	return rc;
}

/* -- reading -------------------------------------------------------------- */

struct reader {
	char *why; /* BENCH_WHY_SIZE; empty: nothing is wrong so far */
	const char *measure;
};

/* The first thing wrong is the one that is told. */
static void
wrong(struct reader *in, const char *key, const char *what)
{
	if (in->why[0] == '\0')
		(void)snprintf(in->why, BENCH_WHY_SIZE, "%s%s\"%s\" %s",
		    in->measure, in->measure[0] != '\0' ? ": " : "", key, what);
}

static const char *
get_text(struct reader *in, const json_t *from, const char *key)
{
	const char *s = json_string_value(json_object_get(from, key));

	if (s == NULL)
		wrong(in, key, "is not a text");
	return s == NULL ? "" : s;
}

static double
get_real(struct reader *in, const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);

	if (v == NULL || json_is_null(v))
		return NAN;
	if (!json_is_number(v))
		wrong(in, key, "is not a number");
	return json_number_value(v);
}

static uint64_t
get_u64(struct reader *in, const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0) {
		wrong(in, key, "is not a whole number");
		return 0;
	}
	return (uint64_t)json_integer_value(v);
}

static bool
get_bool(struct reader *in, const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);

	if (!json_is_boolean(v))
		wrong(in, key, "is neither true nor false");
	return json_is_true(v);
}

static const json_t *
get_array(struct reader *in, const json_t *from, const char *key)
{
	const json_t *v = json_object_get(from, key);

	if (!json_is_array(v))
		wrong(in, key, "is not an array");
	return v;
}

static void
get_hist(struct reader *in, const json_t *from, const char *key, struct hist *h)
{
	const json_t *o = json_object_get(from, key);
	const json_t *buckets = get_array(in, o, "buckets");
	uint64_t sum;

	h->total = get_u64(in, o, "total");
	h->overflow = sum = get_u64(in, o, "overflow");
	if (h->total != 0) {
		h->min = get_u64(in, o, "min");
		h->max = get_u64(in, o, "max");
	}
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		const json_t *pair = json_array_get(buckets, i);
		const json_t *ns = json_array_get(pair, 0);
		const json_t *n = json_array_get(pair, 1);

		if (!json_is_integer(ns) || !json_is_integer(n) ||
		    json_integer_value(ns) < 0 || json_integer_value(n) < 0 ||
		    (uint64_t)json_integer_value(ns) > HIST_MAX) {
			wrong(in, key, "has a bucket that cannot be");
			return;
		}
		h->count[hist_bucket((uint64_t)json_integer_value(ns))] +=
		    (uint64_t)json_integer_value(n);
		sum += (uint64_t)json_integer_value(n);
	}
	if (sum != h->total)
		wrong(in, key, "has buckets that do not add up to its total");
}

static void
get_run(struct reader *in, const json_t *o, struct bench_run *run)
{
	const json_t *series = json_object_get(o, "series");
	double *to;

	run->value = get_real(in, o, "value");
	run->seconds = get_real(in, o, "seconds");
	run->ops = get_u64(in, o, "ops");
	run->bytes = get_u64(in, o, "bytes");
	run->cpu_seconds = get_real(in, o, "cpu_seconds");
	run->memory_bytes = get_real(in, o, "memory_bytes");
	run->allocs_per_op = get_real(in, o, "allocs_per_op");
	run->alloc_bytes_per_op = get_real(in, o, "alloc_bytes_per_op");
	run->failed = get_bool(in, o, "failed");
	if (json_object_get(o, "missed") != NULL)
		run->missed = get_bool(in, o, "missed");
	if (json_object_get(o, "why") != NULL)
		bench_set(&run->why, get_text(in, o, "why"));
	if (json_object_get(o, "latency") != NULL)
		get_hist(in, o, "latency", bench_run_latency(run));
	if (json_object_get(o, "service") != NULL)
		get_hist(in, o, "service", bench_run_service(run));
	if (series == NULL)
		return;
	to = bench_run_series(run, get_real(in, o, "series_seconds"),
	    json_array_size(get_array(in, o, "series")));
	for (size_t i = 0; i < run->series_count; i++)
		to[i] = json_number_value(json_array_get(series, i));
}

static void
get_measure(struct reader *in, const json_t *o, struct bench_result *r)
{
	const char *better = get_text(in, o, "better"), *key;
	json_t *words = json_object_get(o, "workload"), *value;
	const json_t *runs = get_array(in, o, "runs");
	size_t had = r->measure_count;
	struct bench_measure *m;

	if (strcmp(better, "higher") != 0 && strcmp(better, "lower") != 0)
		wrong(in, "better", "is neither \"higher\" nor \"lower\"");
	m = bench_result_measure(r, get_text(in, o, "scenario"),
	    get_text(in, o, "name"), get_text(in, o, "unit"),
	    strcmp(better, "higher") == 0);
	in->measure = m->name;
	if (r->measure_count == had)
		wrong(in, "name", "is there twice");
	bench_measure_cite(m, get_text(in, o, "rows"),
	    get_text(in, o, "published"), get_text(in, o, "hides"));
	json_object_foreach(words, key, value)
	    bench_measure_param(m, key, "%s", get_text(in, words, key));
	for (size_t i = 0; i < json_array_size(runs); i++)
		get_run(in, json_array_get(runs, i), bench_measure_run(m));
	in->measure = "";
}

static void
get_result(struct reader *in, const json_t *o, struct bench_result *r)
{
	const json_t *list = get_array(in, o, "measures");

	bench_set(&r->version, get_text(in, o, "version"));
	bench_set(&r->host, get_text(in, o, "host"));
	bench_set(&r->cpu, get_text(in, o, "cpu"));
	bench_set(&r->kernel, get_text(in, o, "kernel"));
	bench_set(&r->filesystem, get_text(in, o, "filesystem"));
	bench_set(&r->governor, get_text(in, o, "governor"));
	bench_set(&r->compiler, get_text(in, o, "compiler"));
	bench_set(&r->sync, get_text(in, o, "sync"));
	bench_set(&r->remark, get_text(in, o, "remark"));
	r->cpus = (unsigned)get_u64(in, o, "cpus");
	r->memory_bytes = get_u64(in, o, "memory_bytes");
	r->time_us = (int64_t)get_u64(in, o, "time_us");
	r->partial = get_bool(in, o, "partial");
	for (size_t i = 0; i < json_array_size(list); i++)
		get_measure(in, json_array_get(list, i), r);
}

struct bench_result *
bench_result_parse(const char *text, size_t len, char why[BENCH_WHY_SIZE])
{
	struct reader in = { .why = why, .measure = "" };
	struct bench_result *r;
	const char *schema;
	json_error_t error;
	json_t *doc;

	why[0] = '\0';
	doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (doc == NULL) {
		(void)snprintf(why, BENCH_WHY_SIZE, "not JSON: %s (byte %d)",
		    error.text, error.position);
		return NULL;
	}
	schema = json_string_value(json_object_get(doc, "schema"));
	if (schema == NULL || strcmp(schema, BENCH_SCHEMA) != 0) {
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "schema is %s, not " BENCH_SCHEMA,
		    schema == NULL ? "missing" : schema);
		json_decref(doc);
		return NULL;
	}
	r = bench_result_new(NULL);
	get_result(&in, doc, r);
	json_decref(doc);
	if (why[0] != '\0') {
		bench_result_free(r);
		return NULL;
	}
	return r;
}
