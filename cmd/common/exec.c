/*
 * exec.c - batches of bytes to the standard input of a command.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/exec.h"
#include "common/quit.h"

enum {
	PIPE_MAX = 1 << 20, /* what a pipe is widened to */
	PIPE_USUAL = 64 << 10,
	LOOK_MS = 200, /* between looks whether the process lives */
	FD_MIN = 10,   /* above those with a meaning in the child */
};

/* ---- processes ---------------------------------------------------------- */

static enum exit_status
no_process(char why[EXEC_WHY_SIZE])
{
	(void)snprintf(why, EXEC_WHY_SIZE, "cannot start it: %s",
	    strerror(errno));
	return EXIT_FAILED;
}

/* A pipe out of the way of descriptors 0 to 4. */
static int
high_pipe(int fds[2])
{
	int low[2];

	fds[0] = fds[1] = -1;
	if (pipe2(low, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		fds[i] = fcntl(low[i], F_DUPFD_CLOEXEC, FD_MIN);
		(void)close(low[i]);
	}
	if (fds[0] >= 0 && fds[1] >= 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return -1;
}

static void
put_number(const char *name, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	(void)setenv(name, text, 1);
}

/* Fails only without memory; then the command does not see them. */
static void
set_environment(const struct exec *e, const struct exec_batch *b)
{
	(void)setenv("SBLOG_TOPIC", b->topic, 1);
	put_number("SBLOG_OFFSET", b->first);
	if (b->group != NULL)
		(void)setenv("SBLOG_GROUP", b->group, 1);
	else
		(void)unsetenv("SBLOG_GROUP");
	if (e->once) {
		put_number("SBLOG_ACK_FD", EXEC_ACK_FD);
		put_number("SBLOG_BATCH_FD", EXEC_BATCH_FD);
		(void)unsetenv("SBLOG_END");
	} else {
		put_number("SBLOG_END", b->next);
	}
}

/* In the child: never returns.  given[i] becomes descriptor as[i]. */
static _Noreturn void
become(const char *command, pid_t parent, const int *given, const int *as,
    size_t n)
{
	/* A command whose result nobody can commit any more is told to end. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	quit_forget();
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	for (size_t i = 0; i < n; i++)
		if (dup2(given[i], as[i]) < 0)
			_exit(EXIT_FAILED);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(EXIT_NOT_FOUND);
}

static int
wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* What a wait status says about a batch. */
static enum exit_status
verdict(int status, char why[EXEC_WHY_SIZE])
{
	if (WIFSIGNALED(status)) {
		(void)snprintf(why, EXEC_WHY_SIZE, "was killed by signal %d",
		    WTERMSIG(status));
		return EXIT_COMMAND;
	}
	if (WEXITSTATUS(status) == 0)
		return EXIT_DONE;
	(void)snprintf(why, EXEC_WHY_SIZE, "exited with status %d",
	    WEXITSTATUS(status));
	if (WEXITSTATUS(status) == EXIT_NOT_FOUND ||
	    WEXITSTATUS(status) == EXIT_NOT_EXECUTABLE)
		return (enum exit_status)WEXITSTATUS(status);
	return EXIT_COMMAND;
}

/* ---- a process for each batch ------------------------------------------- */

/* As much as the command wants to have. */
static void
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* it is judged by its exit status */
		data += n;
		len -= (size_t)n;
	}
}

static enum exit_status
run_one(const struct exec *e, const struct exec_batch *b,
    char why[EXEC_WHY_SIZE])
{
	static const int as[] = { STDIN_FILENO };
	pid_t parent = getpid(), pid;
	int in[2];

	if (high_pipe(in) < 0)
		return no_process(why);
	if (b->len > PIPE_USUAL) /* refused: it works all the same */
		(void)fcntl(in[1], F_SETPIPE_SZ,
		    b->len < PIPE_MAX ? (int)b->len : PIPE_MAX);
	set_environment(e, b);
	if ((pid = fork()) == 0)
		become(e->command, parent, in, as, 1);
	(void)close(in[0]);
	if (pid < 0) {
		(void)close(in[1]);
		return no_process(why);
	}
	write_all(in[1], b->data, b->len);
	(void)close(in[1]);
	return verdict(wait_for(pid), why);
}

/* ---- one process for all ------------------------------------------------ */

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static enum exit_status
start(struct exec *e, const struct exec_batch *b, char why[EXEC_WHY_SIZE])
{
	static const int as[] = { STDIN_FILENO, EXEC_ACK_FD, EXEC_BATCH_FD };
	int in[2], ack[2] = { -1, -1 }, batch[2] = { -1, -1 };
	pid_t parent = getpid(), pid = -1;

	set_environment(e, b);
	if (high_pipe(in) == 0 && high_pipe(ack) == 0 && high_pipe(batch) == 0)
		pid = fork();
	if (pid == 0) {
		const int given[] = { in[0], ack[1], batch[0] };

		become(e->command, parent, given, as, 3);
	}
	if (pid < 0)
		(void)no_process(why);
	shut(&in[0]);
	shut(&ack[1]);
	shut(&batch[0]);
	e->in = in[1];
	e->ack = ack[0];
	e->batch = batch[1];
	e->line_len = 0;
	if (pid < 0) {
		shut(&e->in);
		shut(&e->ack);
		shut(&e->batch);
		return EXIT_FAILED;
	}
	e->pid = pid;
	(void)fcntl(e->in, F_SETFL, O_NONBLOCK);
	(void)fcntl(e->batch, F_SETFL, O_NONBLOCK);
	return EXIT_DONE;
}

/* The process is of no more use, or has gone: what became of it. */
static enum exit_status
finish(struct exec *e, char why[EXEC_WHY_SIZE])
{
	pid_t pid = e->pid;

	shut(&e->in);
	shut(&e->batch);
	shut(&e->ack);
	e->pid = 0;
	return verdict(wait_for(pid), why);
}

/* It has gone, whatever its status, before it accepted the batch. */
static enum exit_status
gone(struct exec *e, char why[EXEC_WHY_SIZE])
{
	enum exit_status status = finish(e, why);

	if (status != EXIT_DONE)
		return status;
	(void)snprintf(why, EXEC_WHY_SIZE,
	    "ended without acknowledging the batch");
	return EXIT_COMMAND;
}

/* Has the process ended, though something may hold its pipes open? */
static bool
has_ended(const struct exec *e)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)e->pid, &info,
		   WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == e->pid;
}

/*
 * Read what there is of an answer.  0: not complete, 1: a line, -1: nobody
 * answers any more.  What follows the first line has no batch to be about.
 */
static int
read_answer(struct exec *e)
{
	const char *end;
	ssize_t n;

	do
		n = read(e->ack, e->line + e->line_len,
		    sizeof(e->line) - 1 - e->line_len);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	e->line_len += (size_t)n;
	e->line[e->line_len] = '\0';
	end = memchr(e->line, '\n', e->line_len);
	if (end == NULL && e->line_len < sizeof(e->line) - 1)
		return 0;
	if (end != NULL)
		e->line[end - e->line] = '\0';
	e->line_len = 0;
	return 1;
}

static enum exit_status
answered(const struct exec *e, const struct exec_batch *b,
    char why[EXEC_WHY_SIZE])
{
	char next[24];

	(void)snprintf(next, sizeof(next), "%" PRIu64, b->next);
	if (e->line[0] == '\0' || strcmp(e->line, "ok") == 0 ||
	    strcmp(e->line, next) == 0)
		return EXIT_DONE;
	(void)snprintf(why, EXEC_WHY_SIZE, "answered: %s", e->line);
	return EXIT_COMMAND;
}

/* Tell it about a batch; one that never reads this does without. */
static void
announce(const struct exec *e, const struct exec_batch *b)
{
	char line[512];
	int n = snprintf(line, sizeof(line),
	    "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu\n", b->topic, b->first,
	    b->next, b->count, b->len);

	if (write(e->batch, line, (size_t)n) < 0)
		return;
}

/* Write what goes into the pipe now; false: nobody reads it. */
static bool
write_some(const struct exec *e, const struct exec_batch *b, size_t *donep)
{
	ssize_t n =
	    write(e->in, (const char *)b->data + *donep, b->len - *donep);

	if (n > 0)
		*donep += (size_t)n;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static enum exit_status
run_more(struct exec *e, const struct exec_batch *b, char why[EXEC_WHY_SIZE])
{
	size_t done = 0;

	announce(e, b);
	for (;;) {
		struct pollfd p[] = {
			{ .fd = e->ack, .events = POLLIN },
			{ .fd = done < b->len ? e->in : -1, .events = POLLOUT },
		};
		int n = poll(p, 2, LOOK_MS), answer = 0;

		if (n <= 0) {
			if (n == 0 && has_ended(e))
				return gone(e, why);
			continue;
		}
		if (p[0].revents != 0)
			answer = read_answer(e);
		if (answer < 0)
			return gone(e, why);
		if (answer > 0 && done < b->len) {
			(void)finish(e, why);
			(void)snprintf(why, EXEC_WHY_SIZE,
			    "answered before it had read the batch");
			return EXIT_COMMAND;
		}
		if (answer > 0)
			return answered(e, b, why);
		if (p[1].revents != 0 && !write_some(e, b, &done))
			return gone(e, why);
	}
}

/* ---- both --------------------------------------------------------------- */

enum exit_status
exec_run(struct exec *e, const struct exec_batch *b, char why[EXEC_WHY_SIZE])
{
	enum exit_status status = EXIT_DONE;

	why[0] = '\0';
	if (!e->once)
		return run_one(e, b, why);
	if (e->pid == 0)
		status = start(e, b, why);
	return status == EXIT_DONE ? run_more(e, b, why) : status;
}

enum exit_status
exec_end(struct exec *e, char why[EXEC_WHY_SIZE])
{
	return e->pid == 0 ? EXIT_DONE : finish(e, why);
}
