/*
 * ack.h - what --ack prints: offsets, once they are as durable as was asked.
 */
#ifndef CMD_ACK_H
#define CMD_ACK_H

#include <stdbool.h>

#include <sblog.h>

#include "common/out.h"
#include "common/template.h"

struct ack_range {
	uint64_t first, next;
	int64_t time_us; /* append time of them all, if wanted */
};

struct ack {
	const struct template *template; /* NULL: an offset and a newline */
	bool times;                      /* the template says %d */
	struct out *out;
	const char *topic;
	uint64_t index; /* records printed */
	struct ack_range *ranges;
	size_t n, size;
};

/* Directives that a template of --ack may have. */
#define ACK_LETTERS "otdi"

void ack_init(struct ack *a, const struct template *t, const char *topic,
    struct out *out);
void ack_free(struct ack *a);

/* Remember offsets [first, next) that are written.  0, or -1: no memory. */
int ack_add(struct ack *a, uint64_t first, uint64_t next, int64_t time_us);

/* Print them.  0, or -1 with out->error set. */
int ack_print(struct ack *a);

#endif
