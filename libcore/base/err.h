/* err.h - fill a struct sblog_err; the only code that words failures. */
#ifndef SB_BASE_ERR_H
#define SB_BASE_ERR_H

#include "sblog.h"

/*
 * Describe a failure where it is detected, once.  Returns code, so that the
 * caller can write "return sb_err_set(...)".  file may be "".
 */
int sb_err_set(struct sblog_err *err, enum sblog_code code, const char *file,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same for a failed system call: sys_rc is the -errno from sys/sys.h. */
int sb_err_sys(struct sblog_err *err, enum sblog_code code, int sys_rc,
    const char *file, const char *what);

/*
 * The same for bad bytes at pos in file, which cost offsets [first, next)
 * (SBLOG_NO_OFFSET where that is not known).  Code SBLOG_EDAMAGE.
 */
int sb_err_damage(struct sblog_err *err, const char *file, uint64_t pos,
    uint64_t first, uint64_t next, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* "out of memory". */
int sb_err_nomem(struct sblog_err *err);

#endif
