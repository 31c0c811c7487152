/*
 * cold.h - files that are not in the page cache, and whether they are.
 */
#ifndef CMD_BENCH_COLD_H
#define CMD_BENCH_COLD_H

#include <stdbool.h>
#include <stdint.h>

/* Of all files below a directory. */
struct cold_state {
	uint64_t pages, resident;
};

/* Write back and drop the pages of every file below dir, and look (mincore)
 * how many are still there.  A file system that lives in memory keeps them. */
struct cold_state cold_drop(const char *dir);

/* Only look. */
struct cold_state cold_look(const char *dir);

#endif
