/*
 * powercut.c - the power fails at random moments of random work, with syncs
 * that failed before, too.
 *
 * After each cut: what was acknowledged as durable is there, with all that lies
 * before it; the rest is a prefix of what was published, without a hole; no
 * reader calls it damage; and appending goes on behind it.
 *
 * POWERCUT_SEED and POWERCUT_RUNS choose other runs than the usual ones,
 * POWERCUT_FAULTS adds those with failures, POWERCUT_TRACE shows every call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/disk.h"
#include "common/lab.h"
#include "sys/fault.h"

enum {
	OPS = 80,      /* of a run */
	CUT_EACH = 17, /* system calls */
	IDS = 1 << 14, /* records of a run */
	HANDLES = 2,
	BATCH_MAX = 220,
};

static char dir[LAB_PATH + 32], image[LAB_PATH + 32];
static struct lab_seen seen;

/* One run. */
static struct {
	uint64_t seed, first_seed;
	struct sblog_store *store[HANDLES];
	struct sblog_topic *topic[HANDLES];
	uint64_t next_id;
	uint64_t at[IDS]; /* number of the acknowledged record there, or 0 */
	bool tried[IDS];  /* by number */
	bool refused[IDS];
	uint64_t end, durable;   /* of what was acknowledged */
	uint64_t wrote[HANDLES]; /* end of what each has appended */
	int busy;                /* handle that is at work */
	uint64_t came_back;      /* refused records seen after a cut */
	const char *doing;
	bool faults, together, nested, trace;
	unsigned long calls, cuts;
} run;

static void
open_handle(int h)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_WRITE };
	struct sblog_err err;

	run.wrote[h] = 0;
	if (sblog_store_open(&run.store[h], dir, &opts, &err) < 0 ||
	    sblog_topic_open(&run.topic[h], run.store[h], "t", SBLOG_WRITE,
		&err) < 0)
		lab_bad("seed %llu: open: %s",
		    (unsigned long long)run.first_seed, err.msg);
}

static void
close_handle(int h)
{
	sblog_topic_close(run.topic[h]);
	sblog_store_close(run.store[h]);
	run.topic[h] = NULL;
	run.store[h] = NULL;
}

/* ---- after a cut ---- */

static void
complain(const char *what, uint64_t a, uint64_t b)
{
	lab_bad("seed %llu, in %s, call %lu: %s: %llu %llu",
	    (unsigned long long)run.first_seed, run.doing, run.calls, what,
	    (unsigned long long)a, (unsigned long long)b);
}

/* What is read must be what was there, up to some end. */
static void
check_prefix(const char *when)
{
	if (seen.rc < 0) {
		complain(when, 0, seen.count);
		printf("#   %s: %s at %llu\n", sblog_code_name(seen.err.code),
		    seen.err.msg, (unsigned long long)seen.err.offset);
	}
	for (uint64_t i = 0; i < seen.count; i++) {
		uint64_t id = seen.ids[i];

		if (id >= IDS || !run.tried[id])
			complain("a record nobody wrote", i, id);
		else if (i < run.end && run.at[i] != 0 && run.at[i] != id)
			complain("another record at an offset", i, id);
		else if (run.refused[id])
			run.came_back++;
		else
			continue;
		break;
	}
	if (seen.count < run.durable)
		complain("durable records are lost: end, durable", seen.count,
		    run.durable);
}

static void
check_image(void)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t count;
	uint64_t last = IDS - 1;

	lab_read(image, &seen);
	check_prefix("reading");
	if (seen.rc < 0)
		return;
	count = seen.count;
	run.tried[last] = true;
	if (lab_open(image, SBLOG_WRITE, &s, &t, &err) < 0 ||
	    lab_append(t, last, true, &err) < 0) {
		complain("appending afterwards", count, run.durable);
		printf("#   %s: %s\n", sblog_code_name(err.code), err.msg);
	}
	sblog_topic_close(t);
	sblog_store_close(s);
	lab_read(image, &seen);
	if (seen.count != count + 1 || seen.ids[count] != last)
		complain("the next append is not behind the rest", seen.count,
		    count);
	else
		seen.count--;
	check_prefix("reading after the next append");
	if (!lab_verify(image))
		complain("verification finds damage", count, run.durable);
	run.tried[last] = false;
}

static void
cut(void)
{
	const struct sb_fault saved = sb_fault;
	uint64_t r = disk_random(&run.seed);

	disk_cut(image, (enum disk_loss)(r % DISK_LOSSES), r);
	sb_fault = (struct sb_fault){
		.trace_fd = -1,
		.boot = r | 1,
		.hook = lab_no_wait,
	};
	check_image();
	sb_fault = saved;
	lab_cases++;
}

/* ---- work ---- */

static void
note_end(void)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_info info;
	struct sblog_err err;

	/* A failed sync may have taken back what was not durable. */
	if (lab_open(dir, SBLOG_READ, &s, &t, &err) == 0 &&
	    sblog_topic_info(t, &info, &err) == 0 && info.end < run.end) {
		if (info.end < run.durable)
			complain("durable records were taken back", info.end,
			    run.durable);
		for (uint64_t i = info.end; i < run.end; i++)
			run.at[i] = 0;
		run.end = info.end;
		for (int h = 0; h < HANDLES; h++)
			if (run.wrote[h] > run.end)
				run.wrote[h] = run.end;
	}
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
append(int h, uint64_t n, bool durable)
{
	uint64_t first, id = run.next_id;
	struct sblog_err err;
	int rc;

	if (id + n + 1 >= IDS)
		return;
	run.next_id += n;
	for (uint64_t i = 0; i < n; i++)
		run.tried[id + i] = true;
	rc = lab_append_many(run.topic[h], id, n, durable, &first, &err);
	if (run.trace)
		printf("# %s: handle %d, records %llu to %llu%s: %d at %llu\n",
		    run.doing, h, (unsigned long long)id,
		    (unsigned long long)(id + n), durable ? ", durable" : "",
		    rc, rc == 0 ? (unsigned long long)first : 0);
	if (rc == 0) {
		for (uint64_t i = 0; i < n; i++)
			run.at[first + i] = id + i;
		if (run.end < first + n)
			run.end = first + n;
		run.wrote[h] = first + n;
		if (durable && run.durable < first + n)
			run.durable = first + n;
		return;
	}
	for (uint64_t i = 0; i < n && rc != SBLOG_EUNKNOWN; i++)
		run.refused[id + i] = true;
}

static void
sync_handle(int h)
{
	uint64_t end = run.wrote[h];
	struct sblog_err err;

	if (sblog_sync(run.topic[h], &err) == 0 && run.durable < end)
		run.durable = end;
}

static void
seal(int h)
{
	const struct sblog_seal_opts opts = { .threads = 1 };
	struct sblog_sealed sealed;
	struct sblog_err err;

	(void)sblog_seal(run.topic[h], &opts, &sealed, &err);
}

/* Some of the next calls of a kind fail. */
static void
arm(void)
{
	static const char *const names[] = { "fdatasync", "fdatasync", "fsync",
		"pwrite", "ftruncate", "renameat2", "rename" };
	uint64_t r = disk_random(&run.seed);

	sb_fault.kind = SB_FAULT_ERROR;
	sb_fault.error = r % 2 ? EIO : ENOSPC;
	sb_fault.only = names[r / 2 % 7];
	sb_fault.calls = 0;
	sb_fault.at = 1 + r / 16 % 3;
	sb_fault.forever = r / 64 % 4 == 0;
}

static void
disarm(void)
{
	sb_fault.kind = SB_FAULT_NONE;
	sb_fault.only = NULL;
	sb_fault.forever = 0;
}

/* The other handle does something in the middle of what this one does. */
static void
interleave(void)
{
	const char *doing = run.doing;
	uint64_t r = disk_random(&run.seed);
	int h = (run.busy + 1) % HANDLES;

	run.nested = true;
	run.doing = "an append in between";
	if (r % 4 == 0) {
		close_handle(h);
		open_handle(h);
	}
	append(h, 1 + r / 4 % 3, r / 16 % 2);
	run.doing = doing;
	run.nested = false;
}

static int
hook(const struct sb_fault_call *call)
{
	bool wait = strcmp(call->name, "fdatasync") == 0 ||
	    strcmp(call->name, "flock") == 0 ||
	    strcmp(call->name, "futex") == 0;
	int rc;

	run.calls++;
	if (run.calls % CUT_EACH == run.first_seed % CUT_EACH)
		cut();
	rc = disk_observe(call);
	if (wait && run.together && !run.nested &&
	    disk_random(&run.seed) % 8 == 0)
		interleave();
	if (run.trace)
		printf("#	%lu %s fd %d pos %llu len %zu: %d, %d\n",
		    run.calls, call->name, call->fd,
		    (unsigned long long)call->pos, call->len, call->verdict,
		    rc);
	return rc < 0 ? rc : lab_no_wait(call);
}

static void
work(void)
{
	uint64_t r = disk_random(&run.seed);
	int h = (int)(r % HANDLES);

	r /= HANDLES;
	if (run.faults && r % 4 == 0)
		arm();
	r /= 4;
	run.busy = h;
	switch (r % 16) {
	case 0:
		run.doing = "seal";
		seal(h);
		break;
	case 1:
		run.doing = "sync";
		sync_handle(h);
		break;
	case 2:
		run.doing = "reopening";
		disarm();
		close_handle(h);
		open_handle(h);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		run.doing = "a large append";
		append(h, 1 + r / 16 % BATCH_MAX, r / 4096 % 2);
		break;
	default:
		run.doing = "an append";
		append(h, 1 + r / 16 % 3, r / 4096 % 2);
	}
	disarm();
	note_end();
}

static void
one_run(uint64_t seed, bool faults, bool together)
{
	const struct sblog_setting set[] = { { "segment.bytes", "64K" } };
	struct sblog_store *s = lab_store(dir, SBLOG_CREATE);
	struct sblog_err err;

	memset(&run, 0, sizeof(run));
	run.seed = run.first_seed = seed;
	run.faults = faults;
	run.together = together;
	run.trace = getenv("POWERCUT_TRACE") != NULL;
	run.next_id = 1;
	if (s == NULL || sblog_topic_create(s, "t", set, 1, &err) < 0) {
		lab_bad("cannot create");
		return;
	}
	sblog_store_close(s);
	for (int h = 0; h < HANDLES; h++)
		open_handle(h);
	disk_begin(dir);
	sb_fault.hook = hook;
	for (int i = 0; i < OPS && lab_violations == 0; i++)
		work();
	sb_fault = (struct sb_fault){ .trace_fd = -1 };
	for (int h = 0; h < HANDLES; h++)
		close_handle(h);
	disk_end();
	lab_remove(dir);
	lab_remove(image);
}

static void
runs(const char *title, bool faults, bool together, uint64_t first, uint64_t n)
{
	unsigned long cases = 0, bad = 0, back = 0;

	for (uint64_t i = 0; i < n; i++) {
		lab_violations = lab_cases = 0;
		one_run(first + i, faults, together);
		cases += lab_cases;
		bad += lab_violations;
		back += run.came_back;
	}
	if (back > 0)
		printf("# a refused record was there after %lu cuts\n", back);
	lab_cases = cases;
	lab_violations = bad;
	lab_ok(bad == 0, "%s", title);
}

int
main(void)
{
	const char *text = getenv("POWERCUT_SEED");
	uint64_t first = text ? strtoull(text, NULL, 10) : 1;
	uint64_t n = 20;

	if ((text = getenv("POWERCUT_RUNS")) != NULL)
		n = strtoull(text, NULL, 10);
	lab_begin();
	(void)snprintf(dir, sizeof(dir), "%s/cut", lab_root);
	(void)snprintf(image, sizeof(image), "%s/image", lab_root);
	runs("power cuts in the middle of work", false, false, first, n);
	runs("power cuts while two are at work", false, true, first, n);
	if (getenv("POWERCUT_FAULTS") != NULL) {
		runs("power cuts after calls that failed", true, false, first,
		    n);
		runs("power cuts after calls that failed with two at work",
		    true, true, first, n);
	}
	return lab_done();
}
