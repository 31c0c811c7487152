/*
 * cursor.h - an open cursor, as the files that make it up see it.
 */
#ifndef SB_LOG_CURSOR_H
#define SB_LOG_CURSOR_H

#include "log/keycursor.h"
#include "log/source.h"
#include "log/topic.h"

struct sblog_cursor {
	struct sblog_topic *topic;
	struct sblog_cursor_opts opts;
	struct sb_manifest manifest;
	struct sb_published pub;
	struct sb_state state; /* of our own where it may be written to */
	bool state_tried;

	uint64_t next;  /* offset wanted */
	uint64_t to;    /* as asked for, or SBLOG_NO_OFFSET */
	uint64_t limit; /* offsets below it are known to be readable */
	struct sb_source source;
	uint64_t pos, expected; /* next batch, and its base offset */

	bool open; /* view and at are of a batch that holds next */
	struct sb_view view;
	struct sb_at at;
	uint64_t view_pos;
	uint64_t plain_end; /* see set_plain */
	struct sblog_record plain;

	struct sb_keycursor *keyed; /* opts.key: it says where to stop */
	struct sb_offsets latest;   /* opts.latest: those */

	bool damaged; /* what sblog_cursor_skip steps over */
	uint64_t skip_to, skip_pos;
};

/* A new look at what is published. */
int sb_cursor_refresh(struct sblog_cursor *c,
    struct sblog_err *err) SB_MUST_CHECK;

/* Can opts.shards be had with the rest?  One shard of one is all.
 * SBLOG_EINVAL. */
int sb_cursor_check_opts(struct sblog_cursor_opts *o,
    struct sblog_err *err) SB_MUST_CHECK;

/* Has a batch that holds c->next nothing for the shard?  Then c->next is
 * behind it, or at least at the shard's next offset. */
bool sb_cursor_skips(struct sblog_cursor *c, const struct sb_batch *head);

/* Go on to the next record of the open batch that is of the shard, by its
 * offset; without one the batch is closed. */
void sb_cursor_own(struct sblog_cursor *c);

/* Where the shard's run of offsets ends that holds the next record of the open
 * batch; SBLOG_NO_OFFSET: not by offsets. */
uint64_t sb_cursor_run_end(const struct sblog_cursor *c);

/* What the shard's records before `next` in the open batch are followed by: if
 * the rest of it is of others, what is behind the batch. */
uint64_t sb_cursor_behind(const struct sblog_cursor *c, uint64_t next);

/* Behind the last offset that may be shown, as far as is known. */
uint64_t sb_cursor_end(const struct sblog_cursor *c);

#endif
