/*
 * chain.c - one number that stands for every record before an offset.
 */
#include "codec/chain.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"

#define NULL_VALUE UINT64_C(0x6e756c6c00000000)
#define P1 UINT64_C(0x9e3779b97f4a7c15)
#define P2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define P3 UINT64_C(0x9fb21c651e98df25)

static uint64_t
hash_bytes(struct sblog_bytes b)
{
	return XXH3_64bits(b.data, b.len);
}

static uint64_t
hash_record(const struct sblog_record *rec)
{
	uint64_t value = rec->value.data ? hash_bytes(rec->value) : NULL_VALUE;
	bool timed = rec->user_time_us != SBLOG_NO_TIME;
	uint8_t parts[40];

	if (rec->key.data == NULL && rec->headers.len == 0 && !timed)
		return value;
	sb_put_u64(parts, value);
	sb_put_u64(parts + 8, (rec->key.data ? 1u : 0u) + (timed ? 2u : 0u));
	sb_put_u64(parts + 16, rec->key.data ? hash_bytes(rec->key) : 0);
	sb_put_u64(parts + 24, rec->headers.len ? hash_bytes(rec->headers) : 0);
	sb_put_u64(parts + 32, timed ? (uint64_t)rec->user_time_us : 0);
	return XXH3_64bits(parts, sizeof(parts));
}

uint64_t
sb_chain_record(uint64_t chain, const struct sblog_record *rec)
{
	uint64_t h =
	    hash_record(rec) + rec->offset * P1 + (uint64_t)rec->time_us * P2;

	return (chain ^ h) * P3;
}

uint64_t
sb_chain_run(uint64_t chain, const uint8_t *data, const uint32_t *ends,
    size_t n, size_t delim_len, uint64_t offset, int64_t time_us)
{
	uint64_t place = offset * P1 + (uint64_t)time_us * P2;
	size_t pos = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t h = XXH3_64bits(data + pos, ends[i] - pos);

		chain = (chain ^ (h + place)) * P3;
		place += P1;
		pos = ends[i] + delim_len;
	}
	return chain;
}

uint64_t
sb_chain_even(uint64_t chain, const uint8_t *data, size_t len, size_t stride,
    size_t n, uint64_t offset, int64_t time_us)
{
	uint64_t place = offset * P1 + (uint64_t)time_us * P2;

	for (size_t i = 0; i < n; i++) {
		chain =
		    (chain ^ (XXH3_64bits(data + i * stride, len) + place)) *
		    P3;
		place += P1;
	}
	return chain;
}
