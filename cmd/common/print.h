/*
 * print.h - records to standard output: by the batch where they are printed as
 * they are stored, else one by one; limits, and damage on the way.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <stdbool.h>

#include <sblog.h>

#include "common/format_out.h"

enum print_result {
	PRINT_MORE, /* printed, go on */
	PRINT_END,  /* there is nothing more now */
	PRINT_FULL, /* a limit is reached */
	PRINT_OUT,  /* out->error says why nothing can be written */
	PRINT_ERR,  /* p->err says what cannot be read */
};

struct print {
	const struct format *format;
	struct out *out;
	bool skip_damaged;
	uint64_t records_left; /* UINT64_MAX: no limit */
	uint64_t bytes_left;   /* UINT64_MAX: no limit */
	uint64_t printed;      /* records */
	bool skipped;          /* damage was stepped over */
	/* Which records to print; NULL: all. */
	bool (*wanted)(void *arg, const struct sblog_record *rec);
	/* wanted is about shards only, and the cursor knows its shard: of
	 * batches without keys all is wanted. */
	bool only_shard;
	/* Called for records that retention removed before they were read. */
	void (*gap)(void *arg, const struct record_context *c,
	    const struct sblog_err *err);
	/* Called for damage that is stepped over. */
	void (*lost)(void *arg, const struct record_context *c,
	    const struct sblog_err *err);
	/*
	 * NULL, or called for records that are done with, printed or not
	 * wanted: those of the topic before next end at byte end of the output.
	 */
	void (*done)(void *arg, const struct record_context *c, uint64_t next,
	    uint64_t end);
	void *arg;
	struct sblog_err err;
};

/* One record. */
enum print_result print_record(struct print *p, const struct record_context *c,
    const struct sblog_record *rec);

/* The next record of a cursor that has no batches. */
enum print_result print_next(struct print *p, const struct record_context *c,
    struct sblog_cursor *cur);

/* The next batch of a cursor; c->index is not looked at. */
enum print_result print_batch(struct print *p, const struct record_context *c,
    struct sblog_cursor *cur);

/*
 * A cursor returned p->err: say what retention removed, step over damage if
 * that is wanted.  PRINT_MORE:
 * it can go on.
 */
enum print_result print_failed(struct print *p, const struct record_context *c,
    struct sblog_cursor *cur);

#endif
