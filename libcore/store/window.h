/*
 * window.h - look at a file through a buffer: large reads, no mapping.
 *
 * For files that another process may truncate, where a mapping would kill the
 * reader with SIGBUS.
 */
#ifndef SB_STORE_WINDOW_H
#define SB_STORE_WINDOW_H

#include "base/buf.h"
#include "base/check.h"

struct sb_window {
	int fd; /* borrowed */
	struct sb_buf buf;
	uint64_t pos; /* of buf.data[0] in the file; buf.len bytes are there */
	uint64_t
	    end;     /* nobody asks for what lies behind; UINT64_MAX: unknown */
	size_t step; /* bytes to read at once at least; 0: for going on */
};

#define SB_WINDOW_INIT(f) ((struct sb_window){ .fd = (f), .end = UINT64_MAX })

/*
 * *atp points to len bytes of the file at pos, valid until the next call.
 * SBLOG_END: the file is shorter (it holds *gotp of them, where gotp is not
 * NULL).  SBLOG_EIO, SBLOG_ENOMEM: *err without a file name says why.
 */
int sb_window_get(struct sb_window *w, uint64_t pos, size_t len,
    const uint8_t **atp, struct sblog_err *err) SB_MUST_CHECK;

/* Forget what was read: the file may have changed. */
void sb_window_reset(struct sb_window *w);
void sb_window_release(struct sb_window *w);

#endif
