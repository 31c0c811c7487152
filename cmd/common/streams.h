/*
 * streams.h - the streams, categories or message types of a topic, with what
 * there is of each.
 */
#ifndef CMD_STREAMS_H
#define CMD_STREAMS_H

#include <stdbool.h>
#include <stddef.h>

#include <sblog.h>

#include "common/topics.h"

enum streams_by {
	STREAMS_BY_STREAM,   /* the key */
	STREAMS_BY_CATEGORY, /* of the key */
	STREAMS_BY_TYPE,     /* the header "type" */
};

struct stream_row {
	struct sblog_bytes name;
	uint64_t records, bytes; /* bytes of values */
	uint64_t first, last;    /* offsets */
	int64_t last_time_us;
};

struct streams {
	struct stream_row **rows; /* sorted bytewise by name */
	size_t n, size;
	void *tree;
	uint64_t records, bytes; /* of all rows */
};

/*
 * All of them whose name begins with prefix.  newest: only the newest record of
 * each key is looked at, so that a topic with indexed keys need not be read;
 * records, bytes and first are of those then.  The caller frees them.
 */
int streams_collect(struct streams *s, struct sblog_topic *topic,
    enum streams_by by, const char *prefix, bool newest, struct sblog_err *err);
void streams_free(struct streams *s);

/* Print one row: JSON object, tab-separated, or for people with the share of all
 * records. */
void streams_print(struct topics *t, const struct streams *s,
    const struct stream_row *row);

#endif
