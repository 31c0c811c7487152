/*
 * sc_e2e.c - scenarios: from the process that appends to the one that follows.
 */
#include "bench/sc_e2e.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "bench/mem.h"
#include "bench/traffic_rows.h"
#include "common/stop.h"

enum { RATE = 1000, SIZE = 43, BATCH = 100, MOST = 1000 };

#define SECONDS 5.0
#define QUICK 1.0
#define STEP 2.0 /* of a curve */
#define STEP_QUICK 0.5
#define WARM_UP 0.2 /* of the time */

const struct e2e e2e_durable = { .durable = true };
const struct e2e e2e_published = { .durable = false };
const struct e2e e2e_batches = { .durable = true, .batches = true };

static const unsigned counts[] = { 1, 2, 4, 8, 16 };

static double
seconds_of(const struct bench_options *o, double full, double quick)
{
	if (o->duration_us > 0)
		return (double)o->duration_us / 1e6;
	return o->quick ? quick : full;
}

void
e2e_latency(const struct bench_ctx *ctx, struct bench_result *result)
{
	const struct bench_options *o = ctx->options;
	const struct e2e *e = ctx->scenario->arg;
	struct traffic_goals goals = { .keep_up = true,
		.latency = e->durable,
		.local = !e->durable,
		.plain = true };
	double seconds = seconds_of(o, SECONDS, QUICK);
	struct traffic t = { .dir = ctx->directory,
		.warm_up = seconds * WARM_UP,
		.producers = 1,
		.consumers = 1,
		.size_min = SIZE,
		.size_max = SIZE,
		.durable = e->durable,
		.batch = MOST };
	struct traffic_outcome *out;

	traffic_options(&t, o);
	if (!t.durable) {
		goals.ack_rows = "1,22,26";
		goals.ack_text = "25.1 us; Kafka 0.5 to 5 ms";
		goals.ack_hides = "acknowledged from a buffer in memory, "
				  "over TCP to the same machine";
	}
	t.rate = o->rate > 0 ? (double)o->rate : RATE;
	schedule_steady(&t.schedule, t.rate, seconds);
	schedule_warm_up(&t.schedule, t.rate, t.warm_up);
	out = traffic_run(&t);
	traffic_rows(ctx, result, "", &t, &goals, out);
	free(out);
}

/* One point of a curve, in a directory of its own. */
static void
measure_point(const struct bench_ctx *ctx, struct bench_result *result,
    const struct traffic *as, const struct traffic_goals *goals, unsigned count)
{
	char *dir = mem_format("%s/%u", ctx->directory, count);
	char *name = mem_format("%u/", count);
	struct traffic t = *as;
	struct traffic_outcome *out;

	if (mkdir(dir, 0777) < 0)
		work_fail("%s: cannot be made", dir);
	t.dir = dir;
	out = traffic_run(&t);
	traffic_rows(ctx, result, name, &t, goals, out);
	free(out);
	free(name);
	free(dir);
}

static void
measure_curve(const struct bench_ctx *ctx, struct bench_result *result,
    bool producers)
{
	const struct bench_options *o = ctx->options;
	const struct e2e *e = ctx->scenario->arg;
	double seconds = seconds_of(o, STEP, STEP_QUICK);
	struct traffic t = { .producers = 1,
		.consumers = 1,
		.size_min = SIZE,
		.size_max = SIZE,
		.durable = e->durable,
		.warm_up = seconds * WARM_UP,
		.batch = e->batches ? BATCH : 1 };

	traffic_options(&t, o);
	t.schedule.seconds = seconds + t.warm_up;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct traffic_goals goals = { .brief = true, .plain = true };

		*(producers ? &t.producers : &t.consumers) = counts[i];
		/* What is expected of one, with the batches of the published
		 * client, of up to a hundred. */
		if (counts[i] == 1 && e->batches)
			goals.rate = goals.delivered = 10000;
		if (goals.rate > 0)
			goals.rate_text = "> 10,000 msg/s";
		measure_point(ctx, result, &t, &goals, counts[i]);
		if (stop_wanted())
			break;
	}
}

void
e2e_producers(const struct bench_ctx *ctx, struct bench_result *result)
{
	measure_curve(ctx, result, true);
}

void
e2e_consumers(const struct bench_ctx *ctx, struct bench_result *result)
{
	measure_curve(ctx, result, false);
}
