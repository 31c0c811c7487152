/*
 * out.h - data on its way to standard output: one reused buffer, bulk writes
 * and splices past it, nothing else.
 *
 * Errors stick: after a failed write everything is dropped and out->error says
 * why, so that callers ask once per record or batch and not once per byte.
 */
#ifndef CMD_OUT_H
#define CMD_OUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	OUT_SIZE = 256 << 10,    /* bytes buffered before a write */
	OUT_DIRECT = 32 << 10,   /* runs from here on are not copied */
	OUT_PIPE_SIZE = 1 << 20, /* what a pipe is widened to */
};

struct out {
	int fd;
	int error; /* errno of the first failure, or 0 */
	bool pipe; /* fd is a pipe: splice to it */
	bool tty;  /* fd is a terminal: escape control bytes */
	bool widened;
	bool no_splice; /* it has failed once */
	bool memory;    /* fd is not used: everything stays in buf */
	bool over;      /* more than limit bytes came since out_begin */
	char *buf;
	size_t len, size;
	size_t mark;    /* where the record began, while limited */
	uint64_t limit; /* bytes the record may have, UINT64_MAX: any */
	uint64_t total; /* bytes accepted, also those still in buf */
	uint64_t taken; /* bytes that the kernel has taken */
	/* NULL, or set to something else than 0 when what cannot be written
	 * without waiting is to be dropped: error is EINTR then. */
	const volatile sig_atomic_t *stop;
};

/* Write to fd; looks at what it is.  Nothing is allocated before it is used. */
void out_init(struct out *o, int fd);
/* Write to memory: buf[0..len-1], until the caller sets len to 0. */
void out_init_memory(struct out *o);
void out_free(struct out *o);

/* Bytes, in order.  data may be NULL where len is 0. */
void out_bytes(struct out *o, const void *data, size_t len);
void out_char(struct out *o, char c);
void out_text(struct out *o, const char *s);
void out_u64(struct out *o, uint64_t n);
void out_i64(struct out *o, int64_t n);

/*
 * Between begin and end at most limit bytes are kept and none is written.
 * out_end returns false, and what came since begin is gone, if it was more.
 */
void out_begin(struct out *o, uint64_t limit);
bool out_end(struct out *o);

/* Hand the buffer to the kernel.  0, or -1 with out->error set. */
int out_flush(struct out *o);

/*
 * len bytes follow that lie in memory at data and in file fd at pos: spliced
 * into a pipe where that works and pays, else written.  0, or -1 with
 * out->error set.
 */
int out_file(struct out *o, int fd, uint64_t pos, size_t len, const void *data);

/* Is there surely nobody who could still read a pipe?  Never blocks. */
bool out_gone(const struct out *o);

#endif
