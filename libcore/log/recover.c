/*
 * recover.c - find the true end of the log, and decide: torn or damaged.
 *
 * A tail is torn only where nothing in it can have been acknowledged as
 * durable: then it goes to lost+found and is cut.  Below that it is damage:
 * nothing is cut, the WAL is retired as it is and a new one begins behind every
 * offset that anybody can have seen.  sblog-internals(7), "Recovery".
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/group.h"
#include "log/topic.h"
#include "store/index.h"
#include "store/names.h"

enum {
	LOST_MAX = 64, /* separate gaps told apart in one WAL */
	REPLACED_TRIES = 3,
};

/* What lies behind the point where a walk ended. */
struct rest {
	uint64_t next; /* offset behind the last good batch there, or 0 */
	uint64_t durable_upto; /* the largest that those batches knew */
	uint64_t count, raw;
	struct sb_lost lost[LOST_MAX];
	size_t lost_count;
};

static void
add_lost(struct rest *r, uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	if (r->lost_count == LOST_MAX) /* then the last one covers more */
		r->lost[LOST_MAX - 1].to = to;
	else
		r->lost[r->lost_count++] = (struct sb_lost){ from, to };
}

/* Good heads behind a bad place; their sections are looked at by readers. */
static int
look_behind(const struct sb_wal *w, const struct sb_tail *tail, uint64_t size,
    struct rest *r, struct sblog_err *err)
{
	uint64_t pos = tail->pos, found, end = tail->end;
	struct sb_batch head;
	int rc;

	*r = (struct rest){ 0 };
	for (;;) {
		rc = sb_wal_resync(w, pos, size, &found, &head, err);
		if (rc < 0 || found == UINT64_MAX)
			break;
		/* A batch that was never published can lie behind a kill:
		 * it counts only if what it follows is really missing. */
		if (head.base >= end && head.magic == SB_BATCH_MAGIC &&
		    found != tail->pos) {
			add_lost(r, end, head.base);
			end = head.next;
			r->next = end;
			r->count += head.count;
			r->raw += head.values_raw;
			r->durable_upto =
			    sb_max_u64(r->durable_upto, head.durable_upto);
		}
		pos = found + head.total_size;
	}
	return rc;
}

static int64_t
time_before(const struct sb_manifest *m)
{
	int64_t last = 0;

	for (size_t i = 0; i < m->file_count; i++)
		if (m->files[i].last_time > last)
			last = m->files[i].last_time;
	return last;
}

static struct sb_tail
tail_at_start(const struct sblog_topic *t)
{
	return (struct sb_tail){
		.pos = t->wal.head.head_size,
		.end = t->wal.head.base,
		.chain = t->wal.head.chain,
		.last_time = time_before(&t->manifest),
	};
}

static struct sb_tail
tail_at(const struct sb_published *p)
{
	return (struct sb_tail){
		.pos = p->pos,
		.end = p->end,
		.chain = p->chain,
		.last_time = p->last_time,
		.first_time = p->wal_time,
		.count = p->wal_count,
		.raw = p->wal_raw,
	};
}

/* Entries of the WAL index that point behind pos go. */
static void
cut_index(struct sb_wal *w, uint64_t pos)
{
	uint8_t bytes[SB_WINDEX_ENTRY_SIZE];
	struct sb_index_entry e;
	struct sb_stat st;
	uint64_t n, kept;

	if (w->index_fd < 0 || sb_sys_fstat(w->index_fd, &st) < 0 ||
	    st.size < SB_FILE_HEAD_SIZE)
		return;
	kept = n = (st.size - SB_FILE_HEAD_SIZE) / SB_WINDEX_ENTRY_SIZE;
	while (kept > 0) {
		int64_t got = sb_sys_pread(w->index_fd, bytes, sizeof(bytes),
		    SB_FILE_HEAD_SIZE + (kept - 1) * SB_WINDEX_ENTRY_SIZE);

		if (got == (int64_t)sizeof(bytes) &&
		    sb_windex_decode(&e, kept - 1, w->head.salt, bytes) &&
		    e.pos < pos)
			break;
		kept--;
	}
	/* An index that cannot be cut is only longer than it should be. */
	if (kept < n &&
	    sb_sys_truncate(w->index_fd,
		SB_FILE_HEAD_SIZE + kept * SB_WINDEX_ENTRY_SIZE) < 0)
		return;
}

/* Take what the walk found for the truth and write it into the page. */
static int
adopt(struct sblog_topic *t, const struct sb_tail *tail, struct sblog_err *err)
{
	int rc = sb_sys_fdatasync(t->wal.fd);

	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->wal.name,
		    "cannot sync");
	cut_index(&t->wal, tail->pos);
	t->pub = (struct sb_published){
		.end = tail->end,
		.wal_base = t->wal.head.base,
		.pos = tail->pos,
		.chain = tail->chain,
		.last_time = tail->last_time,
		.generation = t->manifest.generation,
		.ordinal = t->pub.ordinal + 1,
		.zero_end = tail->pos,
		.wal_count = tail->count,
		.wal_raw = tail->raw,
		.wal_time = tail->first_time,
		.wal_ino = t->wal.ino,
	};
	t->own_pos = 0;
	t->written_back = 0;
	sb_state_reset(&t->state, t->manifest.topic, t->boot, &t->pub);
	sb_state_set_durable(&t->state, t->pub.end, t->pub.ordinal, t->pub.pos);
	sb_state_set_dirty(&t->state, false);
	sb_state_wake(&t->state);
	return 0;
}

/* Damage below the durable end: leave it as it is and go on behind it. */
static int
retire(struct sblog_topic *t, struct sb_tail *tail, struct rest *r,
    uint64_t size, uint64_t durable, struct sblog_err *err)
{
	uint64_t next = sb_max_u64(durable, sb_max_u64(tail->end, r->next));

	add_lost(r, sb_max_u64(tail->end, r->next), next);
	tail->count += r->count;
	tail->raw += r->raw;
	sb_state_reset(&t->state, t->manifest.topic, t->boot, &t->pub);
	return sb_topic_new_wal(t, tail, size, r->lost, r->lost_count, next,
	    err);
}

/* Where the log surely went, whatever the WAL itself says: what an fdatasync
 * covered, and what a consumer committed because it was covered. */
static int
known_durable(struct sblog_topic *t, uint64_t *durablep, struct sblog_err *err)
{
	int rc = sb_groups_durable(t, durablep, err);

	*durablep = sb_max_u64(*durablep,
	    sb_state_durable(&t->state, t->manifest.topic));
	return rc;
}

/* Walk from *tail and do what its end asks for. */
static int
recover_from(struct sblog_topic *t, struct sb_tail *tail, struct sblog_err *err)
{
	uint64_t durable;
	struct rest rest;
	struct sb_stat st;
	const char *why;
	bool zero;
	int rc;

	rc = sb_wal_walk(&t->wal, tail, UINT64_MAX, &t->cpu, &why, err);
	if (rc < 0)
		return rc;
	if ((rc = sb_sys_fstat(t->wal.fd, &st)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->wal.name,
		    "cannot stat");
	if (tail->trailer) {
		/* Died between trailer and manifest: go on from there. */
		if ((rc = sb_sys_fdatasync(t->wal.fd)) < 0)
			return sb_err_sys(err, SBLOG_EIO, rc, t->wal.name,
			    "cannot sync");
		sb_state_reset(&t->state, t->manifest.topic, t->boot, &t->pub);
		return sb_topic_new_wal(t, tail, tail->pos, NULL, 0, tail->end,
		    err);
	}
	if ((rc = look_behind(&t->wal, tail, st.size, &rest, err)) < 0)
		return rc;
	if ((rc = known_durable(t, &durable, err)) < 0)
		return rc;
	durable = sb_max_u64(durable,
	    sb_max_u64(tail->durable_upto, rest.durable_upto));
	if (tail->end < durable)
		return retire(t, tail, &rest, st.size, durable, err);
	if (st.size > tail->pos &&
	    (rc = sb_wal_quarantine(&t->wal, t->dirfd, tail->pos, &zero, err)) <
		0)
		return rc;
	return adopt(t, tail, err);
}

static int
open_active(struct sblog_topic *t, struct sblog_err *err)
{
	const struct sb_file *active = sb_manifest_active(&t->manifest);

	if (t->wal.fd >= 0)
		return 0;
	if (active == NULL)
		return sb_err_damage(err, "manifest", UINT64_MAX,
		    SBLOG_NO_OFFSET, SBLOG_NO_OFFSET, "no active WAL");
	return sb_wal_open(&t->wal, t->dirfd, active, t->manifest.topic, true,
	    err);
}

/* The active WAL is missing or not itself: all behind its base is lost. */
static int
replace_lost_wal(struct sblog_topic *t, struct sblog_err *err)
{
	const struct sb_file *active = sb_manifest_active(&t->manifest);
	struct sb_tail tail = { 0 };
	struct sblog_err other;
	struct sb_lost lost;
	uint64_t durable;

	if (active == NULL || known_durable(t, &durable, &other) < 0 ||
	    durable <= active->base)
		return err->code;
	tail.pos = SB_WAL_HEAD_SIZE;
	tail.end = active->base;
	tail.chain = active->chain;
	tail.last_time = time_before(&t->manifest);
	lost = (struct sb_lost){ active->base, durable };
	t->pub = (struct sb_published){
		.end = durable,
		.ordinal = t->pub.ordinal,
	};
	sb_state_reset(&t->state, t->manifest.topic, t->boot, &t->pub);
	return sb_topic_new_wal(t, &tail, 0, &lost, 1, durable, err);
}

static int
recover(struct sblog_topic *t, struct sblog_err *err)
{
	struct sb_published p;
	struct sb_tail tail;
	struct sb_stat st;
	int rc;

	sb_wal_close(&t->wal);
	/* Whoever created the topic or replaced the manifest may have died
	 * between rename and sync: what we build on must be durable. */
	if ((rc = sb_sys_fsync(t->dirfd)) < 0 ||
	    (rc = sb_sys_fsync(t->store->fd)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "",
		    "cannot sync directory");
	if ((rc = sb_topic_reload(t, err)) < 0)
		return rc;
	rc = open_active(t, err);
	if (rc == SBLOG_EDAMAGE || rc == SBLOG_ENOENT)
		return replace_lost_wal(t, err);
	if (rc < 0)
		return rc;
	/* Whatever else it says: never the number of another WAL again, for
	 * those who still have that one open and are about to sync it. */
	t->pub.ordinal =
	    sb_max_u64(t->pub.ordinal, sb_state_ordinal(&t->state));
	/* Of this boot: what was published was good, so go on behind it. */
	if (sb_state_read(&t->state, t->manifest.topic, t->boot, &p) &&
	    p.generation == t->manifest.generation &&
	    p.wal_base == t->wal.head.base && p.wal_ino == t->wal.ino &&
	    sb_sys_fstat(t->wal.fd, &st) == 0 && st.size >= p.pos) {
		t->pub = p;
		tail = tail_at(&p);
	} else {
		tail = tail_at_start(t);
	}
	return recover_from(t, &tail, err);
}

static int
reopen_state(struct sblog_topic *t, struct sblog_err *err)
{
	struct sb_stat st;
	int rc;

	sb_state_close(&t->state);
	if ((rc = sb_state_open(&t->state, t->dirfd, true, err)) < 0 ||
	    t->state.map != NULL)
		return rc;
	/* Did the page go with the topic? */
	if (sb_sys_stat(t->dirfd, SB_NAME_MANIFEST, &st) == -ENOENT)
		return sb_err_set(err, SBLOG_ENOENT, "", "no such topic");
	if ((rc = sb_state_create(t->dirfd, t->manifest.topic, err)) < 0 ||
	    (rc = sb_state_open(&t->state, t->dirfd, true, err)) < 0)
		return rc;
	if (t->state.map == NULL)
		return sb_err_set(err, SBLOG_EIO, "state", "cannot map");
	return 0;
}

int
sb_topic_validate(struct sblog_topic *t, struct sblog_err *err)
{
	struct sb_published p;
	struct sb_stat st;
	int rc;

	if (!sb_state_current(&t->state) && (rc = reopen_state(t, err)) < 0)
		return rc;
	if (sb_state_dirty(&t->state) ||
	    !sb_state_read(&t->state, t->manifest.topic, t->boot, &p))
		return recover(t, err);
	if (t->wal.fd >= 0 && p.generation == t->manifest.generation) {
		t->pub = p;
		return 0;
	}
	if ((rc = sb_topic_reload(t, err)) < 0)
		return rc;
	if (p.generation != t->manifest.generation)
		return recover(t, err);
	if (open_active(t, err) < 0 || t->wal.ino != p.wal_ino ||
	    t->wal.head.base != p.wal_base ||
	    sb_sys_fstat(t->wal.fd, &st) < 0 || st.size < p.pos)
		return recover(t, err);
	t->pub = p;
	return 0;
}

/*
 * How far is it good?  Where recovery would find damage, the end lies behind it:
 * readers are to run into the damage, not to stop before it as if nothing had
 * been there.  Appenders go on meanwhile: what they write behind the walk is no
 * damage, so the durable end is asked for first, and where something seems to
 * be missing the walk must not get any further a second time.
 */
static int
find_end(struct sblog_topic *t, const struct sb_wal *w, struct sb_tail *tail,
    struct sb_published *p, struct sblog_err *err)
{
	uint64_t durable, before;
	struct rest rest;
	struct sb_stat st;
	const char *why;
	int rc;

	for (;;) {
		if ((rc = known_durable(t, &durable, err)) < 0)
			return rc;
		rc = sb_wal_walk(w, tail, UINT64_MAX, &t->cpu, &why, err);
		if (rc < 0 || tail->trailer)
			return rc;
		if ((rc = sb_sys_fstat(w->fd, &st)) < 0)
			return sb_err_sys(err, SBLOG_EIO, rc, w->name,
			    "cannot stat");
		if ((rc = look_behind(w, tail, st.size, &rest, err)) < 0)
			return rc;
		durable = sb_max_u64(durable,
		    sb_max_u64(tail->durable_upto, rest.durable_upto));
		if (tail->end >= durable)
			return 0;
		before = tail->pos;
		rc = sb_wal_walk(w, tail, UINT64_MAX, &t->cpu, &why, err);
		if (rc < 0 || tail->trailer)
			return rc;
		if (tail->pos == before)
			break;
	}
	p->end = sb_max_u64(durable, rest.next);
	p->pos = sb_max_u64(st.size, tail->pos + SB_BATCH_HEAD_SIZE);
	return 0;
}

/* Without a usable page: look for the end as recovery would, but only look. */
static int
peek_by_walk(struct sblog_topic *t, struct sb_published *p,
    struct sblog_err *err)
{
	const struct sb_file *active;
	struct sb_wal wal = SB_WAL_INIT;
	struct sb_tail tail;
	int rc;

	if ((rc = sb_topic_reload(t, err)) < 0)
		return rc;
	active = sb_manifest_active(&t->manifest);
	*p = (struct sb_published){
		.generation = t->manifest.generation,
		.last_time = time_before(&t->manifest),
	};
	if (active == NULL)
		return sb_err_damage(err, "manifest", UINT64_MAX,
		    SBLOG_NO_OFFSET, SBLOG_NO_OFFSET, "no active WAL");
	p->end = p->wal_base = active->base;
	p->chain = active->chain;
	rc = sb_wal_open(&wal, t->dirfd, active, t->manifest.topic, false, err);
	if (rc < 0)
		return rc;
	tail = (struct sb_tail){
		.pos = wal.head.head_size,
		.end = wal.head.base,
		.chain = wal.head.chain,
		.last_time = p->last_time,
	};
	p->end = 0;
	if ((rc = find_end(t, &wal, &tail, p, err)) < 0)
		goto out;
	if (p->end == 0) {
		p->pos = tail.pos;
		p->end = tail.end;
	}
	p->chain = tail.chain;
	p->last_time = tail.last_time;
	p->wal_count = tail.count;
	p->wal_raw = tail.raw;
	p->wal_time = tail.first_time;
out:
	sb_wal_close(&wal);
	return rc;
}

int
sb_topic_peek(struct sblog_topic *t, struct sb_published *p,
    struct sblog_err *err)
{
	int rc = 0;

	/* The page may be of a newer manifest than ours, or of an older one
	 * for the moment in which somebody replaces it. */
	for (int tries = 0; tries < 100; tries++) {
		if (!sb_state_read(&t->state, t->manifest.topic, t->boot, p))
			break;
		if (p->generation == t->manifest.generation)
			return 0;
		if ((rc = sb_topic_reload(t, err)) < 0)
			return rc;
		if (p->generation == t->manifest.generation)
			return 0;
		/* Waited for that before, and nothing has changed. */
		if (t->stale_seq != 0 &&
		    t->stale_seq == sb_state_seq(&t->state))
			break;
		if (tries > 10)
			sb_sys_sleep(1000);
		if (tries == 99)
			t->stale_seq = sb_state_seq(&t->state);
	}
	for (int tries = 0; tries < 10; tries++) {
		struct sb_published page;
		bool valid;

		rc = peek_by_walk(t, p, err);
		/* Recovered meanwhile?  Then the page counts: the walk may
		 * have seen a batch that is not published yet. */
		valid = rc == 0 &&
		    sb_state_read(&t->state, t->manifest.topic, t->boot, &page);
		if (valid && page.generation == t->manifest.generation) {
			*p = page;
			return 0;
		}
		/* Sealed between the manifest and the WAL: then there is a
		 * new one.  Or the page is of another manifest: somebody is
		 * replacing it, or has died at that. */
		if (rc != SBLOG_ENOENT && !(valid && tries < REPLACED_TRIES))
			break;
	}
	return rc;
}
