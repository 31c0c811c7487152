/*
 * traffic.c - start the processes of a load, end them, and look at what is
 * there afterwards.
 */
#include "bench/traffic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/mem.h"
#include "bench/traffic_parts.h"
#include "common/stop.h"

enum {
	POLL = 2000000,      /* ns between two looks at the processes */
	LEAD = 20000000,     /* ns from the last one ready to the beginning */
	SPEAK = 500000000,   /* ns for another to say what is wrong */
	SERIES_POINTS = 100, /* of a run */
	PROCESSES = 3 * TRAFFIC_PROCESSES + 1,
};

enum kind { PRODUCER, FOLLOWER, SCANNER, KEEPER };

struct child {
	pid_t pid; /* 0: it has ended, and its work was done */
	enum kind kind;
	struct traffic_process process;
};

struct load {
	const struct traffic *t;
	struct traffic_shared *shared;
	struct child children[PROCESSES];
	size_t count;
	struct traffic_outcome *out;
};

uint64_t
traffic_begin(struct traffic_shared *shared)
{
	uint64_t begin;

	(void)atomic_fetch_add(&shared->ready, 1);
	while ((begin = atomic_load(&shared->begin_ns)) == 0)
		work_sleep_until(work_now() + POLL);
	work_sleep_until(begin);
	return begin;
}

void
traffic_need(struct traffic_shared *shared, int rc, const struct sblog_err *err,
    const char *what)
{
	if (rc < 0 && atomic_exchange(&shared->failed, true)) {
		/* The first process to end has all others killed. */
		work_sleep_until(work_now() + SPEAK);
		bench_abandon(report_status(err->code));
	}
	work_need(rc, err, what);
}

double
traffic_interval(const struct traffic *t)
{
	return t->schedule.seconds / SERIES_POINTS;
}

/* -- children ---------------------------------------------------------------- */

static void
start(struct load *l, enum kind kind, unsigned index)
{
	static void (*const work[])(void *) = { traffic_produce, traffic_follow,
		traffic_scan, traffic_keep };
	struct child *c = &l->children[l->count++];

	c->kind = kind;
	c->process = (struct traffic_process){ l->t, l->shared, index };
	c->pid = proc_fork(work[kind], &c->process);
}

static void
start_all(struct load *l)
{
	const struct traffic *t = l->t;
	unsigned reader = 0;

	for (unsigned i = 0; i < t->consumers; i++)
		start(l, FOLLOWER, reader++);
	for (unsigned i = 0; i < t->scanners; i++)
		start(l, SCANNER, reader++);
	if (t->keep)
		start(l, KEEPER, reader++);
	for (unsigned i = 0; i < t->producers; i++)
		start(l, PRODUCER, i);
}

/* A process that could not do its work has said why. */
static void
ended(struct load *l, struct child *c, int status)
{
	static const char *const names[] = { "producer", "follower", "scanner",
		"keeper" };

	c->pid = 0;
	if (status == 0)
		return;
	proc_end_all();
	if (atomic_load(&l->shared->failed))
		bench_abandon((enum exit_status)WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		work_fail("a %s was ended by signal %d", names[c->kind],
		    WTERMSIG(status));
	work_fail("a %s ended with status %d", names[c->kind],
	    WEXITSTATUS(status));
}

/* Look at all; how many of a kind are still there. */
static size_t
running(struct load *l, bool producers)
{
	size_t n = 0;
	int status;

	for (size_t i = 0; i < l->count; i++) {
		struct child *c = &l->children[i];

		if (c->pid != 0 && proc_ended(c->pid, &status, &l->out->cost))
			ended(l, c, status);
		n += c->pid != 0 && (c->kind == PRODUCER) == producers;
	}
	return n;
}

static void
nap(void)
{
	work_sleep_until(work_now() + POLL);
}

static void
supervise(struct load *l)
{
	struct traffic_shared *s = l->shared;
	uint64_t end = 0;

	while (atomic_load(&s->ready) < l->count) {
		(void)running(l, true);
		nap();
	}
	atomic_store(&s->begin_ns, work_now() + LEAD);
	while (running(l, true) > 0) {
		if (stop_wanted())
			atomic_store(&s->stop, true);
		nap();
	}
	for (unsigned i = 0; i < l->t->producers; i++)
		end += s->senders[i].sent;
	atomic_store(&s->end, end);
	while (running(l, false) > 0)
		nap();
}

/* -- what came of it ----------------------------------------------------------- */

static double
seconds_until(uint64_t ns, uint64_t begin)
{
	return ns <= begin ? 0 : (double)(ns - begin) / 1e9;
}

static void
collect_senders(struct load *l, uint64_t measured)
{
	struct traffic_outcome *out = l->out;

	for (unsigned i = 0; i < l->t->producers; i++) {
		const struct traffic_sender *s = &l->shared->senders[i];
		double seconds = seconds_until(s->last_ns, measured);

		out->asked += s->asked;
		out->acked += s->measured;
		out->sent += s->sent;
		out->bytes += s->bytes;
		hist_merge(&out->ack, &s->ack);
		hist_merge(&out->ack_service, &s->service);
		hist_merge(&out->ack, &s->unsent);
		/* Nobody has seen it either. */
		for (unsigned k = 0; k < l->t->consumers; k++)
			hist_merge(&out->seen, &s->unsent);
		if (seconds > out->seconds)
			out->seconds = seconds;
	}
}

static void
complain(struct traffic_outcome *out, uint64_t wrong, const char *who,
    const char *why)
{
	out->wrong += wrong;
	if (wrong > 0 && out->why[0] == '\0')
		(void)snprintf(out->why, sizeof(out->why), "%s: %s", who, why);
}

static void
collect_readers(struct load *l, uint64_t measured)
{
	unsigned count = l->t->consumers + l->t->scanners + l->t->keep;
	struct traffic_outcome *out = l->out;

	for (unsigned i = 0; i < count; i++) {
		const struct traffic_reader *r = &l->shared->readers[i];
		double seconds = seconds_until(r->last_ns, measured);
		bool follows = i < l->t->consumers;

		out->received += r->received;
		out->scanned += r->scanned;
		out->commits += r->commits;
		out->sealed += r->sealed;
		out->trimmed += r->trimmed;
		hist_merge(&out->seen, &r->seen);
		hist_merge(&out->seen_service, &r->service);
		if (follows && seconds > out->receive_seconds)
			out->receive_seconds = seconds;
		complain(out, r->why[0] != '\0',
		    follows ? "a follower" : "a scanner", r->why);
		/* What it did not get is missing. */
		if (follows && r->received < out->sent)
			out->wrong += out->sent - r->received -
			    (r->why[0] != '\0' ? 1 : 0);
	}
}

/* By somebody who opens the log only now. */
static void
check_log(struct load *l)
{
	const struct sblog_cursor_opts opts = { .copy = 1 };
	struct traffic_check *c = mem_new(1, sizeof(*c));
	struct sblog_cursor *cur;
	struct work_message m;
	struct sblog_record rec;
	struct work_log log;
	struct sblog_err err;
	uint64_t missing;
	int rc;

	traffic_check_init(c, l->t, !l->t->keep);
	c->deep = true;
	work_open(&log, l->t->dir, TRAFFIC_TOPIC, NULL);
	work_need(sblog_cursor_open(&cur, log.topic, &opts, &err), &err,
	    "read");
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0)
		if (!traffic_check_record(c, &rec, &m))
			break;
	if (rc < 0)
		(void)snprintf(c->why, sizeof(c->why), "%s", err.msg);
	missing = traffic_check_end(c, l->shared);
	complain(l->out, missing, "the log afterwards", c->why);
	sblog_cursor_close(cur);
	work_close(&log);
	free(c);
}

static void
collect_series(struct load *l)
{
	struct traffic_outcome *out = l->out;
	double seconds = l->t->schedule.seconds - l->t->warm_up;

	out->interval = traffic_interval(l->t);
	out->intervals = (size_t)(seconds / out->interval + 0.5);
	for (size_t i = 0; i < TRAFFIC_SERIES; i++) {
		out->series[i] = (double)atomic_load(&l->shared->series[i]);
		/* What was acknowledged late. */
		if (out->series[i] > 0 && i >= out->intervals)
			out->intervals = i + 1;
	}
}

struct traffic_outcome *
traffic_run(const struct traffic *t)
{
	struct traffic_outcome *out = mem_new(1, sizeof(*out));
	struct load *l = mem_new(1, sizeof(*l));
	struct work_log log;
	uint64_t measured;

	l->t = t;
	l->out = out;
	l->shared = proc_shared(sizeof(*l->shared));
	atomic_store(&l->shared->end, UINT64_MAX);
	/* Nobody has to wait for another to create it. */
	work_open(&log, t->dir, TRAFFIC_TOPIC, NULL);
	work_close(&log);
	start_all(l);
	supervise(l);
	measured = atomic_load(&l->shared->begin_ns);
	out->elapsed = seconds_until(work_now(), measured);
	measured += (uint64_t)(t->warm_up * 1e9);
	collect_senders(l, measured);
	collect_readers(l, measured);
	collect_series(l);
	check_log(l);
	proc_shared_free(l->shared, sizeof(*l->shared));
	free(l);
	return out;
}
