/*
 * proc.h - a command that runs, is stopped, goes on and is killed at random.
 */
#ifndef CMD_TORTURE_PROC_H
#define CMD_TORTURE_PROC_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PROC_IN = 1,  /* its input can take something */
	PROC_OUT = 2, /* its output has something, or has ended */
	PROC_STUCK = 4,
	PROC_ARGS = 24,
	PROC_STUCK_S = 60, /* without any progress */
};

struct proc {
	pid_t pid;
	int in, out; /* pipes to and from it, -1: closed */
	int err;     /* a file in memory with what it says, emptied at start */
	bool killed, stopped;
	uint64_t kill_ns, stop_ns; /* when; 0: not */
	uint64_t moved_ns;         /* last progress */
	uint64_t *kills, *stops;   /* shared counters */
};

/* What is to happen to it, from a random number. */
enum proc_fate { PROC_LIVES, PROC_MAY_DIE };

/*
 * Start argv[0], a path.  feed: its input is a pipe, else empty.  Its output is
 * a pipe.  It dies with the thread that started it.  false: errno.
 */
bool proc_start(struct proc *p, char *const argv[], bool feed,
    enum proc_fate fate, uint64_t random);

/* Wait for what is wanted, at most timeout_ms; disturb it meanwhile.  Returns
 * the flags that are set, 0 after the timeout. */
unsigned proc_poll(struct proc *p, unsigned want, int timeout_ms);

void proc_close_in(struct proc *p);
void proc_kill(struct proc *p, int signal);

/* Its status, as of waitpid.  Gives everything back but p->err. */
int proc_end(struct proc *p);

/* The first line that it said, "" if nothing. */
void proc_said(const struct proc *p, char *out, size_t size);

#endif
