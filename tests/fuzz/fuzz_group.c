/*
 * fuzz_group.c - codec/group: what is decoded from a file of a group is encoded
 * to the same slot again, and one bit more or less is noticed.
 *
 * Input: a byte that says which hashes are to be made right (1, 2: heads, 4, 8:
 * notes) and whether the topic in them is (16); then the two slots, 1152 bytes
 * each at most, half of the rest each.
 */
#include <stdbool.h>
#include <string.h>

#include "base/le.h"
#include "codec/group.h"
#include "fuzz.h"

enum { NAME = 7, FILE_SIZE = SB_GROUP_FILE_SIZE };

static void
repair(uint8_t *slot, uint64_t pos, uint8_t mode, bool second)
{
	uint64_t seed = sb_seed(fuzz_salt, pos, NAME);
	uint32_t note = sb_get_u32(slot + 104);
	struct sb_cpu cpu = { 0 };

	if (mode & 16) {
		memcpy(slot + 8, "sblogGRP", 8);
		memcpy(slot + 24, fuzz_salt, SB_ID_SIZE);
		slot[16] = 1;
		slot[17] = 0;
		memset(slot + 20, 0, 4);
	}
	if ((mode & (second ? 8 : 4)) && note <= SBLOG_NOTE_MAX)
		sb_put_u64(slot + 96,
		    sb_hash64(&cpu, slot + SB_SLOT_HEAD_SIZE, note, seed));
	if (mode & (second ? 2 : 1))
		sb_put_u64(slot,
		    sb_hash64(&cpu, slot + 8, SB_SLOT_HEAD_SIZE - 8, seed));
}

static void
check_slot(const uint8_t *file, uint64_t pos, size_t len)
{
	struct sb_slot s, again;
	uint8_t bytes[SB_SLOT_SIZE], one;
	const char *why;
	enum sb_slot_state state =
	    sb_slot_decode(&s, fuzz_salt, NAME, pos, file + pos, len, &why);

	MUST((why == NULL) == (state == SB_SLOT_GOOD));
	if (state != SB_SLOT_GOOD)
		return;
	MUST(s.seq > 0 && sb_slot_pos(s.seq) == pos);
	MUST(s.note_len <= SBLOG_NOTE_MAX && s.shards <= SBLOG_SHARDS_MAX);
	len = sb_slot_encode(&s, fuzz_salt, NAME, bytes);
	MUST(sb_slot_decode(&again, fuzz_salt, NAME, pos, bytes, len, &why) ==
	    SB_SLOT_GOOD);
	MUST(again.seq == s.seq && again.offset == s.offset);
	MUST(again.chain == s.chain && again.time == s.time);
	MUST(again.epoch == s.epoch && again.of_epoch == s.of_epoch);
	MUST(again.shards == s.shards && again.flags == s.flags);
	MUST(again.note_len == s.note_len &&
	    memcmp(again.note, s.note, s.note_len) == 0);
	one = (uint8_t)(1u << s.offset % 8);
	bytes[s.chain % len] = (uint8_t)(bytes[s.chain % len] ^ one);
	MUST(sb_slot_decode(&again, fuzz_salt, NAME, pos, bytes, len, &why) !=
	    SB_SLOT_GOOD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t file[FILE_SIZE] = { 0 };
	struct sb_slots both;
	size_t half;
	int rc;

	if (size < 1)
		return 0;
	half = (size - 1) / 2;
	if (half > SB_SLOT_SIZE)
		half = SB_SLOT_SIZE;
	memcpy(file, data + 1, half);
	memcpy(file + SB_SLOT_STRIDE, data + 1 + half, half);
	repair(file, 0, data[0], false);
	repair(file + SB_SLOT_STRIDE, SB_SLOT_STRIDE, data[0], true);
	check_slot(file, 0, SB_SLOT_SIZE);
	check_slot(file, SB_SLOT_STRIDE, SB_SLOT_SIZE);
	rc = sb_slots_decode(&both, fuzz_salt, NAME, file, sizeof(file));
	MUST(rc == 0 || both.why != NULL);
	MUST(rc != 0 || both.now.seq > 0);
	/* However much of it there is. */
	rc = sb_slots_decode(&both, fuzz_salt, NAME, file,
	    (size_t)sb_get_u32(file + 40) % (sizeof(file) + 1));
	MUST(rc <= 0);
	return 0;
}
