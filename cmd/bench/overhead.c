/*
 * overhead.c - the scenario "tool": what measuring itself costs.
 */
#include "bench/overhead.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "bench/mem.h"

enum { OPS = 5000000, OPS_QUICK = 500000, WARM_UP = 10 }; /* 1/10 of them */

struct state {
	struct hist *hist;
	uint64_t number; /* spreads what is added over the buckets */
};

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The compiler may not see through the call of an operation. */
static void
empty(struct state *s)
{
	__asm__ volatile("" : : "r"(s) : "memory");
}

static void
ask_time(struct state *s)
{
	s->number += clock_ns(CLOCK_MONOTONIC);
}

static void
add_value(struct state *s)
{
	s->number = s->number * 6364136223846793005u + 1442695040888963407u;
	hist_add(s->hist, s->number >> 44, 1);
}

static void
measure(const struct bench_ctx *ctx, struct bench_result *result,
    const char *name, void (*operation)(struct state *))
{
	struct bench_measure *m =
	    bench_result_measure(result, "tool", name, "ns/op", false);
	struct bench_run *run = bench_measure_run(m);
	uint64_t ops = ctx->options->quick ? OPS_QUICK : OPS, begun, cpu;
	struct state s = { .hist = mem_new(1, sizeof(*s.hist)), .number = 1 };
	void (*volatile call)(struct state *) = operation;

	bench_measure_cite(m, "", "", "not subtracted from anything");
	bench_measure_param(m, "ops", "%" PRIu64, ops);
	hist_init(s.hist);
	for (uint64_t i = 0; i < ops / WARM_UP; i++)
		call(&s);
	cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	begun = clock_ns(CLOCK_MONOTONIC);
	for (uint64_t i = 0; i < ops; i++)
		call(&s);
	run->seconds = (double)(clock_ns(CLOCK_MONOTONIC) - begun) / 1e9;
	run->cpu_seconds =
	    (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9;
	run->ops = ops;
	run->value = run->seconds * 1e9 / (double)ops;
	if (operation == add_value && s.hist->total != ops + ops / WARM_UP)
		bench_run_fail(run,
		    "%" PRIu64 " values were counted, not %" PRIu64,
		    s.hist->total, ops + ops / WARM_UP);
	free(s.hist);
}

void
overhead_run(const struct bench_ctx *ctx, struct bench_result *result)
{
	measure(ctx, result, "tool/empty", empty);
	measure(ctx, result, "tool/clock", ask_time);
	measure(ctx, result, "tool/histogram", add_value);
}
