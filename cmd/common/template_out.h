/*
 * template_out.h - records printed by a %-template.
 */
#ifndef CMD_TEMPLATE_OUT_H
#define CMD_TEMPLATE_OUT_H

#include <sblog.h>

#include "common/out.h"
#include "common/template.h"

/* What a format may say besides the record itself. */
struct record_context {
	const char *topic;
	uint64_t start, end;         /* of the topic, as of open */
	uint64_t index;              /* records printed before this one */
	bool visible;                /* spell out what could steer a terminal */
	bool positions;              /* JSON has them too */
	struct sblog_topic *handle;  /* for positions */
	struct sblog_cursor *cursor; /* of one key, or NULL */
};

/* Position of a record among those of its key, -1 where it has none. */
int64_t template_pos(const struct record_context *c,
    const struct sblog_record *rec);

void template_write(const struct template *t, const struct record_context *c,
    const struct sblog_record *rec, struct out *o);

/* "2025-11-20T22:06:31.123456Z" */
void template_write_rfc3339(struct out *o, int64_t time_us);

#endif
