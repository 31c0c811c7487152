/*
 * jsonin.c - the format "json" as input.
 *
 * Strict, because whatever is accepted is stored for ever: no duplicate and no
 * unknown members, exact types, canonical base64.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encode.h"
#include "common/headers.h"
#include "common/jsonin.h"

enum {
	FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
	MEMORY_BASE = 32 << 20, /* what a line may need, however short */
	MEMORY_FACTOR = 4,      /* and for each byte of it */
	SHORT_LINE = 16 << 10,  /* bytes of a line that wants no care */
};

/*
 * jansson asks for some thirty pieces of memory per line, all of which are gone
 * when the line is done.  Of a short line they come from an arena; a long one
 * gives back what it can.  Either way there is a limit: a line of "[1,1,1..."
 * takes 20 times its size as objects, what a record can legally hold does not.
 */
static struct {
	struct arena arena;
	bool from_arena;
	size_t left; /* bytes that this line may still ask for */
} memory;

static void *
take(size_t n)
{
	if (n > memory.left)
		return NULL;
	memory.left -= n;
	if (memory.from_arena)
		return arena_take(&memory.arena, (n + 15) / 16 * 16);
	return malloc(n);
}

static void
give_back(void *p)
{
	if (!memory.from_arena)
		free(p);
}

static json_t *
load(const char *text, size_t len, size_t flags, char *why)
{
	json_error_t error;
	json_t *json;

	memory.left = MEMORY_BASE + MEMORY_FACTOR * len;
	memory.from_arena = len <= SHORT_LINE;
	json_set_alloc_funcs(take, give_back);
	json = json_loadb(text, len, FLAGS | flags, &error);
	if (json == NULL)
		(void)snprintf(why, JSONIN_WHY_SIZE,
		    "not JSON: column %d: %.*s", error.column, 100, error.text);
	return json;
}

static void
unload(json_t *json)
{
	json_decref(json);
	arena_reset(&memory.arena);
}

static bool
refuse(char *why, const char *member, const char *what)
{
	(void)snprintf(why, JSONIN_WHY_SIZE, "member \"%.40s\": %s", member,
	    what);
	return false;
}

/* A string as it is, or as base64, or null; into the arena. */
static bool
take_bytes(const json_t *json, const char *member, struct arena *arena,
    struct sblog_bytes *b, char *why)
{
	size_t name_len = strlen(member), len;
	bool base64 =
	    name_len > 4 && strcmp(member + name_len - 4, "_b64") == 0;
	unsigned char *bytes;

	*b = (struct sblog_bytes){ NULL, 0 };
	if (json_is_null(json) && !base64)
		return true;
	if (!json_is_string(json))
		return refuse(why, member, "not a string");
	len = json_string_length(json);
	/* One byte more: present and empty is not absent. */
	if ((bytes = arena_take(arena, len + 1)) == NULL)
		return refuse(why, member, "out of memory");
	if (!base64)
		memcpy(bytes, json_string_value(json), len);
	else if (!decode_base64(json_string_value(json), len, bytes, &len))
		return refuse(why, member, "not base64");
	*b = (struct sblog_bytes){ bytes, len };
	return true;
}

/* Take member or member_b64 of an object; which are taken counts in *np. */
static bool
take_either(const json_t *object, const char *member, struct arena *arena,
    struct sblog_bytes *b, size_t *np, char *why)
{
	const json_t *text, *base64;
	char name[16];

	(void)snprintf(name, sizeof(name), "%s_b64", member);
	text = json_object_get(object, member);
	base64 = json_object_get(object, name);
	*b = (struct sblog_bytes){ NULL, 0 };
	if (text != NULL && base64 != NULL)
		return refuse(why, member, "also given as base64");
	if (text == NULL && base64 == NULL)
		return true;
	(*np)++;
	if (text != NULL)
		return take_bytes(text, member, arena, b, why);
	return take_bytes(base64, name, arena, b, why);
}

static bool
take_number(const json_t *object, const char *member, int64_t min,
    int64_t *numberp, size_t *np, char *why)
{
	const json_t *json = json_object_get(object, member);

	if (json == NULL)
		return true;
	(*np)++;
	if (!json_is_integer(json))
		return refuse(why, member, "not an integer");
	if (json_integer_value(json) < min)
		return refuse(why, member, "out of range");
	*numberp = json_integer_value(json);
	return true;
}

static bool
take_headers(const json_t *object, struct arena *arena, struct sblog_bytes *run,
    size_t *np, char *why)
{
	const json_t *array = json_object_get(object, "headers");
	struct headers h = { .arena = arena };
	struct sblog_bytes name, value;
	const char *bad;
	size_t n;

	*run = (struct sblog_bytes){ NULL, 0 };
	if (array == NULL)
		return true;
	(*np)++;
	if (!json_is_array(array))
		return refuse(why, "headers", "not an array");
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *one = json_array_get(array, i);

		n = 0;
		if (!json_is_object(one))
			return refuse(why, "headers", "holds a non-object");
		if (!take_either(one, "key", arena, &name, &n, why) ||
		    !take_either(one, "value", arena, &value, &n, why))
			return false;
		if (n != 2 || json_object_size(one) != 2)
			return refuse(why, "headers",
			    "an object of it is not one key and one value");
		if ((bad = headers_add(&h, name, value)) != NULL)
			return refuse(why, "headers", bad);
	}
	*run = headers_bytes(&h);
	return true;
}

/* Name the member that is neither taken nor known. */
static bool
find_unknown(json_t *object, char *why)
{
	static const char *const known[] = { "topic", "offset", "pos", "ts",
		"user_ts", "key", "key_b64", "value", "value_b64", "headers" };
	const char *name;
	json_t *json;

	json_object_foreach(object, name, json)
	{
		size_t i = 0;

		while (i < sizeof(known) / sizeof(known[0]) &&
		    strcmp(known[i], name) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return refuse(why, name, "unknown");
	}
	return refuse(why, "?", "unknown");
}

static bool
take_record(json_t *object, struct arena *arena, struct sblog_record *rec,
    char *why)
{
	int64_t offset = -1, ignored;
	size_t n = 0;

	if (!json_is_object(object)) {
		(void)snprintf(why, JSONIN_WHY_SIZE, "not a JSON object");
		return false;
	}
	*rec = (struct sblog_record){
		.time_us = SBLOG_NO_TIME,
		.user_time_us = SBLOG_NO_TIME,
	};
	if (json_object_get(object, "topic") != NULL)
		n++; /* append goes to the topic on the command line */
	if (!take_number(object, "offset", 0, &offset, &n, why) ||
	    !take_number(object, "pos", 0, &ignored, &n, why) ||
	    !take_number(object, "ts", INT64_MIN + 1, &rec->time_us, &n, why) ||
	    !take_number(object, "user_ts", INT64_MIN + 1, &rec->user_time_us,
		&n, why) ||
	    !take_either(object, "key", arena, &rec->key, &n, why) ||
	    !take_either(object, "value", arena, &rec->value, &n, why) ||
	    !take_headers(object, arena, &rec->headers, &n, why))
		return false;
	rec->offset = offset < 0 ? SBLOG_NO_OFFSET : (uint64_t)offset;
	if (n != json_object_size(object))
		return find_unknown(object, why);
	return true;
}

bool
jsonin_record(const char *line, size_t len, struct arena *arena,
    struct sblog_record *rec, char why[JSONIN_WHY_SIZE])
{
	json_t *json = load(line, len, 0, why);
	bool ok = json != NULL && take_record(json, arena, rec, why);

	unload(json);
	return ok;
}

bool
jsonin_bytes(const char *text, size_t len, struct arena *arena,
    struct sblog_bytes *bytesp, char why[JSONIN_WHY_SIZE])
{
	json_t *json = load(text, len, JSON_DECODE_ANY, why);
	bool ok = json != NULL && take_bytes(json, "json", arena, bytesp, why);

	unload(json);
	return ok;
}
