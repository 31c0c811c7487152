/*
 * sim.c - many processes at one topic, every order of their steps.
 *
 *	sim --pair A,B,START,I,J | --triple A,B,C,START,I,K
 *	sim [--seed N] [--runs N] [--pairs N] [--trace] [--workers N] [--stop]
 *
 * First all pairs of operations, with at most --pairs interruptions at every
 * point where there can be one; then --runs schedules at random: 2 to 6
 * processes, some killed, sometimes the power fails.  The schedule is a
 * function of the seed alone: "sim --seed N" repeats one, --trace shows it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cut.h"
#include "common/ops.h"
#include "common/report.h"
#include "common/sched.h"

enum {
	STARTS = 8,
	SCRIPTS = 6,
	SCRIPT_OPS = 3,
	BOOT = 99,
	ARENA = 64 << 20,
	LAST_POINTS = 90,   /* of an append: its batch and its sync */
	TRIPLE_KILLS = 100, /* a seal has fewer points before its WAL */

	/* counts of a report */
	N_RUNS = 0,
	N_POINTS,
	N_SWITCHES,
	N_KILLS,
	N_CUTS,
	N_PAIRS,
	N_TRIPLES,
};

/* What a process does, one operation after the other. */
struct script {
	const struct op *ops[SCRIPT_OPS];
	unsigned count;
};

static struct {
	struct fs fs;
	struct world world;
	uint64_t now;
} begin_at[STARTS];

static struct fs fs_work, fs_after;
static struct script scripts[SCRIPTS];

static struct {
	uint64_t seed, runs;
	unsigned pairs, workers;
	bool trace, stop, single;
	const char *pair;   /* A,B,START,I,J */
	const char *triple; /* A,B,C,START,I,K */
} options = { .seed = 1, .runs = 10000, .pairs = 1, .workers = 2 };

static unsigned me;

/* ---- one schedule ---- */

static void
do_script(void *arg)
{
	const struct script *s = arg;

	for (unsigned i = 0; i < s->count; i++) {
		if (sim.trace)
			printf("# %td begins: %s\n", sim.cur - sim.procs,
			    s->ops[i]->name);
		s->ops[i]->run();
		if (sim_leaks(sim.cur) != 0)
			world_bad("%s keeps %zu blocks or descriptors",
			    s->ops[i]->name, sim_leaks(sim.cur));
	}
}

static void
do_op(void *arg)
{
	((const struct op *)arg)->run();
}

static const struct op *
named(const char *name, size_t len)
{
	for (size_t i = 0; i < op_count; i++)
		if (strlen(ops[i].name) == len &&
		    strncmp(ops[i].name, name, len) == 0)
			return &ops[i];
	printf("Bail out! no operation \"%.*s\"\n", (int)len, name);
	exit(1);
}

static void
make_start(void *arg)
{
	(*(void (**)(void))arg)();
}

static void
make_starts(void)
{
	for (size_t i = 0; i < start_count; i++) {
		void (*make)(void) = starts[i].make;

		fs_init(&begin_at[i].fs, 4 << 20);
		fs_clear(&fs_work);
		memset(&world, 0, sizeof(world));
		sim_boot(&fs_work, BOOT);
		fs_link(&fs_work, FS_ROOT, "store", fs_new(&fs_work, true));
		sim_call(make_start, &make);
		world.created = world.creating = 0;
		fs_copy(&begin_at[i].fs, &fs_work);
		begin_at[i].world = world;
		begin_at[i].now = sim.now;
	}
}

/* The machine as it was when the topic had been made; cold: booted since. */
static void
restart(size_t start, uint64_t seed, bool cold)
{
	fs_copy(&fs_work, &begin_at[start].fs);
	world = begin_at[start].world;
	sim_boot(&fs_work, seed);
	sim.now = begin_at[start].now;
	if (!cold)
		sim.boot = BOOT * 2 + 1;
}

static uint32_t
choose_random(void *arg, uint32_t n)
{
	return (uint32_t)(sim_random(arg) % n);
}

/* The power has failed: see what is left, and let two look at it at once. */
static void
after_cut(uint64_t *seed)
{
	const struct sim_plan none = { 0 };
	struct sim_plan plan = { .one_in = 8, .words = true };
	static struct script again[2];
	uint64_t r = sim_random(seed);
	uint64_t end;

	fs_remember(&fs_work);
	cut_make(&fs_after, &fs_work, (enum cut_profile)(r % CUT_PROFILES),
	    choose_random, seed);
	world.disturbed = true;
	world.acked_end = world.seen_end = 0;
	fs_after.track = false;
	sim_boot(&fs_after, *seed);
	sim.now = r >> 40;
	sim.plan = none;
	if (sim.trace)
		printf("# the power fails\n");
	sim_call(do_op, (void *)(uintptr_t)named("read", 4));
	end = world.seen_end;
	world_after_cut(end);
	r /= CUT_PROFILES;
	if (r % 2 == 0)
		return;
	for (int i = 0; i < 2; i++) {
		again[i].count = 1;
		again[i].ops[0] = &ops[sim_random(seed) % op_count];
		if ((again[i].ops[0]->flags & (OP_REMOVES | OP_CREATES)) != 0)
			again[i].ops[0] = named("append", 6);
		(void)sim_spawn(do_script, &again[i]);
	}
	plan.seed = sim_random(seed) | 1;
	if (!sim_run(&plan))
		world_bad("processes wait for each other after a cut");
}

static void
one_schedule(const struct sim_plan *plan, unsigned n, uint64_t *seed)
{
	fs_work.track = plan->cut_at != 0;
	for (unsigned i = 0; i < n; i++)
		(void)sim_spawn(do_script, &scripts[i]);
	if (!sim_run(plan)) {
		world_bad(sim.stuck ? "processes do not come to an end"
				    : "processes wait for each other");
		return;
	}
	report->count[me][N_RUNS]++;
	report->count[me][N_POINTS] += sim.points;
	report->count[me][N_SWITCHES] += sim.switches;
	for (int i = 0; i < SIM_PROCS; i++) {
		if (sim.procs[i].state != SIM_KILLED)
			continue;
		world.disturbed = true;
		report->count[me][N_KILLS]++;
	}
	if (sim.cut) {
		report->count[me][N_CUTS]++;
		if (fs_work.overflow)
			return;
		after_cut(seed);
	}
	sim_call(ops_final, NULL);
}

/* ---- at random ---- */

static void
choose_scripts(unsigned n, uint64_t *seed)
{
	for (unsigned i = 0; i < n; i++) {
		struct script *s = &scripts[i];

		s->count = 1 + (unsigned)(sim_random(seed) % SCRIPT_OPS);
		for (unsigned k = 0; k < s->count; k++) {
			do
				s->ops[k] = &ops[sim_random(seed) % op_count];
			while ((s->ops[k]->flags & (OP_REMOVES | OP_CREATES)) !=
				0 &&
			    !world.loose);
		}
	}
}

static void
random_schedule(uint64_t first_seed)
{
	static const uint32_t one_in[] = { 2, 4, 8, 16, 32, 64, 128, 256 };
	uint64_t seed = first_seed * 1000003, r = sim_random(&seed);
	unsigned n = 2 + (unsigned)(r % 5);
	uint64_t length;
	struct sim_plan plan = {
		.one_in = one_in[r / 8 % 8],
		.words = r / 64 % 4 == 0,
		.tear = r / 256 % 2 == 0,
		.clock = r / 512 % 4 == 0,
	};

	(void)snprintf(world_where, sizeof(world_where), "sim --seed %llu",
	    (unsigned long long)first_seed);
	memcpy(report->where[me], world_where, sizeof(world_where));
	restart(r / 2048 % start_count, first_seed, r / 16384 % 4 == 0);
	world.loose = r / 65536 % 8 == 0;
	choose_scripts(n, &seed);
	length = (uint64_t)n * 60 * (plan.words ? 5 : 1);
	r = sim_random(&seed);
	if (r % 2 == 0)
		plan.kill_at = 1 + r / 16 % length;
	if (r % 8 == 0)
		plan.kill_again = 1 + r / 65536 % length;
	r = sim_random(&seed);
	if (r % 4 == 0)
		plan.cut_at = 1 + r / 4 % length;
	plan.seed = sim_random(&seed) | 1;
	one_schedule(&plan, n, &seed);
}

/* ---- all pairs ---- */

/* Two operations, interrupted after i points and after j; 0: not. */
static void
pair_schedule(const struct op *a, const struct op *b, size_t start, uint64_t i,
    uint64_t j)
{
	const struct sim_plan plan = { .switch_at = { i, j } };
	uint64_t seed = 1;

	(void)snprintf(world_where, sizeof(world_where),
	    "sim --pair %s,%s,%zu,%llu,%llu", a->name, b->name, start,
	    (unsigned long long)i, (unsigned long long)j);
	memcpy(report->where[me], world_where, sizeof(world_where));
	restart(start, 5, false);
	world.loose = ((a->flags | b->flags) & OP_REMOVES) != 0;
	scripts[0] = (struct script){ .ops = { a }, .count = 1 };
	scripts[1] = (struct script){ .ops = { b }, .count = 1 };
	one_schedule(&plan, 2, &seed);
	report->count[me][N_PAIRS]++;
}

/* Whoever is interrupted goes on when the other one has ended or waits, so an
 * interruption is one while somebody has not ended yet. */
static void
pair(const struct op *a, const struct op *b, size_t start)
{
	uint64_t last;

	pair_schedule(a, b, start, 0, 0);
	last = sim.first_end;
	for (uint64_t i = 1; i <= last && options.pairs > 0; i++) {
		uint64_t end;

		pair_schedule(a, b, start, i, 0);
		end = sim.first_end;
		if (sim.switches == 0)
			continue; /* the other one could not go on */
		for (uint64_t j = i + 1; j <= end && options.pairs > 1; j++)
			pair_schedule(a, b, start, i, j);
		if (options.stop && world_violations > 0)
			return;
	}
}

/* ---- three, of which one is killed ---- */

/* The first one stops after i points, the second one is killed after k more,
 * the third one works to its end, then the first one goes on. */
static void
triple_schedule(const struct op *const three[3], size_t start, uint64_t i,
    uint64_t k)
{
	const struct sim_plan plan = { .switch_at = { i }, .kill_at = i + k };
	uint64_t seed = 1;

	(void)snprintf(world_where, sizeof(world_where),
	    "sim --triple %s,%s,%s,%zu,%llu,%llu", three[0]->name,
	    three[1]->name, three[2]->name, start, (unsigned long long)i,
	    (unsigned long long)k);
	memcpy(report->where[me], world_where, sizeof(world_where));
	restart(start, 5, false);
	for (int n = 0; n < 3; n++)
		scripts[n] = (struct script){ .ops = { three[n] }, .count = 1 };
	one_schedule(&plan, 3, &seed);
	report->count[me][N_TRIPLES]++;
}

/* Appenders that are about to sync, while a rotation dies. */
static void
triples(unsigned worker)
{
	const struct op *const first[] = { named("append-twice", 12),
		named("append-run", 10) };
	const struct op *const last[] = { named("append", 6),
		named("append-none", 11) };
	size_t turn = 0;

	for (int n = 0; n < 4; n++) {
		const struct op *const three[3] = { first[n / 2],
			named("seal", 4), last[n % 2] };
		uint64_t length;

		pair_schedule(three[0], three[2], 1, 0, 0);
		length = sim.first_end;
		/* What comes before its last batch is its own affair. */
		for (uint64_t i = length > LAST_POINTS ? length - LAST_POINTS
						       : 1;
		     i <= length; i++) {
			if (turn++ % report->workers != worker)
				continue;
			for (uint64_t k = 1; k < TRIPLE_KILLS; k++)
				triple_schedule(three, 1, i, k);
			if (options.stop && world_violations > 0)
				return;
		}
	}
}

/* ---- */

static void
work(unsigned worker)
{
	size_t turn = 0;

	me = worker;
	for (size_t s = 0; s < start_count; s++)
		for (size_t a = 0; a < op_count; a++)
			for (size_t b = 0; b < op_count; b++) {
				if (turn++ % report->workers != worker)
					continue;
				if (options.pairs > 0)
					pair(&ops[a], &ops[b], s);
				if (options.stop && world_violations > 0)
					return;
			}
	if (options.pairs > 0)
		triples(worker);
	for (uint64_t i = worker; i < options.runs; i += report->workers) {
		random_schedule(options.seed + i);
		if (options.stop && world_violations > 0)
			return;
	}
}

static void
one_pair(const char *text)
{
	const char *a = text, *b = strchr(a, ',');
	const char *rest = b ? strchr(b + 1, ',') : NULL;
	unsigned long start;
	unsigned long long i, j;

	if (rest == NULL ||
	    sscanf(rest, ",%lu,%llu,%llu", &start, &i, &j) != 3 ||
	    start >= start_count) {
		printf("Bail out! --pair A,B,START,I,J\n");
		exit(1);
	}
	pair_schedule(named(a, (size_t)(b - a)),
	    named(b + 1, (size_t)(rest - b - 1)), start, i, j);
}

static void
one_triple(const char *text)
{
	const struct op *three[3];
	unsigned long start;
	unsigned long long i, k;

	for (int n = 0; n < 3; n++) {
		size_t len = strcspn(text, ",");

		three[n] = named(text, len);
		text += len + (text[len] == ',');
	}
	if (sscanf(text, "%lu,%llu,%llu", &start, &i, &k) != 3 ||
	    start >= start_count) {
		printf("Bail out! --triple A,B,C,START,I,K\n");
		exit(1);
	}
	triple_schedule(three, start, i, k);
}

static void
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "runs", required_argument, NULL, 'n' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "pair", required_argument, NULL, 'P' },
		{ "triple", required_argument, NULL, 'T' },
		{ "workers", required_argument, NULL, 'w' },
		{ "trace", no_argument, NULL, 't' },
		{ "stop", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	bool seed = false, runs = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (c == 's') {
			options.seed = n;
			seed = true;
		} else if (c == 'n') {
			options.runs = n;
			runs = true;
		} else if (c == 'p') {
			options.pairs = (unsigned)n;
		} else if (c == 'P') {
			options.pair = optarg;
		} else if (c == 'T') {
			options.triple = optarg;
		} else if (c == 'w') {
			options.workers = n > 0 ? (unsigned)n : 1;
		} else if (c == 't') {
			options.trace = true;
		} else if (c == 'x') {
			options.stop = true;
		} else {
			exit(2);
		}
	}
	options.single =
	    options.pair != NULL || options.triple != NULL || (seed && !runs);
}

int
main(int argc, char **argv)
{
	double seconds;

	parse(argc, argv);
	report_begin(options.single ? 1 : options.workers);
	sim_init();
	fs_init(&fs_work, ARENA);
	fs_init(&fs_after, ARENA);
	(void)snprintf(world_where, sizeof(world_where), "sim, to begin with");
	make_starts();
	if (world_violations > 0)
		return 1;
	if (options.single) {
		sim.trace = options.trace;
		if (options.pair != NULL)
			one_pair(options.pair);
		else if (options.triple != NULL)
			one_triple(options.triple);
		else
			random_schedule(options.seed);
		printf("%lu violations\n", world_violations);
		return world_violations > 0;
	}
	report_run(work);
	seconds = report_seconds();
	printf("# %llu points, %llu switches, %llu kills, %llu power cuts\n",
	    (unsigned long long)report_sum(N_POINTS),
	    (unsigned long long)report_sum(N_SWITCHES),
	    (unsigned long long)report_sum(N_KILLS),
	    (unsigned long long)report_sum(N_CUTS));
	report_line("sim", report_sum(N_RUNS), options.seed, seconds);
	report_ok(report_violations() == 0,
	    "%llu schedules of processes: %llu are all pairs with up to %u "
	    "interruptions, %llu are threes of which one is killed "
	    "(%llu violations)",
	    (unsigned long long)report_sum(N_RUNS),
	    (unsigned long long)report_sum(N_PAIRS), options.pairs,
	    (unsigned long long)report_sum(N_TRIPLES),
	    (unsigned long long)report_violations());
	return report_done();
}
