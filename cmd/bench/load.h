/*
 * load.h - a whole file in memory.
 */
#ifndef CMD_BENCH_LOAD_H
#define CMD_BENCH_LOAD_H

#include <stddef.h>

#include "bench/result.h"

/* The bytes of path ("-": standard input) and a NUL; NULL with the reason in
 * why; caller frees. */
char *load_file(const char *path, size_t *lenp, char why[BENCH_WHY_SIZE]);

/* A result document, or the text of "go test -bench". */
struct bench_result *load_result(const char *path, char why[BENCH_WHY_SIZE]);

#endif
