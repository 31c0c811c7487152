/*
 * alloc.h - how often this program allocates, and how much.
 *
 * The linker puts the counting functions in the place of malloc and its kin, in
 * sblog-bench only (--wrap, Makefile).
 */
#ifndef CMD_BENCH_ALLOC_H
#define CMD_BENCH_ALLOC_H

#include <stdint.h>

struct alloc_count {
	uint64_t calls, bytes;
};

/* Of this thread, since it began. */
struct alloc_count alloc_now(void);

#endif
