/*
 * memory.c - malloc, calloc and realloc that can fail.
 */
#include <errno.h>
#include <stddef.h>

#include "common/ops.h"

/* Those of glibc, whose names these functions take. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *old, size_t size);

static uint64_t count, fail_at;
static bool for_ever;

void
memory_arm(uint64_t at, bool forever)
{
	count = 0;
	fail_at = at;
	for_ever = forever;
}

uint64_t
memory_count(void)
{
	return count;
}

static bool
fails(void)
{
	count++;
	if (fail_at == 0 ||
	    !(count == fail_at || (for_ever && count > fail_at)))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
