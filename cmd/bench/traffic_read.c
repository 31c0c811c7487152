/*
 * traffic_read.c - processes that read: followers, those that read everything
 * again, and one that seals and trims.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/traffic_parts.h"

enum {
	LOOK = 50000,       /* us; so often a waiting process looks up */
	PATIENCE = 10,      /* seconds that what was acknowledged may need */
	COMMIT = 100000000, /* ns between two commits */
	KEEP = 5,           /* so often in a run it is sealed */
};

struct reader {
	const struct traffic *t;
	struct traffic_shared *shared;
	struct traffic_reader *slot;
	struct work_log log;
	struct sblog_cursor *cur;
	struct traffic_check check;
	char group[16];
	uint64_t measured; /* when that begins */
	uint64_t committed_ns, committed;
	uint64_t begun; /* what is now read */
};

static void
open_log(struct reader *r, const struct traffic_process *process)
{
	r->t = process->t;
	r->shared = process->shared;
	r->slot = &process->shared->readers[process->index];
	(void)snprintf(r->group, sizeof(r->group), "g%u", process->index);
	work_open(&r->log, r->t->dir, TRAFFIC_TOPIC, NULL);
}

static void
say(struct reader *r, const char *why)
{
	(void)snprintf(r->slot->why, sizeof(r->slot->why), "%s", why);
}

static uint64_t
end_of(const struct reader *r)
{
	return atomic_load(&r->shared->end);
}

/* -- followers ------------------------------------------------------------- */

static void
commit(struct reader *r, uint64_t now)
{
	const struct sblog_commit_opts opts = { .sync = SBLOG_SYNC_NONE,
		.undurable = !r->t->durable };
	uint64_t offset = sblog_cursor_offset(r->cur);
	struct sblog_err err;

	r->committed_ns = now;
	if (r->slot->commits > 0 && offset == r->committed)
		return;
	traffic_need(r->shared,
	    sblog_group_commit(r->log.topic, r->group, offset, &opts, &err),
	    &err, "commit");
	r->committed = offset;
	r->slot->commits++;
	atomic_store(&r->slot->position, offset);
}

/* What is committed must be what was committed last. */
static void
check_commit(struct reader *r)
{
	struct sblog_group group;
	struct sblog_err err;

	commit(r, 0);
	traffic_need(r->shared,
	    sblog_group_get(r->log.topic, r->group, &group, &err), &err,
	    r->group);
	if (group.committed != r->committed && r->slot->why[0] == '\0')
		(void)snprintf(r->slot->why, sizeof(r->slot->why),
		    "group %s is at %" PRIu64 ", and was committed at %" PRIu64,
		    r->group, group.committed, r->committed);
}

static bool
take(struct reader *r, const struct sblog_record *rec)
{
	struct work_message m;
	uint64_t now;

	if (!traffic_check_record(&r->check, rec, &m)) {
		say(r, r->check.why);
		return false;
	}
	now = work_now();
	r->slot->received++;
	r->slot->last_ns = now;
	if (m.intended >= r->measured) {
		hist_add(&r->slot->seen, now - m.intended, 1);
		hist_add(&r->slot->service, now - m.started, 1);
	}
	if (r->t->commit && now - r->committed_ns > COMMIT)
		commit(r, now);
	return true;
}

/* Nothing more is there; false: nothing more will be. */
static bool
wait_more(struct reader *r, uint64_t *until)
{
	struct sblog_err err;
	int rc;

	if (end_of(r) != UINT64_MAX) {
		if (r->check.offset >= end_of(r))
			return false;
		if (*until == 0)
			*until = work_now() + PATIENCE * UINT64_C(1000000000);
		if (work_now() > *until) {
			(void)snprintf(r->slot->why, sizeof(r->slot->why),
			    "offset %" PRIu64 " did not come within %d s",
			    r->check.offset, PATIENCE);
			return false;
		}
	}
	rc = sblog_cursor_wait(r->cur, LOOK, &err);
	traffic_need(r->shared, rc, &err, "wait");
	return true;
}

void
traffic_follow(void *process)
{
	static struct reader r;
	struct sblog_cursor_opts opts = { .to = SBLOG_NO_OFFSET, .copy = 1 };
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t until = 0;
	bool more = true;
	int rc;

	open_log(&r, process);
	traffic_check_init(&r.check, r.t, true);
	opts.durable = r.t->durable;
	traffic_need(r.shared,
	    sblog_cursor_open(&r.cur, r.log.topic, &opts, &err), &err, "read");
	r.measured = traffic_begin(r.shared) + (uint64_t)(r.t->warm_up * 1e9);
	while (more) {
		rc = sblog_cursor_next(r.cur, &rec, &err);
		if (rc == 0) {
			more = take(&r, &rec);
		} else if (rc == SBLOG_END) {
			more = wait_more(&r, &until);
		} else {
			say(&r, err.msg);
			more = false;
		}
	}
	if (r.slot->why[0] == '\0' && traffic_check_end(&r.check, r.shared) > 0)
		say(&r, r.check.why);
	if (r.t->commit)
		check_commit(&r);
	atomic_store(&r.slot->position, UINT64_MAX);
	sblog_cursor_close(r.cur);
	work_close(&r.log);
}

/* -- all of it, again and again ---------------------------------------------- */

static bool
scan_once(struct reader *r)
{
	const struct sblog_cursor_opts opts = { .copy = 1 };
	struct work_message m;
	struct sblog_record rec;
	struct sblog_err err;
	int rc = 0;

	traffic_check_init(&r->check, r->t, !r->t->keep);
	traffic_need(r->shared,
	    sblog_cursor_open(&r->cur, r->log.topic, &opts, &err), &err,
	    "read");
	while (end_of(r) == UINT64_MAX &&
	    (rc = sblog_cursor_next(r->cur, &rec, &err)) == 0 &&
	    traffic_check_record(&r->check, &rec, &m))
		r->slot->scanned++;
	sblog_cursor_close(r->cur);
	/* What is trimmed while it is read is no loss. */
	if (rc < 0)
		say(r, err.msg);
	else
		say(r, r->check.why);
	return r->slot->why[0] == '\0';
}

void
traffic_scan(void *process)
{
	static struct reader r;
	uint64_t begin;

	open_log(&r, process);
	begin = traffic_begin(r.shared);
	while (end_of(&r) == UINT64_MAX && scan_once(&r)) {
		begin += LOOK * UINT64_C(1000);
		work_sleep_until(begin);
	}
	work_close(&r.log);
}

/* -- the keeper ----------------------------------------------------------------- */

static uint64_t
read_by_all(const struct reader *r)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < r->t->consumers; i++) {
		uint64_t at = atomic_load(&r->shared->readers[i].position);

		least = at < least ? at : least;
	}
	return least;
}

static void
keep_once(struct reader *r)
{
	struct sblog_trim_opts trim = { .before = read_by_all(r) };
	struct sblog_trimmed trimmed;
	struct sblog_sealed sealed;
	struct sblog_err err;
	int rc = sblog_seal(r->log.topic, NULL, &sealed, &err);

	traffic_need(r->shared, rc, &err, "seal");
	if (rc == 0)
		r->slot->sealed += sealed.records;
	if (trim.before == 0 || trim.before == UINT64_MAX)
		return;
	rc = sblog_trim(r->log.topic, &trim, &trimmed, &err);
	traffic_need(r->shared, rc, &err, "trim");
	if (rc == 0)
		r->slot->trimmed += trimmed.records;
}

void
traffic_keep(void *process)
{
	static struct reader r;
	uint64_t begin, step;

	open_log(&r, process);
	begin = traffic_begin(r.shared);
	step = (uint64_t)(r.t->schedule.seconds * 1e9) / KEEP;
	if (step > 10000000000)
		step = 10000000000;
	for (uint64_t next = begin + step; end_of(&r) == UINT64_MAX;) {
		if (work_now() < next) {
			work_sleep_until(work_now() + LOOK * UINT64_C(1000));
			continue;
		}
		keep_once(&r);
		next += step;
	}
	work_close(&r.log);
}
