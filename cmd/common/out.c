/*
 * out.c - data on its way to standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/out.h"

void
out_init(struct out *o, int fd)
{
	struct stat st;

	*o = (struct out){ .fd = fd, .limit = UINT64_MAX };
	if (fstat(fd, &st) < 0)
		return; /* the first write says what is wrong */
	o->pipe = S_ISFIFO(st.st_mode);
	o->tty = S_ISCHR(st.st_mode) && isatty(fd);
}

void
out_init_memory(struct out *o)
{
	*o = (struct out){ .fd = -1, .memory = true, .limit = UINT64_MAX };
}

void
out_free(struct out *o)
{
	free(o->buf);
	o->buf = NULL;
	o->len = o->size = 0;
}

static void
fail(struct out *o, int error)
{
	if (o->error == 0)
		o->error = error;
	o->len = 0;
}

static bool
stopped(const struct out *o)
{
	return o->stop != NULL && *o->stop != 0;
}

/* How many of len bytes a write may have: none where it would have to wait and
 * shall not. */
static size_t
may_write(struct out *o, size_t len)
{
	struct pollfd p = { .fd = o->fd, .events = POLLOUT };

	if (!stopped(o))
		return len;
	if (poll(&p, 1, 0) <= 0) {
		fail(o, EINTR);
		return 0;
	}
	return len < PIPE_BUF ? len : PIPE_BUF;
}

/* Write all of it, whatever the kernel takes at a time. */
static int
write_all(struct out *o, const char *data, size_t len)
{
	size_t part;
	ssize_t n;

	while (len > 0) {
		if ((part = may_write(o, len)) == 0)
			return -1;
		if ((n = write(o->fd, data, part)) < 0) {
			struct pollfd p = { .fd = o->fd, .events = POLLOUT };

			if (errno == EAGAIN)
				(void)poll(&p, 1, -1); /* then write again */
			else if (errno != EINTR) {
				fail(o, errno);
				return -1;
			}
			continue;
		}
		o->taken += (uint64_t)n;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * A pipe holds 64 KiB unless asked: then half of the time goes to switching
 * between its ends.  Refused where the user has too many wide pipes already.
 */
static void
widen(struct out *o)
{
	if (o->widened)
		return;
	o->widened = true;
	if (o->pipe)
		(void)fcntl(o->fd, F_SETPIPE_SZ, OUT_PIPE_SIZE);
}

int
out_flush(struct out *o)
{
	size_t len = o->len;

	if (o->memory && o->error == 0)
		return 0;
	o->len = 0;
	if (o->error != 0)
		return -1;
	return write_all(o, o->buf, len);
}

/* Make room for n bytes more; false: drop them. */
static bool
room(struct out *o, size_t n)
{
	size_t size = o->size == 0 ? OUT_SIZE : o->size;
	char *buf;

	if (o->error != 0 || o->over)
		return false;
	if (o->limit != UINT64_MAX && o->len - o->mark + n > o->limit) {
		o->over = true;
		return false;
	}
	if (o->size - o->len >= n)
		return true;
	if (o->size > 0 && o->limit == UINT64_MAX && !o->memory) {
		if (out_flush(o) < 0)
			return false;
		if (o->size >= n)
			return true;
	}
	while (size - o->len < n)
		size *= 2;
	if ((buf = realloc(o->buf, size)) == NULL) {
		fail(o, ENOMEM);
		return false;
	}
	o->buf = buf;
	o->size = size;
	return true;
}

void
out_bytes(struct out *o, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (len >= OUT_DIRECT && o->limit == UINT64_MAX && !o->memory) {
		if (len >= OUT_SIZE / 4)
			widen(o);
		if (out_flush(o) == 0 && write_all(o, data, len) == 0)
			o->total += len;
		return;
	}
	if (!room(o, len))
		return;
	memcpy(o->buf + o->len, data, len);
	o->len += len;
	o->total += len;
}

void
out_char(struct out *o, char c)
{
	if (!room(o, 1))
		return;
	o->buf[o->len++] = c;
	o->total++;
}

void
out_text(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void
out_u64(struct out *o, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
	} while ((n /= 10) > 0);
	out_bytes(o, digits + i, sizeof(digits) - i);
}

void
out_i64(struct out *o, int64_t n)
{
	if (n < 0)
		out_char(o, '-');
	out_u64(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void
out_begin(struct out *o, uint64_t limit)
{
	o->mark = o->len;
	o->limit = limit;
	o->over = false;
}

bool
out_end(struct out *o)
{
	bool kept = !o->over;

	if (!kept && o->error == 0) {
		o->total -= o->len - o->mark;
		o->len = o->mark;
	}
	o->over = false;
	o->limit = UINT64_MAX;
	if (kept && o->len >= OUT_SIZE)
		(void)out_flush(o); /* the error sticks */
	return kept;
}

int
out_file(struct out *o, int fd, uint64_t pos, size_t len, const void *data)
{
	const char *bytes = data;
	off_t at = (off_t)pos;
	ssize_t n;

	if (len < OUT_DIRECT || !o->pipe || o->no_splice) {
		out_bytes(o, data, len);
		return o->error == 0 ? 0 : -1;
	}
	widen(o);
	if (out_flush(o) < 0)
		return -1;
	while (len > 0 && !stopped(o)) {
		n = splice(fd, &at, o->fd, NULL, len, SPLICE_F_MOVE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EPIPE) {
			fail(o, EPIPE);
			return -1;
		}
		if (n <= 0) {
			o->no_splice = true;
			out_bytes(o, bytes, len);
			return o->error == 0 ? 0 : -1;
		}
		o->total += (uint64_t)n;
		o->taken += (uint64_t)n;
		bytes += n;
		len -= (size_t)n;
	}
	if (len > 0)
		out_bytes(o, bytes, len);
	return o->error == 0 ? 0 : -1;
}

bool
out_gone(const struct out *o)
{
	struct pollfd p = { .fd = o->fd };

	return o->pipe && poll(&p, 1, 0) > 0 && (p.revents & POLLERR) != 0;
}
