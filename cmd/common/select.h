/*
 * select.h - which records to read: by key, category, stream position, consumer
 * group member, correlation, header; sblog-streams(7).
 */
#ifndef CMD_SELECT_H
#define CMD_SELECT_H

#include <stdbool.h>

#include <sblog.h>

#include "common/cli.h"

struct select {
	/* of the command line */
	const char *key, *category, *member, *correlation;
	uint64_t pos;
	bool has_pos, latest, last, idless;
	struct cli_list headers; /* NAME=VALUE, all of them */
	/* understood */
	uint64_t member_index, member_count;
};

/* Misuse that can be seen without the store ends the command. */
void select_check(struct select *s, const struct cli *cli);

/* Does a cursor stop at chosen records only, so that it has no batches? */
static inline bool
select_by_index(const struct select *s)
{
	return s->key != NULL || s->category != NULL || s->latest;
}

/* Is there anything that select_wanted looks at? */
bool select_filters(const struct select *s);

void select_cursor(const struct select *s, struct sblog_cursor_opts *opts);

/* arg is the struct select. */
bool select_wanted(void *arg, const struct sblog_record *rec);

/*
 * --last: where to begin and to stop so that just the newest record that is
 * wanted is read, below opts->to.  SBLOG_END: there is none.
 */
int select_find_last(const struct select *s, struct sblog_topic *topic,
    struct sblog_cursor_opts *opts, struct sblog_err *err);

/*
 * Message DB's hash of a cardinal id, as a magnitude: the first 8 bytes of its
 * MD5, big-endian, signed, absolute.
 */
uint64_t select_hash(struct sblog_bytes id);

/* The id of a stream, behind the first '-': data NULL if there is none; and its
 * cardinal id, which ends before the first '+'. */
struct sblog_bytes select_id(struct sblog_bytes key);
struct sblog_bytes select_cardinal_id(struct sblog_bytes key);

/* The category of a stream: what is before the first '-', or all. */
struct sblog_bytes select_category(struct sblog_bytes key);

/* The value of the first header of that name; data NULL if there is none. */
struct sblog_bytes select_header(struct sblog_bytes run, const char *name);

#endif
