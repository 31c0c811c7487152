/*
 * jsonin.h - the format "json" as input: one object a line; sblog-format(7).
 */
#ifndef CMD_JSONIN_H
#define CMD_JSONIN_H

#include <stdbool.h>

#include <sblog.h>

#include "common/arena.h"

enum {
	JSONIN_WHY_SIZE = 160, /* bytes for a message */
};

/*
 * Read one line without its newline.  Without "offset" or "ts" the record gets
 * SBLOG_NO_OFFSET or SBLOG_NO_TIME; its bytes lie in the arena.  false: why
 * says what is wrong.
 */
bool jsonin_record(const char *line, size_t len, struct arena *arena,
    struct sblog_record *rec, char why[JSONIN_WHY_SIZE]);

/* One JSON string or null, as {json} prints it, to bytes in the arena. */
bool jsonin_bytes(const char *text, size_t len, struct arena *arena,
    struct sblog_bytes *bytesp, char why[JSONIN_WHY_SIZE]);

#endif
