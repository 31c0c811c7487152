/*
 * progress.h - how far a consumer of a group has come in each topic: what the
 * output has taken, and what is committed of it.
 *
 * Whoever consumes holds a lease of the group, or of one shard of it, in each
 * topic: nobody else can commit meanwhile.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>

#include <sblog.h>

#include "common/out.h"
#include "common/position.h"
#include "common/report.h"

struct progress_opts {
	const char *group;
	struct position from; /* where a group begins that is new */
	/* Of how many shards one is taken, 0: there are none; that one, or
	 * with join the first that is free. */
	uint32_t shards, shard;
	bool join;
	uint64_t wait_us;      /* join: how long for a free one */
	bool follow;           /* and then it is EXIT_TIMEOUT */
	const struct out *out; /* join: nobody reads it: stop waiting */
};

struct progress_topic {
	const char *name;
	struct sblog_topic *topic;
	struct sblog_lease *lease;
	uint64_t committed, accepted; /* offset of the next record wanted */
	bool loose; /* committed is not durable by the topic's setting */
};

struct progress_mark {
	uint64_t end;  /* byte of the output: if that is taken, */
	uint64_t next; /* those before next are accepted */
	size_t which;
};

struct progress {
	const char *group; /* NULL: nobody asked */
	struct progress_topic *topics;
	size_t n;
	uint32_t shard, shards; /* shards 0: none */
	struct progress_mark *marks;
	size_t mark_count, mark_room;
	uint64_t taken;          /* bytes of the output when looked at last */
	enum exit_status failed; /* of commits on the way */
	uint64_t synced_us;      /* when commits were made durable last */
};

/*
 * Take leases in these topics and see where to begin.  What fails is reported;
 * EXIT_COND: another has the lease.  EXIT_BUSY, EXIT_TIMEOUT: no shard became
 * free.  The caller calls progress_close, also after a failure.
 */
enum exit_status progress_open(struct progress *p, struct sblog_store *store,
    char **names, size_t n, const struct progress_opts *opts);
void progress_close(struct progress *p);

/*
 * Records of a topic before next are done with when byte end of *out is taken.
 * What has been taken meanwhile is committed; if that fails it is reported,
 * p->failed says so and out->error is ECANCELED.
 */
void progress_mark(struct progress *p, size_t which, uint64_t next,
    uint64_t end, struct out *out);

/* The output has taken so many bytes: accept what they were. */
void progress_taken(struct progress *p, uint64_t taken);

/* Accept what a topic has before next. */
void progress_accept(struct progress *p, size_t which, uint64_t next);

enum progress_kind {
	PROGRESS_NOW,   /* as durable as the topic is set to be */
	PROGRESS_LOOSE, /* that only at times: a crash repeats a little */
};

/* Commit what is accepted, one commit for each topic.  What fails is reported.
 */
enum exit_status progress_commit(struct progress *p, enum progress_kind kind);

#endif
