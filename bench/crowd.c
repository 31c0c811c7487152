/*
 * crowd.c - what consumers cost each other and the one who appends: a thousand
 * followers, four that join a group, and one that takes over.
 *
 * LIBS: -lsblog
 */
#include <errno.h>
#include <fcntl.h>
#include <sblog.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/work.h"

enum {
	FOLLOWERS = 1000,
	APPENDS = 200000,
	JOINED = 4,
	TAKE_OVERS = 20,
	PROCESSES = 200,
};

struct log {
	struct sblog_store *store;
	struct sblog_topic *topic;
};

static void
need(int rc, const struct sblog_err *err, const char *what)
{
	if (rc < 0)
		measure_fail(err->msg, what);
}

static struct log
log_open(const char *path)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX };
	struct sblog_err err;
	struct log l;

	need(sblog_store_open(&l.store, path, &opts, &err), &err, path);
	need(sblog_topic_open(&l.topic, l.store, "log", SBLOG_CREATE, &err),
	    &err, path);
	return l;
}

static void
log_close(struct log *l)
{
	sblog_topic_close(l->topic);
	sblog_store_close(l->store);
}

/* ---- a thousand followers ------------------------------------------------ */

/* Open the topic at its end, say so, and never look again. */
static _Noreturn void
be_there(const char *path, int ready)
{
	struct sblog_cursor_opts opts = { .to = SBLOG_NO_OFFSET };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	struct log l = log_open(path);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(sblog_cursor_open(&cur, l.topic, &opts, &err), &err, path);
	while (sblog_cursor_next(cur, &rec, &err) == 0)
		;
	(void)sblog_cursor_wait(cur, 1, &err); /* it has the shared page */
	if (write(ready, "", 1) == 1)
		for (;;)
			(void)pause();
	_exit(1);
}

static double
append_all(struct log *l)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	const struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME,
		.value = { "thirty bytes for every record.", 30 } };
	struct sblog_err err;
	uint64_t first, start = clock_ns();

	for (int i = 0; i < APPENDS; i++)
		need(sblog_append(l->topic, &rec, 1, &opts, &first, &err), &err,
		    "append");
	return clock_since(start) / APPENDS * 1e6;
}

static void
followers(const struct measure_env *env)
{
	static pid_t pids[FOLLOWERS];
	struct place p = place_at(env->dir, "crowd");
	int ready[2];
	struct log l;
	char byte;

	place_fresh(p.path);
	l = log_open(p.path);
	if (pipe2(ready, O_CLOEXEC) < 0)
		measure_fail("cannot make", "pipe");
	(void)append_all(&l); /* so that both have the same behind them */
	measure_print("append-alone", append_all(&l), "us");
	for (int i = 0; i < FOLLOWERS; i++) {
		(void)fflush(stdout);
		if ((pids[i] = fork()) < 0)
			measure_skip("cannot start so many processes", "fork");
		if (pids[i] == 0)
			be_there(p.path, ready[1]);
	}
	for (int i = 0; i < FOLLOWERS; i++)
		if (read(ready[0], &byte, 1) != 1)
			measure_fail("a follower died", "crowd");
	measure_print("append-crowd", append_all(&l), "us");
	for (int i = 0; i < FOLLOWERS; i++) {
		(void)kill(pids[i], SIGKILL); /* ours, not yet waited for */
		(void)waitpid(pids[i], NULL, 0);
	}
	log_close(&l);
	place_remove(p.path);
}

/* ---- four that join ------------------------------------------------------ */

static void
fill(const struct measure_env *env, const char *path, int sealed)
{
	static char lines[4096 * WORK_LINE];
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct log l = log_open(path);
	struct sblog_appended done;
	struct sblog_sealed seal;
	struct sblog_err err;
	struct work work;

	work_init(&work, 1);
	for (uint64_t n = 0; n < env->lines; n += 4096) {
		struct sblog_run run = { .data = lines, .len = sizeof(lines) };

		for (size_t i = 0; i < 4096; i++)
			work_line(&work, lines + i * WORK_LINE);
		while (run.len > 0) {
			need(sblog_append_run(l.topic, &run, &opts, &done,
				 &err),
			    &err, "append");
			run.data = (const char *)run.data + done.consumed;
			run.len -= done.consumed;
		}
	}
	need(sblog_sync(l.topic, &err), &err, "sync");
	if (sealed)
		need(sblog_seal(l.topic, NULL, &seal, &err), &err, "seal");
	log_close(&l);
}

/* n consumers of a group read everything. */
static double
consume(const struct measure_env *env, const char *path, const char *group,
    int n)
{
	const char *const one[] = { env->sblog, "-C", path, "read", "-g", group,
		"-f", "lines", "log", NULL };
	const char *const many[] = { env->sblog, "-C", path, "read", "-g",
		group, "--join", "4", "-f", "lines", "log", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t start = clock_ns();
	struct child_cost cost;
	pid_t pids[JOINED];

	for (int i = 0; i < n; i++)
		pids[i] = child_start(n == 1 ? one : many, null, null);
	for (int i = 0; i < n; i++)
		child_finish(pids[i], env->sblog, &cost);
	(void)close(null); /* nothing was written there */
	return clock_since(start);
}

static void
join(const struct measure_env *env, int sealed, const char *name1,
    const char *name4)
{
	struct place p = place_at(env->dir, "crowd");

	place_fresh(p.path);
	fill(env, p.path, sealed);
	(void)consume(env, p.path, "warm", 1);
	measure_print(name1,
	    (double)env->lines * WORK_LINE / consume(env, p.path, "one", 1) /
		1e9,
	    "GB/s");
	measure_print(name4,
	    (double)env->lines * WORK_LINE /
		consume(env, p.path, "four", JOINED) / 1e9,
	    "GB/s");
	place_remove(p.path);
}

static void
join_sealed(const struct measure_env *env)
{
	join(env, 1, "join-sealed-1", "join-sealed-4");
}

static void
join_unsealed(const struct measure_env *env)
{
	join(env, 0, "join-unsealed-1", "join-unsealed-4");
}

/* ---- one that takes over ------------------------------------------------- */

/* Hold the only shard until killed. */
static _Noreturn void
hold(const char *path, int ready)
{
	struct sblog_lease_opts opts = { .shards = 1 };
	struct log l = log_open(path);
	struct sblog_lease *lease;
	struct sblog_err err;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(sblog_lease_wait(&lease, l.topic, "g", &opts, 10000000, &err),
	    &err, "lease");
	if (write(ready, "", 1) == 1)
		for (;;)
			(void)pause();
	_exit(1);
}

static void
take_over(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "crowd");
	int ready[2];
	double worst = 0;
	char byte;
	pid_t holder, next;
	struct log l;

	place_fresh(p.path);
	l = log_open(p.path);
	log_close(&l);
	if (pipe2(ready, O_CLOEXEC) < 0)
		measure_fail("cannot make", "pipe");
	for (int i = 0; i < TAKE_OVERS; i++) {
		uint64_t start;
		double us;

		if ((holder = fork()) == 0)
			hold(p.path, ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			measure_fail("no holder", "lease");
		if ((next = fork()) == 0)
			hold(p.path, ready[1]);
		(void)usleep(20000); /* until it waits */
		start = clock_ns();
		(void)kill(holder, SIGKILL); /* ours, not yet waited for */
		if (read(ready[0], &byte, 1) != 1)
			measure_fail("nobody took over", "lease");
		us = clock_since(start) * 1e6;
		worst = us > worst ? us : worst;
		(void)kill(next, SIGKILL);
		(void)waitpid(holder, NULL, 0);
		(void)waitpid(next, NULL, 0);
	}
	measure_print("take-over", worst / 1e3, "ms");
	place_remove(p.path);
}

/* ---- a process for each -------------------------------------------------- */

static double
run_each(const char *const argv[])
{
	const struct child_files nowhere = { NULL, NULL };
	double seconds = 0;

	for (int i = 0; i < PROCESSES; i++)
		seconds += child_run(argv, &nowhere).seconds;
	return seconds / PROCESSES * 1e3;
}

static void
processes(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "crowd");
	const char *const commit[] = { env->sblog, "-C", p.path, "group",
		"commit", "log", "g", "1", "--sync=none", NULL };
	const char *const show[] = { env->sblog, "-C", p.path, "group", "show",
		"log", "g", NULL };
	struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME };
	struct sblog_err err;
	uint64_t first;
	struct log l;

	place_fresh(p.path);
	l = log_open(p.path);
	need(sblog_append(l.topic, &rec, 1, NULL, &first, &err), &err, p.path);
	log_close(&l);
	measure_print("commit-process", run_each(commit), "ms");
	measure_print("get-process", run_each(show), "ms");
	place_remove(p.path);
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "followers", followers,
		    "append beside a thousand followers" },
		{ "join-sealed", join_sealed, "four that join, sealed" },
		{ "join-unsealed", join_unsealed, "four that join, unsealed" },
		{ "processes", processes,
		    "a commit and a get, a process each" },
		{ "take-over", take_over, "the longest of twenty take-overs" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
