/*
 * feed.h - from input to batches: cut records, hand them over, deal with what
 * is no record.
 *
 * Delimited text goes to the core as it came; whatever has to be looked at
 * record by record is parsed into an array that is used again.
 */
#ifndef CMD_FEED_H
#define CMD_FEED_H

#include <stdbool.h>

#include <sblog.h>

#include "common/appender.h"
#include "common/format_in.h"
#include "common/input.h"

enum feed_result {
	FEED_DONE,    /* all was appended, but for what was skipped */
	FEED_BAD,     /* it ended at a record that has not the format */
	FEED_TOO_BIG, /* it ended at a record over a limit */
	FEED_INPUT,   /* an input cannot be read; said by complain */
	FEED_ERR,     /* f->err says why */
	FEED_OUT,     /* acknowledgements cannot be written */
	FEED_STOP,    /* a signal waits */
};

struct feed {
	struct input in;
	struct format_in parse;
	struct appender *to;
	uint64_t batch_bytes;
	uint64_t batch_time_us;
	bool by_run; /* plain delimited text: no record is looked at */
	bool atomic;
	bool skip; /* go on behind what is no record */

	/* Called with what is wrong with which record (from 1 on) of an input,
	 * at which byte; number 0: with the input itself. */
	void (*complain)(void *arg, const char *input, uint64_t number,
	    uint64_t pos, const char *what);
	/* Called now and then with all bytes eaten, for progress; or NULL. */
	void (*progress)(void *arg, uint64_t bytes);
	void *arg;

	uint64_t number; /* records seen in this input */
	uint64_t skipped;
	bool discarding; /* in a record that is too long to be kept */
	struct sblog_record *recs;
	size_t n, size; /* records parsed and not yet handed over */
	uint64_t bytes; /* in them */
	struct sblog_err err;
};

/* Append all of the inputs paths[0..n-1], in order. */
enum feed_result feed_all(struct feed *f, char *const *paths, size_t n);
void feed_free(struct feed *f);

/* ---- between feed.c, feed_run.c and feed_records.c ---- */

/* The input that is open, to its end. */
enum feed_result feed_by_run(struct feed *f);
enum feed_result feed_by_record(struct feed *f);

/* All inputs as one batch. */
enum feed_result feed_atomic(struct feed *f, char *const *paths, size_t n);

/* What is in the buffer, all of one input, as one batch of text. */
enum feed_result feed_run_together(struct feed *f);

/* Fill to want bytes; FEED_DONE with *statep, or FEED_INPUT. */
enum feed_result feed_fill(struct feed *f, size_t want,
    enum input_state *statep);

/* Nothing more is there now: settle, then sleep until there is. */
enum feed_result feed_pause(struct feed *f);

/* What a failed call of the appender comes to. */
enum feed_result feed_failed(struct feed *f);

/* What must be done now and then: acknowledgements, signals. */
enum feed_result feed_check(struct feed *f);

/* Say that record number (of the input, at byte pos) is no good; FEED_DONE if
 * it is to be skipped, else result. */
enum feed_result feed_reject(struct feed *f, uint64_t number, uint64_t pos,
    const char *what, enum feed_result result);

/* Eat up to the end of a record of which only the rest is wanted gone. */
void feed_discard(struct feed *f, struct sblog_bytes end, bool eof);

#endif
