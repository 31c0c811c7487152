/*
 * format_out.c - print records in a format.
 */
#include <stdio.h>
#include <string.h>

#include "common/encode.h"
#include "common/format_out.h"
#include "common/frame.h"

enum {
	HEX_ROW = 16, /* bytes in a line of a dump */
};

static void
write_data(struct sblog_bytes b, const struct record_context *c, struct out *o)
{
	if (c->visible)
		encode_visible(o, b);
	else
		out_bytes(o, b.data, b.len);
}

static void
write_line(const struct format *f, const struct record_context *c,
    const struct sblog_record *rec, struct out *o)
{
	if (f->separator_len > 0 && rec->key.data != NULL) {
		write_data(rec->key, c, o);
		out_bytes(o, f->separator, f->separator_len);
	}
	write_data(rec->value, c, o);
	out_bytes(o, f->delim, f->delim_len);
}

/* "name":"text", "name_b64":"..." where it is not UTF-8, "name":null */
static void
write_member(struct out *o, const char *name, struct sblog_bytes b)
{
	bool utf8 = encode_is_utf8(b);

	out_char(o, '"');
	out_text(o, name);
	out_text(o, utf8 ? "\":" : "_b64\":");
	if (b.data == NULL) {
		out_text(o, "null");
	} else if (utf8) {
		encode_json(o, b);
	} else {
		out_char(o, '"');
		encode_base64(o, b);
		out_char(o, '"');
	}
}

static void
write_json(const struct record_context *c, const struct sblog_record *rec,
    struct out *o)
{
	struct sblog_bytes run = rec->headers, name, value;
	const char *comma = "";

	out_text(o, "{\"topic\":\"");
	out_text(o, c->topic); /* names need no escapes */
	out_text(o, "\",\"offset\":");
	out_u64(o, rec->offset);
	if (c->positions && rec->key.data != NULL) {
		out_text(o, ",\"pos\":");
		out_i64(o, template_pos(c, rec));
	}
	out_text(o, ",\"ts\":");
	out_i64(o, rec->time_us);
	if (rec->user_time_us != SBLOG_NO_TIME) {
		out_text(o, ",\"user_ts\":");
		out_i64(o, rec->user_time_us);
	}
	out_char(o, ',');
	write_member(o, "key", rec->key);
	out_char(o, ',');
	write_member(o, "value", rec->value);
	out_text(o, ",\"headers\":[");
	while (sblog_headers_next(&run, &name, &value) == 0) {
		out_text(o, comma);
		out_char(o, '{');
		write_member(o, "key", name);
		out_char(o, ',');
		write_member(o, "value", value);
		out_char(o, '}');
		comma = ",";
	}
	out_text(o, "]}\n");
}

/* Rows of 16 bytes: position, hexadecimal, text. */
static void
write_dump(struct out *o, struct sblog_bytes b)
{
	const unsigned char *s = b.data;
	char row[100], *at;
	size_t n;

	for (size_t i = 0; i < b.len; i += HEX_ROW) {
		n = b.len - i < HEX_ROW ? b.len - i : HEX_ROW;
		at = row;
		at += snprintf(at, 16, "  %08zx ", i);
		for (size_t j = 0; j < HEX_ROW; j++) {
			if (j < n)
				at += snprintf(at, 5, "%s%02x",
				    j == HEX_ROW / 2 ? "  " : " ", s[i + j]);
			else
				at += snprintf(at, 5, "%s",
				    j == HEX_ROW / 2 ? "    " : "   ");
		}
		at += snprintf(at, 4, "  |");
		for (size_t j = 0; j < n; j++)
			*at++ = s[i + j] >= 0x20 && s[i + j] < 0x7f
			    ? (char)s[i + j]
			    : '.';
		*at++ = '|';
		*at++ = '\n';
		out_bytes(o, row, (size_t)(at - row));
	}
}

static void
write_dumped(struct out *o, const char *what, struct sblog_bytes b)
{
	out_text(o, what);
	if (b.data == NULL) {
		out_text(o, " null\n");
		return;
	}
	out_char(o, ' ');
	out_u64(o, b.len);
	out_text(o, b.len == 1 ? " byte\n" : " bytes\n");
	write_dump(o, b);
}

static void
write_hex(const struct record_context *c, const struct sblog_record *rec,
    struct out *o)
{
	struct sblog_bytes run = rec->headers, name, value;

	out_text(o, c->topic);
	out_text(o, " offset ");
	out_u64(o, rec->offset);
	out_text(o, " appended ");
	template_write_rfc3339(o, rec->time_us);
	if (rec->user_time_us != SBLOG_NO_TIME) {
		out_text(o, " user time ");
		template_write_rfc3339(o, rec->user_time_us);
	}
	out_char(o, '\n');
	if (rec->key.data != NULL)
		write_dumped(o, " key", rec->key);
	while (sblog_headers_next(&run, &name, &value) == 0) {
		out_text(o, " header ");
		encode_visible(o, name);
		write_dumped(o, ":", value);
	}
	write_dumped(o, " value", rec->value);
}

void
format_out_record(const struct format *f, const struct record_context *c,
    const struct sblog_record *rec, struct out *o)
{
	switch (f->kind) {
	case FORMAT_LINES:
		write_line(f, c, rec, o);
		break;
	case FORMAT_WHOLE:
		write_data(rec->value, c, o);
		break;
	case FORMAT_JSON:
		write_json(c, rec, o);
		break;
	case FORMAT_FRAME:
		frame_write(o, rec);
		break;
	case FORMAT_TEMPLATE:
		template_write(&f->template, c, rec, o);
		break;
	case FORMAT_HEX:
		write_hex(c, rec, o);
		break;
	}
}

bool
format_out_is_run(const struct format *f, const struct record_context *c,
    const struct sblog_batch *b)
{
	if (c->visible)
		return false;
	if (f->kind == FORMAT_WHOLE)
		return b->delim_len == 0;
	return f->kind == FORMAT_LINES && b->delim_len == f->delim_len &&
	    memcmp(b->delim, f->delim, f->delim_len) == 0 &&
	    (f->separator_len == 0 || !b->keys);
}
