/*
 * buf.c - growable byte buffer, owned by whoever declared it.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
sb_buf_reserve(struct sb_buf *b, size_t size)
{
	size_t grown = b->size ? b->size : 64;
	uint8_t *data;

	if (size <= b->size)
		return 0;
	while (grown < size)
		if (__builtin_mul_overflow(grown, 2, &grown))
			return SBLOG_ENOMEM;
	if ((data = realloc(b->data, grown)) == NULL)
		return SBLOG_ENOMEM;
	b->data = data;
	b->size = grown;
	return 0;
}

int
sb_buf_add(struct sb_buf *b, const void *data, size_t len)
{
	size_t need;

	if (__builtin_add_overflow(b->len, len, &need) ||
	    sb_buf_reserve(b, need) < 0)
		return SBLOG_ENOMEM;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

int
sb_buf_addf(struct sb_buf *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sb_assert(n >= 0 && (size_t)n < sizeof(text));
	return sb_buf_add(b, text, (size_t)n);
}

void
sb_buf_release(struct sb_buf *b)
{
	free(b->data);
	*b = SB_BUF_INIT;
}

struct sblog_bytes
sb_buf_bytes(const struct sb_buf *b)
{
	return (struct sblog_bytes){ .data = b->data, .len = b->len };
}
