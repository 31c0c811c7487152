/*
 * compact.h - keep the latest record of each key: what stays, and writing it.
 */
#ifndef SB_LOG_COMPACT_H
#define SB_LOG_COMPACT_H

#include "log/source.h"
#include "log/topic.h"

enum { NO_TOMBSTONES = 1 }; /* as clean time: compacted, and none is left */

/* A compaction that is going on; lock.maint is held. */
struct sb_compaction {
	struct sblog_topic *topic;
	const struct sblog_compact_opts *opts;
	struct sblog_compacted *done;
	struct sb_manifest manifest; /* a copy */
	size_t segments;             /* of it, all that come first */
	uint64_t start;              /* records before it are gone already */
	int64_t now;
	uint64_t total, seen; /* bytes to read and read, for progress */
	uint64_t begun;       /* monotonic, for the rate */

	/* segments [first, last) are decided on, a bit for each record */
	size_t first, last;
	uint64_t *bits;     /* set: stays */
	uint64_t *bit_base; /* of each segment of the manifest */
	uint64_t *kept;     /* records of each that stay */
	uint64_t *tombs;    /* of them, with a key and no value */

	/* some obsolete record stays for its token: so far, in earlier windows */
	bool guarded, guarded_before;
};

/* Is there anything for a compaction to do, as far as the manifest says? */
bool sb_compact_due(const struct sb_manifest *m, uint64_t min_dirty,
    uint64_t grace_us);

/* Progress, and a pause where a rate is asked for. */
void sb_compact_pace(struct sb_compaction *c, uint64_t bytes);

/*
 * Which records of segments [first, last) stay: fills bits and kept.  All
 * segments are read as often as the memory allowed for the table of keys makes
 * necessary.
 */
int sb_compact_decide(struct sb_compaction *c,
    struct sblog_err *err) SB_MUST_CHECK;

/* Let the last record of segment last - 1 stay, whatever was decided. */
void sb_compact_keep_last(struct sb_compaction *c);

/*
 * Segments [from, to) as one new file, read back and renamed, but in no
 * manifest yet.  *file is what it would say.
 */
int sb_compact_rewrite(struct sb_compaction *c, size_t from, size_t to,
    struct sb_file *file, struct sblog_err *err) SB_MUST_CHECK;

#endif
