/*
 * format_in.h - cut input into records by its format.
 */
#ifndef CMD_FORMAT_IN_H
#define CMD_FORMAT_IN_H

#include <sblog.h>

#include "common/arena.h"
#include "common/format.h"
#include "common/jsonin.h"

enum format_in_result {
	FORMAT_IN_RECORD, /* one was there */
	FORMAT_IN_MORE,   /* it goes on behind what is there */
	FORMAT_IN_BAD,    /* not a record; *usedp bytes to skip it */
	FORMAT_IN_LOST,   /* the same, and where the next begins is unknown */
};

struct format_in {
	const struct format *format;
	/* What all records get that do not say otherwise. */
	struct sblog_bytes key;     /* absent: none */
	struct sblog_bytes headers; /* encoded; behind those of the record */
	int64_t user_time_us;       /* or SBLOG_NO_TIME */
	bool empty_is_null;
	bool keep_offsets; /* offset and append time must be there */

	struct arena arena; /* reset by the caller once records are used up */
	size_t scanned;     /* bytes in which no delimiter is */
	bool whole_done;    /* the one record of format whole was made */
	char why[JSONIN_WHY_SIZE];
};

/* Begin a new input. */
void format_in_start(struct format_in *in);
void format_in_free(struct format_in *in);

/*
 * The record at the front of data[0..len-1], *usedp bytes of it; *rec points
 * into data or the arena.  data must go on with the same bytes after
 * FORMAT_IN_MORE.  eof: nothing follows; then FORMAT_IN_MORE means that
 * nothing is left.
 */
enum format_in_result format_in_next(struct format_in *in, const char *data,
    size_t len, bool eof, struct sblog_record *rec, size_t *usedp);

/* Most bytes that a record may have in this format if its value has n. */
uint64_t format_in_limit(const struct format *f, uint64_t n);

#endif
