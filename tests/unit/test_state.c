/*
 * test_state.c - store/state: the page that processes share.
 */
#include "check.h"

#include <fcntl.h>
#include <string.h>

#include "store/state.h"

static const uint8_t topic[SB_ID_SIZE] = "fedcba987654321";
static const uint8_t boot[SB_ID_SIZE] = "this very boot!";

static uint64_t state = 1;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static int
here(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static struct sb_published
some_published(void)
{
	return (struct sb_published){
		.end = any(1u << 30),
		.wal_base = any(1000),
		.pos = any(1u << 30),
		.chain = any(1u << 30) << 33,
		.last_time = (int64_t)any(1u << 30),
		.generation = any(100),
		.ordinal = any(100),
		.zero_end = any(1u << 20),
		.indexed = any(1u << 20),
		.wal_count = any(1000),
		.wal_raw = any(100000),
		.wal_time = (int64_t)any(1u << 30),
		.wal_ino = any(1u << 30),
	};
}

static void
open_state(struct sb_state *s, int dir)
{
	struct sblog_err err;

	CHECK_U64(sb_state_open(s, dir, true, &err), 0);
	CHECK(s->map != NULL);
}

static void
create_state(struct sb_state *s, int dir)
{
	struct sblog_err err;

	CHECK_U64(sb_state_create(dir, topic, &err), 0);
	open_state(s, dir);
}

/* Thirteen words of 8 bytes: no padding. */
static void
check_published(const struct sb_state *s, const struct sb_published *want)
{
	struct sb_published got;

	CHECK(sb_state_read(s, topic, boot, &got));
	CHECK_BYTES(&got, want, sizeof(got));
}

static void
what_is_published_is_read(void)
{
	uint8_t other[SB_ID_SIZE] = { 1 }, unknown[SB_ID_SIZE] = { 0 };
	struct sb_published p = some_published(), got;
	struct sb_state s, reader;
	struct sblog_err err;
	int dir = here();
	uint64_t seq;

	CHECK_U64(sb_state_open(&s, dir, true, &err), 0);
	CHECK(s.map == NULL && !sb_state_read(&s, topic, boot, &got));
	CHECK_U64(sb_state_durable(&s, topic), 0);
	create_state(&s, dir);
	CHECK(!sb_state_read(&s, topic, boot, &got));
	sb_state_reset(&s, topic, boot, &p);
	check_published(&s, &p);
	CHECK_U64(sb_state_open(&reader, dir, false, &err), 0);
	for (int i = 0; i < 100; i++) {
		seq = sb_state_seq(&reader);
		p = some_published();
		sb_state_publish(&s, &p);
		check_published(&reader, &p);
		CHECK(sb_state_seq(&reader) != seq);
	}
	CHECK(!sb_state_read(&s, other, boot, &got));
	CHECK(!sb_state_read(&s, topic, other, &got));
	CHECK(!sb_state_read(&s, topic, unknown, &got));
	sb_state_close(&s);
	open_state(&s, dir);
	check_published(&s, &p);
	CHECK(sb_state_current(&reader));
	CHECK_U64(sb_state_create(dir, topic, &err), 0);
	CHECK(!sb_state_current(&reader));
	sb_state_close(&s);
	sb_state_close(&reader);
}

static void
flipped_bits_of_the_page_are_seen(void)
{
	struct sb_published p = some_published(), got;
	struct sb_state s;
	uint8_t *page;

	create_state(&s, here());
	sb_state_reset(&s, topic, boot, &p);
	sb_state_set_durable(&s, 1234, 5, 4096);
	page = s.map;
	for (size_t bit = 0; bit < 8 * (size_t)192; bit++) {
		bool read;

		page[bit / 8] ^= (uint8_t)(1u << bit % 8);
		read = sb_state_read(&s, topic, boot, &got);
		CHECK(!read || memcmp(&got, &p, sizeof(p)) == 0);
		/* Identity and words: never believed. */
		if (bit < 56 * 8 || (bit >= 72 * 8 && bit < 184 * 8))
			CHECK(!read);
		page[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 8 * (size_t)256; bit < 8 * (size_t)288; bit++) {
		uint64_t durable, synced;

		page[bit / 8] ^= (uint8_t)(1u << bit % 8);
		durable = sb_state_durable(&s, topic);
		synced = sb_state_synced(&s, 5);
		CHECK(durable == 0 || durable == 1234);
		CHECK(synced == 0 || synced == 4096);
		CHECK(durable == 0 || synced == 0);
		page[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	check_published(&s, &p);
	sb_state_close(&s);
}

static void
the_durable_end_only_goes_up(void)
{
	uint8_t other[SB_ID_SIZE] = { 1 }, next_boot[SB_ID_SIZE] = { 2 };
	struct sb_published p = some_published();
	uint64_t highest = 0;
	struct sb_state s;
	int dir = here();

	p.ordinal = 3;
	create_state(&s, dir);
	CHECK_U64(sb_state_durable(&s, topic), 0);
	sb_state_reset(&s, topic, boot, &p);
	for (int i = 0; i < 1000; i++) {
		uint64_t end = any(1u << 20);

		sb_state_set_durable(&s, end, 3, end * 2);
		highest = end > highest ? end : highest;
		CHECK_U64(sb_state_durable(&s, topic), highest);
		CHECK_U64(sb_state_synced(&s, 3), highest * 2);
	}
	CHECK_U64(sb_state_synced(&s, 4), 0);
	CHECK_U64(sb_state_durable(&s, other), 0);
	sb_state_close(&s);
	open_state(&s, dir);
	CHECK_U64(sb_state_durable(&s, topic), highest);
	/* Another boot: the position means nothing, the offset still holds. */
	sb_state_reset(&s, topic, next_boot, &p);
	CHECK_U64(sb_state_durable(&s, topic), highest);
	CHECK_U64(sb_state_synced(&s, 3), 0);
	sb_state_close(&s);
}

/* A damaged value has no check: it does not keep a right one out. */
static void
a_damaged_durable_end_is_replaced(void)
{
	struct sb_published p = some_published();
	struct sb_state s;
	uint8_t *page;

	p.ordinal = 1;
	create_state(&s, here());
	sb_state_reset(&s, topic, boot, &p);
	sb_state_set_durable(&s, 100, 1, 1000);
	page = s.map;
	page[256 + 6] = 0x7f;
	CHECK_U64(sb_state_durable(&s, topic), 0);
	sb_state_set_durable(&s, 90, 1, 900);
	CHECK_U64(sb_state_durable(&s, topic), 90);
	CHECK_U64(sb_state_synced(&s, 1), 1000);
	sb_state_close(&s);
}

static void
one_leads_and_dirt_is_seen(void)
{
	struct sb_state a, b;
	int dir = here();
	uint32_t round;

	create_state(&a, dir);
	open_state(&b, dir);
	CHECK(sb_state_lead(&a));
	CHECK(!sb_state_lead(&b));
	round = sb_state_round(&b);
	sb_state_led(&a, false);
	CHECK(sb_state_round(&b) != round);
	CHECK(sb_state_lead(&b));
	sb_state_led(&b, true);
	/* One that is silent is followed no longer, by whom it kept waiting. */
	CHECK(sb_state_lead(&a));
	CHECK(!sb_state_lead(&b));
	sb_state_follow(&b, sb_state_round(&b), 5000);
	CHECK(sb_state_lead(&b));
	CHECK(!sb_state_lead(&a));
	/* If it was only slow, it takes nothing from its successor. */
	sb_state_led(&a, false);
	CHECK(!sb_state_lead(&a));
	sb_state_led(&b, false);
	CHECK(sb_state_lead(&a));
	sb_state_led(&a, false);
	CHECK(!sb_state_dirty(&b));
	sb_state_set_dirty(&a, true);
	CHECK(sb_state_dirty(&b));
	sb_state_set_dirty(&b, false);
	CHECK(!sb_state_dirty(&a));
	sb_state_close(&a);
	sb_state_close(&b);
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "state: what is published is read",
		    what_is_published_is_read },
		{ "state: flipped bits are seen",
		    flipped_bits_of_the_page_are_seen },
		{ "state: the durable end only goes up",
		    the_durable_end_only_goes_up },
		{ "state: a damaged durable end is replaced",
		    a_damaged_durable_end_is_replaced },
		{ "state: one leads, dirt is seen",
		    one_leads_and_dirt_is_seen },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
