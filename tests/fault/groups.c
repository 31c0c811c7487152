/*
 * groups.c - commits of consumer groups: every system call fails, kills, or is
 * torn; every bit of a group's file is flipped; the power fails.
 *
 * Afterwards, without faults: a group is where the last commit that was
 * acknowledged put it, or where one that was tried and not refused would have;
 * never anywhere else, and never damaged in both slots.  The next commit works
 * and leaves no trace of what happened.  No record is ever touched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/disk.h"
#include "common/lab.h"
#include "sys/fault.h"

enum { RECORDS = 20, STEPS = 6, GONE = 1000, CALLS_MAX = 4000 };

/* What the child tells before it may die: where it put group "g", and whether
 * that was acknowledged.  GONE: the group was removed. */
static struct told {
	uint64_t to[STEPS];
	int rc[STEPS]; /* 1: not tried */
	uint64_t calls;
} * told;

static char base[LAB_PATH + 32], work[LAB_PATH + 32];
static struct lab_seen seen;

struct operation {
	const char *name;
	void (*run)(struct sblog_topic *t);
	uint64_t before; /* where "g" is, or GONE */
};

static void
commit(struct sblog_topic *t, int step, uint64_t to,
    const struct sblog_commit_opts *opts)
{
	struct sblog_err err;

	told->to[step] = to;
	told->rc[step] = SBLOG_EUNKNOWN; /* should it die */
	told->rc[step] = sblog_group_commit(t, "g", to, opts, &err);
}

static void
do_commit(struct sblog_topic *t)
{
	struct sblog_commit_opts opts = { .note = "so far" };

	for (int i = 0; i < STEPS; i++) {
		opts.sync = i % 2 ? SBLOG_SYNC_NONE : SBLOG_SYNC_BATCH;
		commit(t, i, 6 + (uint64_t)i, &opts);
	}
}

static void
do_reset(struct sblog_topic *t)
{
	const struct sblog_commit_opts opts = { .reset = 1, .keep_note = 1 };

	commit(t, 0, 2, &opts);
}

static void
do_park(struct sblog_topic *t)
{
	struct sblog_err err;

	(void)sblog_group_park(t, "g", true, false, &err);
	(void)sblog_group_park(t, "g", false, false, &err);
}

static void
do_remove(struct sblog_topic *t)
{
	struct sblog_err err;

	told->to[0] = GONE;
	told->rc[0] = SBLOG_EUNKNOWN;
	told->rc[0] = sblog_group_remove(t, "g", false, &err);
	commit(t, 1, 9, NULL);
}

/* Divide the group, consume as its only shard. */
static void
do_lease(struct sblog_topic *t)
{
	struct sblog_lease_opts one = { .shards = 1, .from = 5 };
	struct sblog_commit_opts opts = { .sync = SBLOG_SYNC_BATCH };
	struct sblog_lease *l;
	struct sblog_err err;

	told->to[0] = 5; /* made, perhaps */
	told->rc[0] = SBLOG_EUNKNOWN;
	if (sblog_lease_take(&l, t, "g", &one, &err) < 0)
		return;
	told->rc[0] = 0;
	opts.lease = l;
	commit(t, 1, 11, &opts);
	commit(t, 2, 12, &opts);
	sblog_lease_release(l);
	commit(t, 3, 4, NULL);
}

static const struct operation operations[] = {
	{ "commit", do_commit, 5 },
	{ "first commit", do_commit, GONE },
	{ "reset", do_reset, 5 },
	{ "park", do_park, 5 },
	{ "rm", do_remove, 5 },
	{ "lease", do_lease, 5 },
	{ "lease of a new group", do_lease, GONE },
};

static void
make_base(uint64_t before)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	lab_remove(base);
	lab_make(base, false);
	if (lab_open(base, SBLOG_WRITE, &s, &t, &err) < 0)
		lab_bad("base: %s", err.msg);
	if (sblog_group_commit(t, "other", 7, NULL, &err) < 0 ||
	    (before != GONE &&
		(sblog_group_commit(t, "g", 3, NULL, &err) < 0 ||
		    sblog_group_commit(t, "g", before, NULL, &err) < 0)))
		lab_bad("base: %s", err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
}

/* Run op in a child with the fault armed; its wait status. */
static int
run_child(const struct operation *op, const struct sb_fault *fault)
{
	int status = 0;
	pid_t pid;

	memset(told, 0, sizeof(*told));
	for (int i = 0; i < STEPS; i++)
		told->rc[i] = 1;
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		struct sblog_store *s;
		struct sblog_topic *t;
		struct sblog_err err;

		sb_fault = *fault;
		if (lab_open(work, SBLOG_WRITE, &s, &t, &err) == 0)
			op->run(t);
		sblog_topic_close(t);
		sblog_store_close(s);
		told->calls = sb_fault.calls;
		sb_fault.kind = SB_FAULT_NONE;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		lab_bad("cannot fork");
	return status;
}

/* ---- what is allowed ---- */

/* Was it acknowledged last, or might it have come to be after that? */
static bool
possible(uint64_t before, uint64_t now)
{
	bool ok = now == before;

	for (int i = 0; i < STEPS; i++) {
		if (told->rc[i] == 0)
			ok = now == told->to[i];
		else if (told->rc[i] == SBLOG_EUNKNOWN)
			ok = ok || now == told->to[i];
	}
	return ok;
}

/* Where g is now, GONE if there is none. */
static uint64_t
where(struct sblog_topic *t, bool torn, const char *what)
{
	struct sblog_group g;
	struct sblog_err err;
	int rc = sblog_group_get(t, "g", &g, &err);

	if (rc == SBLOG_ENOENT)
		return GONE;
	if (rc < 0) {
		lab_bad("%s: %s (%s)", what, err.msg, err.file);
		return GONE;
	}
	if (g.one_slot_damaged && !torn)
		lab_bad("%s: a slot is damaged (byte %llu)", what,
		    (unsigned long long)g.damaged_pos);
	if (sblog_group_check(t, &g, &err) < 0)
		lab_bad("%s: %s", what, err.msg);
	return g.committed;
}

static void
check_records(const char *what)
{
	lab_read(work, &seen);
	if (seen.rc < 0 || seen.count != RECORDS)
		lab_bad("%s: %llu records", what,
		    (unsigned long long)seen.count);
	if (!lab_verify(work))
		lab_bad("%s: verification finds damage", what);
}

/* No file is left that no group needs, once somebody has sealed. */
static void
check_leftovers(struct sblog_topic *t, const char *what)
{
	char path[2 * LAB_PATH];
	struct sblog_sealed sealed;
	const struct dirent *e;
	struct sblog_err err;
	DIR *d;

	if (sblog_seal(t, NULL, &sealed, &err) < 0)
		lab_bad("%s: sealing afterwards: %s", what, err.msg);
	(void)snprintf(path, sizeof(path), "%s/t/groups", work);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".tmp.") != NULL)
			lab_bad("%s: %s is left over", what, e->d_name);
	if (d != NULL)
		(void)closedir(d);
}

static void
check_after(const struct operation *op, bool torn, const char *what)
{
	struct sblog_commit_opts opts = { .if_set = 1 };
	struct sblog_lease_opts two = { .shards = 2, .from = 13 };
	struct sblog_lease *l;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_group g;
	struct sblog_err err;
	uint64_t now;

	lab_cases++;
	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) < 0) {
		lab_bad("%s: open: %s", what, err.msg);
		return;
	}
	now = where(t, torn, what);
	if (!possible(op->before, now))
		lab_bad("%s: committed is %llu", what, (unsigned long long)now);
	opts.if_offset = now == GONE ? SBLOG_NO_OFFSET : now;
	if (sblog_group_commit(t, "g", 13, &opts, &err) < 0)
		lab_bad("%s: the next commit: %s", what, err.msg);
	if (where(t, false, what) != 13)
		lab_bad("%s: the next commit is not there", what);
	if (sblog_group_get(t, "other", &g, &err) < 0 || g.committed != 7)
		lab_bad("%s: another group suffered", what);
	if (sblog_lease_take(&l, t, "g", &two, &err) < 0)
		lab_bad("%s: the next lease: %s", what, err.msg);
	else
		sblog_lease_release(l);
	if (where(t, false, what) != 13)
		lab_bad("%s: the lease moved it", what);
	check_leftovers(t, what);
	sblog_topic_close(t);
	sblog_store_close(s);
	check_records(what);
}

/* ---- faults ---- */

static uint64_t
count_calls(const struct operation *op)
{
	struct sb_fault traced = { .trace_fd = -1 };

	lab_copy(base, work);
	if (getenv("GROUPS_TRACE") != NULL)
		traced.trace_fd = 1;
	(void)run_child(op, &traced);
	for (int i = 0; i < STEPS; i++)
		if (told->rc[i] < 0)
			lab_bad("%s: step %d: %d", op->name, i, told->rc[i]);
	check_after(op, false, op->name);
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
			check_after(op, false, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: every system call fails", op->name);
}

/* bytes: of a write that are written before the kill. */
static void
kill_each(const struct operation *op, enum sb_fault_kind kind)
{
	uint64_t calls = count_calls(op);
	char what[160];

	for (uint64_t i = 1; i <= calls; i++) {
		/* Within a head, within a file, all of it but for an error. */
		for (uint64_t k = 0; k <= 8192; k += k < 128 ? 32 : 2688) {
			struct sb_fault f = { .kind = kind,
				.at = i,
				.bytes = k,
				.error = ENOSPC,
				.trace_fd = -1 };
			bool torn = kind == SB_FAULT_TEAR;
			int status;

			(void)snprintf(what, sizeof(what),
			    "%s, call %llu %s after %llu bytes", op->name,
			    (unsigned long long)i,
			    kind == SB_FAULT_SHORT ? "short" : "killed",
			    (unsigned long long)k);
			lab_copy(base, work);
			status = run_child(op, &f);
			if (kind != SB_FAULT_KILL && told->calls != 0 &&
			    kind == SB_FAULT_TEAR && WIFEXITED(status))
				break; /* not a write, or a shorter one */
			check_after(op, torn, what);
			if (kind == SB_FAULT_KILL ||
			    (kind == SB_FAULT_SHORT && k >= 128))
				break;
		}
	}
	lab_ok(lab_violations == 0, "%s: %s", op->name,
	    kind == SB_FAULT_KILL       ? "killed before every system call"
		: kind == SB_FAULT_TEAR ? "killed inside every write"
					: "every write falls short");
}

/* ---- damage ---- */

/* What is asked of a damaged file must be true or refused. */
static void
look(const char *what, uint64_t last, uint64_t before)
{
	struct sblog_commit_opts reset = { .reset = 1 };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_group g;
	struct sblog_err err;
	int rc;

	lab_cases++;
	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) < 0) {
		lab_bad("%s: open: %s", what, err.msg);
		return;
	}
	rc = sblog_group_get(t, "g", &g, &err);
	if (rc == 0 && g.committed != last &&
	    (g.committed != before || !g.one_slot_damaged))
		lab_bad("%s: committed is %llu", what,
		    (unsigned long long)g.committed);
	if (rc < 0 && rc != SBLOG_EDAMAGE && rc != SBLOG_EFORMAT)
		lab_bad("%s: %s", what, err.msg);
	if (rc < 0 && strncmp(err.file, "groups/g", 8) != 0)
		lab_bad("%s: damage in %s", what, err.file);
	if (sblog_group_get(t, "other", &g, &err) < 0 || g.committed != 7)
		lab_bad("%s: another group suffered", what);
	if (sblog_group_commit(t, "g", 8, rc < 0 ? &reset : NULL, &err) < 0)
		lab_bad("%s: commit: %s", what, err.msg);
	if (where(t, false, what) != 8)
		lab_bad("%s: the next commit is not there", what);
	sblog_topic_close(t);
	sblog_store_close(s);
}

/* Both slots have been written, the last one at byte 0. */
static void
flip_all(void)
{
	char path[2 * LAB_PATH], from[2 * LAB_PATH], what[64];
	struct stat st;

	(void)snprintf(from, sizeof(from), "%s/t/groups/g", base);
	(void)snprintf(path, sizeof(path), "%s/t/groups/g", work);
	if (stat(from, &st) < 0) {
		lab_bad("no group");
		return;
	}
	lab_copy(base, work);
	for (off_t bit = 0; bit < st.st_size * 8; bit++) {
		/* Behind head and note nobody looks: now and then. */
		off_t in = bit / 8 % 4096;
		unsigned char file[8192];
		int fd;

		if (in >= 160 && bit % 131 != 0)
			continue;
		fd = open(from, O_RDONLY);
		if (fd < 0 || read(fd, file, sizeof(file)) != sizeof(file))
			return;
		(void)close(fd);
		file[bit / 8] = (unsigned char)(file[bit / 8] ^ 1u << bit % 8);
		(void)unlink(path);
		fd = open(path, O_WRONLY | O_CREAT, 0666);
		if (fd < 0 || write(fd, file, sizeof(file)) != sizeof(file))
			return;
		(void)close(fd);
		(void)snprintf(what, sizeof(what), "bit %lld", (long long)bit);
		look(what, 5, 3);
	}
	lab_ok(lab_violations == 0, "every bit of a group's file flipped");
	for (off_t size = 0; size <= st.st_size; size++) {
		if (size > 160 && size % 4096 > 160 && size % 97 != 0)
			continue;
		lab_copy(base, work);
		if (truncate(path, size) < 0)
			return;
		(void)snprintf(what, sizeof(what), "cut to %lld bytes",
		    (long long)size);
		look(what, 5, 3);
	}
	lab_ok(lab_violations == 0, "every truncation of a group's file");
}

/* ---- power cuts ---- */

/* One run of commits under the model of the disk; acknowledged and durable, and
 * what was tried since. */
static struct {
	uint64_t durable, seed, calls;
	bool tried[RECORDS + 1]; /* since durable was */
	bool exists, maybe;
} cut;

static char image[LAB_PATH + 32];

static void
check_cut(uint64_t seed)
{
	char what[96];
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_group g;
	struct sblog_err err;
	int rc;

	lab_cases++;
	(void)snprintf(what, sizeof(what), "seed %llu, call %llu",
	    (unsigned long long)seed, (unsigned long long)cut.calls);
	if (lab_open(image, SBLOG_WRITE, &s, &t, &err) < 0) {
		lab_bad("%s: open: %s", what, err.msg);
		return;
	}
	rc = sblog_group_get(t, "g", &g, &err);
	if (rc == SBLOG_ENOENT && cut.exists)
		lab_bad("%s: the group is gone", what);
	if (rc < 0 && rc != SBLOG_ENOENT)
		lab_bad("%s: %s (%s, byte %llu)", what, err.msg, err.file,
		    (unsigned long long)err.pos);
	if (rc == 0 && !(cut.exists && g.committed == cut.durable) &&
	    !cut.tried[g.committed])
		lab_bad("%s: committed is %llu, not %llu", what,
		    (unsigned long long)g.committed,
		    (unsigned long long)cut.durable);
	if (rc == 0 && sblog_group_check(t, &g, &err) < 0)
		lab_bad("%s: %s", what, err.msg);
	if (sblog_group_commit(t, "g", 20, NULL, &err) < 0)
		lab_bad("%s: the next commit: %s", what, err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
}

static int
cut_hook(const struct sb_fault_call *call)
{
	struct sb_fault saved;
	int rc = disk_observe(call);

	cut.calls++;
	if (rc < 0 || disk_random(&cut.seed) % 5 != 0)
		return rc;
	saved = sb_fault;
	sb_fault = (struct sb_fault){ .trace_fd = -1 };
	lab_remove(image);
	disk_cut(image, (enum disk_loss)(disk_random(&cut.seed) % DISK_LOSSES),
	    disk_random(&cut.seed));
	check_cut(cut.seed);
	sb_fault = saved;
	return rc;
}

static void
cut_step(struct sblog_topic *t, struct sblog_lease *l, uint64_t r)
{
	static char note[900];
	struct sblog_commit_opts opts = {
		.sync = r % 2 ? SBLOG_SYNC_NONE : SBLOG_SYNC_BATCH,
		.lease = l,
	};
	uint64_t to = r / 2 % (RECORDS + 1);
	struct sblog_err err;

	memset(note, 'n', sizeof(note) - 1);
	if (r / 64 % 3 == 0)
		opts.note = note;
	cut.tried[to] = true;
	if (sblog_group_commit(t, "g", to, &opts, &err) < 0) {
		lab_bad("commit: %s", err.msg);
		return;
	}
	/* A file is made durably, whatever the mode. */
	if (opts.sync == SBLOG_SYNC_BATCH || !cut.exists) {
		cut.exists = true;
		cut.durable = to;
		memset(cut.tried, 0, sizeof(cut.tried));
	}
}

static void
cut_run(uint64_t seed, bool lease)
{
	struct sblog_lease_opts one = { .shards = 1 };
	struct sblog_lease *l = NULL;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	memset(&cut, 0, sizeof(cut));
	cut.seed = seed;
	lab_remove(work);
	lab_make(work, false);
	if (lab_open(work, SBLOG_WRITE, &s, &t, &err) < 0)
		lab_bad("open: %s", err.msg);
	disk_begin(work);
	sb_fault = (struct sb_fault){ .trace_fd = -1 };
	sb_fault.hook = cut_hook;
	if (lease) {
		cut.tried[0] = true;
		if (sblog_lease_take(&l, t, "g", &one, &err) < 0)
			lab_bad("lease: %s", err.msg);
		cut.exists = true;
		cut.durable = 0;
	}
	for (int i = 0; i < 40 && lab_violations == 0; i++)
		cut_step(t, l, disk_random(&cut.seed));
	sb_fault = (struct sb_fault){ .trace_fd = -1 };
	sblog_lease_release(l);
	sblog_topic_close(t);
	sblog_store_close(s);
	disk_end();
}

int
main(void)
{
	lab_begin();
	(void)snprintf(base, sizeof(base), "%s/base", lab_root);
	(void)snprintf(work, sizeof(work), "%s/work", lab_root);
	(void)snprintf(image, sizeof(image), "%s/image", lab_root);
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]);
	     i++) {
		make_base(operations[i].before);
		fail_each(&operations[i]);
		kill_each(&operations[i], SB_FAULT_KILL);
		kill_each(&operations[i], SB_FAULT_TEAR);
		kill_each(&operations[i], SB_FAULT_SHORT);
	}
	make_base(5);
	flip_all();
	for (uint64_t seed = 1; seed <= 30; seed++)
		cut_run(seed, seed % 2);
	lab_ok(lab_violations == 0, "power cuts between commits");
	return lab_done();
}
