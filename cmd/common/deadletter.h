/*
 * deadletter.h - batches that a command refused, appended to another topic:
 * key, value, user time and headers as they were, and headers that say where
 * each record came from:
 *
 *	sblog-topic, sblog-offset	the record it was
 *	sblog-group			whose command refused it, if there is a group
 *	sblog-reason			what the command did
 */
#ifndef CMD_DEADLETTER_H
#define CMD_DEADLETTER_H

#include <stdbool.h>

#include <sblog.h>

#include "common/arena.h"

struct deadletter {
	struct sblog_topic *to; /* open for writing; borrowed */
	const char *group;      /* or NULL */
	/* Which records of the batch it is about; NULL: all. */
	bool (*wanted)(void *arg, const struct sblog_record *rec);
	void *arg;
	bool skip_damaged;
	struct arena arena;
};

/*
 * Append records [first, next) of a topic, durably; *countp of them.  After a
 * failure some of them may be there already.
 */
int deadletter_append(struct deadletter *d, struct sblog_topic *from,
    uint64_t first, uint64_t next, const char *reason, uint64_t *countp,
    struct sblog_err *err);
void deadletter_free(struct deadletter *d);

#endif
