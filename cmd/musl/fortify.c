/*
 * fortify.c - what Debian's libraries, built for glibc with _FORTIFY_SOURCE,
 * ask for when they are linked with musl.
 *
 * The checks themselves are dropped; the sizes they would check are those that
 * jansson passes to its own buffers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Names reserved to the C library: musl does not have them. */
int __snprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt,
    ...);
int __vsnprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt,
    va_list ap);
char *__strncpy_chk(char *to, const char *from, size_t n, size_t size);

int
__vsnprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt,
    va_list ap)
{
	(void)flag;
	(void)size;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return vsnprintf(s, n, fmt, ap);
#pragma GCC diagnostic pop
}

int
__snprintf_chk(char *s, size_t n, int flag, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = __vsnprintf_chk(s, n, flag, size, fmt, ap);
	va_end(ap);
	return len;
}

char *
__strncpy_chk(char *to, const char *from, size_t n, size_t size)
{
	(void)size;
	return strncpy(to, from, n);
}
