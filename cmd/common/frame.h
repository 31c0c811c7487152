/*
 * frame.h - the format "frame": one record with all that belongs to it, as
 * length-prefixed binary.  sblog-format(7) is the specification.
 *
 * Little-endian, frames follow each other without gaps:
 *
 *	 0  u32  size         bytes that follow this field
 *	 4  u64  offset       offset of the record
 *	12  i64  time         append time, microseconds since 1970 UTC
 *	20  i64  user_time    INT64_MIN: none
 *	28  u32  key_len      bytes of the key + 1; 0: no key
 *	32  u32  headers_len  bytes of the encoded headers
 *	36  u32  value_len    bytes of the value + 1; 0: null
 *	40       key, headers, value
 *	    u64  hash         XXH3-64, seed 0, of all bytes before it
 *
 * headers is a run of headers, each: u16 length of the name, u32 length of the
 * value + 1 (0: null), name, value.
 */
#ifndef CMD_FRAME_H
#define CMD_FRAME_H

#include <sblog.h>

#include "common/out.h"

enum {
	FRAME_SIZE_AT = 0,
	FRAME_OFFSET_AT = 4,
	FRAME_TIME_AT = 12,
	FRAME_USER_TIME_AT = 20,
	FRAME_KEY_LEN_AT = 28,
	FRAME_HEADERS_LEN_AT = 32,
	FRAME_VALUE_LEN_AT = 36,
	FRAME_HEAD_SIZE = 40,
	FRAME_HASH_SIZE = 8,
	FRAME_REST_MIN = FRAME_HEAD_SIZE - 4 + FRAME_HASH_SIZE,
};

void frame_write(struct out *o, const struct sblog_record *rec);

/*
 * Bytes of the frame at the front of in[0..len-1], as far as it can be told: 0:
 * len is too short to say.  *whyp is set where no frame can begin like this.
 */
size_t frame_size(const unsigned char *in, size_t len, const char **whyp);

/*
 * Take apart a frame of size bytes; *rec points into it.  NULL, or what is
 * wrong with it.
 */
const char *frame_read(const unsigned char *in, size_t size,
    struct sblog_record *rec);

#endif
