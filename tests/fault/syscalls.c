/*
 * syscalls.c - every system call of append, read, seal and verify fails once,
 * or from then on, with errors that fit; and kills before every call and inside
 * every write.
 *
 * Afterwards, without faults: nothing acknowledged is lost, nothing that was
 * refused is there, verification is clean, the same operation works, and no
 * temporary file survives the next seal.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lab.h"
#include "sys/fault.h"

enum { FIRST_ID = 1000, APPENDS = 4, CALLS_MAX = 2000 };

/* What the child tells before it may die. */
struct told {
	int rc[APPENDS]; /* of each append: 1 not tried */
	int read_rc;
	uint64_t read_count;
	uint64_t calls;
	bool wrote[CALLS_MAX + 1]; /* call i is a write */
};

static struct told *told;
static char base[LAB_PATH + 32], work[LAB_PATH + 32];

struct operation {
	const char *name;
	void (*run)(void);
	bool segments;   /* of the topic it starts from */
	uint64_t before; /* records there */
};

static void
do_append(void)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) == 0)
		for (int i = 0; i < APPENDS; i++)
			told->rc[i] = lab_append(t, FIRST_ID + (uint64_t)i,
			    i % 2 == 0, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
do_read(void)
{
	struct lab_seen *seen = malloc(sizeof(*seen));

	lab_read(work, seen);
	told->read_rc = seen->rc;
	told->read_count = seen->count;
	free(seen);
}

static void
do_seal(void)
{
	const struct sblog_seal_opts opts = { .threads = 1 };
	struct sblog_sealed sealed;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) == 0)
		told->read_rc = sblog_seal(t, &opts, &sealed, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
do_verify(void)
{
	const struct sblog_verify_opts opts = { .depth = SBLOG_VERIFY_DEEP };
	struct sblog_verified done = { 0 };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = lab_open(work, SBLOG_READ, &s, &t, &err);

	if (rc == 0 && sblog_verify(t, &opts, &done, &err) == 0 &&
	    done.damages > 0)
		told->read_rc = SBLOG_EDAMAGE;
	sblog_topic_close(t);
	sblog_store_close(s);
}

static const struct operation operations[] = {
	{ "append", do_append, false, 20 },
	{ "append to a topic with segments", do_append, true, 80 },
	{ "read", do_read, true, 80 },
	{ "seal", do_seal, true, 80 },
	{ "seal of the first WAL", do_seal, false, 20 },
	{ "verify", do_verify, true, 80 },
};

/* Run op in a child with the fault armed; its wait status. */
static int
run_child(const struct operation *op, const struct sb_fault *fault)
{
	int status = 0;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	for (int i = 0; i < APPENDS; i++)
		told->rc[i] = 1;
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

static bool
definite(int rc)
{
	return rc == SBLOG_EIO || rc == SBLOG_EBUSY || rc == SBLOG_ENOMEM;
}

/* The records of before, then of ours those that count, in order. */
static void
check_records(const struct operation *op, const struct lab_seen *seen,
    const char *what)
{
	bool there[APPENDS] = { false };
	uint64_t next = 0;

	if (seen->rc < 0)
		lab_bad("%s: reading afterwards: %s", what, seen->err.msg);
	for (uint64_t i = 0; i < op->before; i++)
		if (i >= seen->count || seen->ids[i] != i) {
			lab_bad("%s: record %llu is lost", what,
			    (unsigned long long)i);
			return;
		}
	for (uint64_t i = op->before; i < seen->count; i++) {
		uint64_t n = seen->ids[i] - FIRST_ID;

		if (n >= APPENDS || n < next) {
			lab_bad("%s: record %llu at offset %llu", what,
			    (unsigned long long)seen->ids[i],
			    (unsigned long long)i);
			return;
		}
		there[n] = true;
		next = n + 1;
	}
	for (int i = 0; i < APPENDS; i++) {
		if (told->rc[i] == 0 && !there[i])
			lab_bad("%s: append %d was acknowledged and is lost",
			    what, i);
		if (definite(told->rc[i]) && there[i])
			lab_bad("%s: append %d was refused and is there", what,
			    i);
	}
}

static void
check_leftovers(const char *what)
{
	char path[LAB_PATH + 64];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/t", work);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".tmp.") != NULL)
			lab_bad("%s: %s is left over", what, e->d_name);
	if (d != NULL)
		(void)closedir(d);
}

/* Everything works again, and everything is there. */
static void
check_after(const struct operation *op, const char *what)
{
	static struct lab_seen seen;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	struct sblog_sealed sealed;
	uint64_t count;

	lab_read(work, &seen);
	check_records(op, &seen, what);
	count = seen.count;
	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) < 0 ||
	    lab_append(t, 5000, true, &err) < 0)
		lab_bad("%s: appending afterwards: %s", what, err.msg);
	else if (sblog_seal(t, NULL, &sealed, &err) < 0)
		lab_bad("%s: sealing afterwards: %s", what, err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
	lab_read(work, &seen);
	/* A batch that was complete but not published may appear now. */
	if (seen.rc < 0 || seen.count < count + 1 ||
	    seen.ids[seen.count - 1] != 5000)
		lab_bad("%s: the next append is not there", what);
	else {
		seen.count--;
		check_records(op, &seen, what);
	}
	if (!lab_verify(work))
		lab_bad("%s: verification finds damage", what);
	check_leftovers(what);
	lab_cases++;
}

static uint64_t
count_calls(const struct operation *op)
{
	const struct sb_fault none = { .trace_fd = -1 };

	lab_copy(base, work);
	(void)run_child(op, &none);
	return told->calls;
}

static void
fail_each(const struct operation *op)
{
	static const int errors[] = { EIO, ENOSPC, EACCES, EMFILE };
	uint64_t calls = count_calls(op);
	char what[160];

	for (uint64_t i = 1; i <= calls; i++) {
		for (size_t e = 0; e < 8; e++) {
			struct sb_fault f = {
				.kind = SB_FAULT_ERROR,
				.at = i,
				.error = errors[e / 2],
				.forever = e % 2,
				.trace_fd = -1,
			};
			int status;

			(void)snprintf(what, sizeof(what),
			    "%s, call %llu: %s%s", op->name,
			    (unsigned long long)i, strerror(f.error),
			    f.forever ? " for ever" : "");
			lab_copy(base, work);
			status = run_child(op, &f);
			if (!WIFEXITED(status))
				lab_bad("%s: died of signal %d", what,
				    WTERMSIG(status));
			if (told->read_rc == SBLOG_EDAMAGE && f.error != EMFILE)
				lab_bad("%s: called it damage", what);
			check_after(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: every system call fails", op->name);
}

/* Killed at call i, and the recovery killed too, at each of its first calls. */
static void
kill_each(const struct operation *op)
{
	uint64_t calls = count_calls(op);
	char what[160];

	for (uint64_t i = 1; i <= calls; i++) {
		for (int depth = 0; depth < 6; depth++) {
			struct sb_fault f = { .kind = SB_FAULT_KILL,
				.at = i,
				.trace_fd = -1 };
			struct sb_fault again = f;
			struct told first;

			(void)snprintf(what, sizeof(what),
			    "%s, killed at call %llu, then %d", op->name,
			    (unsigned long long)i, depth * 9);
			lab_copy(base, work);
			(void)run_child(op, &f);
			first = *told;
			again.at = (uint64_t)depth * 9;
			if (depth > 0)
				(void)run_child(&operations[3], &again);
			*told = first;
			check_after(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: killed before every system call",
	    op->name);
}

static void
tear_each(const struct operation *op)
{
	uint64_t calls = count_calls(op);
	char what[160];

	for (uint64_t i = 1; i <= calls; i++) {
		for (uint64_t k = 0; k <= 128 << 10;
		     k += k < 4096 ? 512 : 32 << 10) {
			struct sb_fault f = {
				.kind = SB_FAULT_TEAR,
				.at = i,
				.bytes = k,
				.trace_fd = -1,
			};
			int status;

			(void)snprintf(what, sizeof(what),
			    "%s, call %llu torn after %llu bytes", op->name,
			    (unsigned long long)i, (unsigned long long)k);
			lab_copy(base, work);
			status = run_child(op, &f);
			if (WIFEXITED(status))
				break; /* not a write, or a shorter one */
			check_after(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: killed inside every write", op->name);
}

int
main(void)
{
	lab_begin();
	(void)snprintf(work, sizeof(work), "%s/work", lab_root);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		const struct operation *op = &operations[i];

		(void)snprintf(base, sizeof(base), "%s/base", lab_root);
		lab_remove(base);
		lab_make(base, op->segments);
		fail_each(op);
		if (op->run == do_read || op->run == do_verify)
			continue;
		kill_each(op);
		tear_each(op);
	}
	return lab_done();
}
