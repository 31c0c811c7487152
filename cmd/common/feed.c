/*
 * feed.c - from input to batches: what all ways of cutting records share.
 */
#include <stdlib.h>
#include <string.h>

#include "common/feed.h"
#include "common/stop.h"

enum feed_result
feed_failed(struct feed *f)
{
	struct sblog_err err;

	/* What was published before it may still become durable; if nobody
	 * knows whether it is, that is what has to be said. */
	if (appender_settle(f->to, &err) == SBLOG_EUNKNOWN)
		f->err = err;
	return FEED_ERR;
}

enum feed_result
feed_check(struct feed *f)
{
	if (f->to->ack != NULL && f->to->ack->out->error != 0)
		return FEED_OUT;
	return stop_wanted() ? FEED_STOP : FEED_DONE;
}

enum feed_result
feed_fill(struct feed *f, size_t want, enum input_state *statep)
{
	uint64_t deadline = 0;

	if (f->batch_time_us > 0)
		deadline = input_now_us() + f->batch_time_us;
	*statep = input_fill(&f->in, want, deadline);
	if (*statep == INPUT_FAILED) {
		f->complain(f->arg, f->in.name, 0, f->in.pos,
		    strerror(f->in.error));
		return FEED_INPUT;
	}
	if (f->progress != NULL)
		f->progress(f->arg, f->in.total);
	return FEED_DONE;
}

enum feed_result
feed_pause(struct feed *f)
{
	if (appender_settle(f->to, &f->err) < 0)
		return FEED_ERR;
	input_wait(&f->in);
	return FEED_DONE;
}

enum feed_result
feed_reject(struct feed *f, uint64_t number, uint64_t pos, const char *what,
    enum feed_result result)
{
	f->complain(f->arg, f->in.name, number, pos, what);
	if (!f->skip)
		return result;
	f->skipped++;
	return FEED_DONE;
}

void
feed_discard(struct feed *f, struct sblog_bytes end, bool eof)
{
	const char *data = input_data(&f->in);
	size_t len = input_len(&f->in);
	const char *found = NULL;

	if (end.len > 0 && len > 0)
		found = memmem(data, len, end.data, end.len);
	if (found != NULL) {
		input_eat(&f->in, (size_t)(found - data) + end.len);
		f->discarding = false;
	} else if (eof || end.len == 0) {
		input_eat(&f->in, len);
		f->discarding = !eof;
	} else if (len >= end.len) {
		input_eat(&f->in, len - end.len + 1); /* it may begin there */
	}
}

enum feed_result
feed_all(struct feed *f, char *const *paths, size_t n)
{
	enum feed_result result = FEED_DONE;

	if (f->atomic)
		return feed_atomic(f, paths, n);
	for (size_t i = 0; result == FEED_DONE && i < n; i++) {
		/* Opening a FIFO may take for ever. */
		stop_release();
		if (input_open(&f->in, paths[i]) < 0) {
			f->complain(f->arg, f->in.name, 0, 0,
			    strerror(f->in.error));
			result = FEED_INPUT;
			break;
		}
		input_wait(&f->in);
		stop_hold();
		f->in.may_ahead = true;
		if (f->by_run)
			f->in.end_byte =
			    (unsigned char)f->parse.format->delim[0];
		format_in_start(&f->parse);
		f->discarding = false;
		f->number = 0;
		result = f->by_run ? feed_by_run(f) : feed_by_record(f);
	}
	/* Records before a bad one count. */
	if (result != FEED_ERR && appender_settle(f->to, &f->err) < 0)
		return FEED_ERR;
	if (result == FEED_DONE)
		result = feed_check(f);
	return result;
}

void
feed_free(struct feed *f)
{
	input_free(&f->in);
	format_in_free(&f->parse);
	free(f->recs);
	f->recs = NULL;
}
