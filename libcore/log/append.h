/*
 * append.h - a batch on its way into the log.
 */
#ifndef SB_LOG_APPEND_H
#define SB_LOG_APPEND_H

#include "codec/batch.h"
#include "log/topic.h"

/* A batch on its way to the file: laid out, not yet placed. */
struct sb_draft {
	struct sb_batch head;
	const uint8_t *columns, *values; /* as they will be stored */
	bool sync;
	bool sync_later;
	/* for the chain */
	const struct sblog_record *recs; /* or */
	const uint8_t *run;
	const uint32_t *ends;
	bool keep; /* offsets and times: then it is laid out under the lock */
	bool compress;
	const struct sblog_append_opts *opts; /* conditions, token */
};

/* May this handle append?  SBLOG_EINVAL, SBLOG_ECOND. */
int sb_append_allowed(struct sblog_topic *t,
    struct sblog_err *err) SB_MUST_CHECK;

/* Must it be durable before the call returns? */
bool sb_draft_syncs(const struct sblog_topic *t,
    const struct sblog_append_opts *opts);

/* Compress the sections where that pays; leaves the draft as it is if not. */
int sb_draft_pack(struct sblog_topic *t, struct sb_draft *d,
    struct sblog_err *err) SB_MUST_CHECK;

/* Write and publish it, and sync if it is to be.  Codes as sblog_append. */
int sb_draft_put(struct sblog_topic *t, struct sb_draft *d,
    struct sblog_err *err) SB_MUST_CHECK;

/* Record `bad` of n is too long, or with bad == n all of them together are. */
int sb_draft_too_big(struct sblog_topic *t, size_t bad, size_t n,
    struct sblog_err *err);

#endif
