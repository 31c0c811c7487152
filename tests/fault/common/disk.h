/*
 * disk.h - what a power cut leaves of a directory.
 *
 * A model of what is on the device: it hears of every system call, and knows
 * which pages, sizes and names were synced.  What was not may be there or not,
 * in pieces; pages of a sync that failed are clean, and not on the device.
 */
#ifndef TESTS_DISK_H
#define TESTS_DISK_H

#include <stdint.h>

#include "sys/fault.h"

enum disk_loss {
	DISK_LOSES_ALL,  /* only what was synced is left */
	DISK_LOSES_NONE, /* all has been written back, but for failures */
	DISK_LOSES_SOME, /* names, sizes and sectors each for themselves */
	DISK_LOSSES,
};

/* From now on follow the tree below dir; all in it is taken for synced. */
void disk_begin(const char *dir);
void disk_end(void);

/*
 * For sb_fault.hook: 0, or what the call returns.  A failed sync is told, like
 * the kernel does, once to each descriptor that was open then.
 */
int disk_observe(const struct sb_fault_call *call);

/* Make the directory that is found after a power cut now. */
void disk_cut(const char *to, enum disk_loss loss, uint64_t seed);

/* A sequence of random numbers. */
uint64_t disk_random(uint64_t *seed);

#endif
