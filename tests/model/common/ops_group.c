/*
 * ops_group.c - consumers that count in the committed offset of one group, alone
 * or under leases, by compare and set: no number is ever given twice, and none
 * that was acknowledged is ever missed by who asks later.
 */
#include "common/ops_group.h"

#include <stdio.h>
#include <string.h>

#include "common/ops.h"
#include "common/sched.h"

static void
close_both(struct sblog_store *s, struct sblog_topic *t)
{
	sblog_topic_close(t);
	sblog_store_close(s);
}

static int
open_both(struct sblog_store **s, struct sblog_topic **t, struct sblog_err *err)
{
	const struct sblog_store_opts opts = {
		.mode = SBLOG_WRITE,
		.lock_timeout_ms = UINT32_MAX,
	};
	int rc;

	*s = NULL;
	*t = NULL;
	if ((rc = sblog_store_open(s, "store", &opts, err)) == 0)
		rc = sblog_topic_open(t, *s, "t", SBLOG_WRITE, err);
	return rc;
}

/* What somebody who begins to ask when least was acknowledged is told. */
static void
told(const struct world_group *w, uint64_t least, uint64_t now,
    const char *what)
{
	if (world.loose)
		return;
	if (now < least)
		world_bad("%s: committed is %llu, but %llu was acknowledged",
		    what, (unsigned long long)now, (unsigned long long)least);
	if (now > w->tried)
		world_bad("%s: committed is %llu, but nobody tried more than "
			  "%llu",
		    what, (unsigned long long)now,
		    (unsigned long long)w->tried);
}

static void
acked(struct world_group *w, uint64_t value, bool durable)
{
	if (world.loose || value >= WORLD_COUNTS)
		return;
	if (w->given[value])
		world_bad("two were told that they committed %llu",
		    (unsigned long long)value);
	w->given[value] = true;
	if (value > w->acked)
		w->acked = value;
	if (durable && value > w->durable)
		w->durable = value;
}

/* One more than there is now.  SBLOG_END: the log has no more records. */
static int
count(struct sblog_topic *t, const char *name, struct sblog_lease *l,
    struct world_group *w, enum sblog_sync sync, struct sblog_err *err)
{
	struct sblog_commit_opts opts = { .sync = sync,
		.lease = l,
		.if_set = 1 };
	uint64_t least = w->acked, next;
	struct sblog_group g;
	int rc = l != NULL ? sblog_lease_get(l, &g, err)
			   : sblog_group_get(t, name, &g, err);

	if (rc < 0 && rc != SBLOG_ENOENT)
		return rc;
	opts.if_offset = rc == 0 ? g.committed : SBLOG_NO_OFFSET;
	told(w, least, rc == 0 ? g.committed : 0, name);
	if (rc == 0 && (rc = sblog_group_check(t, &g, err)) < 0)
		return rc;
	next = opts.if_offset == SBLOG_NO_OFFSET ? 1 : g.committed + 1;
	if (next > w->tried)
		w->tried = next;
	rc = sblog_group_commit(t, name, next, &opts, err);
	if (rc == 0)
		acked(w, next, sync == SBLOG_SYNC_BATCH);
	return rc == SBLOG_ENOENT ? SBLOG_END : rc;
}

static void
commit(enum sblog_sync sync)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_both(&s, &t, &err);

	for (int i = 0; i < 3 && rc == 0; i++) {
		rc = count(t, "g", NULL, &world.group, sync, &err);
		if (rc != SBLOG_ECOND)
			break;
		rc = 0; /* somebody else was faster */
	}
	world_result("commit", rc, &err);
	close_both(s, t);
}

void
do_commit(void)
{
	commit(SBLOG_SYNC_BATCH);
}

void
do_commit_none(void)
{
	commit(SBLOG_SYNC_NONE);
}

/* The only shard of another group: nobody else may have it meanwhile. */
void
do_lease(void)
{
	struct sblog_lease *l = NULL;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_both(&s, &t, &err);

	if (rc == 0)
		rc = sblog_lease_take(&l, t, "leased", NULL, &err);
	if (rc == 0) {
		rc = count(t, "leased", l, &world.leased, SBLOG_SYNC_BATCH,
		    &err);
		/* Nobody else can have committed. */
		if (rc == SBLOG_ECOND)
			world_bad("a lease did not keep others out: %s",
			    err.msg);
	}
	if (rc != SBLOG_EBUSY)
		world_result("lease", rc, &err);
	sblog_lease_release(l);
	close_both(s, t);
}

/* Another group comes and goes; whoever commits it must find it. */
void
do_group_remove(void)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_group g;
	struct sblog_err err;
	int rc = open_both(&s, &t, &err);

	if (rc == 0)
		rc = sblog_group_commit(t, "h", 0, NULL, &err);
	if (rc == 0 && (rc = sblog_group_get(t, "h", &g, &err)) == SBLOG_ENOENT)
		rc = 0; /* gone again */
	if (rc == 0 &&
	    (rc = sblog_group_remove(t, "h", false, &err)) == SBLOG_ENOENT)
		rc = 0;
	world_result("group rm", rc, &err);
	close_both(s, t);
}

void
group_final(struct sblog_topic *t)
{
	struct sblog_group g;
	struct sblog_err err;
	int rc = sblog_group_get(t, "g", &g, &err);

	if (rc < 0 && rc != SBLOG_ENOENT)
		world_result("group", rc, &err);
	told(&world.group, world.group.acked, rc == 0 ? g.committed : 0, "g");
	if (rc == 0 && !world.disturbed && g.one_slot_damaged)
		world_bad("a slot is damaged");
	rc = sblog_group_get(t, "leased", &g, &err);
	if (rc < 0 && rc != SBLOG_ENOENT)
		world_result("group", rc, &err);
	told(&world.leased, world.leased.acked, rc == 0 ? g.committed : 0,
	    "leased");
	if (sblog_group_get(t, "h", &g, &err) == 0 && !world.disturbed)
		world_bad("a group was removed, and is there");
}
