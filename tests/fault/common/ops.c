/*
 * ops.c - operations to disturb, and what must hold afterwards.
 */
#include "common/ops.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lab.h"

enum { FIRST_ID = 5000, LAST_ID = 9999, NEARLY_FULL = 1150 };

struct told *told;
static char base[LAB_PATH + 32], work[LAB_PATH + 32];
static struct lab_seen seen;

/* ---- topics to start from ---- */

static void
wal_alone(const char *dir)
{
	lab_make(dir, false);
}

static void
with_segments(const char *dir)
{
	lab_make(dir, true);
}

static void
append_to(const char *dir, uint64_t from, uint64_t to, uint64_t each)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t first;

	if (lab_open(dir, SBLOG_WRITE, &s, &t, &err) < 0)
		lab_bad("prepare: %s", err.msg);
	for (uint64_t id = from; id < to; id += each)
		if (lab_append_many(t, id, each, true, &first, &err) < 0)
			lab_bad("prepare: %s", err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
}

/* A WAL that the next append but one fills. */
static void
nearly_full(const char *dir)
{
	const struct sblog_setting set[] = { { "segment.bytes", "64K" } };
	struct sblog_store *s = lab_store(dir, SBLOG_CREATE);
	struct sblog_err err;

	if (s == NULL || sblog_topic_create(s, "t", set, 1, &err) < 0)
		lab_bad("prepare: %s", err.msg);
	sblog_store_close(s);
	append_to(dir, 0, NEARLY_FULL, 50);
}

/* Somebody died in the middle of a write. */
static void
torn(const char *dir)
{
	pid_t pid;

	lab_make(dir, true);
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		sb_fault = (struct sb_fault){
			.kind = SB_FAULT_TEAR,
			.only = "pwrite",
			.at = 1,
			.bytes = 300,
			.trace_fd = -1,
		};
		append_to(dir, LAST_ID, LAST_ID + 200, 200);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
}

/* ---- operations ---- */

static int
open_work(enum sblog_mode mode, struct sblog_store **s, struct sblog_topic **t,
    struct sblog_err *err)
{
	return told->open_rc = lab_open(work, mode, s, t, err);
}

static void
run_append(const struct op *op, bool durable, bool sync)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t first;

	if (open_work(SBLOG_WRITE, &s, &t, &err) == 0) {
		for (uint64_t i = 0; i < OPS_APPENDS; i++)
			told->rc[i] =
			    lab_append_many(t, FIRST_ID + i * op->each,
				op->each, durable && i % 2 == 0, &first, &err);
		if (sync)
			told->op_rc = sblog_sync(t, &err);
	}
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
one_each(void)
{
	run_append(&ops[0], true, false);
}

static void
many_each(void)
{
	run_append(&ops[2], true, false);
}

static void
then_sync(void)
{
	run_append(&ops[4], false, true);
}

static void
do_read(void)
{
	lab_read(work, &seen);
	told->op_rc = seen.rc;
	for (uint64_t i = 0; i < seen.count; i++)
		told->wrong += seen.ids[i] != i;
}

static void
do_get(void)
{
	static const uint64_t offsets[] = { 0, 79, 31, 30, 29, 59, 60 };
	struct sblog_record rec;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t found;
	int rc = open_work(SBLOG_READ, &s, &t, &err);

	for (size_t i = 0; i < 7 && rc == 0; i++)
		if ((rc = sblog_get(t, offsets[i], &rec, &err)) == 0)
			told->wrong += rec.offset != offsets[i] ||
			    strtoull(rec.value.data, NULL, 10) != offsets[i];
	if (rc == 0)
		rc = sblog_find_time(t, 0, &found, &err);
	if (told->open_rc == 0)
		told->op_rc = rc;
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
do_seal(void)
{
	const struct sblog_seal_opts opts = { .threads = 1 };
	struct sblog_sealed sealed;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	if (open_work(SBLOG_WRITE, &s, &t, &err) == 0)
		told->op_rc = sblog_seal(t, &opts, &sealed, &err);
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

	if (open_work(SBLOG_READ, &s, &t, &err) == 0)
		told->op_rc = sblog_verify(t, &opts, &done, &err);
	if (told->op_rc == 0)
		told->damages = done.damages;
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
do_index(void)
{
	struct sblog_indexed done;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_work(SBLOG_WRITE, &s, &t, &err);

	if (rc == 0 &&
	    (rc = sblog_index(t, SBLOG_INDEX_DROP, false, &done, &err)) >= 0)
		rc = sblog_index(t, SBLOG_INDEX_BUILD, false, &done, &err);
	if (told->open_rc == 0)
		told->op_rc = rc;
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
do_config(void)
{
	const struct sblog_setting set[] = { { "sync", "record" } };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	if (open_work(SBLOG_WRITE, &s, &t, &err) == 0)
		told->op_rc = sblog_setting_set(s, t, set, 1, false, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
}

const struct op ops[] = {
	{ "append", wal_alone, one_each, 20, 1, true },
	{ "append behind segments", with_segments, one_each, 80, 1, true },
	{ "append of batches", with_segments, many_each, 80, 200, true },
	{ "append that starts a WAL", nearly_full, many_each, NEARLY_FULL, 200,
	    true },
	{ "append with a sync at the end", wal_alone, then_sync, 20, 1, true },
	{ "append behind a torn one", torn, one_each, 80, 1, true },
	{ "read", with_segments, do_read, 80, 1, false },
	{ "get", with_segments, do_get, 80, 1, false },
	{ "seal", with_segments, do_seal, 80, 1, true },
	{ "seal of the first WAL", wal_alone, do_seal, 20, 1, true },
	{ "verify", with_segments, do_verify, 80, 1, false },
	{ "index", with_segments, do_index, 80, 1, true },
	{ "config", with_segments, do_config, 80, 1, true },
};

const unsigned op_count = sizeof(ops) / sizeof(ops[0]);

/* ---- running ---- */

void
ops_begin(void)
{
	(void)snprintf(base, sizeof(base), "%s/base", lab_root);
	(void)snprintf(work, sizeof(work), "%s/work", lab_root);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		exit(1);
	sb_fault.hook = lab_no_wait;
}

void
ops_prepare(const struct op *op)
{
	lab_remove(base);
	op->prepare(base);
}

void
ops_reset(void)
{
	lab_copy(base, work);
}

static int
listen(const struct sb_fault_call *call)
{
	uint64_t i = ++told->calls;

	if (i <= OPS_CALLS_MAX) {
		told->names[i] = call->name;
		told->lens[i] = call->len;
	}
	return lab_no_wait(call);
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

int
ops_run(const struct op *op, const struct sb_fault *fault, uint64_t memory,
    bool forever)
{
	int status = 0;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	for (int i = 0; i < OPS_APPENDS; i++)
		told->rc[i] = 1;
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		int before = open_descriptors();

		sb_fault = *fault;
		sb_fault.trace_fd = -1;
		sb_fault.hook = listen;
		memory_arm(memory, forever);
		op->run();
		told->allocations = memory_count();
		memory_arm(0, false);
		told->leaked = open_descriptors() - before;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		lab_bad("cannot fork");
	return status;
}

/* ---- checking ---- */

static bool
definite(int rc)
{
	return rc == SBLOG_EIO || rc == SBLOG_EBUSY || rc == SBLOG_ENOMEM;
}

/* The batches of ours that are there: whole, in order. */
static void
check_ours(const struct op *op, const char *what)
{
	bool there[OPS_APPENDS] = { false };
	uint64_t i = op->before, next = 0;

	while (i < seen.count) {
		uint64_t n = (seen.ids[i] - FIRST_ID) / op->each;

		if (seen.ids[i] < FIRST_ID || n >= OPS_APPENDS || n < next) {
			lab_bad("%s: record %llu at offset %llu", what,
			    (unsigned long long)seen.ids[i],
			    (unsigned long long)i);
			return;
		}
		for (uint64_t k = 0; k < op->each; k++, i++)
			if (i >= seen.count ||
			    seen.ids[i] != FIRST_ID + n * op->each + k) {
				lab_bad("%s: a part of batch %llu", what,
				    (unsigned long long)n);
				return;
			}
		there[n] = true;
		next = n + 1;
	}
	for (int n = 0; n < OPS_APPENDS; n++) {
		if (told->rc[n] == 0 && !there[n])
			lab_bad("%s: append %d was acknowledged and is lost",
			    what, n);
		if (definite(told->rc[n]) && there[n])
			lab_bad("%s: append %d was refused and is there", what,
			    n);
	}
}

static void
check_records(const struct op *op, const char *what)
{
	if (seen.rc < 0)
		lab_bad("%s: reading afterwards: %s", what, seen.err.msg);
	for (uint64_t i = 0; i < op->before; i++)
		if (i >= seen.count || seen.ids[i] != i) {
			lab_bad("%s: record %llu is lost", what,
			    (unsigned long long)i);
			return;
		}
	check_ours(op, what);
}

static void
check_leftovers(const char *dir, const char *what)
{
	char path[2 * LAB_PATH];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s%s", work, dir);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".tmp.") != NULL)
			lab_bad("%s: %s is left over", what, e->d_name);
	if (d != NULL)
		(void)closedir(d);
}

/* The operation without faults; for appends that is done by ops_check. */
static void
run_again(const struct op *op, const char *what)
{
	const struct sb_fault none = { .trace_fd = -1 };
	const struct told before = *told;

	if (op->each > 1 || op->run == one_each || op->run == then_sync ||
	    op->run == do_seal)
		return;
	if (ops_run(op, &none, 0, false) != 0 || told->open_rc != 0 ||
	    told->op_rc < 0 || told->damages > 0 || told->wrong > 0)
		lab_bad("%s: it does not work afterwards", what);
	*told = before;
}

void
ops_check(const struct op *op, const char *what)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	struct sblog_sealed sealed;
	uint64_t count;

	run_again(op, what);
	lab_read(work, &seen);
	check_records(op, what);
	count = seen.count;
	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) < 0 ||
	    lab_append(t, LAST_ID, true, &err) < 0)
		lab_bad("%s: appending afterwards: %s", what, err.msg);
	else if (sblog_seal(t, NULL, &sealed, &err) < 0)
		lab_bad("%s: sealing afterwards: %s", what, err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
	lab_read(work, &seen);
	/* A batch that was complete but not published may appear now. */
	if (seen.rc < 0 || seen.count < count + 1 ||
	    seen.ids[seen.count - 1] != LAST_ID) {
		lab_bad("%s: the next append is not there", what);
	} else {
		seen.count--;
		check_records(op, what);
	}
	if (!lab_verify(work))
		lab_bad("%s: verification finds damage", what);
	check_leftovers("/t", what);
	lab_cases++;
}
