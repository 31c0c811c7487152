/*
 * template.h - a format string with %-directives, taken apart; one grammar for
 * output (template_out.h) and input (template_in.h), see sblog-format(7).
 */
#ifndef CMD_TEMPLATE_H
#define CMD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum template_what {
	TEMPLATE_TEXT,         /* as it stands */
	TEMPLATE_VALUE,        /* %v */
	TEMPLATE_VALUE_LEN,    /* %V, -1: null */
	TEMPLATE_KEY,          /* %k */
	TEMPLATE_KEY_LEN,      /* %K, -1: none */
	TEMPLATE_TOPIC,        /* %t */
	TEMPLATE_OFFSET,       /* %o */
	TEMPLATE_POS,          /* %p, -1: no key */
	TEMPLATE_TIME,         /* %d */
	TEMPLATE_USER_TIME,    /* %D */
	TEMPLATE_HEADERS,      /* %h{...}: the next "inner" parts, per header */
	TEMPLATE_HEADER_COUNT, /* %H */
	TEMPLATE_START,        /* %[ */
	TEMPLATE_END,          /* %] */
	TEMPLATE_INDEX,        /* %i */
};

enum template_as {
	TEMPLATE_PLAIN,    /* bytes as they are, numbers in decimal */
	TEMPLATE_HEX,      /* {hex} */
	TEMPLATE_BASE64,   /* {base64} */
	TEMPLATE_JSON,     /* {json} */
	TEMPLATE_BINARY,   /* {big8} ... {little64} */
	TEMPLATE_US,       /* {us} */
	TEMPLATE_MS,       /* {ms} */
	TEMPLATE_S,        /* {s} */
	TEMPLATE_RFC3339,  /* {rfc3339} */
	TEMPLATE_STRFTIME, /* {strftime[...]}: its format is in text */
};

struct template_part {
	enum template_what what;
	enum template_as as;
	uint8_t width; /* binary: bytes */
	bool big;      /* binary: most significant byte first */
	size_t inner;  /* headers: how many parts behind this are theirs */
	const char *text;
	size_t len;
};

struct template
{
	struct template_part *parts;
	size_t n;
	char *text; /* all literal bytes */
};

enum {
	TEMPLATE_WHY_SIZE = 120, /* bytes for a message */
};

/*
 * Take a format string apart.  false: it is not one; why says where and what.
 * What it got is given back with template_free.
 */
bool template_parse(struct template *t, const char *s,
    char why[TEMPLATE_WHY_SIZE]);
void template_free(struct template *t);

/*
 * May input be cut into records by this?  false: why says what is ambiguous or
 * makes no sense there.
 */
bool template_fits_input(const struct template *t, char why[TEMPLATE_WHY_SIZE]);

/*
 * Does it need only what is in letters, as in "otdi%"?  Else the first letter
 * that is not, or 0.
 */
char template_foreign(const struct template *t, const char *letters);

/* The letter of a directive, 0 for text. */
char template_letter(enum template_what what);

#endif
