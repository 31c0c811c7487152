/*
 * buf.h - growable byte buffer, owned by whoever declared it.
 */
#ifndef SB_BASE_BUF_H
#define SB_BASE_BUF_H

#include "base/check.h"
#include "sblog.h"

struct sb_buf {
	uint8_t *data;
	size_t len, size;
};

#define SB_BUF_INIT ((struct sb_buf){ .data = NULL })

/* Room for size bytes in all; what is there stays.  0 or SBLOG_ENOMEM. */
int sb_buf_reserve(struct sb_buf *b, size_t size) SB_MUST_CHECK;

/* Add bytes at the end.  0 or SBLOG_ENOMEM. */
int sb_buf_add(struct sb_buf *b, const void *data, size_t len) SB_MUST_CHECK;

/* Add formatted text at the end, without its NUL.  0 or SBLOG_ENOMEM. */
int sb_buf_addf(struct sb_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) SB_MUST_CHECK;

void sb_buf_release(struct sb_buf *b);
struct sblog_bytes sb_buf_bytes(const struct sb_buf *b);

#endif
