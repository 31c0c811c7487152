/*
 * frame.c - the format "frame": records as length-prefixed binary.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/encode.h"
#include "common/frame.h"

#define FRAME_REST_MAX                                                  \
	((uint64_t)FRAME_REST_MIN + SBLOG_KEY_MAX + SBLOG_HEADERS_MAX + \
	    SBLOG_VALUE_MAX)

static void
put(unsigned char *at, uint64_t n, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (unsigned char)(n >> 8 * i);
}

static uint64_t
get(const unsigned char *at, unsigned width)
{
	return decode_int(at, width, false);
}

void
frame_write(struct out *o, const struct sblog_record *rec)
{
	size_t key = rec->key.data == NULL ? 0 : rec->key.len;
	size_t headers = rec->headers.data == NULL ? 0 : rec->headers.len;
	size_t value = rec->value.data == NULL ? 0 : rec->value.len;
	unsigned char head[FRAME_HEAD_SIZE], hash[FRAME_HASH_SIZE];
	XXH3_state_t state;

	put(head + FRAME_SIZE_AT, FRAME_REST_MIN + key + headers + value, 4);
	put(head + FRAME_OFFSET_AT, rec->offset, 8);
	put(head + FRAME_TIME_AT, (uint64_t)rec->time_us, 8);
	put(head + FRAME_USER_TIME_AT, (uint64_t)rec->user_time_us, 8);
	put(head + FRAME_KEY_LEN_AT, rec->key.data == NULL ? 0 : key + 1, 4);
	put(head + FRAME_HEADERS_LEN_AT, headers, 4);
	put(head + FRAME_VALUE_LEN_AT, rec->value.data == NULL ? 0 : value + 1,
	    4);

	XXH3_64bits_reset(&state);
	XXH3_64bits_update(&state, head, sizeof(head));
	if (key > 0)
		XXH3_64bits_update(&state, rec->key.data, key);
	if (headers > 0)
		XXH3_64bits_update(&state, rec->headers.data, headers);
	if (value > 0)
		XXH3_64bits_update(&state, rec->value.data, value);
	put(hash, XXH3_64bits_digest(&state), 8);

	out_bytes(o, head, sizeof(head));
	out_bytes(o, rec->key.data, key);
	out_bytes(o, rec->headers.data, headers);
	out_bytes(o, rec->value.data, value);
	out_bytes(o, hash, sizeof(hash));
}

size_t
frame_size(const unsigned char *in, size_t len, const char **whyp)
{
	uint64_t rest;

	*whyp = NULL;
	if (len < 4)
		return 0;
	rest = get(in + FRAME_SIZE_AT, 4);
	if (rest < FRAME_REST_MIN || rest > FRAME_REST_MAX)
		*whyp = "no frame begins here";
	else if (len < FRAME_HEAD_SIZE)
		return 0;
	return (size_t)rest + 4;
}

/* Do the bytes divide into headers without a rest? */
static bool
headers_ok(struct sblog_bytes run)
{
	struct sblog_bytes name, value;
	int rc;

	while ((rc = sblog_headers_next(&run, &name, &value)) == 0)
		continue;
	return rc == SBLOG_END;
}

const char *
frame_read(const unsigned char *in, size_t size, struct sblog_record *rec)
{
	uint64_t key = get(in + FRAME_KEY_LEN_AT, 4);
	uint64_t headers = get(in + FRAME_HEADERS_LEN_AT, 4);
	uint64_t value = get(in + FRAME_VALUE_LEN_AT, 4);
	const unsigned char *at = in + FRAME_HEAD_SIZE;

	if (XXH3_64bits(in, size - FRAME_HASH_SIZE) !=
	    get(in + size - FRAME_HASH_SIZE, 8))
		return "checksum of the frame differs";
	key -= key > 0;
	value -= value > 0;
	if (FRAME_HEAD_SIZE + key + headers + value + FRAME_HASH_SIZE != size)
		return "lengths in the frame do not add up";
	*rec = (struct sblog_record){
		.offset = get(in + FRAME_OFFSET_AT, 8),
		.time_us = (int64_t)get(in + FRAME_TIME_AT, 8),
		.user_time_us = (int64_t)get(in + FRAME_USER_TIME_AT, 8),
		.headers = { at + key, (size_t)headers },
	};
	if (get(in + FRAME_KEY_LEN_AT, 4) > 0)
		rec->key = (struct sblog_bytes){ at, (size_t)key };
	if (get(in + FRAME_VALUE_LEN_AT, 4) > 0)
		rec->value =
		    (struct sblog_bytes){ at + key + headers, (size_t)value };
	if (!headers_ok(rec->headers))
		return "headers in the frame are not well-formed";
	if (rec->headers.len == 0)
		rec->headers.data = NULL;
	return NULL;
}
