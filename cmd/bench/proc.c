/*
 * proc.c - other processes: forked with shared memory, or commands.
 */
#include "bench/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/work.h"

enum { ARGS = 32, CHILDREN = 256 };

/* Those that were not waited for; pid 0: a free place. */
static struct child {
	pid_t pid;
	bool command;
	uint64_t inherited; /* bytes resident here when it was started */
} children[CHILDREN];

extern char **environ;

void *
proc_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		work_fail("no memory to share: %s", strerror(errno));
	return p;
}

void
proc_shared_free(void *p, size_t size)
{
	(void)munmap(p, size);
}

static uint64_t
resident(void)
{
	char text[64] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	unsigned long size, pages = 0;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0 &&
		    sscanf(text, "%lu %lu", &size, &pages) != 2)
			pages = 0;
		(void)close(fd);
	}
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
remember(pid_t pid, bool command, uint64_t inherited)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i].pid == 0) {
			children[i] = (struct child){ pid, command, inherited };
			return;
		}
	(void)kill(pid, SIGKILL);
	work_fail("more than %d processes", CHILDREN);
}

static struct child
forget(pid_t pid)
{
	struct child found = { pid, false, 0 };

	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i].pid == pid) {
			found = children[i];
			children[i].pid = 0;
		}
	return found;
}

/* In the new process: end with the old one, which may be gone already. */
static void
end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(EXIT_FAILED);
}

pid_t
proc_fork(void (*work)(void *arg), void *arg)
{
	static uint64_t first;
	uint64_t inherited = resident();
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		work_fail("cannot fork: %s", strerror(errno));
	if (pid == 0) {
		end_with(parent);
		memset(children, 0, sizeof(children));
		bench_forked();
		work(arg);
		_exit(EXIT_DONE);
	}
	/* What has gathered here since is not the child's. */
	if (first == 0)
		first = inherited;
	remember(pid, false, inherited > first ? inherited - first : 0);
	return pid;
}

/* In the new process: fd is this file from now on. */
static bool
put_file(int fd, const char *path, int flags)
{
	int from = open(path, flags, 0666);

	if (from < 0 || (from != fd && dup2(from, fd) < 0))
		return false;
	return from == fd || close(from) == 0;
}

static bool
put_files(const struct proc_files *files)
{
	const char *in = files->in != NULL ? files->in : "/dev/null";
	const char *out = files->out != NULL ? files->out : "/dev/null";
	int flags = O_WRONLY | O_CREAT | O_TRUNC;

	return put_file(0, in, O_RDONLY) && put_file(1, out, flags) &&
	    (files->err == NULL || put_file(2, files->err, flags));
}

/*
 * posix_spawn() cannot say that the new process ends with this one, and fork()
 * costs more than many a command.  Until it executes, the new one runs in our
 * memory while we stand still, which is how we get its errno.
 */
pid_t
proc_spawn(const char *const argv[], const struct proc_files *files)
{
	uint64_t inherited = resident();
	pid_t parent = getpid(), pid;
	char *args[ARGS];
	volatile int error = 0;
	size_t n = 0;

	while (argv[n] != NULL && n < ARGS - 1)
		n++;
	/* execve() is declared without const and changes nothing. */
	memcpy(args, argv, n * sizeof(args[0]));
	args[n] = NULL;
	pid = vfork();
	if (pid == 0) {
		end_with(parent);
		if (put_files(files))
			(void)execve(args[0], args, environ);
		error = errno;
		_exit(EXIT_NOT_FOUND);
	}
	if (pid < 0)
		work_fail("cannot fork: %s", strerror(errno));
	remember(pid, true, inherited);
	if (error != 0) {
		(void)proc_wait(pid, NULL);
		work_fail("%s: cannot be started: %s", args[0],
		    strerror(error));
	}
	return pid;
}

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* A process that was forked begins with what is resident here.  So does, for the
 * kernel, a command, until it executes: then a greater size is its own, and a
 * smaller one is not told. */
static void
add_cost(struct proc_cost *cost, const struct child *child,
    const struct rusage *u)
{
	uint64_t rss = (uint64_t)u->ru_maxrss << 10;

	if (cost == NULL)
		return;
	if (child->command)
		cost->rss_unknown |= rss <= child->inherited;
	else
		rss = rss > child->inherited ? rss - child->inherited : 0;
	cost->cpu_seconds += seconds(&u->ru_utime) + seconds(&u->ru_stime);
	cost->rss_sum += rss;
	if (rss > cost->rss)
		cost->rss = rss;
}

int
proc_wait(pid_t pid, struct proc_cost *cost)
{
	struct child child;
	struct rusage u;
	int status;

	while (wait4(pid, &status, 0, &u) < 0)
		if (errno != EINTR)
			work_fail("cannot wait: %s", strerror(errno));
	child = forget(pid);
	add_cost(cost, &child, &u);
	return status;
}

bool
proc_ended(pid_t pid, int *statusp, struct proc_cost *cost)
{
	struct child child;
	struct rusage u;
	pid_t found = wait4(pid, statusp, WNOHANG, &u);

	if (found < 0)
		work_fail("cannot wait: %s", strerror(errno));
	if (found == 0)
		return false;
	child = forget(pid);
	add_cost(cost, &child, &u);
	return true;
}

void
proc_end_all(void)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i].pid != 0)
			(void)kill(children[i].pid, SIGKILL);
	for (size_t i = 0; i < CHILDREN; i++)
		if (children[i].pid != 0)
			(void)proc_wait(children[i].pid, NULL);
}

void
proc_finish(pid_t pid, const char *name, struct proc_cost *cost)
{
	int status = proc_wait(pid, cost);

	if (WIFSIGNALED(status))
		work_fail("%s: ended by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		work_fail("%s: ended with status %d", name,
		    WEXITSTATUS(status));
}

void
proc_run(const char *const argv[], const struct proc_files *files,
    struct proc_cost *cost)
{
	proc_finish(proc_spawn(argv, files), argv[0], cost);
}
