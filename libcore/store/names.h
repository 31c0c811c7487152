/*
 * names.h - the only place that spells the name of a file in a topic.
 */
#ifndef SB_STORE_NAMES_H
#define SB_STORE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

enum { SB_FILE_NAME_SIZE = 64 };

#define SB_NAME_CONFIG "config"
#define SB_NAME_MANIFEST "manifest"
#define SB_NAME_STATE "state"
#define SB_NAME_LOCK_APPEND "lock.append"
#define SB_NAME_LOCK_MAINT "lock.maint"
#define SB_NAME_GROUPS "groups"
#define SB_NAME_LOST "lost+found"

enum sb_name_kind {
	SB_NAME_WAL,     /* %020u.wal */
	SB_NAME_SEGMENT, /* %020u.seg */
	SB_NAME_INDEX,   /* %020u.idx, beside a segment */
	SB_NAME_WINDEX,  /* %020u.wdx, beside a WAL */
	SB_NAME_KEYS,    /* %020u.kdx, keys of a segment */
	SB_NAME_KEYTAB,  /* %020u.ktb, keys of a WAL */
};

/* revision: 0, or of a segment and its indexes that were rewritten, %020u.%u.seg:
 * a name never stands for two files. */
void sb_name_format(char out[SB_FILE_NAME_SIZE], enum sb_name_kind kind,
    uint64_t base, uint32_t revision);

/* The other way; false: not such a name. */
bool sb_name_parse(const char *name, enum sb_name_kind *kindp, uint64_t *basep,
    uint32_t *revisionp);

#endif
