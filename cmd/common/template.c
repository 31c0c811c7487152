/*
 * template.c - a format string with %-directives, taken apart and checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encode.h"
#include "common/template.h"

/* Which forms in braces suit which directives. */
enum {
	OF_BYTES = 1,
	OF_NUMBER = 2,
	OF_TIME = 4,
};

static const struct directive {
	char letter;
	enum template_what what;
	unsigned kind; /* OF_*, 0: takes no form */
	bool in_header;
} directives[] = {
	{ 'v', TEMPLATE_VALUE, OF_BYTES, true },
	{ 'V', TEMPLATE_VALUE_LEN, OF_NUMBER, true },
	{ 'k', TEMPLATE_KEY, OF_BYTES, true },
	{ 'K', TEMPLATE_KEY_LEN, OF_NUMBER, true },
	{ 't', TEMPLATE_TOPIC, OF_BYTES, false },
	{ 'o', TEMPLATE_OFFSET, OF_NUMBER, false },
	{ 'p', TEMPLATE_POS, OF_NUMBER, false },
	{ 'd', TEMPLATE_TIME, OF_NUMBER | OF_TIME, false },
	{ 'D', TEMPLATE_USER_TIME, OF_NUMBER | OF_TIME, false },
	{ 'h', TEMPLATE_HEADERS, 0, false },
	{ 'H', TEMPLATE_HEADER_COUNT, OF_NUMBER, false },
	{ '[', TEMPLATE_START, OF_NUMBER, false },
	{ ']', TEMPLATE_END, OF_NUMBER, false },
	{ 'i', TEMPLATE_INDEX, OF_NUMBER, false },
};

static const struct form {
	const char *name;
	enum template_as as;
	unsigned kinds;
	uint8_t width;
	bool big;
} forms[] = {
	{ "hex", TEMPLATE_HEX, OF_BYTES | OF_NUMBER, 0, false },
	{ "base64", TEMPLATE_BASE64, OF_BYTES, 0, false },
	{ "json", TEMPLATE_JSON, OF_BYTES, 0, false },
	{ "big8", TEMPLATE_BINARY, OF_NUMBER, 1, true },
	{ "big16", TEMPLATE_BINARY, OF_NUMBER, 2, true },
	{ "big32", TEMPLATE_BINARY, OF_NUMBER, 4, true },
	{ "big64", TEMPLATE_BINARY, OF_NUMBER, 8, true },
	{ "little8", TEMPLATE_BINARY, OF_NUMBER, 1, false },
	{ "little16", TEMPLATE_BINARY, OF_NUMBER, 2, false },
	{ "little32", TEMPLATE_BINARY, OF_NUMBER, 4, false },
	{ "little64", TEMPLATE_BINARY, OF_NUMBER, 8, false },
	{ "us", TEMPLATE_US, OF_TIME, 0, false },
	{ "ms", TEMPLATE_MS, OF_TIME, 0, false },
	{ "s", TEMPLATE_S, OF_TIME, 0, false },
	{ "rfc3339", TEMPLATE_RFC3339, OF_TIME, 0, false },
};

/* Where the parser stands. */
struct parser {
	struct template *t;
	const char *start, *s;
	char *text;   /* next free byte of t->text */
	size_t fresh; /* parts before this one are closed: text is not joined */
	char *why;
};

static bool
refuse(struct parser *p, const char *what)
{
	(void)snprintf(p->why, TEMPLATE_WHY_SIZE, "byte %zu of the format: %s",
	    (size_t)(p->s - p->start), what);
	return false;
}

/* One byte of literal text, joined to the text before it. */
static void
add_char(struct parser *p, char c)
{
	struct template_part *last = NULL;

	if (p->t->n > p->fresh)
		last = &p->t->parts[p->t->n - 1];
	if (last == NULL || last->what != TEMPLATE_TEXT) {
		last = &p->t->parts[p->t->n++];
		*last = (struct template_part){ .text = p->text };
	}
	*p->text++ = c;
	last->len++;
}

/* What stands in the brackets of strftime[...]. */
static bool
parse_strftime(struct parser *p, struct template_part *part)
{
	const char *end = strstr(p->s, "]}");

	if (end == NULL)
		return refuse(p, "strftime[ without ]}");
	part->as = TEMPLATE_STRFTIME;
	part->text = p->text;
	part->len = (size_t)(end - p->s);
	memcpy(p->text, p->s, part->len);
	p->text += part->len;
	*p->text++ = '\0';
	p->s = end + 2;
	return true;
}

/* The form in braces behind a directive, if there is one. */
static bool
parse_form(struct parser *p, struct template_part *part, unsigned kind)
{
	size_t len;

	if (*p->s != '{' || kind == 0)
		return true;
	p->s++;
	if ((kind & OF_TIME) && strncmp(p->s, "strftime[", 9) == 0) {
		p->s += 9;
		return parse_strftime(p, part);
	}
	len = strcspn(p->s, "}");
	if (p->s[len] == '\0')
		return refuse(p, "{ without }");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strncmp(forms[i].name, p->s, len) != 0 ||
		    forms[i].name[len] != '\0')
			continue;
		if ((forms[i].kinds & kind) == 0)
			return refuse(p,
			    "this form does not suit the directive");
		part->as = forms[i].as;
		part->width = forms[i].width;
		part->big = forms[i].big;
		p->s += len + 1;
		return true;
	}
	return refuse(p, "unknown form in braces");
}

static bool parse_parts(struct parser *p, bool in_header);

/* %h{...}: what is between the braces, once per header. */
static bool
parse_headers(struct parser *p, size_t at)
{
	if (*p->s != '{')
		return refuse(p, "%h needs {...}");
	p->s++;
	if (!parse_parts(p, true))
		return false;
	if (*p->s != '}')
		return refuse(p, "%h{ without }");
	p->s++;
	p->fresh = p->t->n;
	p->t->parts[at].inner = p->t->n - at - 1;
	if (p->t->parts[at].inner == 0)
		return refuse(p, "%h{} says nothing about a header");
	return true;
}

static bool
parse_directive(struct parser *p, bool in_header)
{
	const struct directive *d = NULL;
	struct template_part *part;

	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (directives[i].letter == *p->s)
			d = &directives[i];
	if (d == NULL)
		return refuse(p, "unknown directive");
	if (in_header && !d->in_header)
		return refuse(p, "only %k %K %v %V may stand in %h{}");
	p->s++;
	part = &p->t->parts[p->t->n++];
	*part = (struct template_part){ .what = d->what };
	if (d->what == TEMPLATE_HEADERS)
		return parse_headers(p, p->t->n - 1);
	return parse_form(p, part, d->kind);
}

/* Up to the end, or to the } that closes %h{. */
static bool
parse_parts(struct parser *p, bool in_header)
{
	char c;

	p->fresh = p->t->n;
	while (*p->s != '\0' && !(in_header && *p->s == '}')) {
		c = *p->s++;
		if (c == '\\') {
			if (!decode_escape(&p->s, &c))
				return refuse(p, "unknown escape");
			add_char(p, c);
		} else if (c != '%') {
			add_char(p, c);
		} else if (*p->s == '%') {
			p->s++;
			add_char(p, '%');
		} else if (!parse_directive(p, in_header)) {
			return false;
		}
	}
	return true;
}

bool
template_parse(struct template *t, const char *s, char why[TEMPLATE_WHY_SIZE])
{
	size_t len = strlen(s);
	struct parser p = { .t = t, .start = s, .s = s, .why = why };

	/* Every part and every byte of text takes at least one of s. */
	*t = (struct template){ .n = 0 };
	t->parts = calloc(len + 1, sizeof(*t->parts));
	t->text = malloc(len + 1);
	if (t->parts == NULL || t->text == NULL) {
		(void)snprintf(why, TEMPLATE_WHY_SIZE, "out of memory");
	} else {
		p.text = t->text;
		if (parse_parts(&p, false))
			return true;
	}
	template_free(t);
	return false;
}

void
template_free(struct template *t)
{
	free(t->parts);
	free(t->text);
	*t = (struct template){ .n = 0 };
}

char
template_letter(enum template_what what)
{
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
		if (directives[i].what == what)
			return directives[i].letter;
	return 0;
}

char
template_foreign(const struct template *t, const char *letters)
{
	char c;

	for (size_t i = 0; i < t->n; i++) {
		c = template_letter(t->parts[i].what);
		if (c != 0 && strchr(letters, c) == NULL)
			return c;
	}
	return 0;
}

/* ---- may it be read back? ---- */

static bool
is_length_of(enum template_what len, enum template_what what)
{
	return (len == TEMPLATE_VALUE_LEN && what == TEMPLATE_VALUE) ||
	    (len == TEMPLATE_KEY_LEN && what == TEMPLATE_KEY) ||
	    (len == TEMPLATE_HEADER_COUNT && what == TEMPLATE_HEADERS);
}

/* Could c be part of what this directive prints? */
static bool
could_be_of(const struct template_part *part, char c)
{
	bool hex = decode_hex_digit(c) >= 0;
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	bool digit = c >= '0' && c <= '9';

	if (part->as == TEMPLATE_HEX)
		return hex;
	if (part->as == TEMPLATE_BASE64)
		return letter || digit || c == '+' || c == '/' || c == '=';
	if (part->what == TEMPLATE_VALUE || part->what == TEMPLATE_KEY)
		return false; /* the first occurrence ends it */
	if (part->as == TEMPLATE_RFC3339)
		return digit || strchr("-:.TZ+tz", c) != NULL;
	return digit || c == '-';
}

/* The next of the same level. */
static size_t
after(const struct template_part *parts, size_t i)
{
	return i + 1 + parts[i].inner;
}

/* Where does parts[i] end in the input? */
static bool
end_is_known(const struct template_part *parts, size_t n, size_t i)
{
	const struct template_part *part = &parts[i];

	if (part->what == TEMPLATE_TEXT || part->as == TEMPLATE_BINARY ||
	    part->as == TEMPLATE_JSON)
		return true;
	for (size_t j = 0; j < i; j = after(parts, j))
		if (is_length_of(parts[j].what, part->what))
			return true;
	return i + 1 < n && parts[i + 1].what == TEMPLATE_TEXT &&
	    !could_be_of(part, parts[i + 1].text[0]);
}

/* Is there another of the same, or its length, where it may not be? */
static bool
stands_alone(const struct template_part *parts, size_t i)
{
	for (size_t j = 0; j < i; j = after(parts, j))
		if (parts[i].what != TEMPLATE_TEXT &&
		    (parts[j].what == parts[i].what ||
			is_length_of(parts[i].what, parts[j].what)))
			return false;
	return true;
}

static bool
say(char why[TEMPLATE_WHY_SIZE], enum template_what what, const char *text)
{
	(void)snprintf(why, TEMPLATE_WHY_SIZE, "%%%c: %s",
	    template_letter(what), text);
	return false;
}

static bool
parts_fit(const struct template_part *parts, size_t n, char *why)
{
	bool counted = false;

	for (size_t i = 0; i < n; i = after(parts, i)) {
		if (parts[i].what == TEMPLATE_HEADER_COUNT)
			counted = true;
		if (strchr("t[]i", template_letter(parts[i].what)) != NULL &&
		    parts[i].what != TEMPLATE_TEXT)
			return say(why, parts[i].what, "for output only");
		if (parts[i].as == TEMPLATE_STRFTIME)
			return say(why, parts[i].what,
			    "strftime is for output only");
		if (!stands_alone(parts, i))
			return say(why, parts[i].what,
			    "twice, or its length behind it");
		if (parts[i].what == TEMPLATE_HEADERS && !counted)
			return say(why, parts[i].what,
			    "needs %H before it to be read");
		if (parts[i].what == TEMPLATE_HEADERS &&
		    !parts_fit(parts + i + 1, parts[i].inner, why))
			return false;
		if (parts[i].what != TEMPLATE_HEADERS &&
		    !end_is_known(parts, n, i))
			return say(why, parts[i].what,
			    "nothing says where it ends");
	}
	return true;
}

bool
template_fits_input(const struct template *t, char why[TEMPLATE_WHY_SIZE])
{
	bool data = false;

	for (size_t i = 0; i < t->n; i = after(t->parts, i))
		data = data || t->parts[i].what == TEMPLATE_VALUE ||
		    t->parts[i].what == TEMPLATE_KEY;
	if (!data) {
		(void)snprintf(why, TEMPLATE_WHY_SIZE,
		    "neither %%v nor %%k: there is nothing to append");
		return false;
	}
	return parts_fit(t->parts, t->n, why);
}
