/*
 * feed_records.c - parsed input to batches, record by record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/feed.h"
#include "common/stop.h"
#include "common/template_in.h"

enum {
	RECORDS_FIRST = 64,
	RECORDS_MAX = 16 << 10, /* of one batch, unless all is one */
	LONG = 1 << 20,         /* bytes of a record that is worth a look */
	ATOMIC_FIRST = 1 << 20, /* bytes of input to begin with */
};

/* A batch holds no more than this, whatever it is made of. */
#define ATOMIC_MAX ((size_t)INT32_MAX)

/* Room for one more record; *fullp: none, and there shall be none. */
static enum feed_result
reserve(struct feed *f)
{
	size_t size = f->size == 0 ? RECORDS_FIRST : 2 * f->size;
	struct sblog_record *recs;

	if (f->n < f->size)
		return FEED_DONE;
	recs = realloc(f->recs, size * sizeof(*recs));
	if (recs == NULL) {
		f->err = (struct sblog_err){ .code = SBLOG_ENOMEM,
			.offset = SBLOG_NO_OFFSET,
			.end = SBLOG_NO_OFFSET,
			.pos = UINT64_MAX,
			.msg = "out of memory" };
		return feed_failed(f);
	}
	f->recs = recs;
	f->size = size;
	return FEED_DONE;
}

static void
used_up(struct feed *f)
{
	f->n = 0;
	f->bytes = 0;
	arena_reset(&f->parse.arena);
}

/* Why the core finds this record too big. */
static const char *
size_fault(const struct feed *f, const struct sblog_record *rec, char *buf,
    size_t size)
{
	if (rec->key.len > SBLOG_KEY_MAX)
		return "the key has more than 64 KiB";
	if (rec->headers.len > SBLOG_HEADERS_MAX)
		return "the headers have more than 1 MiB";
	(void)snprintf(buf, size, "over max.message.bytes (%llu)",
	    (unsigned long long)appender_max_value(f->to));
	return buf;
}

/* Hand the parsed records over; those that are too big are rejected. */
static enum feed_result
hand_over(struct feed *f, bool alone)
{
	enum feed_result result = FEED_DONE;
	char buf[80];
	size_t i = 0, n, bad;

	while (i < f->n && result == FEED_DONE) {
		n = f->n - i;
		if (appender_records(f->to, f->recs + i, n, alone, &f->err) ==
		    0)
			break;
		if (f->err.code != SBLOG_ETOOBIG || f->err.offset >= n) {
			result = feed_failed(f);
			break;
		}
		bad = (size_t)f->err.offset;
		if (bad > 0 &&
		    appender_records(f->to, f->recs + i, bad, false, &f->err) <
			0) {
			result = feed_failed(f);
			break;
		}
		i += bad;
		result = feed_reject(f, f->number - f->n + i + 1, UINT64_MAX,
		    size_fault(f, &f->recs[i], buf, sizeof(buf)), FEED_TOO_BIG);
		i++;
	}
	used_up(f);
	return result == FEED_DONE ? feed_check(f) : result;
}

/* What ends a record of this format, whatever is in it; len 0: unknown. */
static struct sblog_bytes
record_end(const struct feed *f)
{
	const struct format *format = f->parse.format;

	switch (format->kind) {
	case FORMAT_LINES:
		return (struct sblog_bytes){ format->delim, format->delim_len };
	case FORMAT_JSON:
		return (struct sblog_bytes){ "\n", 1 };
	case FORMAT_TEMPLATE:
		return template_last_text(&format->template);
	case FORMAT_WHOLE:
	case FORMAT_FRAME:
	case FORMAT_HEX:
		break;
	}
	return (struct sblog_bytes){ NULL, 0 };
}

/* The record at the front goes on for longer than any may. */
static enum feed_result
too_long(struct feed *f, bool eof)
{
	struct sblog_record none = { .offset = 0 };
	enum feed_result result;
	char buf[80];

	if ((result = hand_over(f, false)) != FEED_DONE)
		return result;
	result = feed_reject(f, ++f->number, f->in.pos,
	    size_fault(f, &none, buf, sizeof(buf)), FEED_TOO_BIG);
	if (result != FEED_DONE)
		return result;
	if (record_end(f).len == 0 && f->parse.format->kind != FORMAT_WHOLE)
		return FEED_TOO_BIG; /* where it ends nobody knows */
	f->parse.scanned = 0;
	f->parse.whole_done = true;
	f->discarding = true;
	feed_discard(f, record_end(f), eof);
	return FEED_DONE;
}

static enum feed_result
bad_record(struct feed *f, enum format_in_result parsed, size_t used)
{
	enum feed_result result = hand_over(f, false);

	if (result != FEED_DONE)
		return result;
	result = feed_reject(f, ++f->number, f->in.pos, f->parse.why, FEED_BAD);
	if (result == FEED_DONE && parsed == FORMAT_IN_LOST)
		return FEED_BAD;
	if (result == FEED_DONE)
		input_eat(&f->in, used);
	return result;
}

/* Is what is there of a record more than any may have? */
static bool
never_ends(struct feed *f)
{
	size_t len = input_len(&f->in);

	/* Settings are in files: a short one is not worth the question. */
	return len > LONG &&
	    len > format_in_limit(f->parse.format, appender_max_value(f->to));
}

/* Is it time to hand over? */
static bool
full(const struct feed *f)
{
	return f->to->sync == APPENDER_SYNC_RECORD || f->n >= RECORDS_MAX ||
	    f->bytes >= f->batch_bytes;
}

/* Parse what is there and hand it over. */
static enum feed_result
eat(struct feed *f, enum input_state state)
{
	bool eof = state == INPUT_EOF;
	enum feed_result result = FEED_DONE;
	enum format_in_result parsed;
	size_t used = 0;

	if (f->discarding)
		feed_discard(f, record_end(f), eof);
	while (result == FEED_DONE && !f->discarding) {
		if ((result = reserve(f)) != FEED_DONE)
			return result;
		parsed = format_in_next(&f->parse, input_data(&f->in),
		    input_len(&f->in), eof, &f->recs[f->n], &used);
		if (parsed == FORMAT_IN_MORE) {
			if (!never_ends(f))
				break;
			result = too_long(f, eof);
		} else if (parsed == FORMAT_IN_RECORD) {
			f->bytes += used;
			f->number++;
			f->n++;
			input_eat(&f->in, used);
			if (full(f))
				result = hand_over(f, false);
		} else {
			result = bad_record(f, parsed, used);
		}
	}
	return result == FEED_DONE ? hand_over(f, state != INPUT_MORE) : result;
}

enum feed_result
feed_by_record(struct feed *f)
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
		want = f->batch_bytes;
		if (input_len(&f->in) > want / 2)
			want = 2 * input_len(&f->in);
	}
}

/* ---- all of the input as one batch ---- */

/* Read an input to its end, behind those that are there already. */
static enum feed_result
gather(struct feed *f, const char *path)
{
	enum input_state state = INPUT_MORE;
	enum feed_result result;
	size_t want = ATOMIC_FIRST;

	if (input_open(&f->in, path) < 0) {
		f->complain(f->arg, f->in.name, 0, 0, strerror(f->in.error));
		return FEED_INPUT;
	}
	while (state != INPUT_EOF) {
		input_wait(&f->in);
		while (want <= input_len(&f->in))
			want *= 2;
		result = feed_fill(f, want, &state);
		if (result != FEED_DONE)
			return result;
		if (input_len(&f->in) > ATOMIC_MAX) {
			f->complain(f->arg, f->in.name, 0, f->in.pos,
			    "the input is too big for one batch");
			return FEED_TOO_BIG;
		}
	}
	return FEED_DONE;
}

/* Parse one input, up to the byte end of the buffer. */
static enum feed_result
parse_all(struct feed *f, const char *path, size_t end)
{
	enum feed_result result = FEED_DONE;
	enum format_in_result parsed;
	size_t used;

	format_in_start(&f->parse);
	f->in.name = input_name(path);
	f->in.pos = 0;
	f->number = 0;
	while ((result = reserve(f)) == FEED_DONE) {
		parsed = format_in_next(&f->parse, input_data(&f->in),
		    end - f->in.at, true, &f->recs[f->n], &used);
		if (parsed == FORMAT_IN_MORE)
			return FEED_DONE;
		f->number++;
		if (parsed == FORMAT_IN_RECORD) {
			f->n++;
		} else {
			result = feed_reject(f, f->number, f->in.pos,
			    f->parse.why, FEED_BAD);
			if (parsed == FORMAT_IN_LOST)
				result = FEED_BAD;
			if (result != FEED_DONE)
				return result;
		}
		input_eat(&f->in, used);
	}
	return result;
}

/* A record over a limit, or all of them together. */
static enum feed_result
too_big_together(struct feed *f)
{
	char buf[80];
	size_t bad = (size_t)f->err.offset;

	if (f->err.code != SBLOG_ETOOBIG)
		return feed_failed(f);
	if (bad < f->n)
		f->complain(f->arg, f->in.name, bad + 1, UINT64_MAX,
		    size_fault(f, &f->recs[bad], buf, sizeof(buf)));
	else
		f->complain(f->arg, f->in.name, 0, 0,
		    "the input is too big for one batch");
	return FEED_TOO_BIG;
}

static enum feed_result
together(struct feed *f)
{
	size_t too_many = SBLOG_BATCH_RECORDS_MAX;

	if (f->n == 0)
		return FEED_DONE;
	if (f->n > too_many) {
		f->complain(f->arg, f->in.name, 0, 0,
		    "the input has too many records for one batch");
		return FEED_TOO_BIG;
	}
	if (appender_records(f->to, f->recs, f->n, true, &f->err) < 0)
		return too_big_together(f);
	return FEED_DONE;
}

enum feed_result
feed_atomic(struct feed *f, char *const *paths, size_t n)
{
	enum feed_result result = FEED_DONE;
	size_t *ends = calloc(n, sizeof(*ends)), base = 0;
	bool by_run = f->by_run && n == 1 && f->parse.format->delim_len == 1;

	if (ends == NULL)
		return reserve(f);
	for (size_t i = 0; i < n && result == FEED_DONE; i++) {
		if ((result = gather(f, paths[i])) == FEED_DONE)
			ends[i] = input_len(&f->in);
	}
	base = f->in.at; /* from here on the buffer does not move */
	for (size_t i = 0; i < n && result == FEED_DONE && !by_run; i++)
		result = parse_all(f, paths[i], base + ends[i]);
	stop_hold();
	if (result == FEED_DONE)
		result = by_run ? feed_run_together(f) : together(f);
	free(ends);
	if (result != FEED_ERR && appender_settle(f->to, &f->err) < 0)
		result = FEED_ERR;
	return result == FEED_DONE ? feed_check(f) : result;
}
