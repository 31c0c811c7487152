/*
 * roles.c - what the processes of a torture do: append, read, follow, seal.
 */
#include "torture/roles.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sblog.h>

#include "torture/proc.h"

enum {
	CHUNK_RECORDS = 200,
	BUFFER = 64 << 10,
	FOLLOW_NS = 1000000000, /* at most, then it leaves */
	TEXT = LEDGER_TEXT_SIZE / 2,
};

struct worker {
	struct torture *t;
	unsigned who;
	uint64_t random;
	struct proc p;
	char path[TORTURE_PATH + 32];
	char words[4][64]; /* arguments that are made */
	char *argv[PROC_ARGS];
	int argc;
	char buf[BUFFER]; /* to or from the process */
	size_t len, at;
};

static uint64_t
draw(struct worker *w, uint64_t below)
{
	w->random = ledger_mix(w->random, 1);
	return (w->random >> 16) % below;
}

static bool
over(const struct worker *w)
{
	return ledger_load(&w->t->stop) != 0;
}

static void
add_word(struct worker *w, const char *word)
{
	if (w->argc < PROC_ARGS - 1)
		w->argv[w->argc++] = (char *)(uintptr_t)word;
	w->argv[w->argc] = NULL;
}

static void
command(struct worker *w, const char *name)
{
	(void)snprintf(w->path, sizeof(w->path), "%s/%s", w->t->bin, name);
	w->argc = 0;
	add_word(w, w->path);
	add_word(w, "-C");
	add_word(w, w->t->store);
}

static bool
start(struct worker *w, bool feed, enum proc_fate fate)
{
	w->len = w->at = 0;
	w->p.kills = &w->t->kills;
	w->p.stops = &w->t->stops;
	if (proc_start(&w->p, w->argv, feed, fate, draw(w, UINT64_C(1) << 44)))
		return true;
	ledger_bad(w->t->ledger, LEDGER_STATUS, "cannot start %s: %s",
	    w->argv[0], strerror(errno));
	__atomic_store_n(&w->t->stop, 1, __ATOMIC_SEQ_CST);
	return false;
}

static void
count(uint64_t *counter, uint64_t n)
{
	(void)__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* May a process end like this?  Returns its exit status, -1 for a signal. */
static int
judge(struct worker *w, int status)
{
	const char *name = strrchr(w->path, '/') + 1;
	struct torture *t = w->t;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	char said[TEXT];

	if (code == 0)
		return 0;
	proc_said(&w->p, said, sizeof(said));
	if (code < 0) {
		int sig = WTERMSIG(status);

		if (sig != SIGKILL && (sig != SIGTERM || !w->p.killed))
			ledger_bad(t->ledger, LEDGER_STATUS,
			    "%s died by signal %d (%s)", name, sig, said);
		return -1;
	}
	if (code == 5)
		count(&t->busy, 1);
	else if (strstr(said, strerror(ENOSPC)) != NULL)
		__atomic_store_n(&t->full, 1, __ATOMIC_SEQ_CST);
	else if (ledger_load(&t->cut) == 0 || code == 2 || code > 9)
		ledger_bad(t->ledger, LEDGER_STATUS,
		    "%s ended with status %d (%s)", name, code, said);
	return code;
}

static int
finish(struct worker *w)
{
	return judge(w, proc_end(&w->p));
}

/* Kills a process that makes no progress, or whose disk is gone. */
static void
watch(struct worker *w, unsigned got)
{
	if (got & PROC_STUCK && !w->p.killed)
		ledger_bad(w->t->ledger, LEDGER_STUCK,
		    "%s: no progress in %d seconds", strrchr(w->path, '/') + 1,
		    PROC_STUCK_S);
	if ((got & PROC_STUCK || ledger_load(&w->t->cut) != 0) && !w->p.killed)
		proc_kill(&w->p, SIGKILL);
}

/* ---- appenders ---- */

struct plan {
	uint64_t chunks, max; /* how often so many records are handed over */
	bool atomic, durable;
};

static struct plan
plan_append(struct worker *w)
{
	static const char *const sync[] = { "--sync=none", "--sync=batch",
		"--sync=record" };
	struct plan p = { .chunks = 1, .max = 1 };
	uint64_t mode = draw(w, 3);

	command(w, "sblog-append");
	add_word(w, "-q");
	add_word(w, "--ack");
	add_word(w, sync[mode]);
	p.durable = mode > 0;
	switch (draw(w, 4)) {
	case 0:
		break;
	case 1:
		p.max = CHUNK_RECORDS;
		p.atomic = true;
		add_word(w, "--atomic");
		break;
	case 2:
		p.chunks = 1 + draw(w, 8);
		p.max = 3;
		break;
	default:
		p.chunks = 1 + draw(w, 100);
		p.max = mode == 2 ? 10 : CHUNK_RECORDS;
	}
	if (draw(w, 8) == 0) {
		add_word(w, "--batch-bytes");
		add_word(w, "4K");
	}
	add_word(w, "torture");
	return p;
}

/* Records for the process to buf; false: no more. */
static bool
fill(struct worker *w, struct plan *p)
{
	struct ledger *l = w->t->ledger;
	uint64_t n = 1 + draw(w, p->max);
	uint64_t number = l->account[w->who].tried;

	if (p->chunks == 0 || over(w) || !ledger_begin(l, w->who, n, p->atomic))
		return false;
	p->chunks--;
	w->at = w->len = 0;
	for (uint64_t i = 0; i < n; i++) {
		w->len += ledger_make(l, w->who, number + i, w->buf + w->len);
		w->buf[w->len++] = '\n';
	}
	return true;
}

static void
feed(struct worker *w, struct plan *p)
{
	ssize_t n;

	if (w->at == w->len && !fill(w, p)) {
		proc_close_in(&w->p);
		return;
	}
	n = write(w->p.in, w->buf + w->at, w->len - w->at);
	if (n > 0)
		w->at += (size_t)n;
	else if (n < 0 && errno != EAGAIN)
		proc_close_in(&w->p); /* it is gone */
}

/* A line for each record.  false: the output has ended. */
static bool
collect(struct worker *w, const struct plan *p, uint64_t *offset, bool *midway)
{
	char text[8192];
	ssize_t n = read(w->p.out, text, sizeof(text));
	/* While the power goes off a kernel may say that it has synced what it
	 * has not. */
	bool durable = p->durable && ledger_load(&w->t->cut) == 0;

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n') {
			ledger_ack(w->t->ledger, w->who, *offset, durable);
			*offset = 0;
			*midway = false;
		} else {
			*offset = *offset * 10 + (uint64_t)(text[i] - '0');
			*midway = true;
		}
	}
	return n > 0;
}

static void
append_once(struct worker *w)
{
	struct plan p = plan_append(w);
	uint64_t offset = 0, left;
	bool midway = false, more = true;
	int code;

	if (!start(w, true, PROC_MAY_DIE))
		return;
	count(&w->t->appends, 1);
	while (more) {
		unsigned got = proc_poll(&w->p,
		    PROC_OUT | (w->p.in >= 0 ? PROC_IN : 0), 50);

		if (got & PROC_IN)
			feed(w, &p);
		if (got & PROC_OUT)
			more = collect(w, &p, &offset, &midway);
		watch(w, got);
	}
	code = finish(w);
	left = ledger_settle(w->t->ledger, w->who, code == 1 || code == 5);
	if (code == 0 && left > 0)
		ledger_bad(w->t->ledger, LEDGER_STATUS,
		    "append ended with status 0 and did not acknowledge %llu "
		    "records",
		    (unsigned long long)left);
}

/* ---- readers ---- */

/* Lines of "OFFSET VALUE"; false: the output has ended. */
static bool
look(struct worker *w, struct ledger_view *v)
{
	ssize_t n = read(w->p.out, w->buf + w->len, sizeof(w->buf) - w->len);
	size_t from = 0;
	char *end;

	if (n <= 0)
		return false;
	w->len += (size_t)n;
	while ((end = memchr(w->buf + from, '\n', w->len - from)) != NULL) {
		char *value;
		uint64_t offset = strtoull(w->buf + from, &value, 10);

		if (*value == ' ')
			value++;
		ledger_see(v, offset, value, (size_t)(end - value));
		from = (size_t)(end - w->buf) + 1;
	}
	if (from == 0 && w->len == sizeof(w->buf)) {
		ledger_bad(v->ledger, LEDGER_PHANTOM,
		    "phantom: a record of more than %d bytes behind offset "
		    "%llu",
		    BUFFER, (unsigned long long)v->next);
		return false;
	}
	memmove(w->buf, w->buf + from, w->len - from);
	w->len -= from;
	return true;
}

static void
plan_read(struct worker *w, struct ledger_view *v, bool follow, bool durable)
{
	uint64_t end = ledger_load(&w->t->ledger->durable_end);

	command(w, "sblog-read");
	add_word(w, "-f");
	add_word(w, "%o %v\\n");
	if (follow)
		add_word(w, "-F");
	if (durable)
		add_word(w, "--durable");
	if (end > 0 && draw(w, 6) > 0) {
		/* Near the end most of the time. */
		v->next = draw(w, 6) > 0 && end > 2000 ? end - draw(w, 2000)
						       : draw(w, end);
		(void)snprintf(w->words[0], sizeof(w->words[0]), "%llu",
		    (unsigned long long)v->next);
		add_word(w, "-o");
		add_word(w, w->words[0]);
	}
	add_word(w, "torture");
}

/* A read that began when others had got so far must get there too. */
static void
check_stale(const struct ledger_view *v, uint64_t must, bool durable)
{
	if (v->next < must)
		ledger_bad(v->ledger, LEDGER_STALE,
		    "a read%s ended at %llu, and %llu had been reached before "
		    "it began",
		    durable ? " --durable" : "", (unsigned long long)v->next,
		    (unsigned long long)must);
}

static void
read_once(struct worker *w, bool follow)
{
	struct ledger *l = w->t->ledger;
	bool durable = draw(w, 3) == 0, more = true;
	struct ledger_view v = { .ledger = l };
	uint64_t must = ledger_load(durable ? &l->durable_end : &l->acked_end);
	uint64_t seen = ledger_load(durable ? &l->durable_seen : &l->seen_end);
	uint64_t leave = ledger_now_ns() + draw(w, FOLLOW_NS);
	int code;

	must = must > seen ? must : seen;
	plan_read(w, &v, follow, durable);
	if (!start(w, false, PROC_MAY_DIE))
		return;
	count(follow ? &w->t->follows : &w->t->reads, 1);
	while (more) {
		unsigned got = proc_poll(&w->p, PROC_OUT, 50);

		if (follow) /* nothing new is no lack of progress */
			got &= PROC_OUT | PROC_IN;
		if (got & PROC_OUT)
			more = look(w, &v);
		if (follow && !w->p.killed &&
		    (over(w) || ledger_now_ns() > leave))
			proc_kill(&w->p, SIGTERM);
		watch(w, got);
		if (v.count > 0 && ledger_load(&w->t->cut) == 0)
			ledger_raise(durable ? &l->durable_seen : &l->seen_end,
			    v.next);
	}
	code = finish(w);
	count(&w->t->read_records, v.count);
	if (code == 0 && !follow && ledger_load(&w->t->cut) == 0) {
		check_stale(&v, must, durable);
		if (w->len > 0)
			ledger_bad(l, LEDGER_TORN,
			    "torn: output ends within a record behind offset "
			    "%llu",
			    (unsigned long long)v.next);
	}
}

/* ---- everybody else ---- */

static void
drain(struct worker *w)
{
	unsigned got;

	for (;;) {
		got = proc_poll(&w->p, PROC_OUT, 50);
		watch(w, got);
		if (got & PROC_OUT &&
		    read(w->p.out, w->buf, sizeof(w->buf)) <= 0)
			return;
	}
}

static void
chore_once(struct worker *w)
{
	static const char *const others[] = { "sblog-verify", "sblog-stat",
		"sblog-index" };
	uint64_t what = draw(w, 12);

	command(w, what < 3 ? others[what] : "sblog-seal");
	add_word(w, "-q");
	if (what == 0 && draw(w, 2) == 0)
		add_word(w, "--deep");
	add_word(w, "torture");
	if (!start(w, false, PROC_MAY_DIE))
		return;
	count(what == 0 ? &w->t->verifies : &w->t->seals,
	    what == 0 || what > 2);
	drain(w);
	(void)finish(w);
	if (!over(w))
		(void)usleep((useconds_t)draw(w, 30000));
}

void
torture_role(struct torture *t, unsigned role, uint64_t seed)
{
	static struct worker w;

	w = (struct worker){ .t = t, .who = role, .random = seed };
	w.p.err = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	while (!over(&w)) {
		if (role < TORTURE_APPENDERS)
			append_once(&w);
		else if (role < TORTURE_APPENDERS + TORTURE_READERS)
			read_once(&w, false);
		else if (role < TORTURE_ROLES - TORTURE_SEALERS)
			read_once(&w, true);
		else
			chore_once(&w);
		if (ledger_load(&t->full) != 0)
			__atomic_store_n(&t->stop, 1, __ATOMIC_SEQ_CST);
		if (role < TORTURE_APPENDERS &&
		    t->ledger->account[role].lots > LEDGER_LOTS / 2)
			(void)usleep(1000); /* the account is nearly full */
	}
}

int
torture_run(struct torture *t, const char *name, const char *const *words,
    char *said, size_t size)
{
	static struct worker w;
	int status;

	w = (struct worker){ .t = t };
	w.p.err = -1;
	command(&w, name);
	for (size_t i = 0; words[i] != NULL; i++)
		add_word(&w, words[i]);
	said[0] = '\0';
	if (!start(&w, false, PROC_LIVES))
		return -1;
	drain(&w);
	status = proc_end(&w.p);
	proc_said(&w.p, said, size);
	(void)close(w.p.err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
check_read(struct torture *t, bool cut)
{
	struct ledger_view v = { .ledger = t->ledger,
		.final = true,
		.cut = cut };
	static struct worker w;

	w = (struct worker){ .t = t };
	w.p.err = -1;
	command(&w, "sblog-read");
	add_word(&w, "-f");
	add_word(&w, "%o %v\\n");
	add_word(&w, "torture");
	if (!start(&w, false, PROC_LIVES))
		return;
	for (;;) {
		unsigned got = proc_poll(&w.p, PROC_OUT, 50);

		watch(&w, got);
		if (got & PROC_OUT && !look(&w, &v))
			break;
	}
	if (finish(&w) == 0)
		ledger_finish(&v);
	(void)close(w.p.err);
}

void
torture_check(struct torture *t, bool cut, bool verify)
{
	static const char *const words[] = { "-q", "--deep", "torture", NULL };
	char said[TEXT];
	int code;

	check_read(t, cut);
	if (!verify)
		return;
	code = torture_run(t, "sblog-verify", words, said, sizeof(said));
	if (code != 0)
		ledger_bad(t->ledger, LEDGER_DAMAGE,
		    "verify ended with status %d (%s)", code, said);
}
