/*
 * group.h - what the other operations must know of consumer groups.
 */
#ifndef SB_LOG_GROUP_H
#define SB_LOG_GROUP_H

#include "base/check.h"
#include "sblog.h"

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

/* Remove the files of groups below a directory of a topic that goes; what is
 * none of them stays, and so does the directory then. */
void sb_groups_scrap(int dirfd);

/* Free what a handle keeps open. */
struct sb_groups;
void sb_groups_free(struct sb_groups *g);

#endif
