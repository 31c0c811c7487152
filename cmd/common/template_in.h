/*
 * template_in.h - cut records out of input by a %-template.
 */
#ifndef CMD_TEMPLATE_IN_H
#define CMD_TEMPLATE_IN_H

#include <stdbool.h>

#include <sblog.h>

#include "common/arena.h"
#include "common/jsonin.h"
#include "common/template.h"

enum template_in {
	TEMPLATE_IN_RECORD, /* one was there */
	TEMPLATE_IN_MORE,   /* it goes on behind what is there */
	TEMPLATE_IN_BAD,    /* the input does not look like this */
};

/*
 * Read the record at the front of data[0..len-1]; *usedp bytes are its own.
 * eof: nothing follows; then a literal text at the end of the template may be
 * missing.  Bytes that stand as they are are pointed to, others lie in the
 * arena.  What the template does not name is absent (SBLOG_NO_OFFSET,
 * SBLOG_NO_TIME).
 */
enum template_in template_read(const struct template *t, const char *data,
    size_t len, bool eof, struct arena *arena, struct sblog_record *rec,
    size_t *usedp, char why[JSONIN_WHY_SIZE]);

/* Text that ends each record, to find the next after a bad one; len 0: none. */
struct sblog_bytes template_last_text(const struct template *t);

#endif
