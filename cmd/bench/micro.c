/*
 * micro.c - one operation, again and again: nanoseconds, allocations.
 */
#include "bench/micro.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/alloc.h"
#include "bench/work.h"

enum {
	WARM_NS = 100000000,
	WARM_QUICK_NS = 2000000,
	RUN_NS = 1000000000,
	RUN_QUICK_NS = 20000000,
};

uint64_t
micro_n(const struct bench_ctx *ctx, const struct micro *m)
{
	return ctx->options->quick && m->quick_n != 0 ? m->quick_n : m->n;
}

void
micro_workload(struct bench_measure *m, const char *words)
{
	while (words != NULL && *words != '\0') {
		char name[64];
		const char *equal = strchr(words, '=');
		int len = (int)strcspn(equal + 1, " ");

		(void)snprintf(name, sizeof(name), "%.*s", (int)(equal - words),
		    words);
		bench_measure_param(m, name, "%.*s", len, equal + 1);
		words = equal + 1 + len;
		words += *words == ' ';
	}
}

/* Double the count until it takes as long as that; the operations that fit
 * into a run of run_ns. */
static uint64_t
warm_up(const struct micro *m, void *state, uint64_t warm_ns, uint64_t run_ns)
{
	uint64_t count = 1, took;
	double ops;

	for (;;) {
		uint64_t begun = work_now();

		m->op(state, count);
		took = work_now() - begun;
		if (took >= warm_ns || (m->most != 0 && count * 4 > m->most))
			break;
		count *= 2;
	}
	ops = (double)count * (double)run_ns / (double)(took == 0 ? 1 : took);
	if (m->most != 0 && ops > (double)m->most)
		return m->most;
	return ops < 1 ? 1 : (uint64_t)ops;
}

static void
measure(const struct micro *m, void *state, struct bench_run *run)
{
	struct alloc_count before, after;
	uint64_t begun, cpu = work_cpu();

	before = alloc_now();
	begun = work_now();
	m->op(state, run->ops);
	run->seconds = (double)(work_now() - begun) / 1e9;
	after = alloc_now();
	run->cpu_seconds = (double)(work_cpu() - cpu) / 1e9;
	run->allocs_per_op =
	    (double)(after.calls - before.calls) / (double)run->ops;
	run->alloc_bytes_per_op =
	    (double)(after.bytes - before.bytes) / (double)run->ops;
	run->bytes = m->bytes * run->ops;
	run->value = m->bytes == 0
	    ? run->seconds * 1e9 / (double)run->ops
	    : (double)run->bytes / run->seconds / (1 << 20);
}

void
micro_run(const struct bench_ctx *ctx, struct bench_result *result)
{
	const struct micro *m = ctx->scenario->arg;
	const struct bench_options *o = ctx->options;
	struct bench_measure *measured = bench_measure_of(ctx, result, NULL,
	    m->bytes == 0 ? "ns/op" : "MiB/s", m->bytes != 0);
	char why[BENCH_WHY_SIZE] = "";
	struct bench_run *run;
	void *state = m->open(ctx, m);
	uint64_t run_ns = o->duration_us != 0 ? o->duration_us * 1000
	    : o->quick                        ? RUN_QUICK_NS
					      : RUN_NS;

	micro_workload(measured, m->workload);
	if (m->quick_n != 0)
		bench_measure_param(measured, "n", "%" PRIu64, micro_n(ctx, m));
	run = bench_measure_run(measured);
	run->ops =
	    warm_up(m, state, o->quick ? WARM_QUICK_NS : WARM_NS, run_ns);
	measure(m, state, run);
	m->close(state, why);
	if (why[0] != '\0')
		bench_run_fail(run, "%s", why);
}
