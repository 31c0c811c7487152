/*
 * input.c - what append reads: one buffer, filled in large pieces.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/input.h"
#include "common/stop.h"

/* Untouched pages of it cost nothing. */
static _Alignas(INPUT_PAGE) char small[INPUT_FIRST];

static size_t
page_up(size_t n)
{
	return (n + INPUT_PAGE - 1) / INPUT_PAGE * INPUT_PAGE;
}

void
input_init(struct input *in)
{
	*in = (struct input){
		.fd = -1,
		.end_byte = -1,
		.buf = small,
		.cap = sizeof(small),
	};
}

void
input_free(struct input *in)
{
	input_ahead_free(in);
	input_close(in);
	if (in->mapped)
		(void)munmap(in->buf, in->cap);
	input_init(in);
}

void
input_close(struct input *in)
{
	if (in->fd > STDIN_FILENO)
		(void)close(in->fd); /* only read from */
	in->fd = -1;
}

const char *
input_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

int
input_open(struct input *in, const char *path)
{
	struct stat st;
	int fd = STDIN_FILENO;

	input_close(in);
	in->name = input_name(path);
	if (strcmp(path, "-") != 0 &&
	    (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		goto fail;
	in->fd = fd;
	in->regular = in->pipe = in->widened = in->ready = in->eof = false;
	in->size = in->pos = 0;
	if (fstat(fd, &st) < 0)
		goto fail;
	in->regular = S_ISREG(st.st_mode);
	in->pipe = S_ISFIFO(st.st_mode);
	if (in->regular)
		in->size = (uint64_t)st.st_size;
	return 0;
fail:
	in->error = errno;
	return -1;
}

/* What is written from here is copied faster if it begins on a page; what is
 * read to the place behind it does not care. */
static void
align(struct input *in)
{
	size_t len = input_len(in);

	if (in->at == 0)
		return;
	memmove(in->buf, in->buf + in->at, len);
	in->at = 0;
	in->end = len;
}

int
input_reserve(struct input *in, size_t want)
{
	size_t len = input_len(in), cap;
	char *buf;

	align(in);
	if (in->cap - INPUT_SPARE >= want)
		return 0;
	if (want > SIZE_MAX / 2)
		goto fail;
	cap = page_up(want + INPUT_SPARE);
	if (in->mapped) {
		buf = mremap(in->buf, in->cap, cap, MREMAP_MAYMOVE);
		if (buf == MAP_FAILED)
			goto fail;
	} else {
		buf = mmap(NULL, cap, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (buf == MAP_FAILED)
			goto fail;
		memcpy(buf, in->buf, len);
	}
	in->buf = buf;
	in->cap = cap;
	in->mapped = true;
	return 0;
fail:
	in->error = ENOMEM;
	return -1;
}

/* Is there something to read, at once or until the deadline? */
static bool
poll_input(struct input *in, uint64_t deadline_us)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };
	struct timespec zero = { 0, 0 }, left;
	uint64_t now;
	int n;

	if (in->regular || in->ready)
		return true;
	n = ppoll(&p, 1, &zero, NULL);
	while (n == 0 && deadline_us > (now = input_now_us())) {
		left.tv_sec = (time_t)((deadline_us - now) / 1000000);
		left.tv_nsec = (long)((deadline_us - now) % 1000000 * 1000);
		n = ppoll(&p, 1, &left, NULL);
		if (n < 0 && errno == EINTR)
			n = 0;
	}
	return n != 0; /* a failure: read will say it */
}

void
input_wait(struct input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	if (in->regular || in->ready || in->eof)
		return;
	while (ppoll(&p, 1, NULL, stop_mask()) < 0 && errno == EINTR)
		continue;
	in->ready = true;
}

/* Read up to max bytes behind the data; 1: some came, 0: the end, -1. */
static int
read_some(struct input *in, size_t max)
{
	ssize_t n;

	do
		n = read(in->fd, in->buf + in->end, max);
	while (n < 0 && errno == EINTR);
	in->ready = false;
	if (n < 0 && errno == EAGAIN)
		return 1; /* another reader was faster: poll again */
	if (n < 0) {
		in->error = errno;
		return -1;
	}
	in->end += (size_t)n;
	if (in->pipe && !in->widened && (size_t)n >= INPUT_FIRST / 2) {
		/* The writer is ahead of us: let it be so by more.  Refused
		 * where the user has too many wide pipes already. */
		in->widened = true;
		(void)fcntl(in->fd, F_SETPIPE_SZ, INPUT_PIPE_SIZE);
	}
	return n > 0;
}

enum input_state
input_fill_now(struct input *in, size_t want, uint64_t deadline_us)
{
	size_t room;
	int rc;

	while (input_len(in) < want) {
		if (in->eof)
			return INPUT_EOF;
		room = in->cap - INPUT_SPARE - in->end;
		if (in->cap - INPUT_SPARE <= in->end) {
			if (input_reserve(in, want) < 0)
				return INPUT_FAILED;
			room = in->cap - INPUT_SPARE - in->end;
		}
		if (!poll_input(in, input_len(in) > 0 ? deadline_us : 0))
			return INPUT_IDLE;
		if (room > want - input_len(in))
			room = want - input_len(in);
		if ((rc = read_some(in, room)) < 0)
			return INPUT_FAILED;
		in->eof = rc == 0;
		/* A pipe that was full gives a little less than its size; to
		 * go back for the rest is to wait for its writer. */
		if (in->pipe && input_len(in) >= want - want / 16)
			return INPUT_MORE;
	}
	return INPUT_MORE;
}

enum input_state
input_fill(struct input *in, size_t want, uint64_t deadline_us)
{
	enum input_state state;
	bool long_file;

	if (input_ahead_take(in) < 0)
		return INPUT_FAILED;
	long_file = in->regular && in->size > in->pos &&
	    in->size - in->pos > 2 * (uint64_t)want;
	if (in->regular && in->size > in->pos &&
	    in->size - in->pos > INPUT_FIRST && input_reserve(in, want) < 0)
		return INPUT_FAILED;
	state = input_fill_now(in, want, deadline_us);
	if (state == INPUT_MORE && in->may_ahead && !in->eof &&
	    want <= INPUT_AHEAD_MAX && want >= INPUT_FIRST &&
	    (in->widened || long_file))
		input_ahead_begin(in, want);
	return state;
}

uint64_t
input_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}
