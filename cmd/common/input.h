/*
 * input.h - what append reads: one buffer that is filled in large pieces and
 * eaten from the front.
 *
 * The buffer begins small, so that a short input touches few pages, and is
 * moved to a large one once an input has filled it.
 */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum input_state {
	INPUT_MORE,   /* as much as was asked for is there */
	INPUT_IDLE,   /* nothing more is there now */
	INPUT_EOF,    /* nothing more will come */
	INPUT_FAILED, /* in->error says why */
};

enum {
	INPUT_PAGE = 4096,
	INPUT_FIRST = 64 << 10,    /* bytes of the small buffer */
	INPUT_SPARE = 64,          /* writable bytes behind the data */
	INPUT_PIPE_SIZE = 1 << 20, /* what a pipe is widened to */
	INPUT_AHEAD_MAX = 4 << 20, /* longer pieces are not read ahead */
	INPUT_HEAD = 256 << 10, /* kept free in front of what is read ahead */
};

struct input {
	int fd;
	const char *name; /* for messages */
	int error;
	bool regular, pipe, widened;
	bool ready; /* the next read will not block */
	bool eof;
	uint64_t size;  /* of a regular file */
	uint64_t pos;   /* bytes eaten of this input */
	uint64_t total; /* bytes eaten of all inputs */
	char *buf;
	size_t cap;     /* bytes of buf */
	size_t at, end; /* data: buf[at..end-1] */
	bool mapped;    /* buf is not the small one any more */
	bool may_ahead; /* the next piece may be read while this is used */
	int end_byte;   /* records end with it, -1: not known */
	struct input_ahead *ahead; /* NULL: never needed yet */
};

/* Nothing is open yet. */
void input_init(struct input *in);
void input_free(struct input *in);

/*
 * Begin with a file, or standard input for "-".  What is left of the input
 * before it stays where it is, in front.  0, or -1 with in->error set.
 */
int input_open(struct input *in, const char *path);
void input_close(struct input *in);

/* What messages call it. */
const char *input_name(const char *path);

static inline const char *
input_data(const struct input *in)
{
	return in->buf + in->at;
}

static inline size_t
input_len(const struct input *in)
{
	return in->end - in->at;
}

/* Eat n bytes. */
static inline void
input_eat(struct input *in, size_t n)
{
	in->at += n;
	in->pos += n;
	in->total += n;
}

/*
 * Have want bytes at least, or all there is now; after the first of them, wait
 * for more until deadline_us (of input_now_us), 0: do not wait.
 */
enum input_state input_fill(struct input *in, size_t want,
    uint64_t deadline_us);

/*
 * Sleep until there is something to read, or a signal that stop_hold keeps
 * back ends the process.
 */
void input_wait(struct input *in);

/* ---- between input.c and input_ahead.c ---- */

/* input_fill without reading ahead. */
enum input_state input_fill_now(struct input *in, size_t want,
    uint64_t deadline_us);

/* Have a buffer that holds want bytes of data.  0, or -1 with error set. */
int input_reserve(struct input *in, size_t want);

/* Let another thread fill another buffer with want bytes. */
void input_ahead_begin(struct input *in, size_t want);

/* Take what it has read, if it was told to; 0, or -1 with in->error set. */
int input_ahead_take(struct input *in);
void input_ahead_free(struct input *in);

/* A clock that only goes forward, in microseconds. */
uint64_t input_now_us(void);

#endif
