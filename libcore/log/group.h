/*
 * group.h - what the other operations must know of consumer groups.
 */
#ifndef SB_LOG_GROUP_H
#define SB_LOG_GROUP_H

#include "base/check.h"
#include "log/topic.h"
#include "store/group.h"

/*
 * The lowest committed offset of all groups that are not parked, and whose it
 * is: nothing at or after it may go.  SBLOG_END: there is none.  SBLOG_EDAMAGE:
 * a group's file cannot be believed, so what it holds back is not known.
 */
int sb_groups_floor(struct sblog_topic *t, uint64_t *offsetp,
    char name[static SBLOG_NAME_MAX + 1], struct sblog_err *err) SB_MUST_CHECK;

/*
 * The highest offset that any group committed when everything before it was
 * durable, or 0: recovery takes no end before it.  Damaged files say nothing.
 */
int sb_groups_durable(struct sblog_topic *t, uint64_t *offsetp,
    struct sblog_err *err) SB_MUST_CHECK;

typedef void (*sb_group_gone_fn)(void *arg, const struct sblog_group *g);

/*
 * Remove the groups that nobody used for longer than the setting
 * group.retention.ms: no commit, no lease held.  Parked ones stay.  gone may
 * be NULL; it is told of each, with dry_run of each that would go.
 */
int sb_groups_expire(struct sblog_topic *t, bool dry_run, sb_group_gone_fn gone,
    void *arg, struct sblog_err *err) SB_MUST_CHECK;

/* Remove what was left over where files of groups were being made; lock.maint
 * is held. */
void sb_groups_tidy(struct sblog_topic *t);

/* Remove the files of groups below a directory of a topic that goes; what is
 * none of them stays, and so does the directory then. */
void sb_groups_scrap(int dirfd);

/* Free what a handle keeps open. */
void sb_groups_free(struct sb_groups *g);

/* ---- group.c, for the others of groups ---- */

/* The directory of groups; with create made durably, if need be.  SBLOG_END:
 * there is none. */
int sb_groups_dir(struct sblog_topic *t, bool create, int *fdp,
    struct sblog_err *err) SB_MUST_CHECK;

/* For sb_sys_watched: hears of closed files in it.  -1: that is not to be had. */
int sb_groups_watch(struct sblog_topic *t);

/* A file of it, kept open; *fp is good until the next call, or while it is
 * pinned.  SBLOG_END: there is no such file. */
int sb_group_file(struct sblog_topic *t, const char *name,
    struct sb_group_file **fp, struct sblog_err *err) SB_MUST_CHECK;
/*
 * What a file of it says, of_epoch being that of the group for a shard, and 0
 * for a group.  SBLOG_END: there is no such file, or none that counts.
 */
int sb_group_load(struct sblog_topic *t, const char *name, uint64_t of_epoch,
    struct sb_group_file **fp, struct sb_group_state *s,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_group_pin(struct sblog_topic *t, const struct sb_group_file *f,
    bool on);

/* How a group stands, given what its file says; shards are looked at. */
int sb_group_tell(struct sblog_topic *t, const char *name,
    const struct sb_group_state *s, struct sblog_group *g,
    struct sblog_err *err) SB_MUST_CHECK;

/* The same for one file, without its shards. */
void sb_group_tell_one(const char *name, const char *file,
    const struct sb_group_state *s, struct sblog_group *g);

int sb_group_bad_name(struct sblog_err *err);
int sb_group_none(struct sblog_err *err);

/* ---- commit.c ---- */

/* What a commit is going to say: range and options are checked, seq is 0.  The
 * slot borrows the note. */
int sb_commit_prepare(struct sblog_topic *t, uint64_t offset,
    const struct sblog_commit_opts *opts, struct sb_slot *slot,
    struct sblog_err *err) SB_MUST_CHECK;

/* Does what is committed allow it? */
int sb_commit_allowed(uint64_t committed, const struct sblog_commit_opts *opts,
    struct sblog_err *err) SB_MUST_CHECK;

/* Is it to be synced? */
bool sb_commit_synced(const struct sblog_topic *t, enum sblog_sync sync);

/*
 * The file of a group, locked, still there, and pinned.  *s is what it says if
 * *readp is 0, else *readp is the code of that failure.  SBLOG_END: no group.
 */
int sb_group_lock(struct sblog_topic *t, const char *name,
    struct sb_group_file **fp, struct sb_group_state *s, int *readp,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_group_unlock(struct sblog_topic *t, struct sb_group_file *f);

/* Make the file of a group.  SBLOG_ECOND: there is one. */
int sb_group_make(struct sblog_topic *t, const char *name,
    const struct sb_slot *first, enum sb_group_create how,
    struct sblog_err *err) SB_MUST_CHECK;

/* All files of a group's shards, locked: so nobody has a lease. */
struct sb_held {
	struct sb_group_file *files;
	size_t count;
};

/* The file of the group is locked.  SBLOG_ECOND: somebody has a lease. */
int sb_group_hold(struct sblog_topic *t, const char *name, struct sb_held *held,
    struct sblog_err *err) SB_MUST_CHECK;
/* Let go; and remove them before, if they are no longer wanted. */
void sb_group_let_go(struct sblog_topic *t, struct sb_held *held, bool remove);

/* A division's identity. */
int sb_group_new_epoch(uint64_t *epochp, struct sblog_err *err) SB_MUST_CHECK;

/* Write that a group is divided into so many shards, or none; it is locked and
 * held.  *s is what it says, *g how it stands; *s says the new slot then. */
int sb_group_divide(struct sb_group_file *f, struct sb_group_state *s,
    const struct sblog_group *g, uint32_t shards,
    struct sblog_err *err) SB_MUST_CHECK;

/* Remove what is locked.  older_us: only if that much time passed since its
 * last commit, else SBLOG_END. */
int sb_group_remove(struct sblog_topic *t, const char *name, uint64_t older_us,
    bool dry_run, struct sblog_err *err) SB_MUST_CHECK;

/* ---- lease.c ---- */

/* The same as a commit without a lease, for its shard. */
int sb_lease_commit(struct sblog_lease *l, const char *name,
    struct sb_slot *slot, const struct sblog_commit_opts *opts,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
