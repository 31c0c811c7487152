/*
 * group.c - one slot of a file of a consumer group: encode, decode, choose.
 */
#include "codec/group.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"
#include "codec/filehead.h"

#define MAGIC "sblogGRP"

enum {
	FLAGS = SB_SLOT_PARKED | SB_SLOT_UNDURABLE | SB_SLOT_NO_CHAIN |
	    SB_SLOT_REMOVED,
};

uint64_t
sb_slot_pos(uint64_t seq)
{
	return seq % 2 == 1 ? 0 : SB_SLOT_STRIDE;
}

size_t
sb_slot_encode(const struct sb_slot *s, const uint8_t topic[static SB_ID_SIZE],
    uint64_t name_hash, uint8_t *out)
{
	uint64_t seed = sb_seed(topic, sb_slot_pos(s->seq), name_hash);

	sb_assert(s->seq > 0 && s->note_len <= SBLOG_NOTE_MAX);
	memset(out, 0, SB_SLOT_HEAD_SIZE);
	memcpy(out + 8, MAGIC, 8);
	out[16] = SB_FORMAT_MAJOR;
	out[18] = SB_FORMAT_MINOR;
	memcpy(out + 24, topic, SB_ID_SIZE);
	sb_put_u64(out + 40, s->seq);
	sb_put_u64(out + 48, s->offset);
	sb_put_u64(out + 56, s->chain);
	sb_put_u64(out + 64, (uint64_t)s->time);
	sb_put_u64(out + 72, s->epoch);
	sb_put_u32(out + 80, s->shards);
	sb_put_u32(out + 84, s->flags);
	sb_put_u64(out + 88, s->of_epoch);
	if (s->note_len > 0)
		memcpy(out + SB_SLOT_HEAD_SIZE, s->note, s->note_len);
	sb_put_u64(out + 96,
	    XXH3_64bits_withSeed(out + SB_SLOT_HEAD_SIZE, s->note_len, seed));
	sb_put_u32(out + 104, s->note_len);
	sb_put_u64(out,
	    XXH3_64bits_withSeed(out + 8, SB_SLOT_HEAD_SIZE - 8, seed));
	return SB_SLOT_HEAD_SIZE + s->note_len;
}

static bool
all_zero(const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (in[i] != 0)
			return false;
	return true;
}

static void
load(struct sb_slot *s, const uint8_t *in)
{
	s->seq = sb_get_u64(in + 40);
	s->offset = sb_get_u64(in + 48);
	s->chain = sb_get_u64(in + 56);
	s->time = (int64_t)sb_get_u64(in + 64);
	s->epoch = sb_get_u64(in + 72);
	s->shards = sb_get_u32(in + 80);
	s->flags = sb_get_u32(in + 84);
	s->of_epoch = sb_get_u64(in + 88);
	s->note_len = sb_get_u32(in + 104);
	s->note = in + SB_SLOT_HEAD_SIZE;
}

enum sb_slot_state
sb_slot_decode(struct sb_slot *s, const uint8_t topic[static SB_ID_SIZE],
    uint64_t name_hash, uint64_t pos, const uint8_t *in, size_t len,
    const char **whyp)
{
	uint64_t seed = sb_seed(topic, pos, name_hash);

	*whyp = "slot is cut short";
	if (len < SB_SLOT_HEAD_SIZE)
		return SB_SLOT_BAD;
	*whyp = "slot is empty";
	if (all_zero(in, SB_SLOT_HEAD_SIZE))
		return SB_SLOT_BAD;
	*whyp = "slot checksum differs";
	if (sb_get_u64(in) !=
	    XXH3_64bits_withSeed(in + 8, SB_SLOT_HEAD_SIZE - 8, seed))
		return SB_SLOT_BAD;
	*whyp = "not a slot of a group";
	if (memcmp(in + 8, MAGIC, 8) != 0)
		return SB_SLOT_BAD;
	*whyp = "written by a newer version of sblog";
	if ((in[16] | in[17] << 8) != SB_FORMAT_MAJOR ||
	    sb_get_u32(in + 20) != 0)
		return SB_SLOT_NEWER;
	load(s, in);
	*whyp = "slot contradicts itself";
	if (memcmp(in + 24, topic, SB_ID_SIZE) != 0 || s->seq == 0 ||
	    sb_slot_pos(s->seq) != pos || s->note_len > SBLOG_NOTE_MAX ||
	    s->shards > SBLOG_SHARDS_MAX || (s->flags & ~(uint32_t)FLAGS) != 0)
		return SB_SLOT_BAD;
	*whyp = "checksum of the note differs";
	if (s->note_len > len - SB_SLOT_HEAD_SIZE ||
	    sb_get_u64(in + 96) !=
		XXH3_64bits_withSeed(s->note, s->note_len, seed) ||
	    memchr(s->note, '\0', s->note_len) != NULL) {
		s->note_len = 0;
		return SB_SLOT_NO_NOTE;
	}
	*whyp = NULL;
	return SB_SLOT_GOOD;
}

/* Is slot a, in this state, to be believed rather than b? */
static bool
better(const struct sb_slot *a, enum sb_slot_state state_a,
    const struct sb_slot *b, enum sb_slot_state state_b)
{
	if (state_a != state_b)
		return state_a < state_b;
	return a->seq > b->seq;
}

int
sb_slots_decode(struct sb_slots *s, const uint8_t topic[static SB_ID_SIZE],
    uint64_t name_hash, const uint8_t *in, size_t len)
{
	size_t second = len > SB_SLOT_STRIDE ? len - SB_SLOT_STRIDE : 0;
	size_t first = len < SB_SLOT_STRIDE ? len : SB_SLOT_STRIDE;
	struct sb_slot slot[2];
	enum sb_slot_state state[2];
	const char *why[2];
	int best;

	state[0] =
	    sb_slot_decode(&slot[0], topic, name_hash, 0, in, first, &why[0]);
	state[1] = sb_slot_decode(&slot[1], topic, name_hash, SB_SLOT_STRIDE,
	    second > 0 ? in + SB_SLOT_STRIDE : in, second, &why[1]);
	for (int i = 0; i < 2; i++) {
		if (state[i] == SB_SLOT_NEWER) {
			s->damaged_pos = i == 0 ? 0 : SB_SLOT_STRIDE;
			s->why = why[i];
			return SBLOG_EFORMAT;
		}
	}
	s->damaged = state[0] != SB_SLOT_GOOD || state[1] != SB_SLOT_GOOD;
	s->damaged_pos = state[0] != SB_SLOT_GOOD ? 0 : SB_SLOT_STRIDE;
	s->why = state[0] != SB_SLOT_GOOD ? why[0] : why[1];
	if (state[0] == SB_SLOT_BAD && state[1] == SB_SLOT_BAD)
		return SBLOG_EDAMAGE;
	if (state[0] == SB_SLOT_BAD || state[1] == SB_SLOT_BAD)
		best = state[0] == SB_SLOT_BAD ? 1 : 0;
	else
		best = better(&slot[0], state[0], &slot[1], state[1]) ? 0 : 1;
	s->now = slot[best];
	return 0;
}
