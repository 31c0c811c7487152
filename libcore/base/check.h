/* check.h - assertions that stay on in release builds. */
#ifndef SB_BASE_CHECK_H
#define SB_BASE_CHECK_H

/* Never on bytes from disk: those are input, and a wrong one is an error. */
#define sb_assert(e) (__builtin_expect(!!(e), 1) ? (void)0 : __builtin_trap())

#define SB_MUST_CHECK __attribute__((warn_unused_result))

#endif
