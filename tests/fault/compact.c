/*
 * compact.c - compaction and retention: failed and killed at every system call,
 * and inside every write; what must be there is there, and it works again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lab.h"
#include "sys/fault.h"

enum { ROUNDS = 3, EACH = 60, KEYS = 17, RECORDS = ROUNDS * EACH, TAIL = 7 };
enum { START = 70 }; /* of the trim */

struct told {
	int rc;
	uint64_t calls;
};

static struct told *told;
static char base[LAB_PATH + 32], work[LAB_PATH + 32];

/* Record i has key i % KEYS; each eleventh is a tombstone. */
static void
append(struct sblog_topic *t, uint64_t i)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME };
	char key[16], value[64];
	struct sblog_err err;
	uint64_t first;

	rec.key.data = key;
	rec.key.len =
	    (size_t)snprintf(key, sizeof(key), "k%d", (int)(i % KEYS));
	if (i % 11 != 0) {
		rec.value.data = value;
		rec.value.len = (size_t)snprintf(value, sizeof(value),
		    "value of %d", (int)i);
	}
	if (sblog_append(t, &rec, 1, &opts, &first, &err) != 0 || first != i)
		lab_bad("cannot append %d: %s", (int)i, err.msg);
}

static void
make(const char *dir)
{
	static const struct sblog_setting set[] = {
		{ "sync", "none" },
		{ "cleanup.policy", "compact" },
	};
	const struct sblog_seal_opts opts = { .threads = 1 };
	struct sblog_store *s = lab_store(dir, SBLOG_CREATE);
	struct sblog_topic *t = NULL;
	struct sblog_sealed sealed;
	struct sblog_err err;

	if (sblog_topic_create(s, "t", set, 2, &err) < 0 ||
	    sblog_topic_open(&t, s, "t", SBLOG_WRITE, &err) < 0)
		lab_bad("cannot make: %s", err.msg);
	for (uint64_t i = 0; i < RECORDS + TAIL; i++) {
		append(t, i);
		if ((i + 1) % EACH == 0 &&
		    sblog_seal(t, &opts, &sealed, &err) != 0)
			lab_bad("cannot seal: %s", err.msg);
	}
	sblog_topic_close(t);
	sblog_store_close(s);
}

static int
compact(uint64_t grace)
{
	const struct sblog_compact_opts opts = { .grace_us = grace,
		.threads = 1 };
	struct sblog_compacted done;
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_err err;
	int rc = lab_open(work, SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = sblog_compact(t, &opts, &done, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
	return rc;
}

static int
trim(void)
{
	const struct sblog_trim_opts opts = { .before = START };
	struct sblog_trimmed done;
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_err err;
	int rc = lab_open(work, SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = sblog_trim(t, &opts, &done, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
	return rc;
}

static void
do_compact(void)
{
	told->rc = compact(SBLOG_NO_LIMIT);
}

/* Tombstones that were seen go. */
static void
do_again(void)
{
	told->rc = compact(0);
}

static void
do_trim(void)
{
	told->rc = trim();
}

static void
nothing(void)
{
}

static void
first_compact(void)
{
	lab_copy(base, work);
	if (compact(SBLOG_NO_LIMIT) != 0)
		lab_bad("cannot compact");
	lab_copy(work, base);
}

static const struct operation {
	const char *name;
	void (*prepare)(void);
	void (*run)(void);
	bool tombstones_go, trims;
} operations[] = {
	{ "compact", nothing, do_compact, false, false },
	{ "compact again", first_compact, do_again, true, false },
	{ "trim", nothing, do_trim, false, true },
};

static bool
is_newest(uint64_t i)
{
	return i + KEYS >= RECORDS;
}

/* Each record once and as it was; the newest of each key, and all of the WAL. */
static void
check_records(const struct operation *op, const char *what)
{
	bool seen[RECORDS + TAIL] = { false };
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	struct sblog_info info = { 0 };
	struct sblog_err err;
	char value[64];
	int rc = lab_open(work, SBLOG_READ, &s, &t, &err);

	if (rc == 0)
		rc = sblog_topic_info(t, &info, &err);
	if (rc == 0)
		rc = sblog_cursor_open(&cur, t, NULL, &err);
	while (rc == 0 && (rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		size_t len = (size_t)snprintf(value, sizeof(value),
		    "value of %d", (int)rec.offset);

		if (rec.offset >= RECORDS + TAIL || seen[rec.offset] ||
		    (rec.value.data == NULL) != (rec.offset % 11 == 0) ||
		    (rec.value.data != NULL &&
			(rec.value.len != len ||
			    memcmp(rec.value.data, value, len) != 0)))
			lab_bad("%s: record %d is not what it was", what,
			    (int)rec.offset);
		else
			seen[rec.offset] = true;
	}
	if (rc < 0)
		lab_bad("%s: cannot read: %s", what, err.msg);
	for (uint64_t i = info.start; i < RECORDS + TAIL; i++)
		if (!seen[i] &&
		    (i >= RECORDS || op->trims ||
			(is_newest(i) && !(op->tombstones_go && i % 11 == 0))))
			lab_bad("%s: record %d is lost", what, (int)i);
	if (op->trims && info.start != 0 && info.start != START)
		lab_bad("%s: the start is %d", what, (int)info.start);
	sblog_cursor_close(cur);
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
check_after(const struct operation *op, const char *what)
{
	int was = told->rc, rc;

	lab_cases++;
	check_records(op, what);
	if (!lab_verify(work))
		lab_bad("%s: verification finds damage", what);
	rc = op->trims ? trim()
		       : compact(op->tombstones_go ? 0 : SBLOG_NO_LIMIT);
	if (rc < 0)
		lab_bad("%s: it does not work again: %d", what, rc);
	if (was == 0 && rc == 0 && op->trims)
		lab_bad("%s: it was said to be done, and was not", what);
	check_records(op, what);
	if (!lab_verify(work))
		lab_bad("%s: then verification finds damage", what);
}

static int
run_child(const struct operation *op, const struct sb_fault *fault)
{
	int status = 0;
	pid_t pid;

	*told = (struct told){ .rc = 1 };
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		sb_fault = *fault;
		op->run();
		told->calls = sb_fault.calls;
		sb_fault.kind = SB_FAULT_NONE;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		lab_bad("cannot fork");
	return status;
}

static void
fail_call(const struct operation *op, uint64_t i)
{
	static const int errors[] = { EIO, ENOSPC };
	struct sb_fault f = { .at = i, .trace_fd = -1 };
	char what[160];

	for (int e = 0; e < 4; e++) {
		f.kind = SB_FAULT_ERROR;
		f.error = errors[e / 2];
		f.forever = e % 2;
		(void)snprintf(what, sizeof(what), "%s, call %llu: %s%s",
		    op->name, (unsigned long long)i, strerror(f.error),
		    f.forever ? " for ever" : "");
		lab_copy(base, work);
		if (!WIFEXITED(run_child(op, &f)))
			lab_bad("%s: died", what);
		check_after(op, what);
	}
}

static void
kill_call(const struct operation *op, uint64_t i)
{
	struct sb_fault f = { .at = i, .trace_fd = -1 };
	char what[160];

	for (uint64_t k = 0; k <= 8 << 10; k += 512) {
		f.kind = k == 0 ? SB_FAULT_KILL : SB_FAULT_TEAR;
		f.bytes = k;
		(void)snprintf(what, sizeof(what),
		    "%s, killed in call %llu after %llu bytes", op->name,
		    (unsigned long long)i, (unsigned long long)k);
		lab_copy(base, work);
		if (WIFEXITED(run_child(op, &f)) && k > 0)
			break; /* not a write, or a shorter one */
		check_after(op, what);
	}
}

static void
disturb(const struct operation *op)
{
	const struct sb_fault none = { .trace_fd = -1 };

	op->prepare();
	lab_copy(base, work);
	(void)run_child(op, &none);
	if (told->rc != 0)
		lab_bad("%s: without faults: %d", op->name, told->rc);
	for (uint64_t i = 1, calls = told->calls; i <= calls; i++) {
		fail_call(op, i);
		kill_call(op, i);
	}
	lab_ok(lab_violations == 0, "%s: fails, is killed, is done again",
	    op->name);
}

int
main(void)
{
	lab_begin();
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	(void)snprintf(base, sizeof(base), "%s/base", lab_root);
	(void)snprintf(work, sizeof(work), "%s/work", lab_root);
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		lab_remove(base);
		make(base);
		disturb(&operations[i]);
	}
	return lab_done();
}
