/*
 * fuzz_filehead.c - codec/filehead: file heads and segment feet.
 *
 * Hashes are repaired.  Property: what is accepted encodes back to the same
 * bytes, but for the fields that version 1 does not use.
 */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"
#include "codec/filehead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t salt[SB_SALT_SIZE] = { 9 };

static void
try_head(const uint8_t *data)
{
	uint8_t head[SB_FILE_HEAD_SIZE], again[SB_FILE_HEAD_SIZE];
	struct sb_file_head h, second;
	const char *why;

	memcpy(head, data, sizeof(head));
	memcpy(head + 8, SB_MAGIC_WAL, 8);
	sb_put_u64(head, XXH3_64bits(head + 8, sizeof(head) - 8));
	if (sb_file_head_decode(&h, SB_MAGIC_WAL, head, &why) < 0)
		return;
	sb_file_head_encode(&h, again);
	if (sb_file_head_decode(&second, SB_MAGIC_WAL, again, &why) < 0 ||
	    second.base != h.base || second.head_size != h.head_size ||
	    second.of_size != h.of_size)
		__builtin_trap();
}

static void
try_foot(const uint8_t *data)
{
	uint8_t foot[SB_SEG_FOOT_SIZE], again[SB_SEG_FOOT_SIZE];
	struct sb_seg_foot f;
	const char *why;

	memcpy(foot, data, sizeof(foot));
	memcpy(foot + 8, SB_MAGIC_END, 8);
	sb_put_u64(foot,
	    XXH3_64bits_withSeed(foot + 8, sizeof(foot) - 8,
		sb_seed(salt, 512, sb_get_u64(foot + 16))));
	if (sb_seg_foot_decode(&f, salt, 512, foot, &why) < 0)
		return;
	if (f.base > f.next || f.count > f.next - f.base)
		__builtin_trap();
	sb_seg_foot_encode(&f, salt, 512, again);
	if (memcmp(again, foot, 96) != 0 && sb_get_u64(foot + 96) == 0 &&
	    sb_get_u64(foot + 104) == 0 && sb_get_u64(foot + 112) == 0 &&
	    sb_get_u64(foot + 120) == 0)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < SB_FILE_HEAD_SIZE)
		return 0;
	try_head(data);
	try_foot(data);
	return 0;
}
