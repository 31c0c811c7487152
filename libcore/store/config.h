/*
 * config.h - settings of a topic or of the store: "key = value" text files.
 */
#ifndef SB_STORE_CONFIG_H
#define SB_STORE_CONFIG_H

#include "base/check.h"
#include "sblog.h"

struct sb_config {
	uint64_t segment_bytes; /* segment.bytes: a WAL is finished at this */
	uint64_t max_message_bytes; /* max.message.bytes */
	uint64_t min_free_bytes;    /* min.free.bytes: appends stop below it */
	enum sblog_codec compression; /* compression.type, of segments */
	enum sblog_sync sync;         /* sync: batch | none */
	bool sync_record;             /* sync = record */
	bool readonly;                /* readonly: appends are refused */
	uint8_t
	    origin[8]; /* enum sblog_setting_origin, by index in the table */
};

/*
 * Effective settings: defaults, then STORE/config, then TOPIC/config.  Either
 * fd may be -1.  A missing file is fine; SBLOG_EDAMAGE with file and byte
 * position where one does not parse, SBLOG_EINVAL where a value is bad.
 */
int sb_config_load(struct sb_config *c, int storefd, int topicfd,
    struct sblog_err *err) SB_MUST_CHECK;

/* Text of the i-th setting in bytewise order of names; false: no such. */
bool sb_config_at(const struct sb_config *c, size_t i, const char **namep,
    char value[64], enum sblog_setting_origin *originp);

/*
 * Change the config file in dirfd durably; comments and order are kept.
 * SBLOG_EINVAL: unknown name or bad value, nothing changed.
 */
int sb_config_change(int dirfd, const struct sblog_setting *set, size_t n,
    bool dry_run, struct sblog_err *err) SB_MUST_CHECK;

#endif
