/*
 * keycursor.h - the offsets that a cursor with a key, or over the newest records
 * of all keys, stops at.
 */
#ifndef SB_LOG_KEYCURSOR_H
#define SB_LOG_KEYCURSOR_H

#include "log/keys.h"

struct sb_keycursor;

/* Of opts->key; its bytes are copied.  *fromp: where it begins, changed with
 * opts->by_pos. */
int sb_keycursor_open(struct sb_keycursor **kp, struct sblog_topic *t,
    const struct sblog_cursor_opts *opts, uint64_t *fromp, uint64_t to,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_keycursor_close(struct sb_keycursor *k);

/*
 * The first record at or behind *offsetp and below limit: *offsetp becomes its
 * offset.  SBLOG_END: none, *offsetp is limit.
 */
int sb_keycursor_next(struct sb_keycursor *k, struct sblog_topic *t,
    uint64_t *offsetp, uint64_t limit, struct sblog_record *rec,
    struct sblog_err *err) SB_MUST_CHECK;

/* Position of the record that was returned last. */
uint64_t sb_keycursor_pos(const struct sb_keycursor *k);

/* ---- newest records ---- */

/* One bit for each offset in [from, to). */
struct sb_offsets {
	uint64_t from, to;
	uint64_t *bits;
};

/* Those of the newest record of each key below `to`. */
int sb_offsets_latest(struct sb_offsets *set, struct sblog_topic *t,
    uint64_t from, uint64_t to, struct sblog_err *err) SB_MUST_CHECK;
void sb_offsets_release(struct sb_offsets *set);

/* The first one at or behind offset; `to` if there is none. */
uint64_t sb_offsets_next(const struct sb_offsets *set, uint64_t offset);

#endif
