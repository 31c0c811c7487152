/*
 * sblog-torture.c - see whether a disk, a file system and sblog on it keep what
 * is promised: processes that append, read, follow and seal, killed at random.
 *
 * Manual: sblog-torture(1).  What the processes do is torture/roles, what they
 * were promised torture/ledger, power cuts torture/loopdisk; this file runs
 * them in rounds and reports.
 */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/json.h"
#include "common/out.h"
#include "common/report.h"
#include "common/stop.h"
#include "torture/loopdisk.h"
#include "torture/roles.h"

enum {
	ROUND_MS = 3000,
	ROUND_RECORDS = 400000,
	CUT_RECORDS = 20000,    /* then another topic */
	CUT_MAX_US = 30000,     /* from the start of the processes */
	REAP_S = 150,           /* for processes that are to end */
	IMAGE_SIZE = 320 << 20, /* the least that mkfs.xfs takes; sparse */
};

static const char *const synopsis[] = {
	"sblog-torture [--seconds N] [--seed N] [--power-cuts N] [--json] DIR",
	NULL,
};

struct request {
	const char *dir;
	uint64_t seconds, seed, cuts;
	bool json;
};

struct run {
	const struct request *want;
	struct torture *t;
	char own[LOOPDISK_PATH]; /* directory of this run, "": none */
	pid_t pids[TORTURE_ROLES];
	uint64_t begun_ns;
	uint64_t boots, rounds, tried, acked, cut_counts[2];
	bool interrupted;
	char why[LOOPDISK_WHY]; /* it could not run */
};

static const char *const cut_fs[2] = { "ext4", "xfs" };

static bool
cannot(struct run *r, const char *what, const char *why)
{
	(void)snprintf(r->why, sizeof(r->why), "%.100s: %.190s", what, why);
	return false;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(const char *path)
{
	if (path[0] != '\0' &&
	    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 &&
	    errno != ENOENT)
		report_fail("%s: cannot remove: %s", path, strerror(errno));
}

/* The commands lie beside this one. */
static bool
find_commands(struct run *r)
{
	char self[TORTURE_PATH];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0)
		return cannot(r, "/proc/self/exe", strerror(errno));
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) != NULL)
		*slash = '\0';
	(void)snprintf(r->t->bin, sizeof(r->t->bin), "%s", self);
	return true;
}

static bool
make_topic(struct run *r, uint64_t seed)
{
	const char *words[] = { "torture", "--config", NULL, NULL };
	char segment[40], said[LOOPDISK_WHY];

	(void)snprintf(segment, sizeof(segment), "segment.bytes=%lluK",
	    1024ull << seed % 4);
	words[2] = segment;
	ledger_reset(r->t->ledger, ledger_mix(seed, 7));
	if (torture_run(r->t, "sblog-create", words, said, sizeof(said)) == 0)
		return true;
	return cannot(r, r->t->store, said);
}

static bool
remove_topic(struct run *r)
{
	static const char *const words[] = { "--yes", "torture", NULL };
	const struct ledger *l = r->t->ledger;
	char said[LOOPDISK_WHY];

	for (unsigned i = 0; i < LEDGER_ACCOUNTS; i++) {
		r->tried += l->account[i].tried;
		r->acked += l->account[i].acked;
	}
	if (torture_run(r->t, "sblog-rm", words, said, sizeof(said)) == 0)
		return true;
	return cannot(r, r->t->store, said);
}

static bool
start_roles(struct run *r, uint64_t seed)
{
	pid_t self = getpid();

	r->t->stop = r->t->cut = 0;
	for (unsigned i = 0; i < TORTURE_ROLES; i++) {
		r->pids[i] = fork();
		if (r->pids[i] == 0) {
			/* A group of its own: no signals of the terminal. */
			(void)setpgid(0, 0);
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() == self)
				torture_role(r->t, i, ledger_mix(seed, i));
			_exit(0);
		}
		if (r->pids[i] < 0) {
			r->t->stop = 1;
			return cannot(r, "fork", strerror(errno));
		}
	}
	return true;
}

/* They end what is under way and go. */
static bool
end_roles(struct run *r)
{
	uint64_t limit = ledger_now_ns() + REAP_S * UINT64_C(1000000000);
	unsigned left = 0;
	bool ok = true;
	int status;

	__atomic_store_n(&r->t->stop, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < TORTURE_ROLES; i++)
		left += r->pids[i] > 0;
	while (left > 0) {
		bool hurry = stop_wanted() || ledger_now_ns() > limit;

		for (unsigned i = 0; i < TORTURE_ROLES; i++) {
			if (r->pids[i] <= 0)
				continue;
			if (hurry)
				(void)kill(r->pids[i], SIGKILL);
			if (waitpid(r->pids[i], &status, hurry ? 0 : WNOHANG) ==
			    0)
				continue;
			r->pids[i] = 0;
			left--;
			if (status != 0 && !hurry)
				ok = cannot(r, "torture", "a role has died");
		}
		if (left > 0)
			(void)usleep(300);
	}
	if (stop_wanted())
		r->interrupted = true;
	else if (ledger_now_ns() > limit)
		return cannot(r, "torture", "processes did not end");
	return ok && !r->interrupted;
}

static uint64_t
acked_now(const struct run *r)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < LEDGER_ACCOUNTS; i++)
		n += ledger_load(&r->t->ledger->account[i].acked);
	return n;
}

static bool
full(struct run *r)
{
	return r->t->full != 0 && !cannot(r, r->t->store, strerror(ENOSPC));
}

/* One topic, killed at, stopped and looked at. */
static bool
kill_round(struct run *r, uint64_t end_ns)
{
	uint64_t seed = ledger_mix(r->want->seed, r->rounds);
	uint64_t now = ledger_now_ns();

	if (!make_topic(r, seed))
		return false;
	if (end_ns > now + ROUND_MS * UINT64_C(1000000))
		end_ns = now + ROUND_MS * UINT64_C(1000000);
	if (start_roles(r, seed))
		while (ledger_now_ns() < end_ns && !stop_wanted() &&
		    r->t->stop == 0 && acked_now(r) < ROUND_RECORDS)
			(void)usleep(10000);
	if (!end_roles(r) || r->why[0] != '\0' || full(r))
		return false;
	r->rounds++;
	torture_check(r->t, false, true);
	if (ledger_faults(r->t->ledger) > 0)
		return false; /* it stays for those who want to look */
	report_progress(NULL, ledger_now_ns() - r->begun_ns,
	    r->want->seconds * UINT64_C(1000000000));
	return remove_topic(r);
}

static bool
cut_once(struct run *r, struct loopdisk *d, uint64_t seed)
{
	enum loopdisk_cut how =
	    seed % 3 == 0 ? LOOPDISK_LOG_FLUSH : LOOPDISK_NO_FLUSH;
	uint64_t us = (seed >> 8) % CUT_MAX_US;

	if (start_roles(r, seed))
		(void)usleep((useconds_t)us);
	__atomic_store_n(&r->t->cut, 1, __ATOMIC_SEQ_CST);
	if (!loopdisk_cut(d, how))
		return cannot(r, "power cut", d->why);
	if (!end_roles(r))
		return false;
	if (!loopdisk_umount(d) || !loopdisk_mount(d, ""))
		return cannot(r, d->image, d->why);
	r->t->cut = 0;
	if (!loopdisk_boot(r->own, ++r->boots, r->why))
		return false;
	torture_check(r->t, true, seed % 4 == 0);
	return ledger_faults(r->t->ledger) == 0 && !full(r);
}

static bool
cut_rounds(struct run *r, struct loopdisk *d, uint64_t n, uint64_t *donep)
{
	const struct ledger *l = r->t->ledger;

	if (!loopdisk_mount(d, ""))
		return cannot(r, d->image, d->why);
	(void)snprintf(r->t->store, sizeof(r->t->store), "%.350s/store",
	    d->dir);
	for (*donep = 0; *donep < n; ++*donep) {
		uint64_t seed = ledger_mix(r->want->seed + 99, *donep);

		if (*donep == 0 || l->seen_end > CUT_RECORDS) {
			if (*donep > 0 && !remove_topic(r))
				return false;
			if (!make_topic(r, seed))
				return false;
		}
		if (!cut_once(r, d, seed))
			return false;
	}
	return remove_topic(r);
}

static bool
run_cuts(struct run *r)
{
	static const char *const words[2] = { "-q", "-q -f" };
	bool can[2];

	for (int i = 0; i < 2; i++)
		can[i] = loopdisk_possible(cut_fs[i], r->why);
	if (!can[0] && !can[1])
		return false;
	r->why[0] = '\0';
	if (!loopdisk_private(r->why))
		return false;
	for (int i = 0; i < 2; i++) {
		uint64_t n =
		    can[0] && can[1] ? (r->want->cuts + !i) / 2 : r->want->cuts;
		struct loopdisk d;
		bool ok;

		if (!can[i] || n == 0)
			continue;
		ok = loopdisk_make(&d, r->own, cut_fs[i], cut_fs[i], IMAGE_SIZE,
		    words[i]);
		if (!ok)
			(void)cannot(r, cut_fs[i], d.why);
		ok = ok && cut_rounds(r, &d, n, &r->cut_counts[i]);
		(void)end_roles(r);
		loopdisk_boot_end(r->own);
		loopdisk_free(&d);
		if (!ok)
			return false;
	}
	return true;
}

/* ---- what is said ---- */

static const char *
verdict(const struct run *r)
{
	return ledger_faults(r->t->ledger) > 0 ? "violated"
	    : r->why[0] != '\0'                ? "not known"
					       : "kept";
}

struct figure {
	const char *name;
	uint64_t n;
};

enum { FIGURES = 15 };

static void
figures(const struct run *r, struct figure f[FIGURES])
{
	const struct torture *t = r->t;
	const struct figure all[FIGURES] = {
		{ "seed", r->want->seed },
		{ "milliseconds", (ledger_now_ns() - r->begun_ns) / 1000000 },
		{ "rounds", r->rounds },
		{ "appends", t->appends },
		{ "records", r->tried },
		{ "acknowledged", r->acked },
		{ "reads", t->reads },
		{ "follows", t->follows },
		{ "read_records", t->read_records },
		{ "seals", t->seals },
		{ "kills", t->kills },
		{ "stops", t->stops },
		{ "busy", t->busy },
		{ "power_cuts", r->cut_counts[0] + r->cut_counts[1] },
		{ "violations", ledger_faults(t->ledger) },
	};

	memcpy(f, all, sizeof(all));
}

static uint32_t
texts(const struct run *r)
{
	uint32_t n = r->t->ledger->texts;

	return n < LEDGER_TEXTS ? n : LEDGER_TEXTS;
}

static void
say_json(const struct run *r, struct out *out)
{
	const struct ledger *l = r->t->ledger;
	struct figure f[FIGURES];
	struct json j;

	figures(r, f);
	json_begin(&j, out, "sblog.torture/1");
	for (int i = 0; i < FIGURES; i++)
		json_u64(&j, f[i].name, f[i].n);
	json_object(&j, "faults");
	for (unsigned i = 0; i < LEDGER_FAULTS; i++)
		json_u64(&j, ledger_fault_name(i), l->faults[i]);
	json_end(&j, '}');
	json_array(&j, "messages");
	for (uint32_t i = 0; i < texts(r); i++)
		json_text(&j, NULL, l->text[i]);
	json_end(&j, ']');
	if (r->why[0] != '\0')
		json_text(&j, "error", r->why);
	json_text(&j, "verdict", verdict(r));
	json_finish(&j);
}

static void
say_text(const struct run *r, struct out *out)
{
	struct figure f[FIGURES];

	figures(r, f);
	for (int i = 0; i < FIGURES; i++) {
		out_text(out, f[i].name);
		out_char(out, '\t');
		out_u64(out, f[i].n);
		out_char(out, '\n');
	}
	out_text(out, "verdict\t");
	out_text(out, verdict(r));
	out_char(out, '\n');
}

static enum exit_status
say(const struct run *r)
{
	const struct ledger *l = r->t->ledger;
	struct out out;
	int error;

	out_init(&out, STDOUT_FILENO);
	if (r->want->json)
		say_json(r, &out);
	else
		say_text(r, &out);
	(void)out_flush(&out); /* the error sticks */
	error = out.error;
	out_free(&out);
	for (uint32_t i = 0; i < texts(r); i++)
		report_fail("%s", l->text[i]);
	if (r->why[0] != '\0')
		report_fail("%s", r->why);
	if (ledger_faults(l) > 0)
		return report_finish_write(EXIT_DAMAGE, error);
	return report_finish_write(r->why[0] ? EXIT_FAILED : EXIT_DONE, error);
}

static bool
begin(struct run *r)
{
	uint64_t seed = r->want->seed;

	r->t = mmap(NULL, sizeof(*r->t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->t == MAP_FAILED || (r->t->ledger = ledger_new(seed)) == NULL) {
		report_fail("out of memory");
		return false;
	}
	r->begun_ns = ledger_now_ns();
	(void)snprintf(r->own, sizeof(r->own), "%.300s/sblog-torture.XXXXXX",
	    r->want->dir);
	if (mkdtemp(r->own) == NULL) {
		report_fail("%s: cannot make a directory: %s", r->want->dir,
		    strerror(errno));
		return false;
	}
	(void)snprintf(r->t->store, sizeof(r->t->store), "%s/store", r->own);
	return true;
}

static enum exit_status
torture(const struct request *want)
{
	struct run r = { .want = want };
	uint64_t end;
	bool ok;

	if (!begin(&r))
		return EXIT_FAILED;
	end = r.begun_ns + want->seconds * UINT64_C(1000000000);
	ok = find_commands(&r);
	while (ok && ledger_now_ns() < end)
		ok = kill_round(&r, end);
	report_progress_end();
	if (ok && want->cuts > 0)
		(void)run_cuts(&r);
	if (r.rounds > 0 && ledger_faults(r.t->ledger) > 0)
		report_note("%s: left for you to look at", r.own);
	else
		remove_tree(r.own);
	stop_release(); /* dies here of a signal that waits */
	return say(&r);
}

int
main(int argc, char **argv)
{
	struct request want = { .seconds = 60 };
	bool seeded = false;
	const struct cli_opt opts[] = {
		{ 0, "seconds", CLI_NUMBER, &want.seconds, "N",
		    "go on for N seconds (60)", NULL, NULL },
		{ 0, "seed", CLI_NUMBER, &want.seed, "N",
		    "make the choices of an earlier run", NULL, &seeded },
		{ 0, "power-cuts", CLI_NUMBER, &want.cuts, "N",
		    "then cut the power of a loop device N times (root)", NULL,
		    NULL },
		{ 0, "json", CLI_FLAG, &want.json, NULL, "report as JSON", NULL,
		    NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-torture",
		.purpose = "Test a directory's file system with real processes "
			   "that are killed.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	if (cli.operand_count != 1)
		cli_misuse(&cli, "give one directory");
	want.dir = cli.operands[0];
	if (want.seconds > 10000000)
		cli_misuse(&cli, "--seconds: at most 10000000");
	if (!seeded)
		want.seed = ledger_now_ns() % 1000000007;
	stop_hold();
	return (int)torture(&want);
}
