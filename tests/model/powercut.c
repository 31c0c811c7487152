/*
 * powercut.c - every state that a power cut may leave, of every short workload.
 *
 *	powercut [--count N] [--seed N] [--workers N] [--limit N] [--stop]
 *	powercut --workload START,OP,OP,OP
 *	powercut --killed OP,OP,START,POINT
 *
 * A workload is up to three operations on a topic of some kind.  The power
 * fails between any two of its system calls; what was not synced is there or
 * not in every way that a file system may choose (common/cut.h), or, where
 * there are too many ways, in --limit of them.  Each state is looked at once:
 * what was durable is there, the rest is a prefix, recovery does the same
 * twice, and the topic goes on.  Before that, one operation is killed at each
 * of its points, and the power fails after the next one.  It ends after --count different states.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/cut.h"
#include "common/odometer.h"
#include "common/ops.h"
#include "common/report.h"
#include "common/sched.h"
#include "log/topic.h"

enum {
	LENGTH = 3,
	ARENA = 64 << 20,
	STARTS = 8,
	SALT = 5,
	KILLED_STATES = 1 << 19, /* room for what comes of kills */
	KILLED_LIMIT = 1,        /* ways of a cut after a kill */

	N_STATES = 0,
	N_TRIED,
	N_WORKLOADS,
	N_CUTS,
	N_ALL,   /* cuts of which every way was tried */
	N_AGAIN, /* the power failed again after recovery */
	N_KILLED,
	N_KILLED_STATES
};

static struct {
	struct fs fs;
	struct world world;
	uint64_t now;
} begin_at[STARTS + 1];

static struct fs fs_work, fs_after, fs_again;
static const struct op *alphabet[32];
static size_t letters;
static unsigned me;

/* Hashes of the states that were looked at; shared by the workers. */
static uint64_t *seen, seen_size;

static struct {
	uint64_t count, seed, limit;
	unsigned workers;
	bool stop;
	const char *workload, *killed;
} options = { .count = 50000, .seed = 1, .limit = 48, .workers = 2 };

/* The workload and the place in it. */
static struct {
	size_t start;
	const struct op *ops[LENGTH];
	uint64_t seq, syncs; /* of the file system at the last cut */
	uint64_t seed;
	bool full;   /* enough states */
	bool killed; /* somebody was */
} at;

/* ---- one state ---- */

static bool
is_new(uint64_t h)
{
	uint64_t i = h % seen_size, empty = 0;

	h |= 1;
	for (uint64_t n = 0; n < seen_size; n++, i = (i + 1) % seen_size) {
		uint64_t there = __atomic_load_n(&seen[i], __ATOMIC_RELAXED);

		if (there == h)
			return false;
		empty = 0;
		if (there == 0 &&
		    __atomic_compare_exchange_n(&seen[i], &empty, h, 0,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
		if (empty == h)
			return false;
	}
	printf("Bail out! no room for so many states\n");
	abort();
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
do_op(void *arg)
{
	((const struct op *)arg)->run();
}

/* What the next appender does first; false in *arg: there is no topic. */
static void
recover(void *arg)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_WRITE };
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_err err;
	int rc;

	if ((rc = sblog_store_open(&s, "store", &opts, &err)) == 0)
		rc = sblog_topic_open(&t, s, "t", SBLOG_WRITE, &err);
	if (rc == 0 && (rc = sb_topic_lock_append(t, &err)) == 0) {
		rc = sb_topic_validate(t, &err);
		sb_topic_unlock_append(t);
	}
	sblog_topic_close(t);
	sblog_store_close(s);
	*(bool *)arg = rc == 0;
	if (rc != 0 && (rc != SBLOG_ENOENT || world.exists))
		world_bad("recovery: %s: %s (%s)", sblog_code_name(err.code),
		    err.msg, err.file);
}

static void
boot(struct fs *f, uint64_t h)
{
	sim.fs = f;
	sim.boot = h;
	sim.random = h;
	sim.now = 1000000;
}

/* How far can be read, without anybody having recovered? */
static uint64_t
readable(void)
{
	const struct op *read = named("read", 4);

	world.acked_end = world.seen_end = 0;
	sim_call(do_op, (void *)(uintptr_t)read);
	return world.seen_end;
}

static uint32_t
choose_random(void *arg, uint32_t n)
{
	return (uint32_t)(sim_random(arg) % n);
}

/* The power fails again, before what recovery has changed is on the device. */
static void
fail_again(uint64_t h, uint64_t end)
{
	uint64_t seed = h;

	fs_remember(&fs_after);
	cut_make(&fs_again, &fs_after, (enum cut_profile)(h % CUT_PROFILES),
	    choose_random, &seed);
	boot(&fs_again, h + 2);
	if (readable() < end)
		world_bad("what recovery had found is lost at the next cut");
	report->count[me][N_AGAIN]++;
}

static void
check_state(uint64_t h)
{
	bool there = false;
	uint64_t end = 0, once;

	boot(&fs_after, h);
	world.disturbed = true;
	fs_after.track = true;
	if (world.exists) {
		end = readable();
		world_after_cut(end);
	}
	sim_call(recover, &there);
	if (!there) {
		if (world.exists)
			return;
		fs_after.track = false;
		sim_call(do_op, (void *)(uintptr_t)named("create", 6));
		sim_call(ops_final, NULL);
		return;
	}
	if (!world.exists) {
		/* Nobody was told, but there it is; nothing is in it. */
		end = readable();
		world.exists = true;
	}
	once = fs_hash(&fs_after, "state");
	sim.boot = h + 1;
	sim_call(recover, &there);
	if (fs_hash(&fs_after, "state") != once)
		world_bad("recovery did something else the second time");
	if (readable() != end && world.seen_end < end)
		world_bad("recovery has lost what could be read");
	end = world.seen_end;
	fs_after.track = false;
	if (h % 4 == 0) {
		fail_again(h, end);
		/* The state that was there is gone, this one is as good. */
		sim.boot = h + 3;
	}
	sim_call(ops_final, NULL);
}

/* ---- all ways in which the power can fail here ---- */

static void
one_state(enum cut_profile profile, struct odometer *o)
{
	struct world saved = world;
	uint64_t h;

	o->at = 0;
	cut_make(&fs_after, &fs_work, profile, odometer_choose, o);
	report->count[me][N_TRIED]++;
	h = fs_hash(&fs_after, NULL);
	/* The same files are another state if more was promised. */
	h = (h + world.durable_end) * UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 29;
	if (!is_new(h))
		return;
	report->count[me][at.killed ? N_KILLED_STATES : N_STATES]++;
	check_state(h);
	world = saved;
}

static void
all_states(enum cut_profile profile)
{
	static struct odometer o;
	uint64_t tries = 0;
	uint32_t n;

	memset(&o, 0, sizeof(o));
	o.seed = &at.seed;
	do {
		if (++tries > options.limit)
			break;
		one_state(profile, &o);
	} while (odometer_turn(&o));
	if (tries <= options.limit) {
		report->count[me][N_ALL]++;
		return;
	}
	/* Too many: everything there but one thing, and some at random. */
	o.how = ALL_BUT_ONE;
	o.but = UINT32_MAX;
	one_state(profile, &o);
	n = o.at;
	for (o.but = 0; o.but < n && o.but < options.limit; o.but++)
		one_state(profile, &o);
	o.how = AT_RANDOM;
	for (uint64_t i = 0; i < options.limit; i++)
		one_state(profile, &o);
}

static void
cut(void)
{
	struct sim_proc *cur = sim.cur;
	uint64_t now = sim.now, random = sim.random, is = sim.boot;

	if (report_sum(N_STATES) >= options.count) {
		at.full = true;
		return;
	}
	report->count[me][N_CUTS]++;
	sim.hook = NULL;
	for (int p = 0; p < CUT_PROFILES; p++)
		all_states((enum cut_profile)p);
	sim.fs = &fs_work;
	sim.cur = cur;
	sim.now = now;
	sim.random = random;
	sim.boot = is;
}

/* At every system call: has something changed since the last cut? */
static void
hook(const char *name)
{
	(void)name;
	if (at.full || (fs_work.seq == at.seq && fs_work.syncs == at.syncs))
		return;
	at.seq = fs_work.seq;
	at.syncs = fs_work.syncs;
	cut();
	fs_remember(&fs_work);
	sim.hook = hook;
}

/* ---- workloads ---- */

static void
make_start(void *arg)
{
	(*(void (**)(void))arg)();
}

/* The last one has not even a store. */
static void
make_starts(void)
{
	for (size_t i = 0; i <= start_count; i++) {
		fs_init(&begin_at[i].fs, 4 << 20);
		fs_clear(&fs_work);
		memset(&world, 0, sizeof(world));
		sim_boot(&fs_work, SALT);
		if (i < start_count) {
			void (*make)(void) = starts[i].make;

			fs_link(&fs_work, FS_ROOT, "store",
			    fs_new(&fs_work, true));
			sim_call(make_start, &make);
		}
		world.created = world.creating = 0;
		world.durable_end = world.acked_end;
		fs_copy(&begin_at[i].fs, &fs_work);
		begin_at[i].world = world;
		begin_at[i].now = sim.now;
	}
}

static void
begin(size_t start)
{
	fs_copy(&fs_work, &begin_at[start].fs);
	world = begin_at[start].world;
	sim_boot(&fs_work, SALT + 1);
	sim.boot = SALT * 2 + 1;
	sim.now = begin_at[start].now;
	fs_work.track = true;
	at.seq = fs_work.seq;
	at.syncs = 0;
	at.seed = options.seed;
}

static void
one_workload(void)
{
	begin(at.start);
	(void)snprintf(world_where, sizeof(world_where),
	    "powercut --workload %zu", at.start);
	for (int i = 0; i < LENGTH && at.ops[i] != NULL; i++) {
		size_t len = strlen(world_where);

		(void)snprintf(world_where + len, sizeof(world_where) - len,
		    ",%s", at.ops[i]->name);
	}
	memcpy(report->where[me], world_where, sizeof(world_where));
	for (int i = 0; i < LENGTH && at.ops[i] != NULL && !at.full; i++) {
		sim.direct = true;
		sim.hook = hook;
		sim_call(do_op, (void *)(uintptr_t)at.ops[i]);
		sim.hook = NULL;
	}
	if (!at.full)
		cut(); /* and when all is done */
	if (fs_work.overflow)
		world_bad("the model has no room for so many changes");
	report->count[me][N_WORKLOADS]++;
}

/* One is killed at a point, another one works to its end, and then the power
 * fails.  false: the first one was at its end before. */
static bool
killed_workload(const struct op *a, const struct op *b, size_t start,
    uint64_t point)
{
	const struct sim_plan plan = { .kill_at = point };

	begin(start);
	(void)snprintf(world_where, sizeof(world_where),
	    "powercut --killed %s,%s,%zu,%llu", a->name, b->name, start,
	    (unsigned long long)point);
	memcpy(report->where[me], world_where, sizeof(world_where));
	(void)sim_spawn(do_op, (void *)(uintptr_t)a);
	(void)sim_spawn(do_op, (void *)(uintptr_t)b);
	if (!sim_run(&plan))
		world_bad("processes wait for each other");
	if (sim.kills == 0)
		return false;
	cut();
	report->count[me][N_KILLED]++;
	return true;
}

/* Whatever leaves names or files for the next one to build on. */
static void
all_killed(unsigned worker)
{
	static const char *const first[] = { "create", "seal", "index",
		"append-large", "append" };
	static const char *const second[] = { "append", "seal" };
	uint64_t limit = options.limit;
	size_t n = 0;

	options.limit = KILLED_LIMIT;
	at.killed = true;
	for (size_t a = 0; a < sizeof(first) / sizeof(first[0]); a++)
		for (size_t b = 0; b < 2; b++)
			for (size_t s = 0; s <= start_count; s++) {
				uint64_t point = 1;

				if (n++ % report->workers != worker)
					continue;
				while (!at.full &&
				    killed_workload(named(first[a],
							strlen(first[a])),
					named(second[b], strlen(second[b])), s,
					point))
					point++;
			}
	options.limit = limit;
	at.killed = false;
}

static void
work(unsigned worker)
{
	uint64_t total = (start_count + 1) * letters * letters * letters;

	me = worker;
	all_killed(worker);
	for (uint64_t i = worker; i < total && !at.full; i += report->workers) {
		/* All of them, but in no order. */
		uint64_t n = (i + options.seed) * UINT64_C(1000003) % total;

		at.start = n % (start_count + 1);
		n /= start_count + 1;
		for (int k = 0; k < LENGTH; k++) {
			at.ops[k] = alphabet[n % letters];
			n /= letters;
		}
		if (at.start == start_count) {
			at.ops[2] = at.ops[1];
			at.ops[1] = at.ops[0];
			at.ops[0] = named("create", 6);
		}
		one_workload();
		if (options.stop && world_violations > 0)
			return;
	}
}

static void
parse_workload(const char *text)
{
	char *end;

	at.start = strtoull(text, &end, 10);
	if (at.start > start_count) {
		printf("Bail out! no such start\n");
		exit(1);
	}
	for (int i = 0; i < LENGTH && *end == ','; i++) {
		size_t len = strcspn(end + 1, ",");

		at.ops[i] = named(end + 1, len);
		end += len + 1;
	}
}

static int
one_killed(const char *text)
{
	const char *b = strchr(text, ',');
	const char *rest = b ? strchr(b + 1, ',') : NULL;
	unsigned long start;
	unsigned long long point;

	if (rest == NULL || sscanf(rest, ",%lu,%llu", &start, &point) != 2 ||
	    start > start_count) {
		printf("Bail out! --killed A,B,START,POINT\n");
		return 1;
	}
	options.limit = KILLED_LIMIT;
	(void)killed_workload(named(text, (size_t)(b - text)),
	    named(b + 1, (size_t)(rest - b - 1)), start, point);
	printf("%lu violations\n", world_violations);
	return world_violations > 0;
}

static void
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "limit", required_argument, NULL, 'l' },
		{ "workers", required_argument, NULL, 'w' },
		{ "workload", required_argument, NULL, 'W' },
		{ "killed", required_argument, NULL, 'K' },
		{ "stop", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (c == 'n')
			options.count = n;
		else if (c == 's')
			options.seed = n;
		else if (c == 'l')
			options.limit = n;
		else if (c == 'w')
			options.workers = n > 0 ? (unsigned)n : 1;
		else if (c == 'W')
			options.workload = optarg;
		else if (c == 'K')
			options.killed = optarg;
		else if (c == 'x')
			options.stop = true;
		else
			exit(2);
	}
}

static void
tell(void)
{
	printf("# %llu kills with a cut after the next operation, %llu other "
	       "states\n",
	    (unsigned long long)report_sum(N_KILLED),
	    (unsigned long long)report_sum(N_KILLED_STATES));
	printf("# %llu workloads, %llu cuts, of %llu in 3 file systems every "
	       "way, %llu ways tried, %llu states cut again\n",
	    (unsigned long long)report_sum(N_WORKLOADS),
	    (unsigned long long)report_sum(N_CUTS),
	    (unsigned long long)report_sum(N_ALL),
	    (unsigned long long)report_sum(N_TRIED),
	    (unsigned long long)report_sum(N_AGAIN));
	report_line("powercut", report_sum(N_STATES), options.seed,
	    report_seconds());
	report_ok(report_violations() == 0 &&
		report_sum(N_STATES) >= options.count,
	    "%llu different states after a power cut (%llu violations)",
	    (unsigned long long)report_sum(N_STATES),
	    (unsigned long long)report_violations());
}

int
main(int argc, char **argv)
{
	parse(argc, argv);
	report_begin(options.workload || options.killed ? 1 : options.workers);
	sim_init();
	fs_init(&fs_work, ARENA);
	fs_init(&fs_after, ARENA);
	fs_init(&fs_again, ARENA);
	for (size_t i = 0; i < op_count; i++)
		if (ops[i].flags == OP_CHANGES)
			alphabet[letters++] = &ops[i];
	seen_size = 3 * options.count + KILLED_STATES;
	seen = mmap(NULL, seen_size * sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (seen == MAP_FAILED)
		return 1;
	make_starts();
	if (options.killed != NULL)
		return one_killed(options.killed);
	if (options.workload != NULL) {
		parse_workload(options.workload);
		one_workload();
		printf("%llu states, %lu violations\n",
		    (unsigned long long)report_sum(N_STATES), world_violations);
		return world_violations > 0;
	}
	report_run(work);
	tell();
	return report_done();
}
