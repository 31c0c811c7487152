/*
 * batch.c - encode and decode the head of a batch, and hash its sections.
 */
#include "codec/batch.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"

static_assert(SB_BATCH_DELIM_AT + SBLOG_DELIM_MAX == SB_BATCH_HEAD_SIZE,
    "the delimiter is the last field");
static_assert(SB_BATCH_WIDTHS_AT + SB_COLS == SB_BATCH_FLAGS_AT,
    "one width for each column");

static uint64_t
hash_head(const uint8_t *head, const uint8_t salt[static SB_SALT_SIZE],
    uint64_t pos, uint64_t base)
{
	return XXH3_64bits_withSeed(head + SB_BATCH_MAGIC_AT,
	    SB_BATCH_HEAD_SIZE - SB_BATCH_MAGIC_AT, sb_seed(salt, pos, base));
}

void
sb_batch_encode(const struct sb_batch *b,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    uint8_t out[static SB_BATCH_HEAD_SIZE])
{
	sb_assert(b->total_size % SB_BATCH_ALIGN == 0);
	sb_assert(b->total_size <= SB_BATCH_TOTAL_MAX);

	sb_put_u32(out + SB_BATCH_MAGIC_AT, b->magic);
	sb_put_u32(out + SB_BATCH_COUNT_AT, b->count);
	sb_put_u64(out + SB_BATCH_BASE_AT, b->base);
	sb_put_u64(out + SB_BATCH_NEXT_AT, b->next);
	sb_put_u64(out + SB_BATCH_BASE_TIME_AT, (uint64_t)b->base_time);
	sb_put_u64(out + SB_BATCH_DURABLE_UPTO_AT, b->durable_upto);
	sb_put_u64(out + SB_BATCH_CHAIN_AT, b->chain);
	sb_put_u64(out + SB_BATCH_USER_TIME_MIN_AT, (uint64_t)b->user_time_min);
	sb_put_u64(out + SB_BATCH_COLUMNS_HASH_AT, b->columns_hash);
	sb_put_u64(out + SB_BATCH_VALUES_HASH_AT, b->values_hash);
	sb_put_u32(out + SB_BATCH_TOTAL_SIZE_AT,
	    (uint32_t)(b->total_size / SB_BATCH_ALIGN));
	sb_put_u32(out + SB_BATCH_COLUMNS_RAW_AT, b->columns_raw);
	sb_put_u32(out + SB_BATCH_COLUMNS_STORED_AT, b->columns_stored);
	sb_put_u32(out + SB_BATCH_VALUES_RAW_AT, b->values_raw);
	sb_put_u32(out + SB_BATCH_VALUES_STORED_AT, b->values_stored);
	sb_put_u32(out + SB_BATCH_VALUE_LEN_MIN_AT, b->value_len_min);
	sb_put_u32(out + SB_BATCH_KEY_LEN_MIN_AT, b->key_len_min);
	sb_put_u32(out + SB_BATCH_HEADER_LEN_MIN_AT, b->header_len_min);
	memcpy(out + SB_BATCH_WIDTHS_AT, b->width, SB_COLS);
	out[SB_BATCH_FLAGS_AT] = b->flags;
	out[SB_BATCH_DELIM_LEN_AT] = b->delim_len;
	memcpy(out + SB_BATCH_DELIM_AT, b->delim, SBLOG_DELIM_MAX);
	sb_put_u64(out + SB_BATCH_HEAD_HASH_AT,
	    hash_head(out, salt, pos, b->base));
}

void
sb_batch_load(struct sb_batch *b, const uint8_t in[static SB_BATCH_HEAD_SIZE])
{
	b->magic = sb_get_u32(in + SB_BATCH_MAGIC_AT);
	b->count = sb_get_u32(in + SB_BATCH_COUNT_AT);
	b->base = sb_get_u64(in + SB_BATCH_BASE_AT);
	b->next = sb_get_u64(in + SB_BATCH_NEXT_AT);
	b->base_time = (int64_t)sb_get_u64(in + SB_BATCH_BASE_TIME_AT);
	b->durable_upto = sb_get_u64(in + SB_BATCH_DURABLE_UPTO_AT);
	b->chain = sb_get_u64(in + SB_BATCH_CHAIN_AT);
	b->user_time_min = (int64_t)sb_get_u64(in + SB_BATCH_USER_TIME_MIN_AT);
	b->columns_hash = sb_get_u64(in + SB_BATCH_COLUMNS_HASH_AT);
	b->values_hash = sb_get_u64(in + SB_BATCH_VALUES_HASH_AT);
	b->total_size =
	    (uint64_t)sb_get_u32(in + SB_BATCH_TOTAL_SIZE_AT) * SB_BATCH_ALIGN;
	b->columns_raw = sb_get_u32(in + SB_BATCH_COLUMNS_RAW_AT);
	b->columns_stored = sb_get_u32(in + SB_BATCH_COLUMNS_STORED_AT);
	b->values_raw = sb_get_u32(in + SB_BATCH_VALUES_RAW_AT);
	b->values_stored = sb_get_u32(in + SB_BATCH_VALUES_STORED_AT);
	b->value_len_min = sb_get_u32(in + SB_BATCH_VALUE_LEN_MIN_AT);
	b->key_len_min = sb_get_u32(in + SB_BATCH_KEY_LEN_MIN_AT);
	b->header_len_min = sb_get_u32(in + SB_BATCH_HEADER_LEN_MIN_AT);
	memcpy(b->width, in + SB_BATCH_WIDTHS_AT, SB_COLS);
	b->flags = in[SB_BATCH_FLAGS_AT];
	b->delim_len = in[SB_BATCH_DELIM_LEN_AT];
	memcpy(b->delim, in + SB_BATCH_DELIM_AT, SBLOG_DELIM_MAX);
}

/* Entries of all columns must fit the columns section. */
static bool
widths_fit(const struct sb_batch *b)
{
	uint64_t entry = 0;

	for (int c = 0; c < SB_COLS; c++) {
		uint8_t w = b->width[c];

		if (w > 8 || (w & (w - 1)) != 0)
			return false;
		entry += w;
	}
	return entry * b->count <= b->columns_raw;
}

static bool
sizes_fit(const struct sb_batch *b)
{
	uint64_t used = sb_batch_used(b);

	if (b->columns_raw > SB_BATCH_SECTION_MAX ||
	    b->values_raw > SB_BATCH_SECTION_MAX ||
	    b->columns_stored > b->columns_raw ||
	    b->values_stored > b->values_raw)
		return false;
	if (!(b->flags & SB_BATCH_COLUMNS_LZ4) &&
	    b->columns_stored != b->columns_raw)
		return false;
	if (!(b->flags & SB_BATCH_VALUES_LZ4) &&
	    b->values_stored != b->values_raw)
		return false;
	return b->total_size >= used &&
	    b->total_size - used < SB_BATCH_BULK_ALIGN;
}

static bool
offsets_fit(const struct sb_batch *b)
{
	if (b->next > SB_OFFSET_MAX || b->base > b->next)
		return false;
	if (b->magic == SB_TRAILER_MAGIC)
		return b->count == 0 && b->base == b->next;
	return b->count > 0 && b->count <= SBLOG_BATCH_RECORDS_MAX &&
	    b->next - b->base >= b->count &&
	    (b->width[SB_COL_OFFSET] != 0 || b->next - b->base == b->count);
}

int
sb_batch_decode(struct sb_batch *b, const uint8_t salt[static SB_SALT_SIZE],
    uint64_t pos, const uint8_t in[static SB_BATCH_HEAD_SIZE],
    const char **whyp)
{
	uint32_t magic = sb_get_u32(in + SB_BATCH_MAGIC_AT);
	uint64_t base = sb_get_u64(in + SB_BATCH_BASE_AT);

	*whyp = NULL;
	if (magic != SB_BATCH_MAGIC && magic != SB_TRAILER_MAGIC) {
		*whyp = "no batch begins here";
		return SBLOG_EDAMAGE;
	}
	/* The hash comes before any field is believed: a damaged length must
	 * not send the reader to a forged head inside a value. */
	if (sb_get_u64(in + SB_BATCH_HEAD_HASH_AT) !=
	    hash_head(in, salt, pos, base)) {
		*whyp = "batch head checksum differs";
		return SBLOG_EDAMAGE;
	}
	sb_batch_load(b, in);
	if ((b->flags & ~SB_BATCH_FLAGS) != 0) {
		*whyp = "batch with flags this version does not know";
		return SBLOG_EFORMAT;
	}
	if (!widths_fit(b) || !sizes_fit(b) || !offsets_fit(b) ||
	    b->delim_len > SBLOG_DELIM_MAX || b->base_time < 0) {
		*whyp = "batch head contradicts itself";
		return SBLOG_EDAMAGE;
	}
	return 0;
}

uint64_t
sb_batch_hash_columns(struct sb_cpu *cpu, const struct sb_batch *b,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos, const void *data)
{
	return sb_hash64(cpu, data, b->columns_stored,
	    sb_seed(salt, pos, b->base) + 1);
}

uint64_t
sb_batch_hash_values(struct sb_cpu *cpu, const struct sb_batch *b,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos, const void *data)
{
	return sb_hash64(cpu, data, b->values_stored,
	    sb_seed(salt, pos, b->base) + 2);
}
