/*
 * filehead.c - the first 128 bytes of a file of the log, and a segment's foot.
 */
#include "codec/filehead.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"

void
sb_file_head_encode(const struct sb_file_head *h,
    uint8_t out[static SB_FILE_HEAD_SIZE])
{
	memset(out, 0, SB_FILE_HEAD_SIZE);
	memcpy(out + 8, h->magic, 8);
	out[16] = SB_FORMAT_MAJOR;
	out[18] = SB_FORMAT_MINOR;
	memcpy(out + 24, h->salt, SB_SALT_SIZE);
	memcpy(out + 40, h->topic, SB_ID_SIZE);
	sb_put_u64(out + 56, h->base);
	sb_put_u64(out + 64, h->chain);
	sb_put_u64(out + 72, (uint64_t)h->created);
	sb_put_u32(out + 80, h->head_size);
	sb_put_u64(out + 88, h->count);
	sb_put_u64(out + 96, h->body_hash);
	sb_put_u64(out + 104, h->body_size);
	sb_put_u64(out + 112, h->of_size);
	sb_put_u64(out, XXH3_64bits(out + 8, SB_FILE_HEAD_SIZE - 8));
}

int
sb_file_head_decode(struct sb_file_head *h, const char *magic,
    const uint8_t in[static SB_FILE_HEAD_SIZE], const char **whyp)
{
	*whyp = NULL;
	if (memcmp(in + 8, magic, 8) != 0) {
		*whyp = "not a file of the kind its name says";
		return SBLOG_EDAMAGE;
	}
	if (sb_get_u64(in) != XXH3_64bits(in + 8, SB_FILE_HEAD_SIZE - 8)) {
		*whyp = "file head checksum differs";
		return SBLOG_EDAMAGE;
	}
	if ((in[16] | in[17] << 8) != SB_FORMAT_MAJOR ||
	    sb_get_u32(in + 20) != 0) {
		*whyp = "written by a newer version of sblog";
		return SBLOG_EFORMAT;
	}
	memcpy(h->magic, in + 8, 8);
	h->magic[8] = '\0';
	memcpy(h->salt, in + 24, SB_SALT_SIZE);
	memcpy(h->topic, in + 40, SB_ID_SIZE);
	h->base = sb_get_u64(in + 56);
	h->chain = sb_get_u64(in + 64);
	h->created = (int64_t)sb_get_u64(in + 72);
	h->head_size = sb_get_u32(in + 80);
	h->count = sb_get_u64(in + 88);
	h->body_hash = sb_get_u64(in + 96);
	h->body_size = sb_get_u64(in + 104);
	h->of_size = sb_get_u64(in + 112);
	if (h->head_size < SB_FILE_HEAD_SIZE || h->head_size > 1 << 20 ||
	    h->head_size % 8 != 0) {
		*whyp = "file head contradicts itself";
		return SBLOG_EDAMAGE;
	}
	return 0;
}

void
sb_seg_foot_encode(const struct sb_seg_foot *f,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    uint8_t out[static SB_SEG_FOOT_SIZE])
{
	memset(out, 0, SB_SEG_FOOT_SIZE);
	memcpy(out + 8, SB_MAGIC_END, 8);
	sb_put_u64(out + 16, f->base);
	sb_put_u64(out + 24, f->next);
	sb_put_u64(out + 32, f->count);
	sb_put_u64(out + 40, f->batches);
	sb_put_u64(out + 48, f->raw);
	sb_put_u64(out + 56, f->chain);
	sb_put_u64(out + 64, f->end_chain);
	sb_put_u64(out + 72, (uint64_t)f->first_time);
	sb_put_u64(out + 80, (uint64_t)f->last_time);
	sb_put_u64(out + 88, f->blocks_end);
	sb_put_u64(out,
	    XXH3_64bits_withSeed(out + 8, SB_SEG_FOOT_SIZE - 8,
		sb_seed(salt, pos, f->base)));
}

int
sb_seg_foot_decode(struct sb_seg_foot *f,
    const uint8_t salt[static SB_SALT_SIZE], uint64_t pos,
    const uint8_t in[static SB_SEG_FOOT_SIZE], const char **whyp)
{
	uint64_t base = sb_get_u64(in + 16);

	*whyp = NULL;
	if (memcmp(in + 8, SB_MAGIC_END, 8) != 0) {
		*whyp = "segment has no foot";
		return SBLOG_EDAMAGE;
	}
	if (sb_get_u64(in) !=
	    XXH3_64bits_withSeed(in + 8, SB_SEG_FOOT_SIZE - 8,
		sb_seed(salt, pos, base))) {
		*whyp = "segment foot checksum differs";
		return SBLOG_EDAMAGE;
	}
	f->base = base;
	f->next = sb_get_u64(in + 24);
	f->count = sb_get_u64(in + 32);
	f->batches = sb_get_u64(in + 40);
	f->raw = sb_get_u64(in + 48);
	f->chain = sb_get_u64(in + 56);
	f->end_chain = sb_get_u64(in + 64);
	f->first_time = (int64_t)sb_get_u64(in + 72);
	f->last_time = (int64_t)sb_get_u64(in + 80);
	f->blocks_end = sb_get_u64(in + 88);
	if (f->base > f->next || f->count > f->next - f->base ||
	    f->blocks_end > pos) {
		*whyp = "segment foot contradicts itself";
		return SBLOG_EDAMAGE;
	}
	return 0;
}
