/*
 * sync.c - fdatasync fails while records of others, acknowledged or not, lie
 * around: the call fails, nothing acknowledged is lost, and no later success
 * has a hole before it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lab.h"
#include "sys/fault.h"

static char dir[LAB_PATH + 32];
static struct lab_seen seen;

struct two {
	struct sblog_store *sa, *sb;
	struct sblog_topic *a, *b;
};

static void
open_two(struct two *x, int scenario)
{
	struct sblog_err err;

	(void)snprintf(dir, sizeof(dir), "%.200s/sync-%d", lab_root, scenario);
	lab_make(dir, false);
	if (lab_open(dir, SBLOG_WRITE, &x->sa, &x->a, &err) < 0 ||
	    lab_open(dir, SBLOG_WRITE, &x->sb, &x->b, &err) < 0)
		lab_bad("open: %s", err.msg);
}

static void
close_two(struct two *x)
{
	sblog_topic_close(x->a);
	sblog_topic_close(x->b);
	sblog_store_close(x->sa);
	sblog_store_close(x->sb);
}

static bool
has(uint64_t id)
{
	for (uint64_t i = 0; i < seen.count; i++)
		if (seen.ids[i] == id)
			return true;
	return false;
}

static void
expect(struct sblog_topic *t, uint64_t id, bool durable, bool ok)
{
	struct sblog_err err;
	int rc = lab_append(t, id, durable, &err);

	lab_cases++;
	if (ok ? rc != 0 : rc >= 0)
		lab_bad("append %llu returned %d", (unsigned long long)id, rc);
}

static void
look(uint64_t before)
{
	lab_read(dir, &seen);
	if (seen.rc < 0)
		lab_bad("read: %s", seen.err.msg);
	for (uint64_t i = 0; i < before; i++)
		if (!has(i))
			lab_bad("record %llu is lost", (unsigned long long)i);
	if (!lab_verify(dir))
		lab_bad("verification finds damage");
}

/* The next n fdatasyncs fail. */
static void
break_sync(int n)
{
	sb_fault = (struct sb_fault){
		.kind = SB_FAULT_ERROR,
		.at = 1,
		.error = EIO,
		.forever = n > 1,
		.only = "fdatasync",
		.trace_fd = -1,
	};
}

static void
mend_sync(void)
{
	sb_fault = (struct sb_fault){ .trace_fd = -1 };
}

static void
alone(void)
{
	struct two x;

	open_two(&x, 1);
	break_sync(1);
	expect(x.a, 100, true, false);
	mend_sync();
	look(20);
	if (has(100))
		lab_bad("a refused record is there");
	expect(x.a, 101, true, true);
	expect(x.b, 102, true, true);
	look(20);
	if (!has(101) || !has(102))
		lab_bad("a record behind the failure is lost");
	close_two(&x);
	lab_ok(lab_violations == 0, "sync fails with nobody else: rolled back");
}

static void
others_behind(void)
{
	struct two x;

	open_two(&x, 2);
	expect(x.b, 100, false, true); /* acknowledged, not durable */
	break_sync(1);
	expect(x.a, 101, true, false);
	mend_sync();
	look(20);
	if (!has(100))
		lab_bad("an acknowledged record of another is lost");
	expect(x.b, 102, true, true);
	expect(x.a, 103, true, true);
	look(20);
	if (!has(100) || !has(102) || !has(103))
		lab_bad("a record behind the failure is lost");
	close_two(&x);
	lab_ok(lab_violations == 0,
	    "sync fails behind records of another: they stay");
}

static void
for_ever(void)
{
	struct two x;

	open_two(&x, 3);
	expect(x.b, 100, false, true);
	break_sync(2);
	expect(x.a, 101, true, false);
	expect(x.a, 102, true, false);
	expect(x.b, 103, true, false);
	mend_sync();
	look(20); /* what was durable; the rest went as in a power cut */
	expect(x.a, 104, true, true);
	expect(x.b, 105, true, true);
	look(20);
	if (!has(104) || !has(105))
		lab_bad("a record behind the failures is lost");
	for (uint64_t id = 101; id <= 103; id++)
		if (has(id) && !has(100))
			lab_bad("a hole before record %llu",
			    (unsigned long long)id);
	close_two(&x);
	lab_ok(lab_violations == 0, "sync fails for ever, then heals: no hole");
}

/* Syncs and reads fail: nothing can be undone, nor told apart. */
static int
break_all(const struct sb_fault_call *call)
{
	if (strcmp(call->name, "fdatasync") == 0 ||
	    strcmp(call->name, "pread") == 0)
		return -EIO;
	return 0;
}

static void
nothing_works(void)
{
	struct sblog_err err;
	struct two x;
	int rc;

	open_two(&x, 4);
	expect(x.a, 99, true, true);
	expect(x.b, 100, false, true);
	sb_fault = (struct sb_fault){ .hook = break_all, .trace_fd = -1 };
	rc = lab_append(x.a, 101, true, &err);
	mend_sync();
	lab_cases++;
	if (rc != SBLOG_EUNKNOWN)
		lab_bad("the append returned %d (%s)", rc, err.msg);
	look(20);
	expect(x.b, 102, true, true);
	look(20);
	if (!has(102))
		lab_bad("a record behind the failure is lost");
	close_two(&x);
	lab_ok(lab_violations == 0,
	    "syncs and reads fail: the outcome is not known");
}

int
main(void)
{
	lab_begin();
	nothing_works();
	alone();
	others_behind();
	for_ever();
	return lab_done();
}
