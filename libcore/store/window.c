/*
 * window.c - look at a file through a buffer: large reads, no mapping.
 */
#include "store/window.h"

#include <string.h>

#include "base/err.h"
#include "sys/sys.h"

/* Small enough to stay in the second-level cache until it is hashed. */
enum { READ_SIZE = 256 << 10, FIRST_READ_SIZE = 16 << 10 };

int
sb_window_get(struct sb_window *w, uint64_t pos, size_t len,
    const uint8_t **atp, struct sblog_err *err)
{
	size_t skip, want;
	int64_t n;

	if (pos < w->pos || pos - w->pos > w->buf.len) {
		w->pos = pos;
		w->buf.len = 0;
	}
	skip = (size_t)(pos - w->pos);
	if (w->buf.len - skip < len) {
		/* Keep what is there of it, at the front. */
		if (skip > 0 && w->buf.len > skip)
			memmove(w->buf.data, w->buf.data + skip,
			    w->buf.len - skip);
		w->buf.len -= skip;
		w->pos = pos;
		want = w->buf.size == 0 ? FIRST_READ_SIZE : READ_SIZE;
		want = w->step != 0 ? w->step : want;
		/* Zeros ahead of the last batch need not be read. */
		if (w->end > pos && want > w->end - pos)
			want = (size_t)(w->end - pos);
		if (want < len)
			want = len;
		if (sb_buf_reserve(&w->buf, want) < 0)
			return sb_err_nomem(err);
		n = sb_sys_pread(w->fd, w->buf.data + w->buf.len,
		    want - w->buf.len, w->pos + w->buf.len);
		if (n < 0)
			return sb_err_sys(err, SBLOG_EIO, (int)n, "",
			    "cannot read");
		w->buf.len += (size_t)n;
		if (w->buf.len < len)
			return SBLOG_END;
		skip = 0;
	}
	*atp = w->buf.data + skip;
	return 0;
}

void
sb_window_reset(struct sb_window *w)
{
	w->buf.len = 0;
}

void
sb_window_release(struct sb_window *w)
{
	sb_buf_release(&w->buf);
}
