/*
 * proc.c - a command that runs, is stopped, goes on and is killed at random.
 */
#include "torture/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture/ledger.h"

enum { STOP_MAX_US = 30000 };

/* In the child.  Descriptors of others are closed on exec. */
static _Noreturn void
become(const struct proc *p, char *const argv[], int in, int out, pid_t parent)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(p->err, 2) < 0)
		_exit(126);
	(void)execv(argv[0], argv);
	_exit(127);
}

/* Short and long lives are equally likely, from microseconds on. */
static void
decide(struct proc *p, enum proc_fate fate, uint64_t random)
{
	uint64_t us = (random >> 8) % (UINT64_C(1) << (4 + random % 15));

	p->kill_ns = p->stop_ns = 0;
	if (fate == PROC_LIVES || (random >> 40) % 5 < 2)
		return;
	if ((random >> 40) % 5 < 4)
		p->kill_ns = p->moved_ns + us * 1000;
	else
		p->stop_ns = p->moved_ns + us * 1000;
}

bool
proc_start(struct proc *p, char *const argv[], bool feed, enum proc_fate fate,
    uint64_t random)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, saved;
	pid_t self = getpid();

	if (p->err < 0)
		p->err = memfd_create("said", MFD_CLOEXEC);
	if (p->err < 0 || ftruncate(p->err, 0) < 0 ||
	    lseek(p->err, 0, SEEK_SET) < 0)
		return false;
	if (!feed)
		in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if ((feed ? pipe2(in, O_CLOEXEC) < 0 : in[0] < 0) ||
	    pipe2(out, O_CLOEXEC) < 0 || (p->pid = fork()) < 0) {
		saved = errno;
		for (int i = 0; i < 2; i++) {
			(void)close(in[i]);
			(void)close(out[i]);
		}
		errno = saved;
		return false;
	}
	if (p->pid == 0)
		become(p, argv, in[0], out[1], self);
	(void)close(in[0]);
	(void)close(out[1]);
	p->in = in[1];
	p->out = out[0];
	if (p->in >= 0)
		(void)fcntl(p->in, F_SETFL, O_NONBLOCK);
	p->killed = p->stopped = false;
	p->moved_ns = ledger_now_ns();
	decide(p, fate, random);
	return true;
}

/* Do what is due, and say how long until the next is. */
static int
disturb(struct proc *p, int timeout_ms)
{
	uint64_t now = ledger_now_ns(), due;

	if (p->stop_ns != 0 && now >= p->stop_ns) {
		if (p->stopped) {
			(void)kill(p->pid, SIGCONT);
			p->stopped = false;
			p->stop_ns = 0;
			p->moved_ns = now;
		} else {
			(void)kill(p->pid, SIGSTOP);
			p->stopped = true;
			p->stop_ns =
			    now + (now / 64 % STOP_MAX_US + 100) * 1000;
			(void)__atomic_fetch_add(p->stops, 1, __ATOMIC_RELAXED);
		}
	}
	if (p->kill_ns != 0 && now >= p->kill_ns) {
		p->kill_ns = 0;
		proc_kill(p, SIGKILL);
		(void)__atomic_fetch_add(p->kills, 1, __ATOMIC_RELAXED);
	}
	due = p->kill_ns != 0 ? p->kill_ns : p->stop_ns;
	if (due != 0 && due < now + (uint64_t)timeout_ms * 1000000)
		return due <= now ? 0 : (int)((due - now) / 1000000 + 1);
	return timeout_ms;
}

unsigned
proc_poll(struct proc *p, unsigned want, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = want & PROC_IN ? p->in : -1, .events = POLLOUT },
		{ .fd = want & PROC_OUT ? p->out : -1, .events = POLLIN },
	};
	unsigned got = 0;
	int ms = disturb(p, timeout_ms);

	if (poll(fds, 2, ms) > 0) {
		p->moved_ns = ledger_now_ns();
		got |= fds[0].revents != 0 ? PROC_IN : 0;
		got |= fds[1].revents != 0 ? PROC_OUT : 0;
	}
	(void)disturb(p, 0);
	if (ledger_now_ns() - p->moved_ns > PROC_STUCK_S * UINT64_C(1000000000))
		got |= PROC_STUCK;
	return got;
}

void
proc_close_in(struct proc *p)
{
	if (p->in >= 0)
		(void)close(p->in);
	p->in = -1;
}

void
proc_kill(struct proc *p, int signal)
{
	(void)kill(p->pid, signal);
	p->killed = true;
}

int
proc_end(struct proc *p)
{
	int status = 0;

	proc_close_in(p);
	/* It has closed its output; it may be stopped before it ends. */
	while (waitpid(p->pid, &status, WNOHANG) == 0) {
		(void)disturb(p, 0);
		(void)usleep(50);
	}
	if (p->out >= 0)
		(void)close(p->out);
	p->out = -1;
	p->pid = 0;
	return status;
}

void
proc_said(const struct proc *p, char *out, size_t size)
{
	ssize_t n = pread(p->err, out, size - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}
