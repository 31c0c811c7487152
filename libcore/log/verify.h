/*
 * verify.h - a verification that is going on.
 */
#ifndef SB_LOG_VERIFY_H
#define SB_LOG_VERIFY_H

#include "log/source.h"
#include "log/topic.h"

struct sb_verify {
	struct sblog_topic *topic;
	const struct sblog_verify_opts *opts;
	struct sblog_verified *done;
	struct sb_published pub;
	struct sb_manifest manifest;
	uint64_t total; /* bytes to read, for progress */
	uint64_t begun; /* monotonic, for the rate */
	bool chain_known;
};

/* A finding about a whole file. */
void sb_verify_tell(struct sb_verify *j, const char *kind, const char *file,
    bool damage, const char *msg);

/* Any finding. */
void sb_verify_report(struct sb_verify *j, const struct sblog_finding *f);

/* Files of consumer groups. */
int sb_verify_groups(struct sb_verify *j, struct sblog_err *err) SB_MUST_CHECK;

/* Indexes of a segment against its batches. */
int sb_verify_indexes(struct sb_verify *j, struct sb_source *s,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
