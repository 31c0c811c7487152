/*
 * lib_follow.c - how long until a follower has shown what was appended.
 *
 * LIBS: -lsblog
 *
 * From before the append (a library call; for tail -f, write()) until the line
 * has come out of the follower's pipe, here.  The pauses between lines are
 * random, so that they are in step with nobody's polling.
 */
#include <fcntl.h>
#include <poll.h>
#include <sblog.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/stats.h"
#include "common/work.h"

enum {
	LINES = 1000,
	PAUSE_MIN_US = 100,
	PAUSE_MAX_US = 1100,
	PATIENCE_MS = 10000, /* a line that takes longer is lost */
};

/* Append one line with its newline. */
typedef void (*line_fn)(void *arg, const char *line, size_t len);

/* Read whole lines of this length off the pipe until none is outstanding. */
static void
read_line(int fd, size_t len)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[WORK_LINE];

	for (size_t got = 0; got < len;) {
		ssize_t n;

		if (poll(&ready, 1, PATIENCE_MS) <= 0)
			measure_fail("a line did not arrive", "follower");
		n = read(fd, bytes, len - got);
		if (n <= 0)
			measure_fail("cannot read", "follower");
		got += (size_t)n;
	}
}

/* A line now and then, after a first one that shows that it follows. */
static void
follow(int fd, line_fn append, void *arg, double us[static LINES])
{
	char line[WORK_LINE];
	struct work work;

	work_init(&work, 1);
	for (int i = -1; i < LINES; i++) {
		uint64_t pause = PAUSE_MIN_US +
		    work_random(&work) % (PAUSE_MAX_US - PAUSE_MIN_US);
		struct timespec t = { 0, (long)pause * 1000 };
		uint64_t start;

		work_line(&work, line);
		(void)nanosleep(&t, NULL); /* shorter does not matter */
		start = clock_ns();
		append(arg, line, sizeof(line));
		read_line(fd, sizeof(line));
		if (i >= 0)
			us[i] = (double)(clock_ns() - start) / 1e3;
	}
}

static void
print(const char *p50, const char *p99, double us[static LINES])
{
	stats_sort(us, LINES);
	measure_print(p50, stats_rank(us, LINES, 0.5), "us");
	measure_print(p99, stats_rank(us, LINES, 0.99), "us");
}

/* Start the follower; returns our end of its pipe. */
static int
start(const char *const argv[], pid_t *pidp)
{
	int ends[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		measure_fail("cannot make", "pipe");
	*pidp = child_start(argv, null, ends[1]);
	(void)close(null);
	(void)close(ends[1]); /* the follower has it */
	return ends[0];
}

static void
stop(pid_t pid, int fd)
{
	(void)kill(pid, SIGTERM); /* it is our child, not yet waited for */
	(void)waitpid(pid, NULL, 0);
	(void)close(fd);
}

static void
append_topic(void *arg, const char *line, size_t len)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	const struct sblog_record rec = {
		.user_time_us = SBLOG_NO_TIME,
		.value = { line, len - 1 },
	};
	struct sblog_err err;
	uint64_t first;

	if (sblog_append(arg, &rec, 1, &opts, &first, &err) < 0)
		measure_fail(err.msg, "append");
}

static void
follow_sblog(const struct measure_env *env)
{
	const struct sblog_store_opts opts = {
		.mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX,
	};
	struct place p = place_at(env->dir, "follow");
	const char *const argv[] = { env->sblog, "-C", p.path, "read", "-F",
		"log", NULL };
	struct sblog_store *store;
	struct sblog_topic *topic;
	static double us[LINES];
	struct sblog_err err;
	pid_t pid;
	int fd;

	place_fresh(p.path);
	if (sblog_store_open(&store, p.path, &opts, &err) < 0 ||
	    sblog_topic_open(&topic, store, "log", SBLOG_CREATE, &err) < 0)
		measure_fail(err.msg, p.path);
	fd = start(argv, &pid);
	follow(fd, append_topic, topic, us);
	stop(pid, fd);
	sblog_topic_close(topic);
	sblog_store_close(store);
	place_remove(p.path);
	print("follow-p50", "follow-p99", us);
}

static void
append_file(void *arg, const char *line, size_t len)
{
	const int *fdp = arg;

	if (write(*fdp, line, len) != (ssize_t)len)
		measure_fail("cannot write", "tail -f");
}

static void
follow_tail(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "follow.txt");
	const char *const argv[] = { "tail", "-n", "+1", "-f", p.path, NULL };
	static double us[LINES];
	int fd, out;
	pid_t pid;

	out = open(p.path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
	    0666);
	if (out < 0)
		measure_fail("cannot make", p.path);
	fd = start(argv, &pid);
	follow(fd, append_file, &out, us);
	stop(pid, fd);
	(void)close(out); /* it is removed */
	place_remove(p.path);
	print("tail-f-p50", "tail-f-p99", us);
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "follow", follow_sblog, "append to sblog read -F" },
		{ "tail-f", follow_tail, "write to tail -f" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
