/*
 * lab.h - topics to break: make one, copy it, look at what is left.
 *
 * Every record of a lab topic holds its own number, so that a look at the topic
 * says what was lost, invented, or put in another order.
 */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include <sblog.h>

#include "sys/fault.h"

enum { LAB_PATH = 256, LAB_IDS = 1 << 16, LAB_BATCH_MAX = 256 };

/* A directory below $TMPDIR or /dev/shm that is removed at the end. */
extern char lab_root[LAB_PATH];
void lab_begin(void);
void lab_end(void);

/* TAP */
void lab_ok(bool ok, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A test that cannot be done here, and why. */
void lab_skip(const char *what, const char *why);
/* One line for machines; the commit is that of $COMMIT. */
void lab_result(const char *name, uint64_t count, uint64_t seed,
    uint64_t violations);
int lab_done(void); /* what main returns */
/* A line of explanation; counted as a violation, and with LAB_STOP in the
 * environment the last one. */
void lab_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern unsigned long lab_violations, lab_cases;

/* Copy / remove a tree of plain files. */
void lab_copy(const char *from, const char *to);
void lab_remove(const char *dir);

/* For sb_fault.hook: nobody else is there, so waiting takes no time. */
int lab_no_wait(const struct sb_fault_call *call);

struct sblog_store *lab_store(const char *dir, enum sblog_mode mode);
int lab_open(const char *dir, enum sblog_mode mode, struct sblog_store **s,
    struct sblog_topic **t, struct sblog_err *err);

/* Append record number id; durable or not.  Returns the code. */
int lab_append(struct sblog_topic *t, uint64_t id, bool durable,
    struct sblog_err *err);

/* Append records id to id + n - 1 as one batch. */
int lab_append_many(struct sblog_topic *t, uint64_t id, uint64_t n,
    bool durable, uint64_t *firstp, struct sblog_err *err);

int lab_append_as(struct sblog_topic *t, uint64_t id, uint64_t n,
    const struct sblog_append_opts *opts, uint64_t *firstp,
    struct sblog_err *err);

/*
 * Make DIR/t: a segment with records 0..29, one with 30..59, a WAL with
 * 60..79; keys and headers on some.  Without segments: 0..19 in the WAL alone.
 */
void lab_make(const char *dir, bool segments);

struct lab_seen {
	uint64_t count;
	uint64_t ids[LAB_IDS];
	int rc; /* of the read: 0, or the code it ended with */
	struct sblog_err err;
};

/* Read everything; only content is looked at, by record number. */
void lab_read(const char *dir, struct lab_seen *seen);

/* Does deep verification find no damage? */
bool lab_verify(const char *dir);

#endif
