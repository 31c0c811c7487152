/*
 * sc_load.c - scenarios: a load for some time, as published load tests ask for.
 */
#include "bench/sc_load.h"

#include <math.h>
#include <stdlib.h>

#include "bench/traffic_rows.h"

enum {
	BATCH = 1000,          /* messages of an append at most */
	BATCH_BYTES = 4 << 20, /* and bytes */
	CLOSED = 100,          /* messages of one, without a rate */
};

#define QUICK 1.0   /* seconds */
#define SPIKE 0.1   /* of the time */
#define WARM_UP 0.2 /* of the time, */
#define WARM_UP_MOST 1.0

const struct load load_throughput = { .rate = 10000,
	.producers = 10,
	.consumers = 10,
	.size = 1024,
	.seconds = 10,
	.latency = true };
const struct load load_latency = { .rate = 10000,
	.producers = 5,
	.consumers = 5,
	.size = 100,
	.seconds = 10,
	.latency = true };
const struct load load_stress = { .rate = 50000,
	.producers = 20,
	.consumers = 20,
	.size = 1024,
	.seconds = 10 };
const struct load load_soak = { .rate = 5000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 30,
	.keep = true,
	.commit = true,
	.latency = true };
const struct load load_spike = { .rate = 1000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 10,
	.spike_rate = 10000,
	.latency = true };
const struct load load_mixed = { .rate = 50000,
	.producers = 20,
	.consumers = 20,
	.size = 512,
	.seconds = 10,
	.scanners = 2,
	.keep = true,
	.commit = true };
const struct load load_sustained = { .rate = 10000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 30,
	.latency = true };
const struct load load_burst = { .rate = 10000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 10,
	.burst = 1 };
const struct load load_small = { .rate = 5000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 10,
	.latency = true,
	.cpus = 2 };
const struct load load_medium = { .rate = 20000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 10,
	.latency = true,
	.cpus = 4 };
const struct load load_large = { .rate = 100000,
	.producers = 5,
	.consumers = 5,
	.size = 1024,
	.seconds = 10,
	.latency = true,
	.cpus = 8 };
const struct load load_one = { .rate = 10000,
	.producers = 1,
	.consumers = 1,
	.size = 1024,
	.seconds = 10,
	.latency = true,
	.resources = true };
const struct load load_most = { .producers = 4,
	.consumers = 1,
	.size = 1024,
	.seconds = 5,
	.least = 100000 };

static double
seconds_of(uint64_t us)
{
	return (double)us / 1e6;
}

static void
plan_schedule(struct traffic *t, const struct load *l,
    const struct bench_options *o, double seconds)
{
	t->rate = o->rate > 0 ? (double)o->rate : l->rate;
	t->spike_rate =
	    o->spike_rate > 0 ? (double)o->spike_rate : l->spike_rate;
	t->schedule.seconds = seconds + t->warm_up;
	if (t->rate <= 0)
		return;
	if (t->spike_rate > 0) {
		t->spike_seconds =
		    o->spike_us > 0 ? seconds_of(o->spike_us) : seconds * SPIKE;
		schedule_spike(&t->schedule, t->rate, seconds, t->spike_rate,
		    t->spike_seconds);
	} else if (l->burst > 0) {
		t->burst = fmin(l->burst, seconds / 4);
		schedule_burst(&t->schedule, t->rate, seconds, t->burst);
	} else {
		schedule_steady(&t->schedule, t->rate, seconds);
	}
	schedule_warm_up(&t->schedule, t->rate, t->warm_up);
}

void
load_run(const struct bench_ctx *ctx, struct bench_result *result)
{
	const struct bench_options *o = ctx->options;
	const struct load *l = ctx->scenario->arg;
	double seconds = o->duration_us > 0 ? seconds_of(o->duration_us)
	    : o->quick                      ? QUICK
					    : l->seconds;
	bool meant = result->cpus >= l->cpus;
	struct traffic_goals goals = {
		.rate = meant ? l->least : 0,
		.latency = meant && l->latency,
		.resources = meant && l->resources,
	};
	struct traffic t = { .dir = ctx->directory,
		.warm_up = fmin(WARM_UP_MOST, seconds * WARM_UP),
		.producers = l->producers,
		.consumers = l->consumers,
		.scanners = l->scanners,
		.size_min = l->size,
		.size_max = l->size,
		.durable = true,
		.keep = l->keep,
		.commit = l->commit };
	struct traffic_outcome *out;

	traffic_options(&t, o);
	plan_schedule(&t, l, o, seconds);
	goals.keep_up = meant && t.rate > 0;
	t.batch = t.rate > 0 ? BATCH : CLOSED;
	if (t.batch * t.size_max > BATCH_BYTES)
		t.batch = (uint32_t)(BATCH_BYTES / t.size_max);
	out = traffic_run(&t);
	traffic_rows(ctx, result, "", &t, &goals, out);
	free(out);
}
