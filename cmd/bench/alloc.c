/*
 * alloc.c - how often this program allocates, and how much.
 */
#include "bench/alloc.h"

#include <stddef.h>

static _Thread_local struct alloc_count count;

/* Names that the linker gives: __real_malloc is malloc, and whoever calls
 * malloc comes to __wrap_malloc. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static void
note(size_t bytes)
{
	count.calls++;
	count.bytes += bytes;
}

void *
__wrap_malloc(size_t size)
{
	note(size);
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	note(n * size);
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	note(size);
	return __real_realloc(p, size);
}

struct alloc_count
alloc_now(void)
{
	return count;
}
