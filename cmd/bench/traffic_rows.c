/*
 * traffic_rows.c - what came of a load, as measures with their targets.
 */
#include "bench/traffic_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/value.h"

enum { PER = 10000 };

#define LATE 0.25 /* seconds, and this part of the time: */
#define LATE_PART 0.01

#define TARGET "a target, not a measurement"

struct rows {
	const struct bench_ctx *ctx;
	struct bench_result *result;
	const char *name;
	const struct traffic *t;
	const struct traffic_goals *g;
	const struct traffic_outcome *out;
};

/* A published expectation of one measure. */
struct target {
	const char *rows, *text, *hides; /* text: "< 5 ms" */
	double value;                    /* NAN: none */
};

static const struct target no_target = { "", "", "", NAN };

void
traffic_options(struct traffic *t, const struct bench_options *o)
{
	if (o->producers > 0)
		t->producers = (unsigned)o->producers;
	if (o->consumers > 0)
		t->consumers = (unsigned)o->consumers;
	if (o->size != NULL)
		(void)work_parse_size(o->size, &t->size_min, &t->size_max);
	if (o->keys != NULL)
		(void)work_parse_keys(o->keys, &t->keys, &t->zipf);
	if (o->sync != BENCH_SYNC_DEFAULT)
		t->durable = o->sync == BENCH_SYNC_BATCH;
	t->seed = o->seed;
}

static void
describe(const struct traffic *t, struct bench_measure *m)
{
	bench_measure_param(m, "producers", "%u", t->producers);
	bench_measure_param(m, "consumers", "%u", t->consumers);
	if (t->scanners > 0)
		bench_measure_param(m, "scanners", "%u", t->scanners);
	bench_measure_param(m, "sync", "%s", t->durable ? "batch" : "none");
	if (t->size_min == t->size_max)
		bench_measure_param(m, "size", "%" PRIu64, t->size_min);
	else
		bench_measure_param(m, "size", "%" PRIu64 "..%" PRIu64,
		    t->size_min, t->size_max);
	bench_measure_param(m, "seconds", "%g",
	    t->schedule.seconds - t->warm_up);
	if (t->keys > 0)
		bench_measure_param(m, "keys", "%" PRIu64 ":%g", t->keys,
		    t->zipf);
	if (t->schedule.count == 0)
		bench_measure_param(m, "batch", "%" PRIu32, t->batch);
	else
		bench_measure_param(m, "rate", "%g", t->rate);
	if (t->spike_rate > 0)
		bench_measure_param(m, "spike", "%g for %g s", t->spike_rate,
		    t->spike_seconds);
	if (t->burst > 0)
		bench_measure_param(m, "burst", "%g s", t->burst);
}

static struct bench_run *
add(const struct rows *r, const char *name, const char *unit,
    const struct target *target, double value)
{
	bool higher = strstr(unit, "/s") != NULL;
	char *full = mem_format("%s%s", r->name, name);
	char text[VALUE_SIZE];
	struct bench_measure *m;
	struct bench_run *run;

	m = bench_measure_of(r->ctx, r->result, full, unit, higher);
	free(full);
	bench_measure_cite(m, target->rows, target->text, target->hides);
	describe(r->t, m);
	/* Measures of one unit are told apart in a plot by their words. */
	bench_measure_param(m, "measure", "%s", name);
	run = bench_measure_run(m);
	run->value = value;
	run->seconds = r->out->elapsed;
	run->ops = r->out->acked;
	run->bytes = r->out->bytes;
	run->cpu_seconds = r->out->cost.cpu_seconds;
	if (!r->out->cost.rss_unknown)
		run->memory_bytes = (double)r->out->cost.rss_sum;
	if (isnan(target->value) ||
	    (higher ? value >= target->value : value < target->value))
		return run;
	value_format(value, unit, text);
	bench_run_miss(run, "%s is not %s", text, target->text);
	return run;
}

static double
at(const struct hist *h, double percent)
{
	uint64_t ns = hist_percentile(h, percent);

	return ns == UINT64_MAX ? (double)HIST_MAX : (double)ns;
}

/* The last messages may be acknowledged a little after they were due. */
static void
check_keeps_up(const struct rows *r, struct bench_run *run)
{
	double seconds = r->t->schedule.seconds - r->t->warm_up;

	if (!r->g->keep_up || run->missed)
		return;
	if (r->out->acked < r->out->asked)
		bench_run_miss(run,
		    "%" PRIu64 " of %" PRIu64 " messages were sent in time",
		    r->out->acked, r->out->asked);
	else if (r->out->seconds > seconds * (1 + LATE_PART) + LATE)
		bench_run_miss(run,
		    "messages of %g s were acknowledged only after %.2f s",
		    seconds, r->out->seconds);
}

/* With a schedule, no less than its time. */
static double
measured(const struct rows *r, double seconds)
{
	return r->t->schedule.count == 0
	    ? seconds
	    : fmax(seconds, r->t->schedule.seconds - r->t->warm_up);
}

static void
add_rate(const struct rows *r)
{
	const struct bench_scenario *s = r->ctx->scenario;
	const struct traffic_outcome *out = r->out;
	const struct target target = {
		r->g->plain ? "" : s->rows,
		r->g->rate_text != NULL ? r->g->rate_text
		    : r->g->plain       ? ""
					: s->published,
		r->g->plain ? "" : s->hides,
		r->g->rate > 0 ? r->g->rate : NAN,
	};
	double seconds = measured(r, out->seconds);
	double rate = seconds > 0 ? (double)out->acked / seconds : 0;
	struct bench_run *run;

	run = add(r, "rate", "msg/s", &target, rate);
	run->seconds = seconds;
	if (!r->g->brief)
		memcpy(bench_run_series(run, out->interval, out->intervals),
		    out->series, out->intervals * sizeof(double));
	check_keeps_up(r, run);
}

static void
add_point(const struct rows *r, const char *end, const struct target *target,
    double ns)
{
	char *name = mem_format("seen%s", end);

	(void)add(r, name, "ns", target, ns);
	free(name);
}

/* What all followers got together. */
static void
add_delivered(const struct rows *r)
{
	const struct target one = { "33", "> 10,000 msg/s", TARGET,
		r->g->delivered };
	const struct traffic_outcome *out = r->out;
	double seconds = measured(r, out->receive_seconds);
	struct bench_run *run;

	if (out->receive_seconds <= 0)
		return;
	run = add(r, "delivered", "msg/s",
	    r->g->delivered > 0 ? &one : &no_target,
	    (double)out->seen_service.total / seconds);
	run->ops = out->seen_service.total;
	run->seconds = seconds;
}

/* The median with its histograms, and how far the others are from it. */
static void
add_seen(const struct rows *r)
{
	static const struct {
		const char *name;
		double percent;
		struct target target;
	} points[] = {
		{ "-p95", 95, { "32", "< 20 ms", TARGET, 20e6 } },
		{ "-p99", 99, { "32", "< 50 ms", TARGET, 50e6 } },
		{ "-p99.9", 99.9, { "32", "< 100 ms", TARGET, 100e6 } },
		{ "-p99.99", 99.99, { "", "", "", NAN } },
	};
	static const struct target half = { "32", "< 5 ms", TARGET, 5e6 };
	static const struct target local = { "42", "< 1 ms", TARGET, 1e6 };
	struct bench_run *run = add(r, "seen", "ns",
	    r->g->latency     ? &half
		: r->g->local ? &local
			      : &no_target,
	    at(&r->out->seen, 50));

	hist_merge(bench_run_latency(run), &r->out->seen);
	hist_merge(bench_run_service(run), &r->out->seen_service);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (!r->g->brief || points[i].percent == 99)
			add_point(r, points[i].name,
			    r->g->latency ? &points[i].target : &no_target,
			    at(&r->out->seen, points[i].percent));
	if (!r->g->brief)
		add_point(r, "-max", &no_target, (double)r->out->seen.max);
}

static void
add_ack(const struct rows *r)
{
	const struct target cited = { r->g->ack_rows, r->g->ack_text,
		r->g->ack_hides, NAN };
	const struct traffic_outcome *out = r->out;
	struct bench_run *run = add(r, "ack", "ns",
	    r->g->ack_rows != NULL ? &cited : &no_target, at(&out->ack, 50));

	hist_merge(bench_run_latency(run), &out->ack);
	hist_merge(bench_run_service(run), &out->ack_service);
}

/* Of everybody, the senders' and readers' checks included. */
static void
add_resources(const struct rows *r)
{
	static const struct target cpu = { "34", "< 1 core", TARGET, 1 };
	static const struct target memory = { "34", "< 500 MB", TARGET, 500e6 };
	const struct traffic_outcome *out = r->out;
	double parts = (double)out->sent / PER;

	if (out->sent == 0)
		return;
	(void)add(r, "cpu-per-10k", "cores",
	    r->g->resources ? &cpu : &no_target, out->cost.cpu_seconds / parts);
	if (out->cost.rss_unknown)
		return;
	(void)add(r, "memory-per-10k", "B",
	    r->g->resources ? &memory : &no_target,
	    (double)out->cost.rss_sum / (parts / out->elapsed));
}

void
traffic_rows(const struct bench_ctx *ctx, struct bench_result *result,
    const char *name, const struct traffic *t, const struct traffic_goals *g,
    const struct traffic_outcome *out)
{
	const struct rows r = { ctx, result, name, t, g, out };
	struct bench_run *run;

	if (out->sent == 0)
		return;
	run = add(&r, "lost", "messages", &no_target, (double)out->wrong);
	if (out->wrong > 0) {
		bench_run_fail(run,
		    "%" PRIu64 " messages are wrong or were not reached: %s",
		    out->wrong, out->why);
		return;
	}
	if (out->acked == 0)
		return;
	add_rate(&r);
	if (out->ack.total > 0)
		add_ack(&r);
	add_seen(&r);
	add_delivered(&r);
	if (!g->brief)
		add_resources(&r);
}
