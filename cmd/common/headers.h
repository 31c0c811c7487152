/*
 * headers.h - build the encoded run of a record's headers in an arena.
 */
#ifndef CMD_HEADERS_H
#define CMD_HEADERS_H

#include <sblog.h>

#include "common/arena.h"

struct headers {
	struct arena *arena;
	unsigned char *run;
	size_t len, size;
};

/* NULL, or why the header cannot be added. */
const char *headers_add(struct headers *h, struct sblog_bytes name,
    struct sblog_bytes value);

/* Append an encoded run to it.  NULL, or why not. */
const char *headers_add_run(struct headers *h, struct sblog_bytes run);

/* What was built; absent if nothing was. */
struct sblog_bytes headers_bytes(const struct headers *h);

#endif
