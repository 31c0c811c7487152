/*
 * format_out.h - print records in a format.
 */
#ifndef CMD_FORMAT_OUT_H
#define CMD_FORMAT_OUT_H

#include "common/format.h"
#include "common/out.h"
#include "common/template_out.h"

void format_out_record(const struct format *f, const struct record_context *c,
    const struct sblog_record *rec, struct out *o);

/*
 * Is the run of values what printing its records one by one would give?  Then
 * it can be written as it is.
 */
bool format_out_is_run(const struct format *f, const struct record_context *c,
    const struct sblog_batch *b);

#endif
