/*
 * sc_crash.c - a scenario: writers that are killed, and what they were promised.
 *
 * A writer notes in shared memory which messages it is about to append and which
 * were acknowledged, so that its death at any instruction leaves no doubt:
 * those that were acknowledged must be in the log, in order, once; the batch
 * that was under way is there as a whole or not at all; nothing else is.
 */
#include "bench/sc_crash.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/mem.h"
#include "bench/proc.h"
#include "bench/traffic_parts.h"
#include "common/stop.h"

enum {
	ROUNDS = 300,
	ROUNDS_QUICK = 40,
	WRITERS = 4,
	BATCH = 8,       /* messages of an append at most */
	SIZE = 600,      /* bytes of one at most */
	LIFE = 30000000, /* ns; the longest life of a writer */
	APART = 500000,  /* ns between two deaths at most */
	SEAL = 8,        /* one round of so many also seals */
};

struct writer {
	/* Numbers below are acknowledged, or were appended or not, when it
	 * died. */
	_Atomic uint64_t acked, attempted;
};

struct crash {
	const struct bench_ctx *ctx;
	struct writer *writers; /* shared; the last one is ourselves */
	unsigned count;
	bool durable;
	uint64_t state, verified; /* random numbers; offset */
	uint64_t rounds, acked, lost;
	uint64_t first[TRAFFIC_PROCESSES + 1]; /* number, of the round */
	uint64_t next[TRAFFIC_PROCESSES + 1];
	uint64_t chain[TRAFFIC_PROCESSES + 1];
	uint64_t begun; /* of the first round */
	char why[2 * TRAFFIC_WHY];
	struct bench_run *recovery;
};

struct life {
	struct crash *crash;
	unsigned index;
};

/* -- those who die -------------------------------------------------------------- */

static void
append(const struct crash *c, struct work_log *log, unsigned index, size_t n)
{
	static uint8_t values[BATCH][SIZE];
	const struct sblog_append_opts opts = {
		.sync = c->durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
	};
	struct sblog_record recs[BATCH];
	struct writer *w = &c->writers[index];
	uint64_t from = atomic_load(&w->acked), first;
	struct sblog_err err;

	for (size_t i = 0; i < n; i++) {
		const struct work_message m = { index, from + i, 0, 0 };
		size_t len = WORK_MESSAGE_MIN +
		    (size_t)((from + i) * 37 % (SIZE - WORK_MESSAGE_MIN));

		work_encode(&m, values[i], len);
		recs[i] = (struct sblog_record){ .user_time_us = SBLOG_NO_TIME,
			.value = { values[i], len } };
	}
	atomic_store(&w->attempted, from + n);
	work_need(sblog_append(log->topic, recs, n, &opts, &first, &err), &err,
	    "append");
	atomic_store(&w->acked, from + n);
}

static void
write_until_killed(void *arg)
{
	const struct life *life = arg;
	uint64_t state = life->crash->state + life->index;
	struct work_log log;

	work_open(&log, life->crash->ctx->directory, TRAFFIC_TOPIC, NULL);
	for (;;)
		append(life->crash, &log, life->index,
		    1 + (size_t)(work_random(&state) % BATCH));
}

static void
seal_until_killed(void *arg)
{
	const struct life *life = arg;
	struct sblog_sealed sealed;
	struct work_log log;
	struct sblog_err err;

	work_open(&log, life->crash->ctx->directory, TRAFFIC_TOPIC, NULL);
	for (;;)
		work_need(sblog_seal(log.topic, NULL, &sealed, &err), &err,
		    "seal");
}

static void
kill_one(pid_t pid)
{
	int status;

	(void)kill(pid, SIGKILL);
	status = proc_wait(pid, NULL);
	/* It may have failed before it was killed, and has said why. */
	if (!WIFSIGNALED(status))
		work_fail("a writer ended with status %d", WEXITSTATUS(status));
}

/* All of them live for some time, and die one after the other. */
static void
live_and_die(struct crash *c)
{
	struct life lives[TRAFFIC_PROCESSES + 1];
	pid_t pids[TRAFFIC_PROCESSES + 1];
	unsigned count = c->count;
	uint64_t when;

	for (unsigned i = 0; i <= c->count; i++) {
		struct writer *w = &c->writers[i];

		/* What was under way last time is not sent again. */
		c->first[i] = c->next[i] = atomic_load(&w->attempted);
		atomic_store(&w->acked, c->first[i]);
		lives[i] = (struct life){ c, i };
	}
	(void)work_random(&c->state);
	for (unsigned i = 0; i < c->count; i++)
		pids[i] = proc_fork(write_until_killed, &lives[i]);
	if (c->rounds % SEAL == SEAL - 1)
		pids[count++] = proc_fork(seal_until_killed, &lives[0]);
	when = work_now() + work_random(&c->state) % LIFE;
	while (count > 0) {
		unsigned i = (unsigned)(work_random(&c->state) % count);

		work_sleep_until(when);
		kill_one(pids[i]);
		pids[i] = pids[--count];
		when += work_random(&c->state) % APART;
	}
}

/* -- what is left ------------------------------------------------------------------ */

static bool
wrong(struct crash *c, uint64_t offset, const char *what)
{
	(void)snprintf(c->why, sizeof(c->why),
	    "round %" PRIu64 ", offset %" PRIu64 ": %s", c->rounds + 1, offset,
	    what);
	return false;
}

static bool
check_record(struct crash *c, const struct sblog_record *rec)
{
	struct work_message m;

	if (rec->offset != c->verified)
		return wrong(c, rec->offset, "offsets are missing before it");
	if (rec->value.data == NULL ||
	    !work_decode(&m, rec->value.data, rec->value.len) ||
	    m.producer > c->count)
		return wrong(c, rec->offset, "not a message that was sent");
	if (m.number != c->next[m.producer])
		return wrong(c, rec->offset,
		    "not the next message of its writer");
	c->next[m.producer]++;
	c->chain[m.producer] =
	    traffic_chain(c->chain[m.producer], rec->value.data);
	c->verified++;
	return true;
}

/* All that came since the last round. */
static void
check_round(struct crash *c, struct work_log *log)
{
	const struct sblog_cursor_opts opts = { .from = c->verified,
		.copy = 1 };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	int rc = sblog_cursor_open(&cur, log->topic, &opts, &err);

	if (rc < 0) {
		(void)wrong(c, c->verified, err.msg);
	} else {
		while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0 &&
		    check_record(c, &rec))
			;
		if (rc < 0)
			(void)wrong(c, c->verified, err.msg);
		sblog_cursor_close(cur);
	}
	for (unsigned i = 0; i <= c->count; i++) {
		uint64_t acked = atomic_load(&c->writers[i].acked);
		uint64_t end = c->next[i];

		c->acked += acked - c->first[i];
		if (end < acked)
			c->lost += acked - end;
		else if (end != acked &&
		    end != atomic_load(&c->writers[i].attempted) &&
		    c->why[0] == '\0')
			(void)wrong(c, c->verified,
			    "a part of a batch, which was not acknowledged");
	}
	if (c->lost > 0 && c->why[0] == '\0')
		(void)wrong(c, c->verified,
		    "acknowledged messages are missing");
}

/* Somebody opens the log, and appends again. */
static void
recover(struct crash *c, struct work_log *log)
{
	uint64_t begun = work_now();

	work_open(log, c->ctx->directory, TRAFFIC_TOPIC, NULL);
	append(c, log, c->count, 1);
	hist_add(c->recovery->latency, work_now() - begun, 1);
}

/* Rounds that came later have changed nothing of what was there. */
static void
check_all(struct crash *c)
{
	uint64_t chain[TRAFFIC_PROCESSES + 1], end = c->verified, n = 0;
	const struct sblog_cursor_opts opts = { .copy = 1 };
	struct sblog_cursor *cur;
	struct work_message m;
	struct sblog_record rec;
	struct work_log log;
	struct sblog_err err;
	int rc;

	memset(chain, 0, sizeof(chain));
	work_open(&log, c->ctx->directory, TRAFFIC_TOPIC, NULL);
	work_need(sblog_cursor_open(&cur, log.topic, &opts, &err), &err,
	    "read");
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0 &&
	    rec.offset == n && work_decode(&m, rec.value.data, rec.value.len) &&
	    m.producer <= c->count) {
		chain[m.producer] =
		    traffic_chain(chain[m.producer], rec.value.data);
		n++;
	}
	if (rc < 0)
		(void)wrong(c, n, err.msg);
	else if (n != end || memcmp(chain, c->chain, sizeof(chain)) != 0)
		(void)wrong(c, n, "not what was there after an earlier round");
	if (n < end)
		c->lost += end - n;
	sblog_cursor_close(cur);
	work_close(&log);
}

/* -- the scenario ---------------------------------------------------------------------- */

static bool
more(const struct crash *c)
{
	const struct bench_options *o = c->ctx->options;

	if (stop_wanted() || c->why[0] != '\0')
		return false;
	if (o->duration_us > 0)
		return work_now() < c->begun + o->duration_us * 1000;
	return c->rounds < (o->quick ? ROUNDS_QUICK : ROUNDS);
}

static void
describe(const struct crash *c, struct bench_measure *m)
{
	bench_measure_param(m, "writers", "%u", c->count);
	bench_measure_param(m, "sync", "%s", c->durable ? "batch" : "none");
}

static void
conclude(struct crash *c, struct bench_run *kept)
{
	struct bench_run *r = c->recovery;

	r->ops = c->rounds;
	kept->seconds = r->seconds = (double)(work_now() - c->begun) / 1e9;
	kept->ops = c->acked;
	if (c->rounds == 0)
		return;
	r->value = hist_mean(r->latency);
	kept->value = c->acked == 0 ? 100
	    : c->lost >= c->acked
	    ? 0
	    : 100 * (double)(c->acked - c->lost) / (double)c->acked;
	if (c->why[0] != '\0')
		bench_run_fail(kept,
		    "%.6g %% of %" PRIu64
		    " acknowledged messages are there; %s",
		    kept->value, c->acked, c->why);
}

void
crash_library(const struct bench_ctx *ctx, struct bench_result *result)
{
	const struct bench_options *o = ctx->options;
	struct crash *c = mem_new(1, sizeof(*c));
	struct bench_measure *m;
	struct bench_run *kept;
	struct work_log log;
	size_t size;

	c->ctx = ctx;
	c->count = o->producers > 0 ? (unsigned)o->producers : WRITERS;
	c->durable = o->sync != BENCH_SYNC_NONE;
	c->state = o->seed + ctx->run * UINT64_C(1000003) + 1;
	size = (c->count + 1) * sizeof(struct writer);
	c->writers = proc_shared(size);
	m = bench_measure_of(ctx, result, "kept", "%", true);
	describe(c, m);
	kept = bench_measure_run(m);
	m = bench_measure_of(ctx, result, "recovery", "ns/op", false);
	describe(c, m);
	c->recovery = bench_measure_run(m);
	(void)bench_run_latency(c->recovery);
	c->begun = work_now();
	while (more(c)) {
		live_and_die(c);
		recover(c, &log);
		check_round(c, &log);
		work_close(&log);
		c->rounds++;
	}
	if (c->why[0] == '\0')
		check_all(c);
	conclude(c, kept);
	proc_shared_free(c->writers, size);
	free(c);
}
