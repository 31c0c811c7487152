/*
 * format_in.c - cut input into records by its format.
 */
#include <stdio.h>
#include <string.h>

#include "common/format_in.h"
#include "common/frame.h"
#include "common/headers.h"
#include "common/template_in.h"

void
format_in_start(struct format_in *in)
{
	in->scanned = 0;
	in->whole_done = false;
}

void
format_in_free(struct format_in *in)
{
	arena_free(&in->arena);
}

static enum format_in_result
refuse(struct format_in *in, enum format_in_result result, const char *why)
{
	if (why != in->why)
		(void)snprintf(in->why, sizeof(in->why), "%s", why);
	return result;
}

/*
 * Find a delimiter from where the last search ended.  *endp: the bytes before
 * it; *usedp: with it.
 */
static enum format_in_result
find_end(struct format_in *in, const char *data, size_t len, bool eof,
    const char *delim, size_t delim_len, size_t *endp, size_t *usedp)
{
	size_t from = in->scanned < len ? in->scanned : len;
	const char *found = NULL;

	if (delim_len == 1 && len > from)
		found = memchr(data + from, delim[0], len - from);
	else if (len > from)
		found = memmem(data + from, len - from, delim, delim_len);
	if (found == NULL && !eof) {
		in->scanned = len < delim_len ? 0 : len - delim_len + 1;
		return FORMAT_IN_MORE;
	}
	in->scanned = 0;
	*endp = found == NULL ? len : (size_t)(found - data);
	*usedp = found == NULL ? len : *endp + delim_len;
	return *usedp == 0 ? FORMAT_IN_MORE : FORMAT_IN_RECORD;
}

static enum format_in_result
next_line(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	const struct format *f = in->format;
	enum format_in_result rc;
	const char *separator;
	size_t end;

	rc = find_end(in, data, len, eof, f->delim, f->delim_len, &end, usedp);
	if (rc != FORMAT_IN_RECORD)
		return rc;
	rec->value = (struct sblog_bytes){ data, end };
	if (f->separator_len == 0)
		return rc;
	separator = f->separator_len == 1
	    ? memchr(data, f->separator[0], end)
	    : memmem(data, end, f->separator, f->separator_len);
	if (separator != NULL) {
		rec->key =
		    (struct sblog_bytes){ data, (size_t)(separator - data) };
		rec->value.data = separator + f->separator_len;
		rec->value.len = end - rec->key.len - f->separator_len;
	}
	return rc;
}

static enum format_in_result
next_whole(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	if (!eof || in->whole_done)
		return FORMAT_IN_MORE;
	in->whole_done = true;
	rec->value = (struct sblog_bytes){ len > 0 ? data : "", len };
	*usedp = len;
	return FORMAT_IN_RECORD;
}

static enum format_in_result
next_json(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	enum format_in_result rc;
	size_t end;

	rc = find_end(in, data, len, eof, "\n", 1, &end, usedp);
	if (rc == FORMAT_IN_RECORD &&
	    !jsonin_record(data, end, &in->arena, rec, in->why))
		return FORMAT_IN_BAD;
	return rc;
}

static enum format_in_result
next_frame(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	const unsigned char *bytes = (const unsigned char *)data;
	const char *why;
	size_t size;

	*usedp = len;
	if (len == 0)
		return FORMAT_IN_MORE;
	size = frame_size(bytes, len, &why);
	if (why != NULL)
		return refuse(in, FORMAT_IN_LOST, why);
	if (size == 0 || size > len)
		return eof
		    ? refuse(in, FORMAT_IN_BAD, "the input ends within a frame")
		    : FORMAT_IN_MORE;
	*usedp = size;
	if ((why = frame_read(bytes, size, rec)) != NULL)
		return refuse(in, FORMAT_IN_BAD, why);
	return FORMAT_IN_RECORD;
}

/* A bad record ends where the last text of the template comes next. */
static enum format_in_result
skip_template(struct format_in *in, const char *data, size_t len, bool eof,
    size_t *usedp)
{
	struct sblog_bytes text = template_last_text(&in->format->template);
	size_t end;

	if (text.len == 0)
		return FORMAT_IN_LOST;
	if (find_end(in, data, len, eof, text.data, text.len, &end, usedp) ==
	    FORMAT_IN_MORE)
		return FORMAT_IN_MORE;
	return FORMAT_IN_BAD;
}

static enum format_in_result
next_template(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	if (len == 0)
		return FORMAT_IN_MORE;
	switch (template_read(&in->format->template, data, len, eof, &in->arena,
	    rec, usedp, in->why)) {
	case TEMPLATE_IN_RECORD:
		return FORMAT_IN_RECORD;
	case TEMPLATE_IN_MORE:
		return FORMAT_IN_MORE;
	case TEMPLATE_IN_BAD:
		break;
	}
	return skip_template(in, data, len, eof, usedp);
}

static enum format_in_result
next_raw(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	switch (in->format->kind) {
	case FORMAT_LINES:
		return next_line(in, data, len, eof, rec, usedp);
	case FORMAT_WHOLE:
		return next_whole(in, data, len, eof, rec, usedp);
	case FORMAT_JSON:
		return next_json(in, data, len, eof, rec, usedp);
	case FORMAT_FRAME:
		return next_frame(in, data, len, eof, rec, usedp);
	case FORMAT_TEMPLATE:
		return next_template(in, data, len, eof, rec, usedp);
	case FORMAT_HEX:
		break; /* format_parse refused it */
	}
	return refuse(in, FORMAT_IN_LOST, "this format is for output only");
}

enum format_in_result
format_in_next(struct format_in *in, const char *data, size_t len, bool eof,
    struct sblog_record *rec, size_t *usedp)
{
	struct headers h = { .arena = &in->arena };
	enum format_in_result rc;
	const char *why = NULL;

	*rec = (struct sblog_record){
		.offset = SBLOG_NO_OFFSET,
		.time_us = SBLOG_NO_TIME,
		.user_time_us = SBLOG_NO_TIME,
	};
	if ((rc = next_raw(in, data, len, eof, rec, usedp)) != FORMAT_IN_RECORD)
		return rc;
	if (rec->key.data == NULL)
		rec->key = in->key;
	if (in->empty_is_null && rec->value.len == 0)
		rec->value.data = NULL;
	if (rec->user_time_us == SBLOG_NO_TIME)
		rec->user_time_us = in->user_time_us;
	if (in->keep_offsets && rec->offset == SBLOG_NO_OFFSET)
		return refuse(in, FORMAT_IN_BAD, "it carries no offset");
	if (in->keep_offsets && rec->time_us == SBLOG_NO_TIME)
		return refuse(in, FORMAT_IN_BAD, "it carries no append time");
	if (in->headers.len > 0 && rec->headers.len == 0) {
		rec->headers = in->headers;
	} else if (in->headers.len > 0) {
		if ((why = headers_add_run(&h, rec->headers)) == NULL)
			why = headers_add_run(&h, in->headers);
		rec->headers = headers_bytes(&h);
	}
	return why == NULL ? rc : refuse(in, FORMAT_IN_BAD, why);
}

uint64_t
format_in_limit(const struct format *f, uint64_t n)
{
	uint64_t rest = (uint64_t)2 * (SBLOG_KEY_MAX + SBLOG_HEADERS_MAX);

	if (f->kind == FORMAT_WHOLE)
		return n;
	if (f->kind == FORMAT_LINES)
		return n + f->delim_len +
		    (f->separator_len > 0 ? SBLOG_KEY_MAX : 0);
	if (f->kind == FORMAT_FRAME)
		return n + rest;
	/* "\u0000" is one byte of a value in six of JSON. */
	return 6 * (n + rest);
}
