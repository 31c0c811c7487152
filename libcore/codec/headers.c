/*
 * headers.c - the encoded run of a record's headers.
 */
#include "codec/headers.h"

#include <string.h>

#include "base/le.h"

int
sblog_headers_add(void *buf, size_t size, size_t *lenp, struct sblog_bytes name,
    struct sblog_bytes value)
{
	uint8_t *at = (uint8_t *)buf + *lenp;
	size_t need;

	if (name.len == 0 || name.len > UINT16_MAX ||
	    value.len > SBLOG_HEADERS_MAX)
		return SBLOG_EINVAL;
	need = *lenp + SB_HEADER_FIXED + name.len + value.len;
	if (need > size) {
		*lenp = need;
		return SBLOG_EINVAL;
	}
	at[0] = (uint8_t)name.len;
	at[1] = (uint8_t)(name.len >> 8);
	sb_put_u32(at + 2, value.data ? (uint32_t)value.len + 1 : 0);
	memcpy(at + SB_HEADER_FIXED, name.data, name.len);
	if (value.len > 0)
		memcpy(at + SB_HEADER_FIXED + name.len, value.data, value.len);
	*lenp = need;
	return 0;
}

int
sblog_headers_next(struct sblog_bytes *run, struct sblog_bytes *namep,
    struct sblog_bytes *valuep)
{
	const uint8_t *at = run->data;
	size_t name_len, value_len;
	uint32_t entry;

	if (run->len == 0)
		return SBLOG_END;
	if (run->len < SB_HEADER_FIXED)
		return SBLOG_EDAMAGE;
	name_len = (size_t)at[0] | (size_t)at[1] << 8;
	entry = sb_get_u32(at + 2);
	value_len = entry ? entry - 1 : 0;
	if (name_len == 0 || name_len > run->len - SB_HEADER_FIXED ||
	    value_len > run->len - SB_HEADER_FIXED - name_len)
		return SBLOG_EDAMAGE;
	at += SB_HEADER_FIXED;
	*namep = (struct sblog_bytes){ .data = at, .len = name_len };
	*valuep = (struct sblog_bytes){
		.data = entry ? at + name_len : NULL,
		.len = value_len,
	};
	run->data = at + name_len + value_len;
	run->len -= SB_HEADER_FIXED + name_len + value_len;
	return 0;
}

bool
sb_headers_ok(struct sblog_bytes run)
{
	struct sblog_bytes name, value;
	int rc;

	while ((rc = sblog_headers_next(&run, &name, &value)) == 0)
		continue;
	return rc == SBLOG_END;
}

struct sblog_bytes
sb_headers_once(struct sblog_bytes run)
{
	static const char wanted[] = SB_HEADER_ONCE;
	struct sblog_bytes name, value;

	if (run.len == 0 || sblog_headers_next(&run, &name, &value) != 0 ||
	    name.len != sizeof(wanted) - 1 ||
	    memcmp(name.data, wanted, sizeof(wanted) - 1) != 0)
		return (struct sblog_bytes){ NULL, 0 };
	return value;
}

struct sblog_bytes
sb_once_token(struct sblog_bytes value)
{
	const char *at = value.data;
	size_t n = 0;

	while (n < value.len && at[n] != ' ')
		n++;
	n += n < value.len;
	return (struct sblog_bytes){ at + n, value.len - n };
}
