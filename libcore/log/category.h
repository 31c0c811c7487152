/*
 * category.h - the records of a category, batch by batch.
 *
 * Indexes have of a category the first record in each batch only: the rest of
 * the batch is looked through.
 */
#ifndef SB_LOG_CATEGORY_H
#define SB_LOG_CATEGORY_H

#include "log/keys.h"

enum { SB_CATEGORY_AHEAD = 64 };

/* Postings of one hash, some of them ahead. */
struct sb_category_stream {
	struct sb_key key;
	struct sb_posting postings[SB_CATEGORY_AHEAD];
	size_t count, at;
	uint64_t
	    upto; /* there are no others below it; 0: none were asked for */
};

struct sb_category {
	struct sblog_bytes name; /* borrowed */
	/* Its own, and that of the key with the same bytes. */
	struct sb_category_stream streams[2];
	uint64_t generation; /* of the manifest that the postings are of */
	uint64_t done;       /* all before it was looked through */
	uint64_t next;       /* the batch that is looked through goes so far */
	uint64_t pos;        /* its byte position, 0: not known */
	struct sb_at at;     /* in that batch */
	uint64_t at_base;    /* if this is its base, and the manifest's */
	uint64_t at_generation;
};

void sb_category_init(struct sb_category *c, const struct sblog_topic *t,
    struct sblog_bytes name);

/* As sb_keycursor_next. */
int sb_category_next(struct sb_category *c, struct sblog_topic *t,
    uint64_t *offsetp, uint64_t limit, struct sblog_record *rec,
    struct sblog_err *err) SB_MUST_CHECK;

#endif
