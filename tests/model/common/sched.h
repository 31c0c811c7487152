/*
 * sched.h - processes in one address space, and who of them goes on.
 *
 * Each is a coroutine with a stack, memory and descriptors of its own.  At
 * every system call and every atomic on shared memory ("point") another one may
 * go on, the process may be killed, or the power may fail; a plan says where.
 */
#ifndef TESTS_MODEL_SCHED_H
#define TESTS_MODEL_SCHED_H

#include <ucontext.h>

#include "common/fs.h"

enum { SIM_PROCS = 16, SIM_FDS = 40, SIM_FIRST_FD = 3, SIM_SWITCHES = 4 };

enum sim_state {
	SIM_UNUSED,
	SIM_READY,
	SIM_LOCK,  /* waits for a lock */
	SIM_SLEEP, /* until a time, or for a word to change */
	SIM_DONE,
	SIM_KILLED,
};

struct sim_fd {
	uint32_t ino; /* 0: closed */
	uint32_t id;  /* of the open file, for locks */
	bool write;
};

struct sim_proc {
	enum sim_state state;
	ucontext_t context;
	void *stack;
	uint8_t *memory; /* arena; everything goes when the process goes */
	size_t used, blocks;
	struct sim_fd fds[SIM_FDS];
	uint32_t lock;        /* file it waits for */
	const uint32_t *word; /* it sleeps on, or NULL */
	uint64_t until;
	bool timed_out;
	unsigned spins; /* atomics since the last system call */
	void (*run)(void *arg);
	void *arg;
};

/* Who goes on at the next points. */
struct sim_plan {
	uint64_t seed;   /* 0: nobody is interrupted but as below */
	uint32_t one_in; /* with a seed: one point in so many is a switch */
	uint64_t switch_at[SIM_SWITCHES]; /* points; 0: none */
	uint64_t kill_at, kill_again;     /* points; 0: nobody is killed */
	uint64_t cut_at;                  /* the power fails; 0: it does not */
	bool words; /* plain words of shared memory are points, too */
	bool tear;  /* large writes are two points */
	bool clock; /* clocks jump now and then */
};

extern struct sim {
	struct fs *fs;
	struct sim_proc procs[SIM_PROCS];
	struct sim_proc *cur; /* who is at work */
	bool direct;          /* no coroutine: nobody else is there */
	int depth;            /* of direct calls */
	struct sim_plan plan;
	uint64_t now; /* microseconds since boot */
	int64_t wall; /* to be added for the wall clock */
	uint64_t random, boot;
	uint64_t points, countdown, switches;
	uint64_t first_end; /* points when the first process ended */
	uint32_t next_id, kills;
	bool cut, stuck;
	bool trace;
	/* NULL, or called at each point when direct */
	void (*hook)(const char *name);
} sim;

uint64_t sim_random(uint64_t *seed);

void sim_init(void);
/* No process is left; the clocks and numbers are those of a machine that was
 * just switched on.  seed: of its random bytes. */
void sim_boot(struct fs *f, uint64_t seed);

struct sim_proc *sim_spawn(void (*run)(void *arg), void *arg);
/* Until all are done, killed, or the power fails.  false: they wait for each
 * other, or do not come to an end. */
bool sim_run(const struct sim_plan *plan);
/* Call it here and now, with nobody else about. */
void sim_call(void (*run)(void *arg), void *arg);

/* For sys.c: a point; then the current process may go on. */
void sim_point(const char *name, int fd, uint64_t pos, uint64_t len);
/* For sys.c: wait.  false: timed out. */
void sim_wait_lock(uint32_t ino);
bool sim_wait_word(const uint32_t *word, uint64_t us);
void sim_unlocked(uint32_t ino);
void sim_woken(const uint32_t *word);
void sim_close(struct sim_proc *p, struct sim_fd *fd);

/* Blocks of memory and descriptors that the process has not given back. */
size_t sim_leaks(const struct sim_proc *p);

#endif
