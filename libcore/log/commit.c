/*
 * commit.c - commit the offset of a consumer group; park it; forget it.
 *
 * Whoever changes a group has an flock of its file.  Who has a lease of a shard
 * has that of the shard's file as long as it consumes; to change anything for
 * all shards, the locks of all of them are taken first, so nobody can have one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/group.h"
#include "store/names.h"

enum { TRIES = 100 };

static const struct sblog_commit_opts no_opts;

bool
sb_commit_synced(const struct sblog_topic *t, enum sblog_sync sync)
{
	if (sync == SBLOG_SYNC_DEFAULT)
		return t->config.sync != SB_SYNC_NONE;
	return sync == SBLOG_SYNC_BATCH;
}

static int
may_write(const struct sblog_topic *t, const char *name, struct sblog_err *err)
{
	if (!sblog_group_name_ok(name))
		return sb_group_bad_name(err);
	if (t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	return 0;
}

/* ---- what to commit ---- */

static int
out_of_range(uint64_t offset, uint64_t start, uint64_t end, const char *what,
    struct sblog_err *err)
{
	(void)sb_err_set(err, SBLOG_ENOENT, "",
	    "%s: %" PRIu64 " to %" PRIu64 " can be committed", what, start,
	    end);
	err->offset = offset;
	return SBLOG_ENOENT;
}

int
sb_commit_prepare(struct sblog_topic *t, uint64_t offset,
    const struct sblog_commit_opts *opts, struct sb_slot *slot,
    struct sblog_err *err)
{
	size_t note_len = opts->note ? strlen(opts->note) : 0;
	uint64_t start, durable, limit;
	struct sb_published p;
	int rc;

	if (note_len > SBLOG_NOTE_MAX)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "note is longer than %d bytes", SBLOG_NOTE_MAX);
	if ((rc = sb_topic_peek(t, &p, err)) < 0)
		return rc;
	start = t->manifest.start;
	durable = sb_topic_durable(t, &p);
	limit = opts->undurable ? p.end : durable;
	if (offset < start)
		return out_of_range(offset, start, limit, "before the start",
		    err);
	if (offset > p.end)
		return out_of_range(offset, start, limit, "past the end", err);
	if (offset > limit)
		return out_of_range(offset, start, limit, "not durable yet",
		    err);
	*slot = (struct sb_slot){
		.offset = offset,
		.time = sb_sys_time_us(),
		.flags = (offset > durable ? SB_SLOT_UNDURABLE : 0u) |
		    (opts->park ? SB_SLOT_PARKED : 0u),
		.note = (const uint8_t *)opts->note,
		.note_len = (uint32_t)note_len,
	};
	if (offset == p.end) {
		slot->chain = p.chain;
		return 0;
	}
	rc = sblog_chain_at(t, offset, &slot->chain, err);
	if (rc == SBLOG_END || (rc == SBLOG_EDAMAGE && opts->reset)) {
		slot->flags |= SB_SLOT_NO_CHAIN;
		slot->chain = 0;
		rc = 0;
	}
	return rc;
}

int
sb_commit_allowed(uint64_t committed, const struct sblog_commit_opts *opts,
    struct sblog_err *err)
{
	if (!opts->if_set || opts->if_offset == committed)
		return 0;
	if (committed == SBLOG_NO_OFFSET)
		(void)sb_err_set(err, SBLOG_ECOND, "", "nothing is committed");
	else
		(void)sb_err_set(err, SBLOG_ECOND, "",
		    "offset %" PRIu64 " is committed", committed);
	err->offset = committed;
	return SBLOG_ECOND;
}

/* ---- locks ---- */

/* The file is locked.  Somebody died between saying that the group goes and
 * unlinking it: it goes now. */
static int
finish_removal(struct sblog_topic *t, const char *name, struct sblog_err *err)
{
	int fd, rc;

	if ((rc = sb_groups_dir(t, false, &fd, err)) != 0)
		return rc;
	if ((rc = sb_sys_unlink(fd, name)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot remove group");
	return 0;
}

/* Locked, what does it say?  SBLOG_END: it is no group any more. */
static int
look(struct sblog_topic *t, struct sb_group_file *f, struct sb_group_state *s,
    int *readp, struct sblog_err *err)
{
	bool removed;
	int rc;

	if (!sb_group_current(f))
		return SBLOG_END;
	*readp = sb_group_read(f, s, err);
	removed = *readp == 0 && (s->slots.now.flags & SB_SLOT_REMOVED);
	if (*readp == 0 && !s->slots.damaged && !removed)
		return 0;
	if (!sb_group_linked(f))
		return SBLOG_END;
	if (!removed)
		return 0;
	rc = finish_removal(t, f->name, err);
	return rc < 0 ? rc : SBLOG_END;
}

int
sb_group_lock(struct sblog_topic *t, const char *name,
    struct sb_group_file **fp, struct sb_group_state *s, int *readp,
    struct sblog_err *err)
{
	int rc;

	for (int tries = 0; tries < TRIES; tries++) {
		if ((rc = sb_group_file(t, name, fp, err)) != 0)
			return rc;
		rc = sb_sys_lock((*fp)->fd, t->store->lock_timeout_ms);
		if (rc == -EWOULDBLOCK)
			return sb_err_set(err, SBLOG_EBUSY, SB_NAME_GROUPS,
			    "another process holds the lock of group %s", name);
		if (rc < 0)
			return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
			    "cannot lock");
		rc = look(t, *fp, s, readp, err);
		if (rc == 0) {
			sb_group_pin(t, *fp, true);
			return 0;
		}
		sb_group_close(*fp); /* and so the lock goes */
		if (rc < 0)
			return rc;
	}
	return sb_err_set(err, SBLOG_EBUSY, SB_NAME_GROUPS,
	    "group %s is removed again and again", name);
}

void
sb_group_unlock(struct sblog_topic *t, struct sb_group_file *f)
{
	sb_sys_unlock(f->fd);
	sb_group_pin(t, f, false);
}

int
sb_group_make(struct sblog_topic *t, const char *name,
    const struct sb_slot *first, enum sb_group_create how,
    struct sblog_err *err)
{
	struct sb_group_file f;
	int fd, rc;

	if ((rc = sb_groups_dir(t, true, &fd, err)) < 0)
		return rc;
	if (rc == SBLOG_END) /* removed under our hands */
		return sb_group_none(err);
	rc = sb_group_create(&f, fd, name, t->manifest.topic, first, how,
	    t->store->lock_timeout_ms, err);
	sb_group_close(&f);
	return rc;
}

void
sb_group_let_go(struct sblog_topic *t, struct sb_held *held, bool remove)
{
	int fd = -1;
	struct sblog_err ignored;

	/* What cannot be removed does no harm: it is of another epoch. */
	if (remove && held->count > 0 &&
	    sb_groups_dir(t, false, &fd, &ignored) != 0)
		remove = false;
	for (size_t i = 0; i < held->count; i++) {
		if (remove && sb_sys_unlink(fd, held->files[i].name) < 0)
			remove = false;
		sb_group_close(&held->files[i]);
	}
	free(held->files);
	*held = (struct sb_held){ .files = NULL };
}

/* Lock one shard's file, if there is nobody who did. */
static int
hold_one(struct sblog_topic *t, int dirfd, const char *name,
    struct sb_held *held, struct sblog_err *err)
{
	struct sb_group_file *grown;
	int rc;

	grown = realloc(held->files, (held->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return sb_err_nomem(err);
	held->files = grown;
	rc = sb_group_open(&held->files[held->count], dirfd, name,
	    t->manifest.topic, true, err);
	if (rc != 0)
		return rc == SBLOG_END ? 0 : rc;
	rc = sb_sys_lock(held->files[held->count++].fd, 0);
	if (rc == -EWOULDBLOCK)
		return sb_err_set(err, SBLOG_ECOND, "",
		    "another process holds a lease of this group (%s)", name);
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot lock");
	return 0;
}

int
sb_group_hold(struct sblog_topic *t, const char *name, struct sb_held *held,
    struct sblog_err *err)
{
	char group[SBLOG_NAME_MAX + 1];
	uint32_t shard, shards;
	char *names = NULL;
	size_t len = 0;
	int fd, rc;

	*held = (struct sb_held){ .files = NULL };
	if ((rc = sb_groups_dir(t, false, &fd, err)) != 0)
		return rc == SBLOG_END ? 0 : rc;
	if ((rc = sb_sys_list(fd, &names, &len)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot list directory");
	for (char *n = names; rc == 0 && n < names + len; n += strlen(n) + 1)
		if (sb_group_name_parse(n, group, &shard, &shards) &&
		    shards > 0 && strcmp(group, name) == 0)
			rc = hold_one(t, fd, n, held, err);
	free(names);
	if (rc < 0)
		sb_group_let_go(t, held, false);
	return rc;
}

/* ---- commit ---- */

int
sb_group_new_epoch(uint64_t *epochp, struct sblog_err *err)
{
	int rc = sb_sys_random(epochp, sizeof(*epochp));

	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "no random bytes");
	return 0;
}

int
sb_group_divide(struct sb_group_file *f, struct sb_group_state *s,
    const struct sblog_group *g, uint32_t shards, struct sblog_err *err)
{
	struct sb_slot slot = {
		.seq = s->slots.now.seq + 1,
		.offset = g->committed,
		.chain = g->chain,
		.time = g->time_us,
		.shards = shards,
		.flags = (g->parked ? SB_SLOT_PARKED : 0u) |
		    (g->undurable ? SB_SLOT_UNDURABLE : 0u) |
		    (g->no_chain ? SB_SLOT_NO_CHAIN : 0u),
		.note = (const uint8_t *)g->note,
		.note_len = g->note_len,
	};
	int rc;

	if ((rc = sb_group_new_epoch(&slot.epoch, err)) < 0 ||
	    (rc = sb_group_write(f, &slot, s, true, err)) < 0)
		return rc;
	s->slots.now = slot;
	return 0;
}

/* Where shards committed: what is committed for all of them ends that, and
 * their files go once it is durable. */
static int
commit_whole(struct sblog_topic *t, struct sb_group_file *f,
    const struct sb_group_state *s, struct sb_slot *slot, bool dry_run,
    struct sblog_err *err)
{
	struct sb_held held;
	int rc;

	if ((rc = sb_group_hold(t, f->name, &held, err)) < 0)
		return rc;
	if ((rc = sb_group_new_epoch(&slot->epoch, err)) == 0 && !dry_run)
		rc = sb_group_write(f, slot, s, true, err);
	sb_group_let_go(t, &held, rc == 0 && !dry_run);
	return rc;
}

static int
commit_locked(struct sblog_topic *t, struct sb_group_file *f,
    const struct sb_group_state *s, struct sb_slot *slot,
    const struct sblog_commit_opts *opts, struct sblog_err *err)
{
	const struct sb_slot *now = &s->slots.now;
	struct sblog_group g;
	int rc;

	g.committed = now->offset;
	if (now->shards > 0 && (rc = sb_group_tell(t, f->name, s, &g, err)) < 0)
		return rc;
	if ((rc = sb_commit_allowed(g.committed, opts, err)) < 0)
		return rc;
	slot->seq = now->seq + 1;
	if (!opts->unpark)
		slot->flags |= now->flags & SB_SLOT_PARKED;
	slot->epoch = now->epoch;
	if (opts->keep_note) {
		slot->note = now->shards ? (const uint8_t *)g.note : now->note;
		slot->note_len = now->shards ? g.note_len : now->note_len;
	}
	if (now->shards > 0)
		return commit_whole(t, f, s, slot, opts->dry_run, err);
	if (opts->dry_run)
		return 0;
	return sb_group_write(f, slot, s, sb_commit_synced(t, opts->sync), err);
}

/* Nothing of the file can be believed: a new one takes its place. */
static int
commit_anew(struct sblog_topic *t, struct sb_group_file *f,
    struct sb_slot *slot, const struct sblog_commit_opts *opts,
    struct sblog_err *err)
{
	struct sb_held held;
	int rc;

	if ((rc = sb_group_hold(t, f->name, &held, err)) < 0)
		return rc;
	if ((rc = sb_group_new_epoch(&slot->epoch, err)) == 0 && !opts->dry_run)
		rc = sb_group_make(t, f->name, slot, SB_GROUP_REPLACE, err);
	sb_group_let_go(t, &held, rc == 0 && !opts->dry_run);
	return rc;
}

/* SBLOG_END: somebody else made the group meanwhile. */
static int
commit_first(struct sblog_topic *t, const char *name, struct sb_slot *slot,
    const struct sblog_commit_opts *opts, struct sblog_err *err)
{
	int rc = sb_commit_allowed(SBLOG_NO_OFFSET, opts, err);

	if (rc < 0 || opts->dry_run)
		return rc;
	if ((rc = sb_group_new_epoch(&slot->epoch, err)) < 0)
		return rc;
	rc = sb_group_make(t, name, slot, SB_GROUP_NEW, err);
	return rc == SBLOG_ECOND ? SBLOG_END : rc;
}

static int
commit(struct sblog_topic *t, const char *name, struct sb_slot *slot,
    const struct sblog_commit_opts *opts, struct sblog_err *err)
{
	struct sb_group_state s;
	struct sb_group_file *f;
	int rc, read;

	for (int tries = 0; tries < TRIES; tries++) {
		rc = sb_group_lock(t, name, &f, &s, &read, err);
		if (rc == SBLOG_END) {
			rc = commit_first(t, name, slot, opts, err);
			if (rc == SBLOG_END)
				continue;
			return rc;
		}
		if (rc < 0)
			return rc;
		rc = read < 0 ? read : commit_locked(t, f, &s, slot, opts, err);
		if (rc == SBLOG_EDAMAGE && opts->reset && !opts->if_set)
			rc = commit_anew(t, f, slot, opts, err);
		sb_group_unlock(t, f);
		return rc;
	}
	return sb_err_set(err, SBLOG_EBUSY, SB_NAME_GROUPS,
	    "group %s is made and removed again and again", name);
}

int
sblog_group_commit(struct sblog_topic *t, const char *name, uint64_t offset,
    const struct sblog_commit_opts *opts, struct sblog_err *err)
{
	struct sb_slot slot;
	int rc;

	opts = opts ? opts : &no_opts;
	if ((rc = may_write(t, name, err)) < 0 ||
	    (rc = sb_commit_prepare(t, offset, opts, &slot, err)) < 0)
		return rc;
	if (opts->lease != NULL)
		return sb_lease_commit(opts->lease, name, &slot, opts, err);
	return commit(t, name, &slot, opts, err);
}

/* ---- park, remove ---- */

int
sblog_group_park(struct sblog_topic *t, const char *name, bool parked,
    bool dry_run, struct sblog_err *err)
{
	struct sb_group_file *f;
	struct sb_group_state s;
	struct sb_slot slot;
	int rc, read;

	if ((rc = may_write(t, name, err)) < 0)
		return rc;
	rc = sb_group_lock(t, name, &f, &s, &read, err);
	if (rc != 0)
		return rc == SBLOG_END ? sb_group_none(err) : rc;
	rc = read;
	if (rc == 0 && !dry_run) {
		slot = s.slots.now;
		slot.seq++;
		slot.flags &= ~(uint32_t)SB_SLOT_PARKED;
		slot.flags |= parked ? SB_SLOT_PARKED : 0;
		rc = sb_group_write(f, &slot, &s,
		    sb_commit_synced(t, SBLOG_SYNC_DEFAULT), err);
	}
	sb_group_unlock(t, f);
	return rc;
}

/* It said that it goes, and stays: *err says why. */
static int
take_back(struct sb_group_file *f, const struct sb_group_state *was,
    struct sb_slot *slot, struct sblog_err *err)
{
	struct sblog_err other;

	slot->seq++;
	slot->flags &= ~(uint32_t)SB_SLOT_REMOVED;
	if (sb_group_write(f, slot, was, false, &other) < 0)
		err->code = SBLOG_EUNKNOWN;
	return err->code;
}

/* Say so in the file, so that whoever has it open knows; then unlink it, and
 * after it those that mean nothing without it. */
static int
unlink_group(struct sblog_topic *t, struct sb_group_file *f,
    const struct sb_group_state *s, struct sb_held *held, struct sblog_err *err)
{
	struct sb_slot slot;
	int fd, rc;

	if ((rc = sb_groups_dir(t, false, &fd, err)) != 0)
		return rc == SBLOG_END ? sb_group_none(err) : rc;
	if (s != NULL) {
		slot = s->slots.now;
		slot.seq++;
		slot.flags |= SB_SLOT_REMOVED;
		if ((rc = sb_group_write(f, &slot, s, false, err)) < 0)
			return rc;
	}
	if ((rc = sb_sys_unlink(fd, f->name)) < 0) {
		(void)sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot remove group");
		return s != NULL ? take_back(f, s, &slot, err) : SBLOG_EIO;
	}
	sb_group_let_go(t, held, true);
	if ((rc = sb_sys_fsync(fd)) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, rc, SB_NAME_GROUPS,
		    "removed, but cannot sync the directory");
	return 0;
}

int
sb_group_remove(struct sblog_topic *t, const char *name, uint64_t older_us,
    bool dry_run, struct sblog_err *err)
{
	struct sb_group_file *f;
	struct sb_group_state s;
	struct sb_held held;
	struct sblog_group g;
	int read, rc = sb_group_lock(t, name, &f, &s, &read, err);

	if (rc != 0)
		return rc == SBLOG_END ? sb_group_none(err) : rc;
	/* What is damaged may go; what cannot be read now may be in use. */
	if (read < 0 && (read != SBLOG_EDAMAGE || older_us > 0))
		rc = read;
	else if (older_us > 0) {
		rc = sb_group_tell(t, name, &s, &g, err);
		if (rc == 0 &&
		    (g.parked ||
			sb_sys_time_us() - g.time_us <= (int64_t)older_us))
			rc = SBLOG_END;
	}
	if (rc == 0 && (rc = sb_group_hold(t, name, &held, err)) == 0) {
		if (!dry_run)
			rc = unlink_group(t, f, read == 0 ? &s : NULL, &held,
			    err);
		sb_group_let_go(t, &held, false);
	}
	sb_group_unlock(t, f);
	if (rc == 0 && !dry_run)
		sb_group_close(f);
	return rc;
}

int
sblog_group_remove(struct sblog_topic *t, const char *name, bool dry_run,
    struct sblog_err *err)
{
	int rc = may_write(t, name, err);

	return rc < 0 ? rc : sb_group_remove(t, name, 0, dry_run, err);
}
