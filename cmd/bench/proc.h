/*
 * proc.h - other processes: forked with shared memory, or commands.
 */
#ifndef CMD_BENCH_PROC_H
#define CMD_BENCH_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What processes that have ended cost together. */
struct proc_cost {
	double cpu_seconds;
	uint64_t rss;     /* bytes, the greatest of one */
	uint64_t rss_sum; /* bytes, of all */
	bool rss_unknown; /* some are smaller than they seem */
};

/* Zeroed memory that forked processes share; never fails. */
void *proc_shared(size_t size);
void proc_shared_free(void *p, size_t size);

/* No process that is started here outlives this one. */

/* A process that runs work(arg) and ends with status 0. */
pid_t proc_fork(void (*work)(void *arg), void *arg);

/* A command with standard input, output and error from and to files (NULL:
 * /dev/null, for errors: ours).  argv[0] is its path. */
struct proc_files {
	const char *in, *out, *err;
};
pid_t proc_spawn(const char *const argv[], const struct proc_files *files);

/* Wait; the status as of waitpid().  proc_finish: it must be an exit with 0, or
 * the run is abandoned. */
int proc_wait(pid_t pid, struct proc_cost *cost);
/* false: it has not ended. */
bool proc_ended(pid_t pid, int *statusp, struct proc_cost *cost);
/* End all that were started and not waited for. */
void proc_end_all(void);
void proc_finish(pid_t pid, const char *name, struct proc_cost *cost);
void proc_run(const char *const argv[], const struct proc_files *files,
    struct proc_cost *cost);

#endif
