/*
 * report.h - what a command says when it is not data, and how it ends.
 *
 * The exit status table of sblog(1) exists once, here.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <sblog.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* I/O, memory, permission */
	EXIT_USAGE = 2,
	EXIT_ABSENT = 3,           /* no such store, topic, key or offset */
	EXIT_COND = 4,             /* expectation not met */
	EXIT_BUSY = 5,             /* lock not obtained in time */
	EXIT_DAMAGE = 6,           /* damage found */
	EXIT_NOTICE = 7,           /* done, but someone should look */
	EXIT_REGRESSION = 8,       /* bench compare found one */
	EXIT_UNKNOWN = 9,          /* outcome unknown */
	EXIT_COMMAND = 123,        /* the command of --exec failed */
	EXIT_TIMEOUT = 124,        /* --timeout passed */
	EXIT_NOT_EXECUTABLE = 126, /* the command of --exec */
	EXIT_NOT_FOUND = 127,      /* the same */
};

/* The name in front of every line, "sblog-seal". */
void report_init(const char *command);
void report_setup(bool quiet, int progress);

/* "COMMAND: MESSAGE" on standard error, one line whatever is in it. */
void report_line(const char *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "sblog-seal: MESSAGE"; always printed. */
void report_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, silent with -q. */
void report_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print "sblog-seal: orders: MESSAGE (offset N, file F, byte B)" and return
 * the status for err->code. */
enum exit_status report_err(const char *topic, const struct sblog_err *err);
enum exit_status report_status(enum sblog_code code);

/* The one of two outcomes that a caller needs to hear about. */
enum exit_status report_worse(enum exit_status a, enum exit_status b);

/*
 * Flush and close standard output; a failed write turns DONE into FAILED, and
 * a reader that went away ends the process by SIGPIPE.  Every main() ends with
 * "return report_finish(status);".
 */
int report_finish(enum exit_status status);

/* The same for a command that wrote to descriptor 1 itself: error is the errno
 * of the first failed write, or 0. */
int report_finish_write(enum exit_status status, int error);

/* A line of progress on standard error, after half a second and ten times a
 * second, if it is wanted.  Fits sblog_progress_fn; arg is not used. */
void report_progress(void *arg, uint64_t done, uint64_t total);
void report_progress_end(void); /* take the line away */

/* The same for work in steps: so many of all are done, what comes now; share is
 * the part of the time, 0 to 1, that they took. */
void report_step(uint64_t done, uint64_t total, double share, const char *what);

/* A mapped file that becomes unreadable is damage, not a crash. */
void report_guard_maps(void);

/* For a command that appends: a file system that takes no more bytes also kills
 * whoever stores into the state page; then the outcome is not known. */
void report_guard_page(void);

#endif
