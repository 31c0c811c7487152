/*
 * lost.h - lost+found of a topic: nothing is thrown away unseen.
 */
#ifndef SB_STORE_LOST_H
#define SB_STORE_LOST_H

#include "base/check.h"
#include "sblog.h"

/* Move the file NAME in dirfd to lost+found/NAME.<16 hex digits>. */
int sb_lost_move(int dirfd, const char *name,
    struct sblog_err *err) SB_MUST_CHECK;

/* Copy bytes [pos, end) of fd, the file NAME, to lost+found/NAME.<pos>. */
int sb_lost_copy(int dirfd, int fd, const char *name, uint64_t pos,
    uint64_t end, struct sblog_err *err) SB_MUST_CHECK;

#endif
