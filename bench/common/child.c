/*
 * child.c - run commands and say what they cost.
 *
 * The kernel lets a child begin with the memory figure of the process that
 * started it, so a program that measures memory must itself be small.
 */
#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/measure.h"

extern char **environ;

pid_t
child_start(const char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t actions;
	char *args[CHILD_ARGS];
	size_t n = 0;
	pid_t pid;

	while (argv[n] != NULL && n < CHILD_ARGS - 1)
		n++;
	/* posix_spawnp() is declared without const and changes nothing. */
	memcpy(args, argv, (n + 1) * sizeof(args[0]));
	errno = posix_spawn_file_actions_init(&actions);
	if (errno == 0)
		errno = posix_spawn_file_actions_adddup2(&actions, in, 0);
	if (errno == 0)
		errno = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (errno == 0)
		errno =
		    posix_spawnp(&pid, args[0], &actions, NULL, args, environ);
	if (errno == ENOENT)
		measure_skip("not installed", args[0]);
	if (errno != 0)
		measure_fail("cannot start", args[0]);
	(void)posix_spawn_file_actions_destroy(&actions); /* always 0 */
	return pid;
}

void
child_finish(pid_t pid, const char *name, struct child_cost *cost)
{
	struct rusage usage;
	int status;

	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			measure_fail("cannot wait", name);
	errno = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		measure_fail("failed", name);
	if (cost != NULL)
		cost->rss = (uint64_t)usage.ru_maxrss << 10;
}

/* The descriptors of a command; both are the caller's to close. */
static void
open_files(const struct child_files *files, int *inp, int *outp)
{
	const char *in = files->in != NULL ? files->in : "/dev/null";
	const char *out = files->out != NULL ? files->out : "/dev/null";

	if ((*inp = open(in, O_RDONLY | O_CLOEXEC)) < 0)
		measure_fail("cannot open", in);
	if ((*outp = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		 0666)) < 0)
		measure_fail("cannot open", out);
}

struct child_cost
child_run(const char *const argv[], const struct child_files *files)
{
	struct child_cost cost;
	uint64_t start;
	int in, out;

	open_files(files, &in, &out);
	start = clock_ns();
	child_finish(child_start(argv, in, out), argv[0], &cost);
	cost.seconds = clock_since(start);
	(void)close(in);  /* nothing was written through it */
	(void)close(out); /* the command has checked its own writes */
	return cost;
}

struct child_cost
child_pipe(const char *const left[], const char *const right[],
    const struct child_files *files, uint64_t rss[static 2])
{
	struct child_cost cost, first;
	int in, out, ends[2];
	uint64_t start;
	pid_t pid[2];

	open_files(files, &in, &out);
	if (pipe2(ends, O_CLOEXEC) < 0)
		measure_fail("cannot make", "pipe");
	start = clock_ns();
	pid[0] = child_start(left, in, ends[1]);
	pid[1] = child_start(right, ends[0], out);
	(void)close(ends[0]); /* so that each side sees the other one end */
	(void)close(ends[1]);
	child_finish(pid[0], left[0], &first);
	child_finish(pid[1], right[0], &cost);
	cost.seconds = clock_since(start);
	rss[0] = first.rss;
	rss[1] = cost.rss;
	(void)close(in);
	(void)close(out); /* as in child_run */
	return cost;
}
