/*
 * format.h - the formats of -f, one grammar for append and read; see
 * sblog-format(7).
 */
#ifndef CMD_FORMAT_H
#define CMD_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <sblog.h>

#include "common/template.h"

enum format_kind {
	FORMAT_LINES,    /* value, delimiter; also "nul" */
	FORMAT_WHOLE,    /* append: all input is one value; read: "raw" */
	FORMAT_JSON,     /* one JSON object a line */
	FORMAT_FRAME,    /* length-prefixed binary */
	FORMAT_TEMPLATE, /* with % */
	FORMAT_HEX,      /* for people */
};

enum format_use {
	FORMAT_FOR_INPUT,
	FORMAT_FOR_OUTPUT,
};

enum {
	FORMAT_SEPARATOR_MAX = 64, /* bytes between key and value */
};

struct format {
	enum format_kind kind;
	char delim[SBLOG_DELIM_MAX]; /* lines */
	uint8_t delim_len;
	char separator[FORMAT_SEPARATOR_MAX]; /* lines */
	size_t separator_len;                 /* 0: keys do not appear */
	struct template template;
};

/*
 * Understand -f NAME, -d DELIM and -K SEPARATOR, each NULL if not given, with
 * the escapes of a template.  false: why says what is wrong.  The caller calls
 * format_free.
 */
bool format_parse(struct format *f, enum format_use use, const char *name,
    const char *delim, const char *separator, char why[TEMPLATE_WHY_SIZE]);
void format_free(struct format *f);

#endif
