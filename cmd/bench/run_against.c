/*
 * run_against.c - two builds that take turns, and what differs.
 *
 * Each run is a process of its own on both sides, so that both pay the same for
 * starting, and nothing of a run is left for the next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/compare.h"
#include "bench/load.h"
#include "bench/mem.h"
#include "bench/proc.h"
#include "bench/run.h"
#include "common/report.h"
#include "common/stop.h"

enum { WORDS = 32 };

/* One of the two. */
struct side {
	const char *program;
	struct bench_result *result; /* NULL: none yet */
	char *path;                  /* where it goes */
};

struct command {
	const char *argv[WORDS];
	char text[WORDS][32];
	size_t n;
};

static void
word(struct command *c, const char *name, const char *value)
{
	if (value == NULL)
		return;
	c->argv[c->n++] = name;
	c->argv[c->n++] = value;
}

static void
number(struct command *c, const char *name, uint64_t value, const char *unit)
{
	if (value == 0)
		return;
	(void)snprintf(c->text[c->n], sizeof(c->text[0]), "%" PRIu64 "%s",
	    value, unit);
	word(c, name, c->text[c->n]);
}

/* What the command line says; what a file says is read by both. */
static void
make_command(struct command *c, const char *program,
    const struct bench_options *o, const char *operand, const char *output)
{
	c->n = 0;
	c->argv[c->n++] = program;
	c->argv[c->n++] = "run";
	c->argv[c->n++] = "--runs=1";
	if (o->quick)
		c->argv[c->n++] = "--quick";
	word(c, "--directory", o->directory);
	word(c, "--output", output);
	word(c, "--size", o->size);
	word(c, "--keys", o->keys);
	if (o->sync != BENCH_SYNC_DEFAULT)
		word(c, "--sync",
		    o->sync == BENCH_SYNC_BATCH ? "batch" : "none");
	number(c, "--duration", o->duration_us, "us");
	number(c, "--rate", o->rate, "");
	number(c, "--producers", o->producers, "");
	number(c, "--consumers", o->consumers, "");
	number(c, "--seed", o->seed, "");
	number(c, "--spike-rate", o->spike_rate, "");
	number(c, "--spike-duration", o->spike_us, "us");
	c->argv[c->n++] = "--";
	c->argv[c->n++] = operand;
	c->argv[c->n] = NULL;
}

/* The runs of one more result, which is used up. */
static void
absorb(struct side *side, struct bench_result *more)
{
	struct bench_result *r = side->result;

	if (r == NULL) {
		side->result = more;
		return;
	}
	for (size_t i = 0; i < more->measure_count; i++) {
		struct bench_measure *from = more->measures[i], *to;

		to = bench_result_measure(r, from->scenario, from->name,
		    from->unit, from->higher_is_better);
		if (to->run_count == 0) {
			bench_measure_cite(to, from->rows, from->published,
			    from->hides);
			for (size_t k = 0; k < from->param_count; k++)
				bench_measure_param(to, from->params[k].name,
				    "%s", from->params[k].value);
		}
		for (size_t k = 0; k < from->run_count; k++) {
			to->runs = mem_grow(to->runs, to->run_count,
			    sizeof(to->runs[0]));
			to->runs[to->run_count++] = from->runs[k];
		}
		from->run_count = 0;
	}
	r->partial |= more->partial;
	bench_result_free(more);
}

static enum exit_status
run_side(struct side *side, const struct bench_options *o, const char *operand)
{
	char *output = mem_format("%s.run", side->path);
	const struct proc_files files = { .in = NULL };
	char why[BENCH_WHY_SIZE];
	struct bench_result *r;
	struct command c;
	int status;

	make_command(&c, side->program, o, operand, output);
	status = proc_wait(proc_spawn(c.argv, &files), NULL);
	r = load_result(output, why);
	(void)unlink(output);
	free(output);
	if (r == NULL) {
		report_fail("%s %s: no result (status %d)", side->program,
		    operand, status >> 8 & 255);
		return EXIT_FAILED;
	}
	absorb(side, r);
	return status == 0 ? EXIT_DONE : EXIT_COND;
}

/* Which of the two is first changes with every run. */
static enum exit_status
run_all(struct side side[static 2], const struct bench_options *o,
    const struct plan *p)
{
	enum exit_status status = EXIT_DONE;
	uint64_t most, steps = run_steps(p, &most), step = 0;
	size_t outer = o->interleave ? most : p->count;
	size_t inner = o->interleave ? p->count : most;

	for (size_t a = 0; a < outer; a++)
		for (size_t b = 0; b < inner && !stop_wanted(); b++) {
			const struct plan_item *item =
			    &p->items[o->interleave ? b : a];
			size_t run = o->interleave ? a : b;

			if (run >= run_count(item))
				continue;
			report_step(step, steps, (double)step / (double)steps,
			    item->scenario.name);
			for (size_t k = 0; k < 2; k++)
				status = report_worse(status,
				    run_side(&side[(k + run) % 2], o,
					item->operand));
			step++;
		}
	report_progress_end();
	return status;
}

static enum exit_status
write_side(struct side *side, bool cut_short)
{
	char why[BENCH_WHY_SIZE];

	if (side->result == NULL) {
		report_fail("%s: nothing was measured", side->program);
		return EXIT_FAILED;
	}
	side->result->partial |= cut_short;
	if (bench_result_write(side->result, side->path, why) == 0)
		return EXIT_DONE;
	report_fail("%s", why);
	return EXIT_FAILED;
}

enum exit_status
run_against(const struct bench_options *o, const struct plan *p)
{
	char *directory = run_directory(o), *folder = run_folder();
	char *own = mem_format("%s/sblog-bench", folder);
	struct compare_options compare = { .limits = { 0.05, 0.03 },
		.json = o->json,
		.fail = o->fail };
	const char *at = o->output;
	struct side side[2] = { { .program = o->against }, { .program = own } };
	enum exit_status status = EXIT_FAILED;

	free(folder);
	if (directory != NULL) {
		side[0].path = at != NULL ? mem_format("%s.against", at)
					  : mem_format("%s/base", directory);
		side[1].path =
		    at != NULL ? mem_text(at) : mem_format("%s/new", directory);
		status = run_all(side, o, p);
		for (int i = 0; i < 2; i++)
			status = report_worse(status,
			    write_side(&side[i], stop_wanted()));
		if (side[0].result != NULL && side[1].result != NULL)
			status = report_worse(status,
			    bench_compare(&compare, side[0].path,
				side[1].path));
		status = report_worse(status, run_remove(directory));
	}
	for (int i = 0; i < 2; i++) {
		bench_result_free(side[i].result);
		free(side[i].path);
	}
	free(own);
	free(directory);
	return status;
}
