/*
 * template_in.c - cut records out of input by a %-template.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/encode.h"
#include "common/headers.h"
#include "common/template_in.h"

enum {
	NUMBER_DIGITS_MAX = 20, /* of an int64_t, with its sign */
};

/* A length that no %K, %V or %H has told. */
#define NOT_TOLD INT64_MIN

struct reader {
	const char *at, *end;
	bool eof;
	struct arena *arena;
	char *why;
	int64_t value_len, key_len, headers; /* as told, or NOT_TOLD */
};

static enum template_in
bad(struct reader *r, const struct template_part *part, const char *what)
{
	char letter = template_letter(part->what);

	if (letter == 0)
		(void)snprintf(r->why, JSONIN_WHY_SIZE, "%s", what);
	else
		(void)snprintf(r->why, JSONIN_WHY_SIZE, "%%%c: %s", letter,
		    what);
	return TEMPLATE_IN_BAD;
}

/* The input is at its end, or goes on, within this part. */
static enum template_in
short_of(struct reader *r, const struct template_part *part)
{
	if (r->eof)
		return bad(r, part, "the input ends within a record");
	return TEMPLATE_IN_MORE;
}

/* The field up to the text behind it; at stays before that text. */
static enum template_in
take_until(struct reader *r, const struct template_part *part,
    const struct template_part *next, bool last, struct sblog_bytes *field)
{
	size_t left = (size_t)(r->end - r->at);
	const char *found = memmem(r->at, left, next->text, next->len);

	if (found == NULL && (!r->eof || !last))
		return short_of(r, part);
	*field = (struct sblog_bytes){ r->at, left };
	if (found != NULL)
		field->len = (size_t)(found - r->at);
	r->at += field->len;
	return TEMPLATE_IN_RECORD;
}

/* A JSON string or null says itself where it ends. */
static enum template_in
take_json(struct reader *r, const struct template_part *part,
    struct sblog_bytes *b)
{
	const char *s = r->at;

	if (s < r->end && *s == '"') {
		for (s++; s < r->end && *s != '"'; s++)
			if (*s == '\\' && s + 1 < r->end)
				s++;
		if (s == r->end)
			return short_of(r, part);
		s++;
	} else {
		if (r->end - s < 4)
			return short_of(r, part);
		s += 4;
	}
	if (!jsonin_bytes(r->at, (size_t)(s - r->at), r->arena, b, r->why))
		return TEMPLATE_IN_BAD;
	r->at = s;
	return TEMPLATE_IN_RECORD;
}

/* Bytes that n bytes of data have in this form. */
static size_t
encoded_size(const struct template_part *part, size_t n)
{
	if (part->as == TEMPLATE_HEX)
		return 2 * n;
	if (part->as == TEMPLATE_BASE64)
		return (n + 2) / 3 * 4;
	return n;
}

/* Take a field whose length is known or whose end is a text. */
static enum template_in
take_bytes(struct reader *r, const struct template_part *part,
    const struct template_part *next, bool last, int64_t told,
    struct sblog_bytes *b)
{
	enum template_in rc;
	unsigned char *buf;
	size_t size;
	bool ok;

	*b = (struct sblog_bytes){ NULL, 0 };
	if (part->as == TEMPLATE_JSON)
		return take_json(r, part, b);
	if (told == -1)
		return TEMPLATE_IN_RECORD; /* null */
	if (told != NOT_TOLD) {
		if (told < 0 || told > SBLOG_VALUE_MAX)
			return bad(r, part, "its length is out of range");
		size = encoded_size(part, (size_t)told);
		if ((size_t)(r->end - r->at) < size)
			return short_of(r, part);
		*b = (struct sblog_bytes){ r->at, size };
		r->at += size;
	} else if ((rc = take_until(r, part, next, last, b)) !=
	    TEMPLATE_IN_RECORD) {
		return rc;
	}
	if (part->as == TEMPLATE_PLAIN)
		return TEMPLATE_IN_RECORD;
	if ((buf = arena_take(r->arena, b->len + 1)) == NULL)
		return bad(r, part, "out of memory");
	size = b->len;
	ok = part->as == TEMPLATE_HEX
	    ? decode_hex(b->data, size, buf, &b->len)
	    : decode_base64(b->data, size, buf, &b->len);
	b->data = buf;
	return ok
	    ? TEMPLATE_IN_RECORD
	    : bad(r, part,
		  part->as == TEMPLATE_HEX ? "not hexadecimal" : "not base64");
}

static int64_t
sign_extend(uint64_t n, unsigned width)
{
	unsigned unused = 64 - 8 * width;

	return (int64_t)(n << unused) >> unused;
}

/* A number; *absentp: there was nothing before the text behind it. */
static enum template_in
take_number(struct reader *r, const struct template_part *part,
    const struct template_part *next, bool last, int64_t *n, bool *absentp)
{
	char text[NUMBER_DIGITS_MAX + 1], *end;
	struct sblog_bytes field;
	enum template_in rc;

	*absentp = false;
	if (part->as == TEMPLATE_BINARY) {
		if (r->end - r->at < part->width)
			return short_of(r, part);
		*n = sign_extend(decode_int((const unsigned char *)r->at,
				     part->width, part->big),
		    part->width);
		r->at += part->width;
		return TEMPLATE_IN_RECORD;
	}
	rc = take_until(r, part, next, last, &field);
	if (rc == TEMPLATE_IN_MORE && r->end - r->at > NUMBER_DIGITS_MAX)
		return bad(r, part, "not a number");
	if (rc != TEMPLATE_IN_RECORD)
		return rc;
	if ((*absentp = field.len == 0))
		return TEMPLATE_IN_RECORD;
	if (field.len >= sizeof(text))
		return bad(r, part, "not a number");
	memcpy(text, field.data, field.len);
	text[field.len] = '\0';
	*n = part->as == TEMPLATE_HEX ? (int64_t)strtoull(text, &end, 16)
				      : strtoll(text, &end, 10);
	if (*end != '\0' || text[0] == ' ' || text[0] == '+')
		return bad(r, part, "not a number");
	return TEMPLATE_IN_RECORD;
}

static int
two_digits(const char *s)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -1;
	return (s[0] - '0') * 10 + s[1] - '0';
}

/* "2025-11-20T22:06:31.123456Z", as %d{rfc3339} prints it. */
static bool
parse_rfc3339(const char *s, size_t len, int64_t *time_us)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
	struct tm tm = { .tm_isdst = 0 };
	int us;

	if (len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9'
				    : s[i] != shape[i])
			return false;
	tm.tm_year = two_digits(s) * 100 + two_digits(s + 2) - 1900;
	tm.tm_mon = two_digits(s + 5) - 1;
	tm.tm_mday = two_digits(s + 8);
	tm.tm_hour = two_digits(s + 11);
	tm.tm_min = two_digits(s + 14);
	tm.tm_sec = two_digits(s + 17);
	us = two_digits(s + 20) * 10000 + two_digits(s + 22) * 100 +
	    two_digits(s + 24);
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 60)
		return false;
	*time_us = (int64_t)timegm(&tm) * 1000000 + us;
	return true;
}

static enum template_in
take_time(struct reader *r, const struct template_part *part,
    const struct template_part *next, bool last, int64_t *time_us)
{
	int64_t factor = part->as == TEMPLATE_MS ? 1000
	    : part->as == TEMPLATE_S             ? 1000000
						 : 1;
	struct sblog_bytes field;
	enum template_in rc;
	bool absent;

	if (part->as != TEMPLATE_RFC3339) {
		rc = take_number(r, part, next, last, time_us, &absent);
		if (rc != TEMPLATE_IN_RECORD || absent ||
		    *time_us == SBLOG_NO_TIME)
			return rc;
		if (__builtin_mul_overflow(*time_us, factor, time_us))
			return bad(r, part, "out of range");
		return rc;
	}
	rc = take_until(r, part, next, last, &field);
	if (rc != TEMPLATE_IN_RECORD || field.len == 0)
		return rc;
	if (!parse_rfc3339(field.data, field.len, time_us))
		return bad(r, part, "not a time as {rfc3339} prints it");
	return rc;
}

/* A length or a count: it has to be there. */
static enum template_in
take_told(struct reader *r, const struct template_part *part,
    const struct template_part *next, bool last, int64_t *n)
{
	enum template_in rc;
	bool absent;

	rc = take_number(r, part, next, last, n, &absent);
	if (rc == TEMPLATE_IN_RECORD && (absent || *n == NOT_TOLD))
		return bad(r, part, "not a number");
	return rc;
}

static enum template_in read_parts(struct reader *r,
    const struct template_part *parts, size_t n, bool outer,
    struct sblog_record *rec);

static enum template_in
take_headers(struct reader *r, const struct template_part *part,
    struct sblog_record *rec)
{
	struct headers h = { .arena = r->arena };
	struct sblog_record one;
	struct reader inner = *r;
	enum template_in rc;
	const char *why;

	if (r->headers < 0 || r->headers > SBLOG_HEADERS_MAX)
		return bad(r, part, "the count of headers is out of range");
	for (int64_t i = 0; i < r->headers; i++) {
		inner.value_len = inner.key_len = NOT_TOLD;
		rc = read_parts(&inner, part + 1, part->inner, false, &one);
		if (rc != TEMPLATE_IN_RECORD)
			return rc;
		if ((why = headers_add(&h, one.key, one.value)) != NULL)
			return bad(r, part, why);
	}
	r->at = inner.at;
	rec->headers = headers_bytes(&h);
	return TEMPLATE_IN_RECORD;
}

/* last: only a text follows, and that may be missing at the end. */
static enum template_in
read_part(struct reader *r, const struct template_part *part, bool last,
    struct sblog_record *rec)
{
	const struct template_part *next = part + 1;
	size_t left = (size_t)(r->end - r->at);
	enum template_in rc;
	int64_t offset = 0;
	bool absent;

	switch (part->what) {
	case TEMPLATE_TEXT:
		if (left == 0 && r->eof && last)
			return TEMPLATE_IN_RECORD;
		if (memcmp(r->at, part->text,
			left < part->len ? left : part->len) != 0)
			return bad(r, part, "not the text of the format");
		if (left < part->len)
			return short_of(r, part);
		r->at += part->len;
		return TEMPLATE_IN_RECORD;
	case TEMPLATE_VALUE:
		return take_bytes(r, part, next, last, r->value_len,
		    &rec->value);
	case TEMPLATE_KEY:
		return take_bytes(r, part, next, last, r->key_len, &rec->key);
	case TEMPLATE_VALUE_LEN:
		return take_told(r, part, next, last, &r->value_len);
	case TEMPLATE_KEY_LEN:
		return take_told(r, part, next, last, &r->key_len);
	case TEMPLATE_HEADER_COUNT:
		return take_told(r, part, next, last, &r->headers);
	case TEMPLATE_HEADERS:
		return take_headers(r, part, rec);
	case TEMPLATE_TIME:
		return take_time(r, part, next, last, &rec->time_us);
	case TEMPLATE_USER_TIME:
		return take_time(r, part, next, last, &rec->user_time_us);
	case TEMPLATE_OFFSET:
		rc = take_number(r, part, next, last, &offset, &absent);
		if (rc == TEMPLATE_IN_RECORD && offset < 0)
			return bad(r, part, "out of range");
		rec->offset = absent ? SBLOG_NO_OFFSET : (uint64_t)offset;
		return rc;
	case TEMPLATE_TOPIC:
	case TEMPLATE_START:
	case TEMPLATE_END:
	case TEMPLATE_POS:
	case TEMPLATE_INDEX:
		break; /* template_fits_input refused them */
	}
	return bad(r, part, "for output only");
}

static enum template_in
read_parts(struct reader *r, const struct template_part *parts, size_t n,
    bool outer, struct sblog_record *rec)
{
	enum template_in rc;
	size_t after;
	bool last;

	*rec = (struct sblog_record){
		.offset = SBLOG_NO_OFFSET,
		.time_us = SBLOG_NO_TIME,
		.user_time_us = SBLOG_NO_TIME,
	};
	for (size_t i = 0; i < n; i = after) {
		after = i + 1 + parts[i].inner;
		last = outer &&
		    (after == n ||
			(after + 1 == n && parts[after].what == TEMPLATE_TEXT));
		rc = read_part(r, &parts[i], last, rec);
		if (rc != TEMPLATE_IN_RECORD)
			return rc;
	}
	return TEMPLATE_IN_RECORD;
}

enum template_in
template_read(const struct template *t, const char *data, size_t len, bool eof,
    struct arena *arena, struct sblog_record *rec, size_t *usedp,
    char why[JSONIN_WHY_SIZE])
{
	struct reader r = {
		.at = data,
		.end = data + len,
		.eof = eof,
		.arena = arena,
		.why = why,
		.value_len = NOT_TOLD,
		.key_len = NOT_TOLD,
		.headers = NOT_TOLD,
	};
	enum template_in rc = read_parts(&r, t->parts, t->n, true, rec);

	*usedp = (size_t)(r.at - data);
	return rc;
}

struct sblog_bytes
template_last_text(const struct template *t)
{
	const struct template_part *last = NULL;

	for (size_t i = 0; i < t->n; i += 1 + t->parts[i].inner)
		last = &t->parts[i];
	if (last == NULL || last->what != TEMPLATE_TEXT)
		return (struct sblog_bytes){ NULL, 0 };
	return (struct sblog_bytes){ last->text, last->len };
}
