/*
 * condition.c - appends that depend on what is there, and at most once.
 *
 * Both are decided under lock.append, so that nothing comes between the question
 * and the append.  A token is a header of the first record of its batch: it is
 * there if and only if the batch is, through crashes and sealing, and it is found
 * by the key indexes.
 */
#include "log/condition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "codec/headers.h"
#include "log/keys.h"

static int
unmet(uint64_t actual, struct sblog_err *err, const char *what,
    uint64_t expected)
{
	char is[24] = "none", want[24] = "none";

	if (actual != SBLOG_NO_OFFSET)
		(void)snprintf(is, sizeof(is), "%" PRIu64, actual);
	if (expected != SBLOG_NO_OFFSET)
		(void)snprintf(want, sizeof(want), "%" PRIu64, expected);
	(void)sb_err_set(err, SBLOG_ECOND, "", "%s is %s, not %s", what, is,
	    want);
	err->offset = actual;
	return SBLOG_ECOND;
}

static int
check_key(struct sblog_topic *t, const struct sblog_expect *e,
    struct sblog_err *err)
{
	uint64_t actual = SBLOG_NO_OFFSET;
	struct sblog_key_info info;
	int rc = sblog_key_find(t, e->key, &info, err);

	if (rc < 0 && rc != SBLOG_ENOENT)
		return rc;
	if (e->kind == SBLOG_EXPECT_KEY_LAST) {
		if (rc == 0)
			actual = info.last;
		return actual == e->value
		    ? 0
		    : unmet(actual, err, "last offset of the key", e->value);
	}
	if (rc == 0)
		actual = info.next_pos - 1;
	return actual == e->value
	    ? 0
	    : unmet(actual, err, "last position of the key", e->value);
}

int
sb_conditions_hold(struct sblog_topic *t, uint64_t end,
    const struct sblog_expect *expect, size_t n, struct sblog_err *err)
{
	bool empty = end == t->manifest.start;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct sblog_expect *e = &expect[i];

		switch (e->kind) {
		case SBLOG_EXPECT_END:
			if (end != e->value)
				rc = unmet(end, err, "end", e->value);
			break;
		case SBLOG_EXPECT_EMPTY:
		case SBLOG_EXPECT_EXISTS:
			if (empty == (e->kind == SBLOG_EXPECT_EMPTY))
				break;
			rc = sb_err_set(err, SBLOG_ECOND, "",
			    empty ? "topic is empty"
				  : "topic is not empty: end is %" PRIu64,
			    end);
			err->offset = end;
			break;
		case SBLOG_EXPECT_KEY_LAST:
		case SBLOG_EXPECT_KEY_POS:
			rc = check_key(t, e, err);
			break;
		}
	}
	return rc;
}

int
sblog_expect_check(struct sblog_topic *t, const struct sblog_expect *expect,
    size_t n, struct sblog_err *err)
{
	struct sb_published p;
	int rc = sb_topic_peek(t, &p, err);

	return rc < 0 ? rc : sb_conditions_hold(t, p.end, expect, n, err);
}

/* ---- tokens ---- */

/* "COUNT TOKEN", so that a replay knows how many records it was. */
int
sb_once_header(struct sblog_topic *t, struct sblog_bytes token, size_t n,
    struct sblog_bytes *headers, struct sblog_err *err)
{
	const struct sblog_bytes name = { SB_HEADER_ONCE,
		sizeof(SB_HEADER_ONCE) - 1 };
	char value[24 + SBLOG_TOKEN_MAX];
	struct sblog_bytes all = { value, 0 };
	size_t len = 0;
	int digits;

	if (token.len == 0 || token.len > SBLOG_TOKEN_MAX)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "a token has 1 to %d bytes", SBLOG_TOKEN_MAX);
	digits = snprintf(value, 24, "%zu ", n);
	memcpy(value + digits, token.data, token.len);
	all.len = (size_t)digits + token.len;
	if (sb_buf_reserve(&t->once, 64 + all.len + headers->len) < 0)
		return sb_err_nomem(err);
	if (sblog_headers_add(t->once.data, t->once.size, &len, name, all) != 0)
		return sb_err_nomem(err);
	if (headers->len > 0)
		memcpy(t->once.data + len, headers->data, headers->len);
	*headers = (struct sblog_bytes){ t->once.data, len + headers->len };
	return 0;
}

/* Is the record the first one of a call with this token?  Then of how many. */
static bool
is_call(const struct sblog_record *rec, struct sblog_bytes token,
    uint64_t *countp)
{
	struct sblog_bytes run = rec->headers, value;
	size_t digits = 0;

	value = sb_headers_once(run);
	if (value.data == NULL)
		return false;
	while (digits < value.len && ((const char *)value.data)[digits] != ' ')
		digits++;
	return digits < value.len && sb_parse_u64(value.data, digits, countp) &&
	    value.len - digits - 1 == token.len &&
	    memcmp((const char *)value.data + digits + 1, token.data,
		token.len) == 0;
}

int
sb_once_find(struct sblog_topic *t, struct sblog_bytes token, uint64_t *firstp,
    uint64_t *nextp, struct sblog_err *err)
{
	struct sb_key key = sb_key_of_token(t->manifest.topic, token);
	int64_t now = sb_sys_time_us();
	struct sblog_record rec;
	uint64_t to, count;
	struct sb_posting p;
	int rc;

	if ((rc = sb_reader_look(t, &t->reader, UINT64_MAX, err)) < 0)
		return rc;
	for (to = t->reader->pub.end;; to = p.offset) {
		rc = sb_keys_last(t, t->reader, key, t->reader->manifest.start,
		    to, &p, NULL, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		rc = sb_reader_get(t, &t->reader, p.offset, p.pos, &rec, err);
		if (rc < 0 && rc != SBLOG_ENOENT)
			return rc;
		if (rc == 0 && is_call(&rec, token, &count))
			break;
	}
	if (t->config.dedup_window != SB_SETTING_NONE && rec.time_us < now &&
	    (uint64_t)(now - rec.time_us) > t->config.dedup_window)
		return 0;
	*firstp = rec.offset;
	*nextp = rec.offset + count;
	return SBLOG_REPLAYED;
}
