/*
 * headers.h - the encoded run of a record's headers.
 *
 * For each header: u16 length of the name (1 to 65535), u32 length of the value
 * plus 1 (0: no value), the name, the value; little-endian, no padding.
 */
#ifndef SB_CODEC_HEADERS_H
#define SB_CODEC_HEADERS_H

#include "sblog.h"

enum { SB_HEADER_FIXED = 6 };

/* Is this a whole number of encoded headers? */
bool sb_headers_ok(struct sblog_bytes run);

#endif
