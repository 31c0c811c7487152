/*
 * feed_run.c - delimited text to batches, without looking at any record.
 */
#include <stdio.h>
#include <string.h>

#include "common/feed.h"

enum {
	/* A smaller rest waits for the next fill rather than becoming a batch
	 * of its own. */
	REST_MIN = 512 << 10,
};

static struct sblog_bytes
delimiter(const struct feed *f)
{
	return (struct sblog_bytes){ f->parse.format->delim,
		f->parse.format->delim_len };
}

/* The run at the front of the input, len bytes of it. */
static struct sblog_run
front(const struct feed *f, size_t len)
{
	const struct format *format = f->parse.format;
	struct sblog_run run = {
		.data = input_data(&f->in),
		.len = len,
		.delim_len = format->delim_len,
	};

	memcpy(run.delim, format->delim, sizeof(run.delim));
	return run;
}

/*
 * The core stumbled over a record over the limit: append those before it, then
 * step over it or stop.
 */
static enum feed_result
too_big(struct feed *f, struct sblog_run *run, bool eof)
{
	struct sblog_appended done;
	char what[80];
	enum feed_result result;

	if (f->err.offset > 0) {
		run->max_records = (uint32_t)f->err.offset;
		run->final = 0;
		if (appender_run(f->to, run, false, &done, &f->err) < 0)
			return feed_failed(f);
		f->number += done.next - done.first;
		input_eat(&f->in, done.consumed);
		return FEED_DONE;
	}
	(void)snprintf(what, sizeof(what), "over max.message.bytes (%llu)",
	    (unsigned long long)appender_max_value(f->to));
	result = feed_reject(f, ++f->number, f->in.pos, what, FEED_TOO_BIG);
	if (result == FEED_DONE) {
		f->discarding = true;
		feed_discard(f, delimiter(f), eof);
	}
	return result;
}

/*
 * What the end of the input leaves unfinished is a record.  With a delimiter of
 * several bytes its end may look like the beginning of one, so it is no run.
 */
static enum feed_result
last_record(struct feed *f)
{
	struct sblog_record rec = {
		.user_time_us = SBLOG_NO_TIME,
		.value = { input_data(&f->in), input_len(&f->in) },
	};
	struct sblog_run none = { .max_records = 0 };

	if (appender_records(f->to, &rec, 1, true, &f->err) == 0) {
		f->number++;
		input_eat(&f->in, rec.value.len);
		return FEED_DONE;
	}
	if (f->err.code != SBLOG_ETOOBIG)
		return feed_failed(f);
	f->err.offset = 0;
	return too_big(f, &none, true);
}

/* One call of the core; *stuckp: there is no complete record in len bytes. */
static enum feed_result
one_batch(struct feed *f, size_t len, enum input_state state, bool *stuckp)
{
	bool rest = len == input_len(&f->in), eof = state == INPUT_EOF;
	struct sblog_run run = front(f, len);
	struct sblog_appended done;
	int rc;

	run.final = eof && rest && run.delim_len == 1;
	*stuckp = false;
	rc = appender_run(f->to, &run, rest && state != INPUT_MORE, &done,
	    &f->err);
	if (rc == SBLOG_ETOOBIG)
		return too_big(f, &run, eof);
	if (rc < 0)
		return feed_failed(f);
	*stuckp = done.consumed == 0;
	f->number += done.next - done.first;
	input_eat(&f->in, done.consumed);
	return FEED_DONE;
}

/* Batches of all complete records that are there. */
static enum feed_result
eat(struct feed *f, enum input_state state)
{
	enum feed_result result = FEED_DONE;
	size_t most = f->batch_bytes, len, before = input_len(&f->in);
	bool stuck;

	if (f->discarding)
		feed_discard(f, delimiter(f), state == INPUT_EOF);
	while ((len = input_len(&f->in)) > 0 && !f->discarding) {
		if (state == INPUT_MORE && len < before && len < REST_MIN &&
		    len < f->batch_bytes)
			return FEED_DONE;
		result = one_batch(f, len < most ? len : most, state, &stuck);
		if (result == FEED_DONE)
			result = feed_check(f);
		if (result != FEED_DONE)
			return result;
		if (!stuck) {
			most = f->batch_bytes;
			continue;
		}
		if (most >= len)
			break;
		most *= 2;
	}
	if (state == INPUT_EOF && input_len(&f->in) > 0)
		return last_record(f);
	return result;
}

enum feed_result
feed_by_run(struct feed *f)
{
	enum feed_result result;
	enum input_state state;
	size_t want = f->batch_bytes;

	for (;;) {
		if ((result = feed_fill(f, want, &state)) != FEED_DONE ||
		    (result = eat(f, state)) != FEED_DONE || state == INPUT_EOF)
			return result;
		if (state == INPUT_IDLE &&
		    (result = feed_pause(f)) != FEED_DONE)
			return result;
		/* A long record: twice as much each time. */
		want = f->batch_bytes;
		if (input_len(&f->in) > want / 2)
			want = 2 * input_len(&f->in);
	}
}

enum feed_result
feed_run_together(struct feed *f)
{
	struct sblog_run run = front(f, input_len(&f->in));
	struct sblog_appended done;
	char what[80];

	run.atomic = 1;
	run.final = 1;
	if (run.len == 0)
		return FEED_DONE;
	if (appender_run(f->to, &run, true, &done, &f->err) == 0) {
		input_eat(&f->in, done.consumed);
		return FEED_DONE;
	}
	if (f->err.code != SBLOG_ETOOBIG)
		return feed_failed(f);
	(void)snprintf(what, sizeof(what), "over max.message.bytes (%llu)",
	    (unsigned long long)appender_max_value(f->to));
	if (f->err.pos != UINT64_MAX)
		f->complain(f->arg, f->in.name, f->err.offset + 1, f->err.pos,
		    what);
	else
		f->complain(f->arg, f->in.name, 0, 0, f->err.msg);
	return FEED_TOO_BIG;
}
