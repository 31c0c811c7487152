/*
 * exec.h - batches of bytes to the standard input of a command, and whether it
 * accepted them.
 *
 * Either each batch has a process of its own, which accepts it by exit status
 * 0; or one process gets all batches and answers each with a line on
 * descriptor EXEC_ACK_FD: nothing, "ok" or the offset behind the batch accept
 * it, anything else refuses it.  A line on EXEC_BATCH_FD announces each batch
 * to that process: topic, first offset, offset behind it, records, bytes.
 */
#ifndef CMD_EXEC_H
#define CMD_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/report.h"

enum {
	EXEC_ACK_FD = 3,
	EXEC_BATCH_FD = 4,
	EXEC_LINE_SIZE = 256, /* bytes of an answer that are looked at */
	EXEC_WHY_SIZE = EXEC_LINE_SIZE + 64,
};

struct exec {
	const char *command; /* for sh -c */
	bool once;           /* one process for all batches */

	/* that process */
	pid_t pid; /* 0: not started */
	int in, ack, batch;
	char line[EXEC_LINE_SIZE]; /* what it has answered so far */
	size_t line_len;
};

struct exec_batch {
	const char *topic, *group; /* group may be NULL */
	uint64_t first, next;      /* offsets, [first, next) */
	uint64_t count;            /* records */
	const void *data;
	size_t len;
};

/*
 * Hand over a batch and wait for the verdict.  EXIT_DONE: accepted.
 * EXIT_COMMAND: refused, why says how.  EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND:
 * the shell could not run the command.  EXIT_FAILED: there is no process to be
 * had.  A process that died is started again by the next call.
 */
enum exit_status exec_run(struct exec *e, const struct exec_batch *b,
    char why[EXEC_WHY_SIZE]);

/* No more batches: end of its input for the process that gets all of them.
 * Returns as exec_run, with EXIT_DONE if there is none. */
enum exit_status exec_end(struct exec *e, char why[EXEC_WHY_SIZE]);

#endif
