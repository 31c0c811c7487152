/*
 * headers.c - build the encoded run of a record's headers in an arena.
 */
#include <string.h>

#include "common/headers.h"

enum {
	SIZE_FIRST = 128,
	HEADER_FIXED = 6, /* bytes of the two lengths before a header */
};

/* Room for need bytes more; what was there moves along. */
static const char *
grow(struct headers *h, size_t need)
{
	size_t size = h->size == 0 ? SIZE_FIRST : h->size;
	unsigned char *run;

	if (h->len + need > SBLOG_HEADERS_MAX)
		return "the headers of one record have more than 1 MiB";
	if (h->len + need <= h->size)
		return NULL;
	while (size < h->len + need)
		size *= 2;
	if ((run = arena_take(h->arena, size)) == NULL)
		return "out of memory";
	if (h->len > 0)
		memcpy(run, h->run, h->len);
	h->run = run;
	h->size = size;
	return NULL;
}

const char *
headers_add(struct headers *h, struct sblog_bytes name,
    struct sblog_bytes value)
{
	const char *why;

	if (name.len == 0)
		return "a header without a name";
	if (name.len > UINT16_MAX)
		return "the name of a header has more than 65535 bytes";
	if (value.len > SBLOG_HEADERS_MAX)
		return "the headers of one record have more than 1 MiB";
	why = grow(h, HEADER_FIXED + name.len + value.len);
	if (why == NULL &&
	    sblog_headers_add(h->run, h->size, &h->len, name, value) < 0)
		why = "a header that cannot be stored";
	return why;
}

const char *
headers_add_run(struct headers *h, struct sblog_bytes run)
{
	const char *why;

	if (run.data == NULL || run.len == 0)
		return NULL;
	if ((why = grow(h, run.len)) != NULL)
		return why;
	memcpy(h->run + h->len, run.data, run.len);
	h->len += run.len;
	return NULL;
}

struct sblog_bytes
headers_bytes(const struct headers *h)
{
	return (struct sblog_bytes){ h->len > 0 ? h->run : NULL, h->len };
}
