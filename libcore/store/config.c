/*
 * config.c - settings of a topic or of the store.
 *
 * One table says everything about a setting: name, default, how it is read and
 * written.  sblog-config(5).
 */
#include "store/config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum { CONFIG_MAX = 1 << 20, VALUE_SIZE = 64 }; /* bytes */

enum id {
	COMPRESSION,
	MAX_MESSAGE,
	MIN_FREE,
	READONLY,
	SEGMENT,
	SYNC,
	SETTINGS,
};

/* In bytewise order of names. */
static const struct setting {
	const char *name;
	const char *standard;
	const char *const *words; /* NULL: a size */
	uint64_t min, max;
} table[SETTINGS] = {
	[COMPRESSION] = { .name = "compression.type",
	    .standard = "lz4",
	    .words = (const char *const[]){ "none", "lz4", NULL } },
	[MAX_MESSAGE] = { .name = "max.message.bytes",
	    .standard = "64M",
	    .min = 1,
	    .max = SBLOG_VALUE_MAX },
	[MIN_FREE] = { .name = "min.free.bytes",
	    .standard = "0",
	    .min = 0,
	    .max = UINT64_C(1) << 60 },
	[READONLY] = { .name = "readonly",
	    .standard = "false",
	    .words = (const char *const[]){ "false", "true", NULL } },
	[SEGMENT] = { .name = "segment.bytes",
	    .standard = "1G",
	    .min = 64 << 10,
	    .max = UINT64_C(64) << 30 },
	[SYNC] = { .name = "sync",
	    .standard = "batch",
	    .words = (const char *const[]){ "batch", "record", "none", NULL } },
};

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

/* The value as a number: of the word, or the size. */
static bool
parse_value(int id, const char *text, size_t len, uint64_t *np)
{
	const struct setting *s = &table[id];

	if (s->words == NULL)
		return parse_size(text, len, np) && *np >= s->min &&
		    *np <= s->max;
	for (uint64_t i = 0; s->words[i] != NULL; i++) {
		if (strlen(s->words[i]) == len &&
		    memcmp(s->words[i], text, len) == 0) {
			*np = i;
			return true;
		}
	}
	return false;
}

static void
assign(struct sb_config *c, int id, uint64_t n,
    enum sblog_setting_origin origin)
{
	switch ((enum id)id) {
	case COMPRESSION:
		c->compression = n == 0 ? SBLOG_CODEC_NONE : SBLOG_CODEC_LZ4;
		break;
	case MAX_MESSAGE:
		c->max_message_bytes = n;
		break;
	case MIN_FREE:
		c->min_free_bytes = n;
		break;
	case READONLY:
		c->readonly = n != 0;
		break;
	case SEGMENT:
		c->segment_bytes = n;
		break;
	case SYNC:
		c->sync = n == 2 ? SBLOG_SYNC_NONE : SBLOG_SYNC_BATCH;
		c->sync_record = n == 1;
		break;
	case SETTINGS:
		break;
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
			assign(c, id, n, origin);
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
		bool ok = parse_value(i, table[i].standard,
		    strlen(table[i].standard), &n);

		sb_assert(ok);
		assign(c, i, n, SBLOG_FROM_DEFAULT);
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
format_size(uint64_t n, char out[VALUE_SIZE])
{
	static const char units[] = "KMGT";
	int u = -1;

	while (n != 0 && n % 1024 == 0 && u < 3) {
		n /= 1024;
		u++;
	}
	if (u < 0)
		(void)snprintf(out, VALUE_SIZE, "%" PRIu64, n);
	else
		(void)snprintf(out, VALUE_SIZE, "%" PRIu64 "%c", n, units[u]);
}

bool
sb_config_at(const struct sb_config *c, size_t i, const char **namep,
    char value[64], enum sblog_setting_origin *originp)
{
	uint64_t n = 0;

	if (i >= SETTINGS)
		return false;
	switch ((enum id)i) {
	case COMPRESSION:
		n = c->compression == SBLOG_CODEC_LZ4;
		break;
	case MAX_MESSAGE:
		n = c->max_message_bytes;
		break;
	case MIN_FREE:
		n = c->min_free_bytes;
		break;
	case READONLY:
		n = c->readonly;
		break;
	case SEGMENT:
		n = c->segment_bytes;
		break;
	case SYNC:
		n = c->sync == SBLOG_SYNC_NONE ? 2 : c->sync_record;
		break;
	case SETTINGS:
		break;
	}
	*namep = table[i].name;
	*originp = (enum sblog_setting_origin)c->origin[i];
	if (table[i].words != NULL)
		(void)snprintf(value, VALUE_SIZE, "%s", table[i].words[n]);
	else
		format_size(n, value);
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
