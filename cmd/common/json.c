/*
 * json.c - one JSON document on standard output, written as it goes.
 */
#include "common/json.h"

#include <string.h>

#include "common/encode.h"

static void
text(struct json *j, const char *s)
{
	encode_json(j->out,
	    (struct sblog_bytes){ .data = s, .len = strlen(s) });
}

static void
begin_value(struct json *j, const char *key)
{
	if (j->more[j->depth])
		out_char(j->out, ',');
	j->more[j->depth] = true;
	if (key != NULL) {
		text(j, key);
		out_char(j->out, ':');
	}
}

static void
open_with(struct json *j, const char *key, char bracket)
{
	begin_value(j, key);
	out_char(j->out, bracket);
	if (j->depth + 1 < JSON_DEPTH)
		j->depth++;
	j->more[j->depth] = false;
}

void
json_object(struct json *j, const char *key)
{
	open_with(j, key, '{');
}

void
json_array(struct json *j, const char *key)
{
	open_with(j, key, '[');
}

void
json_end(struct json *j, char bracket)
{
	j->depth--;
	out_char(j->out, bracket);
}

void
json_text(struct json *j, const char *key, const char *value)
{
	begin_value(j, key);
	text(j, value);
}

void
json_bytes(struct json *j, const char *key, struct sblog_bytes b)
{
	bool utf8 = encode_is_utf8(b);

	if (j->more[j->depth])
		out_char(j->out, ',');
	j->more[j->depth] = true;
	out_char(j->out, '"');
	out_text(j->out, key); /* needs no escapes */
	out_text(j->out, utf8 ? "\":" : "_b64\":\"");
	if (utf8) {
		encode_json(j->out, b);
	} else {
		encode_base64(j->out, b);
		out_char(j->out, '"');
	}
}

void
json_u64(struct json *j, const char *key, uint64_t n)
{
	begin_value(j, key);
	out_u64(j->out, n);
}

void
json_i64(struct json *j, const char *key, int64_t n)
{
	begin_value(j, key);
	out_i64(j->out, n);
}

void
json_bool(struct json *j, const char *key, bool b)
{
	begin_value(j, key);
	out_text(j->out, b ? "true" : "false");
}

void
json_offset(struct json *j, const char *key, uint64_t n)
{
	begin_value(j, key);
	if (n == SBLOG_NO_OFFSET)
		out_text(j->out, "null");
	else
		out_u64(j->out, n);
}

void
json_error(struct json *j, const struct sblog_err *err)
{
	json_object(j, "error");
	json_text(j, "code", sblog_code_name(err->code));
	json_i64(j, "errno", err->sys);
	json_offset(j, "offset", err->offset);
	json_offset(j, "end", err->end);
	json_offset(j, "pos", err->pos);
	json_text(j, "file", err->file);
	json_text(j, "message", err->msg);
	json_end(j, '}');
}

void
json_begin(struct json *j, struct out *out, const char *schema)
{
	*j = (struct json){ .out = out };
	json_object(j, NULL);
	json_text(j, "schema", schema);
}

void
json_finish(struct json *j)
{
	json_end(j, '}');
	out_char(j->out, '\n');
}
