/*
 * once.c - appends with a token: killed or failed at every system call and
 * tried again, exactly one copy; also without the page, and sealed.
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

enum { BEFORE = 90, TOKENS = 45, ID = 7000, NEW = 1000 };

struct told {
	int rc;
	uint64_t calls;
};

static struct told *told;
static char base[LAB_PATH + 32], work[LAB_PATH + 32];
static struct lab_seen seen;

/* Append record id with a token of that number: the code. */
static int
append_once(const char *dir, uint64_t id, uint64_t token, bool durable,
    uint64_t *firstp)
{
	char name[32];
	struct sblog_append_opts opts = {
		.sync = durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
	};
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_info info;
	struct sblog_err err;
	int rc;

	opts.once.data = name;
	opts.once.len = (size_t)snprintf(name, sizeof(name), "token %llu",
	    (unsigned long long)token);
	rc = lab_open(dir, SBLOG_WRITE, &s, &t, &err);
	if (rc == 0)
		rc = lab_append_as(t, id, 1, &opts, firstp, &err);
	if (rc >= 0 && durable && sb_fault.kind == SB_FAULT_NONE &&
	    sblog_topic_info(t, &info, &err) == 0 &&
	    info.durable_end <= *firstp)
		lab_bad("record %llu is not durable, though it was asked for",
		    (unsigned long long)id);
	sblog_topic_close(t);
	sblog_store_close(s);
	return rc;
}

static int
seal(const char *dir)
{
	const struct sblog_seal_opts opts = { .threads = 1 };
	struct sblog_sealed sealed;
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_err err;
	int rc = lab_open(dir, SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = sblog_seal(t, &opts, &sealed, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
	return rc;
}

/* How often record id is there. */
static unsigned
copies(uint64_t id)
{
	unsigned n = 0;

	lab_read(work, &seen);
	for (uint64_t i = 0; i < seen.count; i++)
		n += seen.ids[i] == id;
	return n;
}

/* ---- operations that are disturbed ---- */

static void
do_append(void)
{
	uint64_t first;

	told->rc = append_once(work, ID, NEW, true, &first);
}

static void
do_append_none(void)
{
	uint64_t first;

	told->rc = append_once(work, ID, NEW, false, &first);
}

static void
do_seal(void)
{
	told->rc = seal(work);
}

static void
no_tokens(void)
{
}

static void
some_tokens(void)
{
	uint64_t first;

	for (uint64_t i = 0; i < TOKENS; i++)
		if (append_once(base, BEFORE + i, i, false, &first) != 0)
			lab_bad("cannot append with a token");
}

static void
sealed_tokens(void)
{
	some_tokens();
	if (seal(base) != 0)
		lab_bad("cannot seal");
}

/* As after a restart: nothing is known of the WAL but the WAL. */
static void
stale_tokens(void)
{
	char path[LAB_PATH + 64];

	some_tokens();
	(void)snprintf(path, sizeof(path), "%s/t/state", base);
	(void)unlink(path);
}

/* Published by somebody who never synced. */
static void
unsynced_token(void)
{
	uint64_t first;

	some_tokens();
	if (append_once(base, ID, NEW, false, &first) != 0)
		lab_bad("cannot append with a token");
}

static const struct operation {
	const char *name;
	void (*prepare)(void);
	void (*run)(void);
	bool segments;
} operations[] = {
	{ "the first token", no_tokens, do_append, false },
	{ "a token, not synced", some_tokens, do_append_none, false },
	{ "a token behind many", some_tokens, do_append, true },
	{ "a token behind sealed ones", sealed_tokens, do_append, true },
	{ "a token after a crash", stale_tokens, do_append, true },
	{ "a replay of what was not synced", unsynced_token, do_append, true },
	{ "seal", some_tokens, do_seal, true },
};

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

/* Old tokens are known still. */
static void
check_old(const struct operation *op, const char *what)
{
	uint64_t first;
	int rc;

	if (op->prepare == no_tokens)
		return;
	for (uint64_t i = 0; i < TOKENS; i += TOKENS - 1) {
		rc = append_once(work, BEFORE + i, i, true, &first);
		if (rc != SBLOG_REPLAYED)
			lab_bad("%s: old token %d: %d", what, (int)i, rc);
	}
	if (copies(BEFORE) != 1 || copies(BEFORE + TOKENS - 1) != 1)
		lab_bad("%s: a second copy of an old record", what);
}

/* Try again until it works, and again, and once more when it was sealed. */
static void
check_after(const struct operation *op, const char *what)
{
	uint64_t first = 0, again = 0;
	int rc, was = told->rc;
	unsigned n = copies(ID);

	lab_cases++;
	if (was == 0 && op->run != do_seal && n != 1)
		lab_bad("%s: acknowledged, %u copies", what, n);
	if (was < 0 && was != SBLOG_EUNKNOWN && n != 0 &&
	    op->prepare != unsynced_token)
		lab_bad("%s: refused, %u copies", what, n);
	rc = append_once(work, ID, NEW, true, &first);
	if (rc < 0 || (n == 1) != (rc == SBLOG_REPLAYED)) {
		/* Complete but never published: recovery may find it. */
		if (rc < 0 || copies(ID) != 1)
			lab_bad("%s: with %u copies the retry says %d", what, n,
			    rc);
	}
	if (append_once(work, ID, NEW, true, &again) != SBLOG_REPLAYED ||
	    again != first)
		lab_bad("%s: the second retry is none", what);
	if (seal(work) < 0 ||
	    append_once(work, ID, NEW, true, &again) != SBLOG_REPLAYED ||
	    again != first)
		lab_bad("%s: sealed and forgotten", what);
	if (copies(ID) != 1 || seen.rc < 0)
		lab_bad("%s: %u copies", what, copies(ID));
	check_old(op, what);
	if (!lab_verify(work))
		lab_bad("%s: verification finds damage", what);
}

static uint64_t
count_calls(const struct operation *op)
{
	const struct sb_fault none = { .trace_fd = -1 };

	lab_copy(base, work);
	(void)run_child(op, &none);
	if (told->rc != 0 && told->rc != SBLOG_REPLAYED)
		lab_bad("%s: without faults: %d", op->name, told->rc);
	return told->calls;
}

static void
disturb(const struct operation *op)
{
	static const int errors[] = { EIO, ENOSPC };
	uint64_t calls = count_calls(op);
	char what[160];

	for (uint64_t i = 1; i <= calls; i++) {
		struct sb_fault f = { .at = i, .trace_fd = -1 };

		for (int e = 0; e < 4; e++) {
			f.kind = SB_FAULT_ERROR;
			f.error = errors[e / 2];
			f.forever = e % 2;
			(void)snprintf(what, sizeof(what),
			    "%s, call %llu: %s%s", op->name,
			    (unsigned long long)i, strerror(f.error),
			    f.forever ? " for ever" : "");
			lab_copy(base, work);
			if (!WIFEXITED(run_child(op, &f)))
				lab_bad("%s: died", what);
			check_after(op, what);
		}
		f.forever = false;
		for (uint64_t k = 0; k <= 16 << 10; k += k < 512 ? 64 : 1024) {
			f.kind = k == 0 ? SB_FAULT_KILL : SB_FAULT_TEAR;
			f.bytes = k;
			(void)snprintf(what, sizeof(what),
			    "%s, killed in call %llu after %llu bytes",
			    op->name, (unsigned long long)i,
			    (unsigned long long)k);
			lab_copy(base, work);
			if (WIFEXITED(run_child(op, &f)) && k > 0)
				break; /* not a write, or a shorter one */
			check_after(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: fails, is killed, is tried again",
	    op->name);
}

/* Where the batch of that record begins in its file. */
static uint64_t
batch_of(uint64_t offset)
{
	struct sblog_place place = { 0 };
	struct sblog_store *s = NULL;
	struct sblog_topic *t = NULL;
	struct sblog_err err;

	if (lab_open(work, SBLOG_READ, &s, &t, &err) < 0 ||
	    sblog_locate(t, offset, &place, &err) < 0)
		lab_bad("cannot locate: %s", err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
	return place.pos;
}

/* As a power cut leaves it: the indexes are newer than the log. */
static void
lost_tail(void)
{
	char path[LAB_PATH + 64];
	uint64_t first;
	int rc;

	lab_copy(base, work);
	if (append_once(work, ID, NEW, false, &first) != 0)
		lab_bad("cannot append");
	(void)snprintf(path, sizeof(path), "%s/t/%020d.wal", work, 60);
	if (truncate(path, (off_t)batch_of(first)) < 0)
		lab_bad("cannot cut");
	(void)snprintf(path, sizeof(path), "%s/t/state", work);
	(void)unlink(path);
	rc = append_once(work, ID, NEW, true, &first);
	lab_ok(rc == 0 && copies(ID) == 1,
	    "a table of keys that knows more than the log: %d", rc);
}

/* A topic that ends at BEFORE, or a small one. */
static void
make(bool segments, bool more)
{
	uint64_t first;

	lab_remove(base);
	lab_make(base, segments);
	for (uint64_t id = segments ? 80 : 20; more && id < BEFORE; id++)
		if (append_once(base, id, NEW + 1 + id, false, &first) != 0)
			lab_bad("cannot append");
}

int
main(void)
{
	lab_begin();
	(void)snprintf(work, sizeof(work), "%s/work", lab_root);
	(void)snprintf(base, sizeof(base), "%s/base", lab_root);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		make(operations[i].segments,
		    operations[i].prepare != no_tokens);
		operations[i].prepare();
		disturb(&operations[i]);
	}
	lost_tail();
	return lab_done();
}
