/*
 * mem.c - memory or the end of the process, and text that grows.
 */
#include "bench/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/report.h"

static void *
must(void *p)
{
	if (p == NULL) {
		report_fail("out of memory");
		exit(EXIT_FAILED);
	}
	return p;
}

void *
mem_new(size_t count, size_t size)
{
	return must(calloc(count == 0 ? 1 : count, size));
}

/* The room is the next power of two: it is grown when count is one. */
void *
mem_grow(void *array, size_t count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	return must(reallocarray(array, count == 0 ? 1 : 2 * count, size));
}

char *
mem_double(char *text, size_t size)
{
	return must(reallocarray(text, 2, size + 1));
}

char *
mem_text(const char *s)
{
	return must(strdup(s));
}

char *
mem_format(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return must(s);
}
