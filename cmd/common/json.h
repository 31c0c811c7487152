/*
 * json.h - one JSON document on standard output, written as it goes.
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <sblog.h>

#include "common/out.h"

/* The JSON library has functions of these names. */
#define json_object out_json_object
#define json_array out_json_array

enum { JSON_DEPTH = 16 };

struct json {
	struct out *out;
	unsigned depth;
	bool more[JSON_DEPTH]; /* a comma is due */
};

/* key NULL: an element of an array, or the document itself. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j, char bracket); /* ']' or '}' */
void json_text(struct json *j, const char *key, const char *value);
/* Bytes that are not UTF-8 in base64, as "KEY_b64". */
void json_bytes(struct json *j, const char *key, struct sblog_bytes b);
void json_u64(struct json *j, const char *key, uint64_t n);
void json_i64(struct json *j, const char *key, int64_t n);
void json_bool(struct json *j, const char *key, bool b);
/* null where the number is SBLOG_NO_OFFSET */
void json_offset(struct json *j, const char *key, uint64_t n);

/* "error":{...} of a failed call. */
void json_error(struct json *j, const struct sblog_err *err);

/* Open a document with its schema, "sblog.verify/1"; and close it. */
void json_begin(struct json *j, struct out *out, const char *schema);
void json_finish(struct json *j);

#endif
