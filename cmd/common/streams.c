/*
 * streams.c - the streams, categories or message types of a topic.
 */
#include "common/streams.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/encode.h"
#include "common/human.h"
#include "common/select.h"

static int
compare(const void *a, const void *b)
{
	const struct stream_row *x = a, *y = b;
	size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
	int c = len > 0 ? memcmp(x->name.data, y->name.data, len) : 0;

	return c != 0
	    ? c
	    : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static int
compare_rows(const void *a, const void *b)
{
	return compare(*(struct stream_row *const *)a,
	    *(struct stream_row *const *)b);
}

/* A row with a copy of the name behind it. */
static struct stream_row *
new_row(struct streams *s, struct sblog_bytes name)
{
	struct stream_row *row = calloc(1, sizeof(*row) + name.len + 1);
	char *copy;

	if (s->n == s->size) {
		size_t size = s->size ? 2 * s->size : 64;
		struct stream_row **rows =
		    realloc(s->rows, size * sizeof(struct stream_row *));

		if (rows == NULL) {
			free(row);
			return NULL;
		}
		s->rows = rows;
		s->size = size;
	}
	if (row == NULL)
		return NULL;
	copy = (char *)(row + 1);
	if (name.len > 0)
		memcpy(copy, name.data, name.len);
	row->name = (struct sblog_bytes){ copy, name.len };
	if (tsearch(row, &s->tree, compare) == NULL) {
		free(row);
		return NULL;
	}
	return s->rows[s->n++] = row;
}

static bool
add(struct streams *s, struct sblog_bytes name, const struct sblog_record *rec)
{
	const struct stream_row wanted = { .name = name };
	void *found = tfind(&wanted, &s->tree, compare);
	struct stream_row *row =
	    found != NULL ? *(struct stream_row **)found : new_row(s, name);

	if (row == NULL)
		return false;
	if (row->records++ == 0)
		row->first = rec->offset;
	row->last = rec->offset;
	row->last_time_us = rec->time_us;
	row->bytes += rec->value.len;
	s->records++;
	s->bytes += rec->value.len;
	return true;
}

static struct sblog_bytes
name_of(const struct sblog_record *rec, enum streams_by by)
{
	switch (by) {
	case STREAMS_BY_STREAM:
		return rec->key;
	case STREAMS_BY_CATEGORY:
		return select_category(rec->key);
	case STREAMS_BY_TYPE:
		break;
	}
	return select_header(rec->headers, "type");
}

int
streams_collect(struct streams *s, struct sblog_topic *topic,
    enum streams_by by, const char *prefix, bool newest, struct sblog_err *err)
{
	const struct sblog_cursor_opts opts = { .latest = newest };
	size_t len = prefix != NULL ? strlen(prefix) : 0;
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	int rc;

	*s = (struct streams){ 0 };
	if ((rc = sblog_cursor_open(&cur, topic, &opts, err)) < 0)
		return rc;
	while ((rc = sblog_cursor_next(cur, &rec, err)) == 0) {
		struct sblog_bytes name = name_of(&rec, by);

		if (name.data == NULL || name.len < len ||
		    (len > 0 && memcmp(name.data, prefix, len) != 0))
			continue;
		if (!add(s, name, &rec)) {
			*err = (struct sblog_err){ .code = SBLOG_ENOMEM,
				.offset = SBLOG_NO_OFFSET,
				.end = SBLOG_NO_OFFSET,
				.pos = UINT64_MAX,
				.msg = "out of memory" };
			rc = SBLOG_ENOMEM;
			break;
		}
	}
	sblog_cursor_close(cur);
	if (rc < 0)
		return rc;
	if (s->n > 0)
		qsort(s->rows, s->n, sizeof(struct stream_row *), compare_rows);
	return 0;
}

void
streams_free(struct streams *s)
{
	for (size_t i = 0; i < s->n; i++) {
		(void)tdelete(s->rows[i], &s->tree, compare);
		free(s->rows[i]);
	}
	free(s->rows);
	*s = (struct streams){ 0 };
}

static void
print_name(struct topics *t, struct sblog_bytes name)
{
	if (t->out.tty)
		encode_visible(&t->out, name);
	else
		out_bytes(&t->out, name.data, name.len);
}

void
streams_print(struct topics *t, const struct streams *s,
    const struct stream_row *row)
{
	const uint64_t numbers[] = { row->records, row->bytes, row->first,
		row->last };
	static const char *const names[] = { "records", "bytes", "first",
		"last" };
	char text[HUMAN_TIME_SIZE];

	if (t->json) {
		json_object(&t->doc, NULL);
		json_bytes(&t->doc, "name", row->name);
		for (size_t i = 0; i < 4; i++)
			json_u64(&t->doc, names[i], numbers[i]);
		json_i64(&t->doc, "last_ts", row->last_time_us);
		json_end(&t->doc, '}');
		return;
	}
	print_name(t, row->name);
	for (size_t i = 0; i < 4; i++) {
		out_char(&t->out, '\t');
		out_u64(&t->out, numbers[i]);
	}
	if (!t->tsv) { /* share of all records, in permille */
		uint64_t share = row->records * 1000 / s->records;

		out_char(&t->out, '\t');
		out_u64(&t->out, share / 10);
		out_char(&t->out, '.');
		out_u64(&t->out, share % 10);
		out_char(&t->out, '%');
	}
	out_char(&t->out, '\t');
	(void)human_format_time(row->last_time_us, text);
	out_text(&t->out, text);
	out_char(&t->out, '\n');
}
