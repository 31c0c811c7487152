/*
 * template_out.c - records printed by a %-template.
 */
#include <stdio.h>
#include <time.h>

#include "common/encode.h"
#include "common/template_out.h"

/* Rounded down, as a calendar does it before 1970. */
static int64_t
floor_div(int64_t n, int64_t by)
{
	return n / by - (n % by < 0);
}

/* false: the year does not fit. */
static bool
broken_down(int64_t time_us, struct tm *tm)
{
	time_t s = (time_t)floor_div(time_us, 1000000);

	return gmtime_r(&s, tm) != NULL;
}

void
template_write_rfc3339(struct out *o, int64_t time_us)
{
	int us = (int)(time_us - floor_div(time_us, 1000000) * 1000000);
	struct tm tm;
	char text[80];

	if (!broken_down(time_us, &tm)) {
		out_i64(o, time_us);
		return;
	}
	(void)snprintf(text, sizeof(text),
	    "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, us);
	out_text(o, text);
}

static void
write_strftime(const struct template_part *part, int64_t time_us, struct out *o)
{
	struct tm tm;
	char text[512];

	if (!broken_down(time_us, &tm))
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the user's own */
	out_bytes(o, text, strftime(text, sizeof(text), part->text, &tm));
#pragma GCC diagnostic pop
}

static void
write_hex_number(struct out *o, uint64_t n)
{
	char text[17];

	(void)snprintf(text, sizeof(text), "%llx", (unsigned long long)n);
	out_text(o, text);
}

static void
write_number(const struct template_part *part, int64_t n, struct out *o)
{
	if (part->as == TEMPLATE_BINARY)
		encode_int(o, (uint64_t)n, part->width, part->big);
	else if (part->as == TEMPLATE_HEX)
		write_hex_number(o, (uint64_t)n);
	else
		out_i64(o, n);
}

static void
write_time(const struct template_part *part, int64_t time_us, struct out *o)
{
	if (part->as == TEMPLATE_BINARY || part->as == TEMPLATE_HEX)
		write_number(part, time_us, o);
	else if (time_us == SBLOG_NO_TIME)
		return;
	else if (part->as == TEMPLATE_MS)
		out_i64(o, floor_div(time_us, 1000));
	else if (part->as == TEMPLATE_S)
		out_i64(o, floor_div(time_us, 1000000));
	else if (part->as == TEMPLATE_RFC3339)
		template_write_rfc3339(o, time_us);
	else if (part->as == TEMPLATE_STRFTIME)
		write_strftime(part, time_us, o);
	else
		out_i64(o, time_us);
}

static void
write_bytes(const struct template_part *part, struct sblog_bytes b,
    bool visible, struct out *o)
{
	if (part->as == TEMPLATE_HEX)
		encode_hex(o, b);
	else if (part->as == TEMPLATE_BASE64)
		encode_base64(o, b);
	else if (part->as == TEMPLATE_JSON && b.data == NULL)
		out_text(o, "null");
	else if (part->as == TEMPLATE_JSON)
		encode_json(o, b);
	else if (visible)
		encode_visible(o, b);
	else
		out_bytes(o, b.data, b.len);
}

static int64_t
length_of(struct sblog_bytes b)
{
	return b.data == NULL ? -1 : (int64_t)b.len;
}

static int64_t
count_headers(struct sblog_bytes run)
{
	struct sblog_bytes name, value;
	int64_t n = 0;

	while (sblog_headers_next(&run, &name, &value) == 0)
		n++;
	return n;
}

static struct sblog_bytes
topic_bytes(const char *topic)
{
	struct sblog_bytes b = { topic, 0 };

	while (topic[b.len] != '\0')
		b.len++;
	return b;
}

static void write_parts(const struct template_part *parts, size_t n,
    const struct record_context *c, const struct sblog_record *rec,
    struct out *o);

/* The inner parts once per header, as if it were a record. */
static void
write_headers(const struct template_part *part, const struct record_context *c,
    const struct sblog_record *rec, struct out *o)
{
	struct sblog_bytes run = rec->headers;
	struct sblog_record header = { .offset = rec->offset };

	while (sblog_headers_next(&run, &header.key, &header.value) == 0)
		write_parts(part + 1, part->inner, c, &header, o);
}

int64_t
template_pos(const struct record_context *c, const struct sblog_record *rec)
{
	struct sblog_err ignored;
	uint64_t pos;

	if (rec->key.data == NULL)
		return -1;
	if (c->cursor != NULL)
		return (int64_t)sblog_cursor_pos(c->cursor);
	if (c->handle == NULL ||
	    sblog_key_rank(c->handle, rec->key, rec->offset, &pos, &ignored) <
		0)
		return -1;
	return (int64_t)pos;
}

static void
write_part(const struct template_part *part, const struct record_context *c,
    const struct sblog_record *rec, struct out *o)
{
	switch (part->what) {
	case TEMPLATE_TEXT:
		out_bytes(o, part->text, part->len);
		break;
	case TEMPLATE_VALUE:
		write_bytes(part, rec->value, c->visible, o);
		break;
	case TEMPLATE_VALUE_LEN:
		write_number(part, length_of(rec->value), o);
		break;
	case TEMPLATE_KEY:
		write_bytes(part, rec->key, c->visible, o);
		break;
	case TEMPLATE_KEY_LEN:
		write_number(part, length_of(rec->key), o);
		break;
	case TEMPLATE_TOPIC:
		write_bytes(part, topic_bytes(c->topic), c->visible, o);
		break;
	case TEMPLATE_OFFSET:
		write_number(part, (int64_t)rec->offset, o);
		break;
	case TEMPLATE_POS:
		write_number(part, template_pos(c, rec), o);
		break;
	case TEMPLATE_TIME:
		write_time(part, rec->time_us, o);
		break;
	case TEMPLATE_USER_TIME:
		write_time(part, rec->user_time_us, o);
		break;
	case TEMPLATE_HEADERS:
		write_headers(part, c, rec, o);
		break;
	case TEMPLATE_HEADER_COUNT:
		write_number(part, count_headers(rec->headers), o);
		break;
	case TEMPLATE_START:
		write_number(part, (int64_t)c->start, o);
		break;
	case TEMPLATE_END:
		write_number(part, (int64_t)c->end, o);
		break;
	case TEMPLATE_INDEX:
		write_number(part, (int64_t)c->index, o);
		break;
	}
}

static void
write_parts(const struct template_part *parts, size_t n,
    const struct record_context *c, const struct sblog_record *rec,
    struct out *o)
{
	for (size_t i = 0; i < n; i += 1 + parts[i].inner)
		write_part(&parts[i], c, rec, o);
}

void
template_write(const struct template *t, const struct record_context *c,
    const struct sblog_record *rec, struct out *o)
{
	write_parts(t->parts, t->n, c, rec, o);
}
