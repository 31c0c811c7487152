/*
 * condition.h - appends that depend on what is there, and at most once.
 */
#ifndef SB_LOG_CONDITION_H
#define SB_LOG_CONDITION_H

#include "log/topic.h"

/* SBLOG_ECOND: one does not hold; err->offset is what there is instead.  With
 * lock.append and the end from t->pub it stays so. */
int sb_conditions_hold(struct sblog_topic *t, uint64_t end,
    const struct sblog_expect *expect, size_t n,
    struct sblog_err *err) SB_MUST_CHECK;

/* The header that says which call a batch is of, in front of those of its first
 * record; the run is valid until the next call.  SBLOG_ETOOBIG, SBLOG_EINVAL. */
int sb_once_header(struct sblog_topic *t, struct sblog_bytes token, size_t n,
    struct sblog_bytes *headers, struct sblog_err *err) SB_MUST_CHECK;

/*
 * Under lock.append: was this token appended within dedup.window?  0: no;
 * SBLOG_REPLAYED: yes, *firstp and *nextp say where.
 */
int sb_once_find(struct sblog_topic *t, struct sblog_bytes token,
    uint64_t *firstp, uint64_t *nextp, struct sblog_err *err) SB_MUST_CHECK;

#endif
