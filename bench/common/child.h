/*
 * child.h - run commands and say what they cost.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdint.h>
#include <sys/types.h>

enum { CHILD_ARGS = 16 }; /* most arguments, the final NULL included */

struct child_cost {
	double seconds; /* from before the start until it was waited for */
	uint64_t rss;   /* bytes, most that was resident */
};

/* Where a command reads and writes; NULL is /dev/null. */
struct child_files {
	const char *in;
	const char *out; /* made if absent, emptied if not */
};

/*
 * Start argv (searched in PATH) on these descriptors, which stay open here.
 * A command that is not there: measure_skip.
 */
pid_t child_start(const char *const argv[], int in, int out);

/* Wait; a command that does not exit 0 ends the program. */
void child_finish(pid_t pid, const char *name, struct child_cost *cost);

/* Run one command; the clock does not see the opening of files. */
struct child_cost child_run(const char *const argv[],
    const struct child_files *files);

/*
 * Run left | right over an ordinary pipe until both are done.  The time is
 * of both, the memory that of the left and the right one.
 */
struct child_cost child_pipe(const char *const left[],
    const char *const right[], const struct child_files *files,
    uint64_t rss[static 2]);

#endif
