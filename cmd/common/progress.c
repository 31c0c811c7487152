/*
 * progress.c - how far a consumer of a group has come.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/input.h"
#include "common/progress.h"
#include "common/quit.h"

enum {
	LOOSE_US = 1000000,   /* between durable commits of a busy consumer */
	LOOK_US = 500000,     /* between looks whether waiting makes sense */
	MARKS_FIRST = 1 << 8, /* room to begin with */
	MARKS_MAX = 1 << 16,  /* then the output is flushed */
};

/* ---- leases ------------------------------------------------------------- */

/* Wait for a lease as long as that makes sense; err as sblog_lease_wait. */
static int
wait_lease(struct progress_topic *t, const struct progress_opts *o,
    const struct sblog_lease_opts *lease, struct sblog_err *err)
{
	uint64_t begun = input_now_us(), spent = 0;
	int rc;

	for (;;) {
		uint64_t left = o->wait_us - spent;

		rc = sblog_lease_wait(&t->lease, t->topic, o->group, lease,
		    left < LOOK_US ? left : LOOK_US, err);
		if (rc == SBLOG_EIO && err->sys == EINTR)
			rc = SBLOG_END;
		spent = input_now_us() - begun;
		if (rc != SBLOG_END || quit_wanted() || spent >= o->wait_us ||
		    out_gone(o->out))
			return rc;
	}
}

/* Why there is no lease. */
static enum exit_status
refused(const struct progress_topic *t, const struct progress_opts *o, int rc,
    struct sblog_err *err)
{
	if (rc == SBLOG_END && quit_wanted())
		return EXIT_FAILED; /* the signal says enough */
	if (rc == SBLOG_END && o->follow)
		return EXIT_TIMEOUT;
	if (rc == SBLOG_END) {
		report_fail("%s: all %u shards of group %s are taken", t->name,
		    o->shards, o->group);
		return EXIT_BUSY;
	}
	if (rc == SBLOG_EBUSY && !o->join) {
		report_fail("%s: group %s is held by another consumer", t->name,
		    o->group);
		return EXIT_COND;
	}
	return report_err(t->name, err);
}

/* The shard of a topic that is ours from now on, and where it stands. */
static enum exit_status
take(struct progress *p, struct progress_topic *t,
    const struct progress_opts *o, bool pick)
{
	struct sblog_lease_opts lease = {
		.shards = o->shards > 0 ? o->shards : 1,
		.pick = pick,
		.shard = p->shard,
	};
	struct sblog_group at;
	struct sblog_err err;
	int rc;

	rc = position_resolve(&o->from, t->topic, &lease.from, &err);
	if (rc == 0)
		rc = o->join ? wait_lease(t, o, &lease, &err)
			     : sblog_lease_take(&t->lease, t->topic, o->group,
				   &lease, &err);
	if (rc != 0)
		return refused(t, o, rc, &err);
	p->shard = sblog_lease_shard(t->lease);
	if ((rc = sblog_lease_get(t->lease, &at, &err)) < 0 ||
	    (rc = sblog_group_check(t->topic, &at, &err)) < 0)
		return report_err(t->name, &err);
	if (at.one_slot_damaged)
		report_fail("%s: group %s: a commit is damaged, going on from "
			    "%" PRIu64 " (file groups/%s, byte %" PRIu64 ")",
		    t->name, o->group, at.committed, at.damaged_file,
		    at.damaged_pos);
	t->committed = t->accepted = at.committed;
	return EXIT_DONE;
}

static int
by_name(const void *a, const void *b)
{
	const struct progress_topic *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/*
 * In the order of names, whatever the command line says: consumers that wait
 * for each other's shards in different orders would do so for ever.
 */
static enum exit_status
take_all(struct progress *p, struct progress_topic **order,
    struct sblog_store *store, const struct progress_opts *o)
{
	enum exit_status status = EXIT_DONE;
	struct sblog_err err;

	for (size_t i = 0; i < p->n; i++)
		order[i] = &p->topics[i];
	qsort(order, p->n, sizeof(struct progress_topic *), by_name);
	for (size_t i = 0; i < p->n && status == EXIT_DONE; i++) {
		struct progress_topic *t = order[i];

		if (sblog_topic_open(&t->topic, store, t->name, SBLOG_WRITE,
			&err) < 0)
			return report_err(t->name, &err);
		/* The first that is free; the same in every other topic. */
		status = take(p, t, o, !o->join || i > 0);
	}
	return status;
}

enum exit_status
progress_open(struct progress *p, struct sblog_store *store, char **names,
    size_t n, const struct progress_opts *o)
{
	struct progress_topic **order = calloc(n, sizeof(*order));
	enum exit_status status = EXIT_FAILED;

	*p = (struct progress){
		.group = o->group,
		.topics = calloc(n, sizeof(*p->topics)),
		.n = n,
		.shards = o->shards,
		.shard = o->shard,
		.synced_us = input_now_us(),
	};
	if (order == NULL || p->topics == NULL) {
		report_fail("out of memory");
		p->n = 0;
	} else {
		for (size_t i = 0; i < n; i++)
			p->topics[i].name = names[i];
		status = take_all(p, order, store, o);
	}
	free(order);
	return status;
}

void
progress_close(struct progress *p)
{
	for (size_t i = 0; i < p->n; i++) {
		sblog_lease_release(p->topics[i].lease);
		sblog_topic_close(p->topics[i].topic);
	}
	free(p->topics);
	free(p->marks);
	*p = (struct progress){ .group = NULL };
}

/* ---- what is accepted --------------------------------------------------- */

/* Room for one mark more. */
static bool
grow(struct progress *p)
{
	size_t room = p->mark_room > 0 ? 2 * p->mark_room : MARKS_FIRST;
	struct progress_mark *marks;

	if (p->mark_count < p->mark_room)
		return true;
	if ((marks = realloc(p->marks, room * sizeof(*marks))) == NULL)
		return false;
	p->marks = marks;
	p->mark_room = room;
	return true;
}

void
progress_taken(struct progress *p, uint64_t taken)
{
	size_t n = 0;

	p->taken = taken;
	while (n < p->mark_count && p->marks[n].end <= taken) {
		progress_accept(p, p->marks[n].which, p->marks[n].next);
		n++;
	}
	p->mark_count -= n;
	if (n > 0 && p->mark_count > 0)
		memmove(p->marks, p->marks + n,
		    p->mark_count * sizeof(*p->marks));
}

void
progress_accept(struct progress *p, size_t which, uint64_t next)
{
	if (next > p->topics[which].accepted)
		p->topics[which].accepted = next;
}

void
progress_mark(struct progress *p, size_t which, uint64_t next, uint64_t end,
    struct out *out)
{
	struct progress_mark *last =
	    p->mark_count > 0 ? &p->marks[p->mark_count - 1] : NULL;

	if (last != NULL && last->end == end && last->which == which) {
		last->next = next;
	} else if (grow(p)) {
		p->marks[p->mark_count++] = (struct progress_mark){ .end = end,
			.next = next,
			.which = which };
	} else {
		out->error = ENOMEM;
		return;
	}
	if (p->mark_count >= MARKS_MAX && out_flush(out) < 0)
		return;
	if (out->taken == p->taken && p->mark_count < MARKS_MAX)
		return;
	progress_taken(p, out->taken);
	p->failed = progress_commit(p, PROGRESS_LOOSE);
	if (p->failed != EXIT_DONE)
		out->error = ECANCELED;
}

/* ---- commits ------------------------------------------------------------ */

static enum exit_status
commit(const struct progress *p, struct progress_topic *t,
    enum progress_kind kind)
{
	const struct sblog_commit_opts opts = {
		.sync =
		    kind == PROGRESS_NOW ? SBLOG_SYNC_DEFAULT : SBLOG_SYNC_NONE,
		.lease = t->lease,
		.keep_note = true,
	};
	struct sblog_err err;

	if (t->accepted == t->committed &&
	    (kind == PROGRESS_LOOSE || !t->loose))
		return EXIT_DONE;
	if (sblog_group_commit(t->topic, p->group, t->accepted, &opts, &err) <
	    0)
		return report_err(t->name, &err);
	t->committed = t->accepted;
	t->loose = kind == PROGRESS_LOOSE;
	return EXIT_DONE;
}

enum exit_status
progress_commit(struct progress *p, enum progress_kind kind)
{
	enum exit_status status = EXIT_DONE;
	uint64_t now;

	if (p->group == NULL)
		return EXIT_DONE;
	now = input_now_us();
	if (now - p->synced_us >= LOOSE_US)
		kind = PROGRESS_NOW;
	for (size_t i = 0; i < p->n; i++)
		status = report_worse(status, commit(p, &p->topics[i], kind));
	if (kind == PROGRESS_NOW)
		p->synced_us = now;
	return status;
}
