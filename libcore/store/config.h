/*
 * config.h - settings of a topic or of the store: "key = value" text files.
 */
#ifndef SB_STORE_CONFIG_H
#define SB_STORE_CONFIG_H

#include "base/check.h"
#include "sblog.h"

enum {
	SB_SETTING_SIZE = 256, /* bytes of a setting's text with its NUL */
	SB_SETTINGS_MAX = 32,
};

#define SB_SETTING_NONE UINT64_MAX /* no limit */

enum { SB_CLEANUP_DELETE, SB_CLEANUP_COMPACT, SB_CLEANUP_BOTH };
enum { SB_SYNC_BATCH, SB_SYNC_RECORD, SB_SYNC_NONE };
enum { SB_INDEX_KEYS_AUTO, SB_INDEX_KEYS_YES, SB_INDEX_KEYS_NO };

/* Numbers as sblog-config(5) has them; times in microseconds. */
struct sb_config {
	uint64_t cleanup_policy;  /* cleanup.policy: SB_CLEANUP_* */
	uint64_t compact_unkeyed; /* compact.unkeyed: 0 keep, 1 drop */
	uint64_t
	    compression; /* compression.type: enum sblog_codec, of segments */
	uint64_t dedup_window;      /* dedup.window */
	uint64_t delete_retention;  /* delete.retention.ms */
	uint64_t group_retention;   /* group.retention.ms */
	uint64_t index_keys;        /* index.keys: SB_INDEX_KEYS_* */
	uint64_t max_message_bytes; /* max.message.bytes */
	uint64_t min_dirty;         /* min.cleanable.dirty.ratio, millionths */
	uint64_t min_free_bytes;    /* min.free.bytes: appends stop below it */
	uint64_t readonly;          /* readonly: appends are refused */
	uint64_t retention_bytes;   /* retention.bytes */
	uint64_t retention_groups;  /* retention.groups: groups hold back */
	uint64_t retention_time;    /* retention.ms */
	uint64_t retention_records; /* retention.records */
	uint64_t segment_bytes; /* segment.bytes: a WAL is finished at this */
	uint64_t segment_time; /* segment.ms: sblog compact seals at this age */
	uint64_t sync;         /* sync: SB_SYNC_* */
	char hook_seal[SB_SETTING_SIZE]; /* hook.seal: shell command, or "" */
	uint8_t origin[SB_SETTINGS_MAX]; /* enum sblog_setting_origin */
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
    char value[SB_SETTING_SIZE], enum sblog_setting_origin *originp);

/*
 * Change the config file in dirfd durably; comments and order are kept.
 * SBLOG_EINVAL: unknown name or bad value, nothing changed.
 */
int sb_config_change(int dirfd, const struct sblog_setting *set, size_t n,
    bool dry_run, struct sblog_err *err) SB_MUST_CHECK;

#endif
