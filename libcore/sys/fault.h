/*
 * fault.h - make system calls fail, fall short or kill, for tests.
 *
 * Only the build with -DSB_FAULT has anything behind it: every wrapper of
 * sys.h asks sb_fault_enter before it calls the kernel.  In the normal build
 * the question compiles to nothing.
 */
#ifndef SB_SYS_FAULT_H
#define SB_SYS_FAULT_H

#include <stddef.h>
#include <stdint.h>

#ifdef SB_FAULT

enum sb_fault_kind {
	SB_FAULT_NONE,
	SB_FAULT_ERROR, /* the call returns -error */
	SB_FAULT_SHORT, /* a read or write moves at most bytes, then fails */
	SB_FAULT_KILL,  /* the process is killed before the call */
	SB_FAULT_TEAR,  /* a write moves bytes, then the process is killed */
};

/* A call that is about to be made. */
struct sb_fault_call {
	const char *name;
	int fd;       /* -1: none */
	uint64_t pos; /* of bytes moved; new size; microseconds to wait */
	size_t len;   /* of bytes to be moved */
	int verdict;  /* 0: it is made; < 0: it returns this instead */
};

struct sb_fault {
	enum sb_fault_kind kind;
	uint64_t at;      /* number of the call, from 1 */
	int forever;      /* and every one after it */
	int error;        /* errno */
	uint64_t bytes;   /* of SHORT and TEAR */
	uint64_t calls;   /* counted so far */
	const char *only; /* NULL, or count only calls of this name */
	const char *last; /* name of the call the fault hit */
	int trace_fd;     /* -1, or names of all calls are written here */
	uint64_t boot;    /* not 0: another boot of the machine */
	uint64_t ahead;   /* microseconds that the monotonic clock is ahead */
	/* NULL, or hears of every call; < 0: return this instead of calling */
	int (*hook)(const struct sb_fault_call *call);
};

/* One per process: this build is for tests only. */
extern struct sb_fault sb_fault;

/*
 * 0: go on; < 0: return this instead of calling.  lenp, where the call moves
 * bytes, may be made smaller: move so many and then call sb_fault_after.
 */
int sb_fault_enter(const char *name, int fd, uint64_t pos, size_t *lenp);
int sb_fault_after(void);

#else

static inline int
sb_fault_enter(const char *name, int fd, uint64_t pos, size_t *lenp)
{
	(void)name;
	(void)fd;
	(void)pos;
	(void)lenp;
	return 0;
}

static inline int
sb_fault_after(void)
{
	return 0;
}

#endif

/* For calls that move no bytes: 0, or what to return instead of calling. */
static inline int
sb_fault_point(const char *name, int fd)
{
	return sb_fault_enter(name, fd, 0, NULL);
}

#endif
