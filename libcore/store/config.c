/*
 * config.c - settings of a topic or of the store.
 *
 * One table says everything about a setting: name, default, how it is read and
 * written.  sblog-config(5).
 */
#include "store/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum { CONFIG_MAX = 1 << 20 }; /* bytes */

enum kind {
	WORD,     /* one of words */
	SIZE,     /* bytes: 10, 64K, 1M */
	COUNT,    /* a plain number */
	DURATION, /* 250 is milliseconds; 90s, 1h30m, 7d; kept as microseconds */
	RATIO,    /* 0 to 1, in millionths */
	TEXT,     /* up to the end of the line */
};

static const char *const booleans[] = { "false", "true", NULL };

#define AT(field) offsetof(struct sb_config, field)
#define ANY(field) .at = AT(field), .max = UINT64_C(1) << 62, .none = true

/* In bytewise order of names. */
static const struct setting {
	const char *name;
	const char *standard;
	enum kind kind;
	bool none;                /* "none" (also "-1"): no limit */
	const char *const *words; /* of WORD, numbered from 0 */
	uint64_t min, max;
	size_t at; /* of the uint64_t in struct sb_config; TEXT: of the text */
} table[] = {
	{ "cleanup.policy", "delete", WORD, .at = AT(cleanup_policy),
	    .words = (const char *const[]){ "delete", "compact",
		"compact,delete", NULL } },
	{ "compact.unkeyed", "keep", WORD, .at = AT(compact_unkeyed),
	    .words = (const char *const[]){ "keep", "drop", NULL } },
	{ "compression.type", "lz4", WORD, .at = AT(compression),
	    .words = (const char *const[]){ "none", "lz4", NULL } },
	{ "dedup.window", "1d", DURATION, ANY(dedup_window) },
	{ "delete.retention.ms", "1d", DURATION, ANY(delete_retention) },
	{ "group.retention.ms", "none", DURATION, ANY(group_retention) },
	{ "hook.seal", "", TEXT, .at = AT(hook_seal) },
	{ "index.keys", "auto", WORD, .at = AT(index_keys),
	    .words = (const char *const[]){ "auto", "true", "false", NULL } },
	{ "max.message.bytes", "64M", SIZE, .at = AT(max_message_bytes),
	    .min = 1, .max = SBLOG_VALUE_MAX },
	{ "min.cleanable.dirty.ratio", "0.5", RATIO, .at = AT(min_dirty),
	    .max = 1000000 },
	{ "min.free.bytes", "0", SIZE, .at = AT(min_free_bytes),
	    .max = UINT64_C(1) << 60 },
	{ "readonly", "false", WORD, .at = AT(readonly), .words = booleans },
	{ "retention.bytes", "none", SIZE, ANY(retention_bytes) },
	{ "retention.groups", "true", WORD, .at = AT(retention_groups),
	    .words = booleans },
	{ "retention.ms", "none", DURATION, ANY(retention_time) },
	{ "retention.records", "none", COUNT, ANY(retention_records) },
	{ "segment.bytes", "1G", SIZE, .at = AT(segment_bytes), .min = 64 << 10,
	    .max = UINT64_C(64) << 30 },
	{ "segment.ms", "7d", DURATION, ANY(segment_time) },
	{ "sync", "batch", WORD, .at = AT(sync),
	    .words = (const char *const[]){ "batch", "record", "none", NULL } },
};

enum { SETTINGS = sizeof(table) / sizeof(table[0]) };

_Static_assert(sizeof(table) / sizeof(table[0]) <= SB_SETTINGS_MAX,
    "struct sb_config has no room");

static int
find(const char *name, size_t len)
{
	for (int i = 0; i < SETTINGS; i++)
		if (strlen(table[i].name) == len &&
		    memcmp(table[i].name, name, len) == 0)
			return i;
	return -1;
}

/* 10, 64K, 1M, 2G: a number and a power of 1024. */
static bool
parse_size(const char *text, size_t len, uint64_t *np)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n;

	if (len == 0)
		return false;
	unit = memchr(units, text[len - 1], sizeof(units) - 1);
	if (!sb_parse_u64(text, unit ? len - 1 : len, &n))
		return false;
	for (const char *u = units; unit != NULL && u <= unit; u++)
		if (!sb_mul_u64(n, 1024, &n))
			return false;
	*np = n;
	return true;
}

/* 250, 90s, 1h30m, 7d: microseconds. */
static bool
parse_duration(const char *text, size_t len, uint64_t *np)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = { { "us", 1 }, { "ms", 1000 }, { "s", 1000000 },
		{ "m", 60000000 }, { "h", UINT64_C(3600000000) },
		{ "d", UINT64_C(86400000000) },
		{ "w", UINT64_C(604800000000) } };
	const char *end = text + len;
	uint64_t n, sum = 0;

	if (sb_parse_u64(text, len, &n))
		return sb_mul_u64(n, 1000, np);
	while (text < end) {
		const char *digits = text, *unit;
		size_t u = 0;

		while (text < end && *text >= '0' && *text <= '9')
			text++;
		unit = text;
		while (text < end && *text >= 'a' && *text <= 'z')
			text++;
		while (u < sizeof(units) / sizeof(units[0]) &&
		    (strlen(units[u].name) != (size_t)(text - unit) ||
			memcmp(units[u].name, unit, (size_t)(text - unit)) !=
			    0))
			u++;
		if (u == sizeof(units) / sizeof(units[0]) ||
		    !sb_parse_u64(digits, (size_t)(unit - digits), &n) ||
		    !sb_mul_u64(n, units[u].us, &n) ||
		    !sb_add_u64(sum, n, &sum))
			return false;
	}
	*np = sum;
	return len > 0;
}

/* 0, 0.5, 1.0: millionths. */
static bool
parse_ratio(const char *text, size_t len, uint64_t *np)
{
	const char *dot = memchr(text, '.', len);
	size_t whole = dot ? (size_t)(dot - text) : len;
	size_t digits = dot ? len - whole - 1 : 0;
	uint64_t fraction = 0, n;

	if (digits > 6 || (dot != NULL && digits == 0) ||
	    (digits > 0 && !sb_parse_u64(dot + 1, digits, &fraction)) ||
	    !sb_parse_u64(text, whole, &n) || n > 1)
		return false;
	for (; digits < 6; digits++)
		fraction *= 10;
	*np = n * 1000000 + fraction;
	return true;
}

static bool
is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(word, text, len) == 0;
}

/* The value as a number: of the word, or what it measures. */
static bool
parse_value(int id, const char *text, size_t len, uint64_t *np)
{
	const struct setting *s = &table[id];
	bool ok = false;

	*np = 0;
	if (s->none &&
	    (is_word(text, len, "none") || is_word(text, len, "-1"))) {
		*np = SB_SETTING_NONE;
		return true;
	}
	switch (s->kind) {
	case WORD:
		while (
		    s->words[*np] != NULL && !is_word(text, len, s->words[*np]))
			++*np;
		return s->words[*np] != NULL;
	case TEXT:
		return len < SB_SETTING_SIZE && memchr(text, '\n', len) == NULL;
	case SIZE:
		ok = parse_size(text, len, np);
		break;
	case COUNT:
		ok = sb_parse_u64(text, len, np);
		break;
	case DURATION:
		ok = parse_duration(text, len, np);
		break;
	case RATIO:
		ok = parse_ratio(text, len, np);
		break;
	}
	return ok && *np >= s->min && *np <= s->max;
}

static void
assign(struct sb_config *c, int id, uint64_t n, const char *text, size_t len,
    enum sblog_setting_origin origin)
{
	void *field = (uint8_t *)c + table[id].at;

	if (table[id].kind == TEXT) {
		memcpy(field, text, len);
		((char *)field)[len] = '\0';
	} else {
		memcpy(field, &n, sizeof(n));
	}
	c->origin[id] = (uint8_t)origin;
}

/* One line, cut into name and value; name_len 0: nothing is set in it. */
struct line {
	const char *name, *value;
	size_t name_len, value_len;
};

static size_t
trim(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	while (
	    end > *at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	return (size_t)(end - *at);
}

static bool
cut_line(const char *at, const char *end, struct line *l)
{
	const char *equals;

	*l = (struct line){ .name = at };
	if (trim(&l->name, end) == 0 || l->name[0] == '#')
		return true;
	equals = memchr(at, '=', (size_t)(end - at));
	if (equals == NULL) {
		l->name_len = trim(&l->name, end);
		return false;
	}
	l->name_len = trim(&l->name, equals);
	l->value = equals + 1;
	l->value_len = trim(&l->value, end);
	return l->name_len > 0;
}

static int
bad_line(uint64_t pos, const struct line *l, const char *why,
    struct sblog_err *err)
{
	int rc = sb_err_set(err, SBLOG_EINVAL, SB_NAME_CONFIG, "%.*s: %s",
	    (int)(l->name_len < 60 ? l->name_len : 60), l->name, why);

	err->pos = pos;
	return rc;
}

static int
parse_text(struct sb_config *c, const char *text, size_t len,
    enum sblog_setting_origin origin, struct sblog_err *err)
{
	const char *at = text, *end = text + len;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct line l;
		uint64_t n;
		int id;

		stop = stop ? stop : end;
		if (!cut_line(at, stop, &l))
			return bad_line((uint64_t)(at - text), &l,
			    "not a line \"key = value\"", err);
		if (l.name_len > 0) {
			if ((id = find(l.name, l.name_len)) < 0)
				return bad_line((uint64_t)(at - text), &l,
				    "unknown setting", err);
			if (!parse_value(id, l.value, l.value_len, &n))
				return bad_line((uint64_t)(at - text), &l,
				    "bad value", err);
			assign(c, id, n, l.value, l.value_len, origin);
		}
		at = stop + 1;
	}
	return 0;
}

/* The text of the file; empty where there is none. */
static int
read_file(int dirfd, struct sb_buf *text, struct sblog_err *err)
{
	int fd = sb_sys_open(dirfd, SB_NAME_CONFIG, SB_OPEN_READ);
	int64_t n;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return sb_err_sys(err, SBLOG_EIO, fd, SB_NAME_CONFIG,
		    "cannot open");
	if (sb_buf_reserve(text, CONFIG_MAX > 4096 ? 4096 : CONFIG_MAX) < 0) {
		(void)sb_sys_close(&fd);
		return sb_err_nomem(err);
	}
	n = sb_sys_pread(fd, text->data, text->size, 0);
	while (n == (int64_t)text->size && text->size < CONFIG_MAX) {
		if (sb_buf_reserve(text, text->size * 2) < 0)
			break;
		n = sb_sys_pread(fd, text->data, text->size, 0);
	}
	(void)sb_sys_close(&fd); /* only read from */
	if (n < 0)
		return sb_err_sys(err, SBLOG_EIO, (int)n, SB_NAME_CONFIG,
		    "cannot read");
	text->len = (size_t)n;
	return 0;
}

static int
load_one(struct sb_config *c, int dirfd, enum sblog_setting_origin origin,
    struct sblog_err *err)
{
	struct sb_buf text = SB_BUF_INIT;
	int rc;

	if (dirfd < 0)
		return 0;
	if ((rc = read_file(dirfd, &text, err)) == 0)
		rc = parse_text(c, (const char *)text.data, text.len, origin,
		    err);
	sb_buf_release(&text);
	return rc;
}

static void
set_defaults(struct sb_config *c)
{
	uint64_t n = 0;

	for (int i = 0; i < SETTINGS; i++) {
		size_t len = strlen(table[i].standard);
		bool ok = parse_value(i, table[i].standard, len, &n);

		sb_assert(ok);
		assign(c, i, n, table[i].standard, len, SBLOG_FROM_DEFAULT);
	}
}

int
sb_config_load(struct sb_config *c, int storefd, int topicfd,
    struct sblog_err *err)
{
	int rc;

	set_defaults(c);
	if ((rc = load_one(c, storefd, SBLOG_FROM_STORE, err)) < 0)
		return rc;
	return load_one(c, topicfd, SBLOG_FROM_TOPIC, err);
}

/* A size in the largest unit that divides it. */
static void
format_size(uint64_t n, char out[SB_SETTING_SIZE])
{
	static const char units[] = "KMGT";
	int u = -1;

	while (n != 0 && n % 1024 == 0 && u < 3) {
		n /= 1024;
		u++;
	}
	if (u < 0)
		(void)snprintf(out, SB_SETTING_SIZE, "%" PRIu64, n);
	else
		(void)snprintf(out, SB_SETTING_SIZE, "%" PRIu64 "%c", n,
		    units[u]);
}

/* A duration in the largest unit that divides it. */
static void
format_duration(uint64_t us, char out[SB_SETTING_SIZE])
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = { { "d", UINT64_C(86400000000) },
		{ "h", UINT64_C(3600000000) }, { "m", 60000000 },
		{ "s", 1000000 }, { "ms", 1000 }, { "us", 1 } };
	size_t u = 0;

	while (us % units[u].us != 0 || (us == 0 && units[u].us != 1000))
		u++;
	(void)snprintf(out, SB_SETTING_SIZE, "%" PRIu64 "%s", us / units[u].us,
	    units[u].name);
}

/* 0.5, without zeros that say nothing. */
static void
format_ratio(uint64_t n, char out[SB_SETTING_SIZE])
{
	int digits = 6;

	while (digits > 0 && n % 10 == 0) {
		n /= 10;
		digits--;
	}
	if (digits == 0)
		(void)snprintf(out, SB_SETTING_SIZE, "%" PRIu64, n);
	else
		(void)snprintf(out, SB_SETTING_SIZE, "0.%0*" PRIu64, digits, n);
}

bool
sb_config_at(const struct sb_config *c, size_t i, const char **namep,
    char value[SB_SETTING_SIZE], enum sblog_setting_origin *originp)
{
	const struct setting *s = &table[i];
	const void *field;
	uint64_t n;

	if (i >= SETTINGS)
		return false;
	*namep = s->name;
	*originp = (enum sblog_setting_origin)c->origin[i];
	field = (const uint8_t *)c + s->at;
	if (s->kind == TEXT) {
		memcpy(value, field, SB_SETTING_SIZE);
		return true;
	}
	memcpy(&n, field, sizeof(n));
	if (s->none && n == SB_SETTING_NONE)
		(void)snprintf(value, SB_SETTING_SIZE, "none");
	else if (s->kind == WORD)
		(void)snprintf(value, SB_SETTING_SIZE, "%s", s->words[n]);
	else if (s->kind == SIZE)
		format_size(n, value);
	else if (s->kind == DURATION)
		format_duration(n, value);
	else if (s->kind == RATIO)
		format_ratio(n, value);
	else
		(void)snprintf(value, SB_SETTING_SIZE, "%" PRIu64, n);
	return true;
}

static int
check_set(const struct sblog_setting *set, size_t n, struct sblog_err *err)
{
	uint64_t v;
	int id;

	for (size_t i = 0; i < n; i++) {
		if ((id = find(set[i].name, strlen(set[i].name))) < 0)
			return sb_err_set(err, SBLOG_EINVAL, "",
			    "%.60s: unknown setting", set[i].name);
		if (set[i].value != NULL &&
		    !parse_value(id, set[i].value, strlen(set[i].value), &v))
			return sb_err_set(err, SBLOG_EINVAL, "",
			    "%s: bad value \"%.60s\"", set[i].name,
			    set[i].value);
	}
	return 0;
}

static bool
is_set_by(const struct line *l, const struct sblog_setting *set, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(set[i].name) == l->name_len &&
		    memcmp(set[i].name, l->name, l->name_len) == 0)
			return true;
	return false;
}

/* Lines that stay, then the new ones. */
static int
rewrite(const struct sb_buf *old, const struct sblog_setting *set, size_t n,
    struct sb_buf *text)
{
	const char *at = (const char *)old->data, *end = at + old->len;
	int rc = 0;

	while (rc == 0 && old->len > 0 && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct line l;

		stop = stop ? stop : end;
		if (!cut_line(at, stop, &l) || l.name_len == 0 ||
		    !is_set_by(&l, set, n)) {
			rc = sb_buf_add(text, at, (size_t)(stop - at));
			rc = rc < 0 ? rc : sb_buf_add(text, "\n", 1);
		}
		at = stop + 1;
	}
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (set[i].value != NULL)
			rc = sb_buf_addf(text, "%s = %s\n", set[i].name,
			    set[i].value);
	return rc;
}

int
sb_config_change(int dirfd, const struct sblog_setting *set, size_t n,
    bool dry_run, struct sblog_err *err)
{
	struct sb_buf old = SB_BUF_INIT, text = SB_BUF_INIT;
	struct sb_tmp file = SB_TMP_INIT;
	int rc;

	if ((rc = check_set(set, n, err)) < 0 || dry_run || n == 0)
		return rc;
	if ((rc = read_file(dirfd, &old, err)) < 0)
		goto out;
	if (rewrite(&old, set, n, &text) < 0) {
		rc = sb_err_nomem(err);
		goto out;
	}
	if ((rc = sb_tmp_create(&file, dirfd, SB_NAME_CONFIG, err)) < 0 ||
	    (rc = sb_tmp_write(&file, sb_buf_bytes(&text), 0, err)) < 0)
		goto out;
	rc = sb_tmp_commit(&file, SB_TMP_REPLACE, err);
out:
	sb_tmp_discard(&file);
	sb_buf_release(&old);
	sb_buf_release(&text);
	return rc;
}
