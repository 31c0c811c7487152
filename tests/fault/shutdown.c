/*
 * shutdown.c - the real kernel loses its power: ext4 and XFS on a loop device in
 * memory are shut down at random instants while processes append, seal and
 * read, and mounted again; what they were told is kept outside.
 *
 *	shutdown [COUNT]	so many cuts in all (default 500), SEED: which
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lab.h"
#include "torture/ledger.h"
#include "torture/loopdisk.h"

enum {
	APPENDERS = 3,
	SEALER = APPENDERS,
	READER,
	ROLES,
	BATCH_MAX = 60,
	CUT_MAX_US = 8000,
	TOPIC_RECORDS = 4000, /* then a new topic */
	IMAGE = 320 << 20,    /* the least that mkfs.xfs takes; sparse */
};

struct shared {
	uint64_t off;    /* the power is failing */
	uint64_t broken; /* the file system is, by itself */
};

static struct shared *shared;
static struct ledger *ledger;
static char dir[LOOPDISK_PATH + 16];

static bool
off(void)
{
	return ledger_load(&shared->off) != 0;
}

static size_t
make_run(unsigned who, uint64_t n, char *out)
{
	uint64_t number = ledger->account[who].tried;
	size_t len = 0;

	for (uint64_t i = 0; i < n; i++) {
		len += ledger_make(ledger, who, number + i, out + len);
		out[len++] = '\n';
	}
	return len;
}

/*
 * A bitmap that ext4 finds corrupt (EUCLEAN) after its journal was replayed is
 * not ours to judge: there is another file system then.
 */
static void
append_failed(const struct sblog_err *err)
{
	if (err->sys == EUCLEAN)
		__atomic_store_n(&shared->broken, 1, __ATOMIC_SEQ_CST);
	else
		ledger_bad(ledger, LEDGER_STATUS, "append: %s", err->msg);
}

/* What a failed call says of its batch. */
static void
judge(unsigned who, int rc, const struct sblog_err *err)
{
	(void)ledger_settle(ledger, who, rc != SBLOG_EUNKNOWN);
	if (!off())
		append_failed(err);
}

static void
appender(unsigned who, uint64_t seed)
{
	static char text[BATCH_MAX * (LEDGER_RECORD_MAX + 1)];
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc;

	if (lab_open(dir, SBLOG_WRITE, &s, &t, &err) < 0)
		return;
	for (uint64_t i = 0; !off(); i++) {
		uint64_t r = ledger_mix(seed, i);
		bool durable = r % 3 > 0;
		struct sblog_append_opts o = {
			.sync = durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
		};
		uint64_t n = r / 8 % 4 ? 1 : 1 + r / 64 % BATCH_MAX;
		struct sblog_run run = { .data = text, .atomic = 1 };
		struct sblog_appended done;

		run.len = make_run(who, n, text);
		if (!ledger_begin(ledger, who, n, true))
			return;
		rc = sblog_append_run(t, &run, &o, &done, &err);
		if (rc < 0) {
			judge(who, rc, &err);
			return;
		}
		durable = durable && !off();
		for (uint64_t k = 0; k < n; k++)
			ledger_ack(ledger, who, done.first + k, durable);
	}
}

static void
sealer(uint64_t seed)
{
	struct sblog_sealed done;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = 0;

	if (lab_open(dir, SBLOG_WRITE, &s, &t, &err) < 0)
		return;
	for (uint64_t i = 0; rc >= 0 && !off(); i++) {
		(void)usleep((useconds_t)(ledger_mix(seed, i) % 3000));
		rc = sblog_seal(t, NULL, &done, &err);
	}
	if (!off())
		ledger_bad(ledger, LEDGER_STATUS, "seal: %s", err.msg);
}

static int
read_to_end(struct ledger_view *v, bool durable, struct sblog_err *err)
{
	const struct sblog_cursor_opts o = { .durable = durable };
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	struct sblog_store *s;
	struct sblog_topic *t;
	int rc = lab_open(dir, SBLOG_READ, &s, &t, err);

	if (rc == 0)
		rc = sblog_cursor_open(&cur, t, &o, err);
	while (rc == 0 && (rc = sblog_cursor_next(cur, &rec, err)) == 0)
		ledger_see(v, rec.offset, rec.value.data, rec.value.len);
	sblog_cursor_close(cur);
	sblog_topic_close(t);
	sblog_store_close(s);
	return rc;
}

static void
reader(void)
{
	struct sblog_err err;

	while (!off()) {
		uint64_t must = ledger_load(&ledger->durable_end);
		struct ledger_view v = { .ledger = ledger };
		int rc = read_to_end(&v, true, &err);

		if (off())
			return;
		if (rc < 0)
			ledger_bad(ledger, LEDGER_STATUS, "read: %s", err.msg);
		else if (v.next < must)
			ledger_bad(ledger, LEDGER_STALE,
			    "a durable read ended at %llu, %llu was durable",
			    (unsigned long long)v.next,
			    (unsigned long long)must);
		ledger_raise(&ledger->durable_seen, v.next);
	}
}

static void
start(pid_t pids[ROLES], uint64_t seed)
{
	(void)fflush(stdout);
	for (unsigned i = 0; i < ROLES; i++) {
		if ((pids[i] = fork()) != 0)
			continue;
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i < APPENDERS)
			appender(i, ledger_mix(seed, i));
		else if (i == SEALER)
			sealer(seed);
		else
			reader();
		_exit(0);
	}
}

/* They find the power off and go.  SIGBUS is what a store into the page of a
 * dead file system gives. */
static void
end(pid_t pids[ROLES])
{
	uint64_t limit = ledger_now_ns() + 10 * UINT64_C(1000000000);
	int status;

	for (unsigned i = 0; i < ROLES; i++) {
		while (waitpid(pids[i], &status, WNOHANG) == 0) {
			if (ledger_now_ns() > limit) {
				ledger_bad(ledger, LEDGER_STUCK,
				    "role %u does not end", i);
				(void)kill(pids[i], SIGKILL);
			}
			(void)usleep(100);
		}
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGBUS)
			ledger_bad(ledger, LEDGER_STATUS,
			    "role %u died by signal %d", i, WTERMSIG(status));
	}
	for (unsigned i = 0; i < APPENDERS; i++)
		(void)ledger_settle(ledger, i, false);
}

static bool
new_topic(uint64_t seed)
{
	struct sblog_store *s = lab_store(dir, SBLOG_CREATE);
	const struct sblog_setting set[] = { { "segment.bytes", "1M" } };
	struct sblog_err err = { .msg = "no store" };
	int rc = -1;

	ledger_reset(ledger, seed);
	if (s != NULL) {
		(void)sblog_topic_remove(s, "t", &err);
		rc = sblog_topic_create(s, "t", set, 1, &err);
		sblog_store_close(s);
	}
	if (rc < 0)
		ledger_bad(ledger, LEDGER_STATUS, "create: %s", err.msg);
	return rc == 0;
}

static void
check(uint64_t n, bool cut)
{
	struct ledger_view v = { .ledger = ledger, .final = true, .cut = cut };
	struct sblog_err err;

	if (read_to_end(&v, false, &err) < 0)
		ledger_bad(ledger, LEDGER_DAMAGE, "cut %llu: read: %s (%s)",
		    (unsigned long long)n, err.msg, err.file);
	else
		ledger_finish(&v);
	if (n % 8 == 0 && !lab_verify(dir))
		ledger_bad(ledger, LEDGER_DAMAGE, "cut %llu: verify",
		    (unsigned long long)n);
}

/*
 * A file system that was mounted again on the same boot: the state page may be
 * an old one and looks like a good one.  Appenders must not believe it.
 */
static void
append_one(void)
{
	const struct sblog_append_opts o = { .sync = SBLOG_SYNC_BATCH };
	char text[LEDGER_RECORD_MAX + 1];
	struct sblog_run run = { .data = text };
	struct sblog_appended done;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc;

	run.len = make_run(APPENDERS, 1, text);
	rc = lab_open(dir, SBLOG_WRITE, &s, &t, &err);
	if (rc == 0 && ledger_begin(ledger, APPENDERS, 1, true))
		rc = sblog_append_run(t, &run, &o, &done, &err);
	if (rc < 0)
		append_failed(&err);
	else
		ledger_ack(ledger, APPENDERS, done.first, true);
	sblog_topic_close(t);
	sblog_store_close(s);
}

/* The kernel writes the state page back whenever it likes. */
static void
write_page_back(void)
{
	char path[LOOPDISK_PATH + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/t/state", dir);
	if ((fd = open(path, O_RDONLY)) < 0)
		return;
	(void)fdatasync(fd);
	(void)close(fd);
}

static bool
cut(struct loopdisk *d, const char *options, uint64_t n, uint64_t seed)
{
	uint64_t r = ledger_mix(seed, n);
	pid_t pids[ROLES];
	bool ok;

	if ((n == 0 || shared->broken || ledger->seen_end > TOPIC_RECORDS) &&
	    !new_topic(r))
		return false;
	shared->broken = 0;
	shared->off = 0;
	start(pids, r);
	(void)usleep((useconds_t)(r / 16 % CUT_MAX_US / 2));
	if (r / 8 % 2 == 0)
		write_page_back();
	(void)usleep((useconds_t)(r / 16 % CUT_MAX_US / 2));
	__atomic_store_n(&shared->off, 1, __ATOMIC_SEQ_CST);
	ok = loopdisk_cut(d,
	    r % 4 == 0 ? LOOPDISK_LOG_FLUSH : LOOPDISK_NO_FLUSH);
	end(pids);
	if (ok && shared->broken)
		return true;
	if (!ok || !loopdisk_umount(d) || !loopdisk_mount(d, options)) {
		ledger_bad(ledger, LEDGER_STATUS, "%s", d->why);
		return false;
	}
	sb_fault.boot++;
	check(n, true);
	if (r / 4 % 4 == 0) {
		sb_fault.boot--;
		append_one();
		check(n, false);
	}
	return ledger_faults(ledger) == 0;
}

static uint64_t
run(const char *fs, const char *mkfs, const char *options, uint64_t count,
    uint64_t seed)
{
	struct loopdisk d;
	uint64_t n = 0, renewed = 0;
	char name[64], why[LOOPDISK_WHY];

	(void)snprintf(name, sizeof(name), "power cuts of %s %s", fs, options);
	if (!loopdisk_possible(fs, why)) {
		lab_skip(name, why);
		return 0;
	}
	if (!loopdisk_make(&d, lab_root, "disk", fs, IMAGE, mkfs) ||
	    !loopdisk_mount(&d, options)) {
		lab_skip(name, d.why);
		loopdisk_free(&d);
		return 0;
	}
	(void)snprintf(dir, sizeof(dir), "%s/store", d.dir);
	while (n < count && cut(&d, options, n, seed)) {
		n++;
		if (!shared->broken)
			continue;
		renewed++;
		loopdisk_free(&d);
		if (!loopdisk_make(&d, lab_root, "disk", fs, IMAGE, mkfs) ||
		    !loopdisk_mount(&d, options))
			break;
	}
	if (renewed > 0)
		printf("# %s was corrupt by itself and made anew: %llu\n", fs,
		    (unsigned long long)renewed);
	if (renewed > 1 + count / 50)
		lab_bad("%s was corrupt too often", fs);
	for (uint32_t i = 0; i < ledger->texts && i < LEDGER_TEXTS; i++)
		lab_bad("cut %llu: %s", (unsigned long long)n, ledger->text[i]);
	lab_cases = n;
	lab_violations = ledger_faults(ledger);
	lab_ok(lab_violations == 0, "%s", name);
	loopdisk_free(&d);
	return n;
}

int
main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 500;
	const char *text = getenv("SEED");
	uint64_t seed =
	    text ? strtoull(text, NULL, 10) : (uint64_t)getpid() * 1000003u;
	char why[LOOPDISK_WHY];
	uint64_t done = 0;

	lab_begin();
	ledger = ledger_new(seed);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ledger == NULL || shared == MAP_FAILED)
		return 1;
	if (geteuid() != 0 || !loopdisk_private(why)) {
		lab_skip("power cuts", geteuid() != 0 ? "not root" : why);
		return lab_done();
	}
	sb_fault.boot = 1;
	done += run("ext4", "-q", "data=ordered", count / 2, seed);
	done += run("ext4", "-q", "data=writeback", count / 4, seed + 1);
	done +=
	    run("xfs", "-q -f", "", count - count / 2 - count / 4, seed + 2);
	lab_result("shutdown", done, seed, ledger_faults(ledger));
	return lab_done();
}
