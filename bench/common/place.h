/*
 * place.h - files and directories below the working directory.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum { PLACE_MAX = 1024 }; /* bytes of a path */

struct place {
	char path[PLACE_MAX];
};

/* The two texts, one behind the other. */
struct place place_join(const char *left, const char *right);

/* DIR/NAME. */
struct place place_at(const char *dir, const char *name);

bool place_exists(const char *path);

/* Bytes of a file, or of all files below a directory. */
uint64_t place_bytes(const char *path);

/* Bytes of all files below a directory whose names end so. */
uint64_t place_bytes_of(const char *path, const char *ending);

/* Remove a file or a directory with all below it; absent is fine. */
void place_remove(const char *path);

/* An empty directory, whatever was there. */
void place_fresh(const char *path);

#endif
