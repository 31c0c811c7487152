/*
 * mem.h - memory or the end of the process, and text that grows.
 */
#ifndef CMD_BENCH_MEM_H
#define CMD_BENCH_MEM_H

#include <stddef.h>

/* Zeroed, or the process ends with a line and status 1. */
void *mem_new(size_t count, size_t size);
/* Room for one element more in an array of count; moves it now and then. */
void *mem_grow(void *array, size_t count, size_t size);
/* A text of twice size bytes, and one for the NUL. */
char *mem_double(char *text, size_t size);
char *mem_text(const char *s);
char *mem_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
