/*
 * groups.h - how a consumer group stands in its topic, and one way to print it.
 */
#ifndef CMD_GROUPS_H
#define CMD_GROUPS_H

#include <sblog.h>

#include "common/topics.h"

struct group_row {
	struct sblog_group g;
	uint64_t start, end;
	uint64_t lag;     /* offsets from committed, or the start, to the end */
	uint64_t trimmed; /* offsets that went before they were committed */
	int64_t age_us;   /* since the next record was appended; 0: no record */
	bool diverged;    /* not the log that the group has read */
	bool holds;       /* no other group holds back more */
	bool damaged;     /* nothing of it can be believed; g.name is set */
};

/*
 * What can be said of a group, given how its topic stands.  Damage of the log
 * where its next record is leaves the age unknown.
 */
int group_row(struct group_row *row, struct sblog_topic *topic,
    const struct sblog_info *info, struct sblog_err *err);

/* Its line in a list. */
void group_print_line(struct topics *t, const struct group_row *row);

/* Everything about it; in JSON one object. */
int group_print_all(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, struct sblog_err *err);

/* What should be looked at: a line for each, and the status it asks for. */
enum exit_status group_warn(const char *topic, const struct group_row *row);

typedef int (*group_fn)(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, enum exit_status *statusp,
    struct sblog_err *err);

/* Call fn for every group, or the n named ones; damage is reported. */
int group_each(struct topics *t, struct sblog_topic *topic, char **names, int n,
    group_fn fn, enum exit_status *statusp, struct sblog_err *err);

#endif
