/*
 * appender.h - batches on their way into a topic: when they are synced, what
 * is acknowledged, and how many there were.
 *
 * Bulk batches are published at once and synced later all together; a batch
 * that is alone is synced by the call that writes it.
 */
#ifndef CMD_APPENDER_H
#define CMD_APPENDER_H

#include <stdbool.h>

#include <sblog.h>

#include "common/ack.h"

enum appender_sync {
	APPENDER_SYNC_SETTING, /* one of these, as the topic is set */
	APPENDER_SYNC_BATCH,   /* durable when the input pauses or ends */
	APPENDER_SYNC_RECORD,  /* each record, before the next is written */
	APPENDER_SYNC_NONE,    /* left to the kernel */
};

struct appender {
	struct sblog_store *store; /* NULL: no settings */
	struct sblog_topic *topic; /* NULL: use the defaults of the store */
	bool dry_run;
	enum appender_sync sync;
	enum sblog_codec codec;
	bool keep_offsets;
	const struct sblog_expect *expect; /* must hold for the one batch */
	size_t expect_count;
	const char *once;   /* token of the one batch, or NULL */
	bool replayed;      /* it was applied before */
	uint64_t max_value; /* 0: not asked for yet */
	struct ack *ack;    /* or NULL */

	uint64_t records;     /* published, or in a dry run found good */
	uint64_t acked;       /* of them, as durable as sync says */
	uint64_t first, next; /* offsets: of the first; behind the last */
	uint64_t acked_next;  /* behind the last that is acked */
	uint64_t unsynced_bytes;
	bool lost; /* a sync failed: what was not acked never will be */
};

/* Bytes that a value may have: max.message.bytes. */
uint64_t appender_max_value(struct appender *a);

/*
 * One batch from the front of a run, see sblog_append_run.  alone: no more
 * input is there now.
 */
int appender_run(struct appender *a, const struct sblog_run *run, bool alone,
    struct sblog_appended *done, struct sblog_err *err);

/* recs[0..n-1] as one batch; with APPENDER_SYNC_RECORD n is 1. */
int appender_records(struct appender *a, const struct sblog_record *recs,
    size_t n, bool alone, struct sblog_err *err);

/*
 * Make durable what was published, then acknowledge it.  0, or a code.  A
 * failed write of acknowledgements is in ack->out->error.  After a sync that
 * failed nothing is done: it cannot be repeated.
 */
int appender_settle(struct appender *a, struct sblog_err *err);

#endif
