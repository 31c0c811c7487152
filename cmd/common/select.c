/*
 * select.c - which records to read: by key, category, stream position, consumer
 * group member, correlation, header.
 */
#include "common/select.h"

#include <md5.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { LAST_STEP = 64 };

struct sblog_bytes
select_category(struct sblog_bytes key)
{
	const char *dash = key.len > 0 ? memchr(key.data, '-', key.len) : NULL;

	if (dash != NULL)
		key.len = (size_t)(dash - (const char *)key.data);
	return key;
}

struct sblog_bytes
select_id(struct sblog_bytes key)
{
	size_t skip = select_category(key).len;

	if (key.data == NULL || skip == key.len)
		return (struct sblog_bytes){ NULL, 0 };
	return (struct sblog_bytes){ (const char *)key.data + skip + 1,
		key.len - skip - 1 };
}

struct sblog_bytes
select_cardinal_id(struct sblog_bytes key)
{
	struct sblog_bytes id = select_id(key);
	const char *plus = id.len > 0 ? memchr(id.data, '+', id.len) : NULL;

	if (plus != NULL)
		id.len = (size_t)(plus - (const char *)id.data);
	return id;
}

uint64_t
select_hash(struct sblog_bytes id)
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	uint64_t h = 0;
	MD5_CTX ctx;

	MD5Init(&ctx);
	MD5Update(&ctx, id.data, id.len);
	MD5Final(digest, &ctx);
	for (int i = 0; i < 8; i++)
		h = h << 8 | digest[i];
	return h >> 63 != 0 ? -h : h;
}

struct sblog_bytes
select_header(struct sblog_bytes run, const char *name)
{
	size_t len = strlen(name);
	struct sblog_bytes n, value;

	while (sblog_headers_next(&run, &n, &value) == 0)
		if (n.len == len && memcmp(n.data, name, len) == 0)
			return value;
	return (struct sblog_bytes){ NULL, 0 };
}

/* Is "NAME=VALUE" among the headers of a record? */
static bool
has_header(struct sblog_bytes run, const char *item)
{
	const char *value = strchr(item, '=') + 1;
	size_t name_len = (size_t)(value - item) - 1, len = strlen(value);
	struct sblog_bytes name, content;

	while (sblog_headers_next(&run, &name, &content) == 0)
		if (name.len == name_len && content.data != NULL &&
		    content.len == len &&
		    memcmp(name.data, item, name_len) == 0 &&
		    memcmp(content.data, value, len) == 0)
			return true;
	return false;
}

static bool
same(struct sblog_bytes a, const char *text)
{
	return a.data != NULL && a.len == strlen(text) &&
	    memcmp(a.data, text, a.len) == 0;
}

static bool
is_member(const struct select *s, struct sblog_bytes key)
{
	struct sblog_bytes id = select_cardinal_id(key);

	/* In Message DB a stream without an id is nobody's. */
	if (id.data == NULL && !s->idless)
		return false;
	if (id.data == NULL)
		id = (struct sblog_bytes){ "", 0 };
	return select_hash(id) % s->member_count == s->member_index;
}

/* The category of what the metadata say the message belongs to. */
static bool
correlates(const struct select *s, const struct sblog_record *rec)
{
	struct sblog_bytes meta = select_header(rec->headers, "meta");
	const char *name;
	bool found = false;
	json_t *doc;
	size_t len;

	if (meta.data == NULL ||
	    (doc = json_loadb(meta.data, meta.len, JSON_ALLOW_NUL, NULL)) ==
		NULL)
		return false;
	name = json_string_value(json_object_get(doc, "correlationStreamName"));
	len = json_string_length(json_object_get(doc, "correlationStreamName"));
	if (name != NULL)
		found = same(select_category((struct sblog_bytes){ name, len }),
		    s->correlation);
	json_decref(doc);
	return found;
}

bool
select_filters(const struct select *s)
{
	return s->headers.count > 0 || s->member != NULL ||
	    s->correlation != NULL || s->latest;
}

bool
select_wanted(void *arg, const struct sblog_record *rec)
{
	const struct select *s = arg;

	if (s->latest && rec->value.data == NULL)
		return false;
	for (size_t i = 0; i < s->headers.count; i++)
		if (!has_header(rec->headers, s->headers.items[i]))
			return false;
	if (s->member != NULL && !is_member(s, rec->key))
		return false;
	return s->correlation == NULL || correlates(s, rec);
}

void
select_cursor(const struct select *s, struct sblog_cursor_opts *opts)
{
	const char *key = s->key != NULL ? s->key : s->category;

	if (key != NULL)
		opts->key = (struct sblog_bytes){ key, strlen(key) };
	opts->category = s->category != NULL;
	opts->by_pos = s->has_pos;
	opts->pos = s->pos;
	opts->latest = s->latest;
}

/* Newest record that is wanted in a range of offsets, or of positions. */
static int
last_in(const struct select *s, struct sblog_topic *topic,
    const struct sblog_cursor_opts *opts, uint64_t *offsetp,
    struct sblog_err *err)
{
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	int rc, found = SBLOG_END;

	if ((rc = sblog_cursor_open(&cur, topic, opts, err)) < 0)
		return rc;
	while ((rc = sblog_cursor_next(cur, &rec, err)) == 0) {
		if (!select_wanted((void *)(uintptr_t)s, &rec))
			continue;
		*offsetp = rec.offset;
		found = 0;
	}
	sblog_cursor_close(cur);
	return rc < 0 ? rc : found;
}

int
select_find_last(const struct select *s, struct sblog_topic *topic,
    struct sblog_cursor_opts *opts, struct sblog_err *err)
{
	struct sblog_cursor_opts part = *opts;
	uint64_t end = opts->to, start = opts->from, step = LAST_STEP, found;
	struct sblog_key_info info;
	int rc;

	if (s->key != NULL) {
		rc = sblog_key_find(topic, opts->key, &info, err);
		if (rc == SBLOG_ENOENT)
			return SBLOG_END;
		if (rc < 0)
			return rc;
	}
	/* Back in growing steps: of positions where there is a key. */
	for (uint64_t top = s->key != NULL ? info.next_pos : end;; step *= 4) {
		uint64_t low = top > step ? top - step : 0;

		part.from = s->key != NULL || low < start ? start : low;
		part.by_pos = s->key != NULL;
		part.pos = low;
		rc = last_in(s, topic, &part, &found, err);
		if (rc != SBLOG_END || low == 0 ||
		    (s->key == NULL && low <= start))
			break;
	}
	if (rc != 0)
		return rc;
	opts->from = found;
	opts->to = found + 1;
	opts->by_pos = 0;
	return 0;
}

/* "I/N" with I < N. */
static bool
parse_share(const char *text, uint64_t *ip, uint64_t *np)
{
	char *rest;

	if (*text < '0' || *text > '9')
		return false;
	*ip = strtoull(text, &rest, 10);
	if (*rest++ != '/' || *rest < '0' || *rest > '9')
		return false;
	*np = strtoull(rest, &rest, 10);
	return *rest == '\0' && *ip < *np && *np <= UINT32_MAX;
}

void
select_check(struct select *s, const struct cli *cli)
{
	for (size_t i = 0; i < s->headers.count; i++)
		if (strchr(s->headers.items[i], '=') == NULL)
			cli_misuse(cli, "--header: not NAME=VALUE: %s",
			    s->headers.items[i]);
	if (s->key != NULL && strlen(s->key) > SBLOG_KEY_MAX)
		cli_misuse(cli, "--key: over %d bytes", SBLOG_KEY_MAX);
	if (s->key != NULL && s->category != NULL)
		cli_misuse(cli, "--key and --category exclude each other");
	if (s->category != NULL && strchr(s->category, '-') != NULL)
		cli_misuse(cli, "--category: has a '-': %s", s->category);
	if (s->has_pos && s->key == NULL)
		cli_misuse(cli, "--pos goes with --key only");
	if (s->latest && s->category != NULL)
		cli_misuse(cli, "--latest and --category exclude each other");
	if (s->member != NULL &&
	    !parse_share(s->member, &s->member_index, &s->member_count))
		cli_misuse(cli, "--member: not I/N with I below N: %s",
		    s->member);
	if (s->idless && s->member == NULL)
		cli_misuse(cli, "--include-idless goes with --member only");
}
