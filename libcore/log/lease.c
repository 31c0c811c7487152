/*
 * lease.c - the right to consume one shard of a group: an flock on its file.
 *
 * The kernel takes the lock away when its holder dies, whatever the cause, so
 * there is no heartbeat and no time-out.  A lease has a number, one more with
 * each that is taken; every commit under it looks whether the file is still
 * there, still locked by us, and still has this number.
 *
 * Leases are taken under the lock of the group's own file.
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

/* Waiting: a descriptor that is closed is heard of just before its lock goes,
 * and without being told we look again after so long. */
enum { FIRST_PAUSE_US = 50, PAUSES = 7, DEAF_US = 2000, LOOK_US = 100000 };

struct sblog_lease {
	struct sblog_topic *topic;
	char name[SBLOG_NAME_MAX + 1];
	uint32_t shard, shards;
	uint64_t epoch, of_epoch;
	struct sb_group_file file;
	struct sblog_group found; /* when it was taken */
};

static int
lost(const struct sblog_lease *l, struct sblog_err *err)
{
	return sb_err_set(err, SBLOG_ECOND, "",
	    "the lease of shard %" PRIu32 " of %" PRIu32 " of group %s is lost",
	    l->shard, l->shards, l->name);
}

/* Ours as ever; *s is what it says.  Whoever takes the lease writes another
 * number, and nobody can take it but by the lock that we have; that is looked
 * at whenever it is looked whether the file is still there. */
static int
validate(struct sblog_lease *l, struct sb_group_state *s, bool sure,
    struct sblog_err *err)
{
	uint64_t before = l->file.checked_us;
	int rc = 0;

	if (!(sure ? sb_group_linked(&l->file) : sb_group_current(&l->file)))
		return lost(l, err);
	if (l->file.checked_us != before)
		rc = sb_sys_lock(l->file.fd, 0);
	if (rc == -EWOULDBLOCK)
		return lost(l, err);
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot lock");
	if ((rc = sb_group_read(&l->file, s, err)) < 0)
		return rc;
	if (s->slots.now.epoch != l->epoch ||
	    s->slots.now.of_epoch != l->of_epoch)
		return lost(l, err);
	return 0;
}

int
sb_lease_commit(struct sblog_lease *l, const char *name, struct sb_slot *slot,
    const struct sblog_commit_opts *opts, struct sblog_err *err)
{
	struct sb_group_state s;
	int rc;

	if (strcmp(name, l->name) != 0)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "the lease is of another group");
	if ((rc = validate(l, &s, false, err)) < 0 ||
	    (rc = sb_commit_allowed(s.slots.now.offset, opts, err)) < 0)
		return rc;
	slot->seq = s.slots.now.seq + 1;
	slot->epoch = l->epoch;
	slot->of_epoch = l->of_epoch;
	slot->shards = l->shards;
	slot->flags &= ~(uint32_t)SB_SLOT_PARKED; /* that is of the group */
	if (opts->keep_note) {
		slot->note = s.slots.now.note;
		slot->note_len = s.slots.now.note_len;
	}
	if (opts->dry_run)
		return 0;
	return sb_group_write(&l->file, slot, &s,
	    sb_commit_synced(l->topic, opts->sync), err);
}

/* Can the shard's file be locked?  Opened for reading only, because those who
 * wait hear of every close of a file that was open for writing.  SBLOG_END: no,
 * somebody has it. */
static int
probe(int dirfd, const char *file, const uint8_t topic[static SB_ID_SIZE],
    bool *existsp, struct sblog_err *err)
{
	struct sb_group_file f;
	int rc = sb_group_open(&f, dirfd, file, topic, false, err);

	*existsp = rc == 0;
	if (rc != 0)
		return rc == SBLOG_END ? 0 : rc;
	rc = sb_sys_lock(f.fd, 0);
	sb_group_close(&f);
	if (rc == -EWOULDBLOCK)
		return SBLOG_END;
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot lock");
	return 0;
}

/* The file is locked: write into it that it is ours now.  That is not synced:
 * after a power cut nobody is left who could think it was his. */
static int
enter(struct sblog_lease *l, const struct sb_slot *of, struct sblog_err *err)
{
	struct sb_group_state s;
	struct sb_slot slot;
	int rc;

	if ((rc = sb_group_read(&l->file, &s, err)) < 0)
		return rc;
	slot = s.slots.now;
	if (slot.of_epoch != of->epoch) {
		slot = *of;
		slot.epoch = s.slots.now.epoch;
		slot.of_epoch = of->epoch;
	}
	slot.seq = s.slots.now.seq + 1;
	slot.flags &= ~(uint32_t)SB_SLOT_PARKED;
	slot.epoch++;
	l->epoch = slot.epoch;
	l->of_epoch = slot.of_epoch;
	sb_group_tell_one(l->name, l->file.name, &s, &l->found);
	return sb_group_write(&l->file, &slot, &s, false, err);
}

/* SBLOG_END: somebody has it. */
static int
take_shard(struct sblog_lease *l, const struct sb_slot *of, uint32_t shard,
    struct sblog_err *err)
{
	struct sblog_topic *t = l->topic;
	char file[SB_GROUP_NAME_SIZE];
	struct sb_slot first = *of;
	bool exists;
	int fd, rc;

	sb_group_shard_name(file, l->name, shard, of->shards);
	if ((rc = sb_groups_dir(t, false, &fd, err)) != 0)
		return rc < 0 ? rc : sb_group_none(err);
	if ((rc = probe(fd, file, t->manifest.topic, &exists, err)) != 0)
		return rc;
	first.epoch = 0;
	first.of_epoch = of->epoch;
	first.flags &= ~(uint32_t)SB_SLOT_PARKED;
	if (!exists &&
	    (rc = sb_group_make(t, file, &first, SB_GROUP_NEW, err)) < 0)
		return rc;
	if ((rc = sb_groups_dir(t, false, &fd, err)) == 0)
		rc = sb_group_open(&l->file, fd, file, t->manifest.topic, true,
		    err);
	if (rc != 0)
		return rc < 0 ? rc : sb_group_none(err);
	rc = sb_sys_lock(l->file.fd, 0);
	if (rc == 0 && !sb_group_linked(&l->file))
		rc = -EWOULDBLOCK;
	l->shard = shard;
	l->shards = of->shards;
	rc = rc == -EWOULDBLOCK ? SBLOG_END
	    : rc < 0
	    ? sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS, "cannot lock")
	    : enter(l, of, err);
	if (rc != 0)
		sb_group_close(&l->file);
	return rc;
}

static int
take_locked(struct sblog_lease *l, struct sb_group_file *f,
    struct sb_group_state *s, const struct sblog_lease_opts *opts,
    struct sblog_err *err)
{
	struct sblog_topic *t = l->topic;
	struct sb_held held;
	struct sblog_group g;
	uint32_t from = opts->pick ? opts->shard : 0;
	uint32_t to = opts->pick ? opts->shard + 1 : opts->shards;
	int rc;

	if (s->slots.now.shards != opts->shards) {
		if ((rc = sb_group_hold(t, l->name, &held, err)) < 0) {
			err->offset = s->slots.now.shards;
			return rc;
		}
		if ((rc = sb_group_tell(t, l->name, s, &g, err)) == 0)
			rc = sb_group_divide(f, s, &g, opts->shards, err);
		sb_group_let_go(t, &held, rc == 0);
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = from; i < to; i++)
		if ((rc = take_shard(l, &s->slots.now, i, err)) <= 0)
			return rc;
	return sb_err_set(err, SBLOG_EBUSY, "",
	    "other processes have all shards of group %s", l->name);
}

static int
first_slot(struct sblog_topic *t, const struct sblog_lease_opts *opts,
    struct sb_slot *slot, struct sblog_err *err)
{
	struct sblog_commit_opts commit = { 0 };
	int rc = sb_commit_prepare(t, opts->from, &commit, slot, err);

	if (rc < 0)
		return rc;
	slot->shards = opts->shards;
	return sb_group_new_epoch(&slot->epoch, err);
}

static int
take(struct sblog_lease *l, const struct sblog_lease_opts *opts,
    struct sblog_err *err)
{
	struct sblog_topic *t = l->topic;
	struct sb_group_state s;
	struct sb_group_file *f;
	struct sb_slot first;
	int rc, read;

	for (int tries = 0; tries < TRIES; tries++) {
		rc = sb_group_lock(t, l->name, &f, &s, &read, err);
		if (rc == 0) {
			rc = read < 0 ? read : take_locked(l, f, &s, opts, err);
			sb_group_unlock(t, f);
		}
		if (rc <= 0)
			return rc;
		if ((rc = first_slot(t, opts, &first, err)) < 0)
			return rc;
		rc = sb_group_make(t, l->name, &first, SB_GROUP_NEW, err);
		if (rc < 0 && rc != SBLOG_ECOND)
			return rc;
	}
	return sb_err_set(err, SBLOG_EBUSY, SB_NAME_GROUPS,
	    "group %s is made and removed again and again", l->name);
}

static int
new_lease(struct sblog_lease **lp, struct sblog_topic *t, const char *name,
    const struct sblog_lease_opts *in, struct sblog_lease_opts *opts,
    struct sblog_err *err)
{
	struct sblog_lease *l;

	*opts = in ? *in : (struct sblog_lease_opts){ 0 };
	if (opts->shards == 0)
		opts->shards = 1;
	if (!sblog_group_name_ok(name))
		return sb_group_bad_name(err);
	if (opts->shards > SBLOG_SHARDS_MAX ||
	    (opts->pick && opts->shard >= opts->shards))
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "bad number of shards");
	if (t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return sb_err_nomem(err);
	l->topic = t;
	l->file = SB_GROUP_FILE_INIT;
	memcpy(l->name, name, strlen(name) + 1);
	*lp = l;
	return 0;
}

int
sblog_lease_take(struct sblog_lease **leasep, struct sblog_topic *t,
    const char *name, const struct sblog_lease_opts *in, struct sblog_err *err)
{
	struct sblog_lease_opts opts;
	struct sblog_lease *l;
	int rc;

	if ((rc = new_lease(&l, t, name, in, &opts, err)) < 0)
		return rc;
	if ((rc = take(l, &opts, err)) < 0)
		sblog_lease_release(l);
	else
		*leasep = l;
	return rc;
}

/* Something was closed: does a lock go now? */
static int
take_soon(struct sblog_lease *l, const struct sblog_lease_opts *opts,
    struct sblog_err *err)
{
	uint64_t pause = FIRST_PAUSE_US;
	int rc = SBLOG_EBUSY;

	for (int i = 0; i < PAUSES && rc == SBLOG_EBUSY; i++) {
		if (i > 0)
			sb_sys_sleep(pause);
		pause *= 2;
		rc = take(l, opts, err);
	}
	return rc;
}

static int
wait_for(struct sblog_lease *l, const struct sblog_lease_opts *opts,
    uint64_t timeout_us, struct sblog_err *err)
{
	uint64_t begun = sb_sys_monotonic_us(), gone;
	int watch = -1, rc = take(l, opts, err);

	if (rc == SBLOG_EBUSY && timeout_us > 0) {
		watch = sb_groups_watch(l->topic);
		rc = take(l, opts, err);
	}
	while (rc == SBLOG_EBUSY) {
		uint64_t us = watch < 0 ? DEAF_US : LOOK_US;
		int heard;

		gone = sb_sys_monotonic_us() - begun;
		if (gone >= timeout_us) {
			rc = SBLOG_END;
			break;
		}
		heard =
		    sb_sys_watched(watch, sb_min_u64(us, timeout_us - gone));
		if (heard == -EINTR)
			rc = sb_err_sys(err, SBLOG_EIO, heard, "",
			    "cannot wait");
		else
			rc = heard == 0 ? take_soon(l, opts, err)
					: take(l, opts, err);
	}
	return rc;
}

int
sblog_lease_wait(struct sblog_lease **leasep, struct sblog_topic *t,
    const char *name, const struct sblog_lease_opts *in, uint64_t timeout_us,
    struct sblog_err *err)
{
	struct sblog_lease_opts opts;
	struct sblog_lease *l;
	int rc;

	if ((rc = new_lease(&l, t, name, in, &opts, err)) < 0)
		return rc;
	if ((rc = wait_for(l, &opts, timeout_us, err)) != 0)
		sblog_lease_release(l);
	else
		*leasep = l;
	return rc;
}

uint32_t
sblog_lease_shard(const struct sblog_lease *l)
{
	return l->shard;
}

uint32_t
sblog_lease_shards(const struct sblog_lease *l)
{
	return l->shards;
}

int
sblog_lease_get(struct sblog_lease *l, struct sblog_group *shard,
    struct sblog_err *err)
{
	struct sb_group_state s;
	int rc = validate(l, &s, false, err);

	if (rc < 0)
		return rc;
	sb_group_tell_one(l->name, l->file.name, &s, shard);
	/* What was wrong when it was taken is overwritten by now. */
	if (l->found.one_slot_damaged && !shard->one_slot_damaged) {
		shard->one_slot_damaged = 1;
		shard->damaged_pos = l->found.damaged_pos;
		memcpy(shard->damaged_file, l->found.damaged_file,
		    sizeof(shard->damaged_file));
	}
	return 0;
}

int
sblog_lease_check(struct sblog_lease *l, struct sblog_err *err)
{
	struct sb_group_state s;

	return validate(l, &s, true, err);
}

void
sblog_lease_release(struct sblog_lease *l)
{
	if (l == NULL)
		return;
	sb_group_close(&l->file); /* and so the lock goes */
	free(l);
}
