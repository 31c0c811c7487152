/*
 * fuzz_filehead.c - codec/filehead: what is decoded from a file head or a foot
 * of a segment with the right hash is decoded again from its encoding.
 *
 * Input: a byte that says which, and whether the hash is to be made right; 128
 * bytes.
 */
#include <string.h>

#include "base/le.h"
#include "codec/filehead.h"
#include "fuzz.h"

enum { SIZE = SB_FILE_HEAD_SIZE, POS = 1 << 20, MODE_REPAIR = 8 };

static void
check_head(uint8_t *bytes, const char *magic, bool repair)
{
	struct sb_file_head h, again;
	struct sb_cpu cpu = { 0 };
	const char *why;

	if (repair) {
		memcpy(bytes + 8, magic, 8);
		sb_put_u64(bytes, sb_hash64(&cpu, bytes + 8, SIZE - 8, 0));
	}
	if (sb_file_head_decode(&h, magic, bytes, &why) < 0) {
		MUST(why != NULL);
		return;
	}
	sb_file_head_encode(&h, bytes);
	MUST(sb_file_head_decode(&again, magic, bytes, &why) == 0);
	MUST(strcmp(again.magic, h.magic) == 0);
	MUST(memcmp(again.salt, h.salt, sizeof(h.salt)) == 0);
	MUST(memcmp(again.topic, h.topic, sizeof(h.topic)) == 0);
	MUST(again.base == h.base && again.chain == h.chain);
	MUST(again.created == h.created && again.head_size == h.head_size);
	MUST(again.count == h.count && again.body_hash == h.body_hash);
	MUST(again.body_size == h.body_size && again.of_size == h.of_size);
}

static void
check_foot(uint8_t *bytes, bool repair)
{
	struct sb_seg_foot f, again;
	struct sb_cpu cpu = { 0 };
	const char *why;

	if (repair) {
		memcpy(bytes + 8, SB_MAGIC_END, 8);
		sb_put_u64(bytes,
		    sb_hash64(&cpu, bytes + 8, SIZE - 8,
			sb_seed(fuzz_salt, POS, sb_get_u64(bytes + 16))));
	}
	if (sb_seg_foot_decode(&f, fuzz_salt, POS, bytes, &why) < 0) {
		MUST(why != NULL);
		return;
	}
	MUST(f.base <= f.next && f.blocks_end <= POS);
	sb_seg_foot_encode(&f, fuzz_salt, POS, bytes);
	MUST(sb_seg_foot_decode(&again, fuzz_salt, POS, bytes, &why) == 0);
	/* Ten numbers of 8 bytes: no padding. */
	MUST(memcmp(&again, &f, sizeof(f)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const magics[] = { SB_MAGIC_WAL, SB_MAGIC_SEG,
		SB_MAGIC_IDX, SB_MAGIC_WDX };
	uint8_t bytes[SIZE];
	bool repair;

	if (size < 1 + SIZE)
		return 0;
	memcpy(bytes, data + 1, SIZE);
	repair = (data[0] & MODE_REPAIR) != 0;
	if (data[0] % 8 < 4)
		check_head(bytes, magics[data[0] % 8], repair);
	else
		check_foot(bytes, repair);
	return 0;
}
