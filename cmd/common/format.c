/*
 * format.c - the formats of -f: what they are called.
 */
#include <stdio.h>
#include <string.h>

#include "common/encode.h"
#include "common/format.h"

static const struct name {
	const char *name;
	enum format_kind kind;
	bool input, output;
} names[] = {
	{ "lines", FORMAT_LINES, true, true },
	{ "nul", FORMAT_LINES, true, true },
	{ "whole", FORMAT_WHOLE, true, false },
	{ "raw", FORMAT_WHOLE, false, true },
	{ "json", FORMAT_JSON, true, true },
	{ "frame", FORMAT_FRAME, true, true },
	{ "hex", FORMAT_HEX, false, true },
};

static bool
refuse(char why[TEMPLATE_WHY_SIZE], const char *what)
{
	(void)snprintf(why, TEMPLATE_WHY_SIZE, "%s", what);
	return false;
}

/* Bytes of an option with escapes; -1: not well-formed or over size. */
static int
unescape(const char *s, char *buf, size_t size)
{
	size_t n = 0;
	char c;

	while (*s != '\0') {
		c = *s++;
		if (n == size || (c == '\\' && !decode_escape(&s, &c)))
			return -1;
		buf[n++] = c;
	}
	return (int)n;
}

static bool
find_name(struct format *f, enum format_use use, const char *name, char *why)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) != 0)
			continue;
		if (use == FORMAT_FOR_INPUT ? !names[i].input
					    : !names[i].output) {
			(void)snprintf(why, TEMPLATE_WHY_SIZE,
			    "format %s is for %s only", name,
			    names[i].input ? "append" : "read");
			return false;
		}
		f->kind = names[i].kind;
		f->delim[0] = strcmp(name, "nul") == 0 ? '\0' : '\n';
		return true;
	}
	(void)snprintf(why, TEMPLATE_WHY_SIZE, "unknown format: %.80s", name);
	return false;
}

static bool
parse_template(struct format *f, enum format_use use, const char *s, char *why)
{
	f->kind = FORMAT_TEMPLATE;
	if (!template_parse(&f->template, s, why))
		return false;
	if (use == FORMAT_FOR_OUTPUT || template_fits_input(&f->template, why))
		return true;
	format_free(f);
	return false;
}

bool
format_parse(struct format *f, enum format_use use, const char *name,
    const char *delim, const char *separator, char why[TEMPLATE_WHY_SIZE])
{
	bool lines;
	int n;

	*f = (struct format){ .delim = "\n", .delim_len = 1 };
	if (name == NULL)
		name = "lines";
	lines = strcmp(name, "lines") == 0;
	if (strchr(name, '%') != NULL) {
		if (!parse_template(f, use, name, why))
			return false;
	} else if (!find_name(f, use, name, why)) {
		return false;
	}
	if (delim != NULL) {
		n = unescape(delim, f->delim, sizeof(f->delim));
		if (!lines)
			refuse(why, "a delimiter goes with format lines only");
		else if (n <= 0)
			refuse(why, "a delimiter has 1 to 8 bytes");
		if (!lines || n <= 0)
			goto refused;
		f->delim_len = (uint8_t)n;
	}
	if (separator != NULL) {
		n = unescape(separator, f->separator, sizeof(f->separator));
		if (f->kind != FORMAT_LINES)
			refuse(why,
			    "a key separator goes with lines and nul "
			    "only");
		else if (n <= 0)
			refuse(why, "a key separator has 1 to 64 bytes");
		if (f->kind != FORMAT_LINES || n <= 0)
			goto refused;
		f->separator_len = (size_t)n;
	}
	return true;
refused:
	format_free(f);
	return false;
}

void
format_free(struct format *f)
{
	template_free(&f->template);
}
