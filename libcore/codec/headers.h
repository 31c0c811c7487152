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

/* The header of the first record of a call with a token. */
#define SB_HEADER_ONCE "sblog.once"

/* Its value where it is the first one of a run; data NULL if it is not. */
struct sblog_bytes sb_headers_once(struct sblog_bytes run);

/* The token in that value, behind the number of records: len 0 if it has none. */
struct sblog_bytes sb_once_token(struct sblog_bytes value);

/* Is this a whole number of encoded headers? */
bool sb_headers_ok(struct sblog_bytes run);

#endif
