/*
 * test_group.c - consumer groups: slots, commits against a model, leases,
 * divergence, what recovery and retention see of them.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "codec/chain.h"
#include "codec/group.h"
#include "log/group.h"
#include "sblog.h"
#include "store/group.h"

static struct sblog_store *store;
static struct sblog_topic *topic;
static struct sblog_err err;
static uint64_t state = 88172645463325252u;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static void
good(int rc, const char *what)
{
	if (rc != 0)
		CHECK_STR(err.msg, what);
	CHECK_U64(rc, 0);
}

static void
open_topic(void)
{
	struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = 2000 };

	good(sblog_store_open(&store, "s", &opts, &err), "store");
	good(sblog_topic_open(&topic, store, "t", SBLOG_CREATE, &err), "topic");
}

static void
close_topic(void)
{
	sblog_topic_close(topic);
	sblog_store_close(store);
}

static void
append(uint64_t n, enum sblog_sync sync, const char *what)
{
	struct sblog_append_opts opts = { .sync = sync };
	struct sblog_record recs[100];
	char text[100][32];
	uint64_t first;

	CHECK(n <= 100);
	for (uint64_t i = 0; i < n; i++) {
		int len = snprintf(text[i], sizeof(text[i]),
		    "%s %" PRIu64 " %" PRIu64, what, i, any(1000));

		recs[i] = (struct sblog_record){
			.user_time_us = SBLOG_NO_TIME,
			.value = { text[i], (size_t)len },
		};
		if (any(4) == 0)
			recs[i].key = (struct sblog_bytes){ text[i], 2 };
	}
	good(sblog_append(topic, recs, n, &opts, &first, &err), "append");
}

static uint64_t
end_of(void)
{
	struct sblog_info info;

	good(sblog_topic_info(topic, &info, &err), "info");
	return info.end;
}

/* ---- slots ---- */

static const uint8_t id[16] = "0123456789abcdef";

static struct sb_slot
some_slot(uint64_t seq, const uint8_t *note)
{
	return (struct sb_slot){
		.seq = seq,
		.offset = any(UINT32_MAX),
		.chain = any(UINT32_MAX) << 20,
		.time = (int64_t)any(UINT32_MAX),
		.epoch = any(99),
		.of_epoch = any(99),
		.shards = (uint32_t)any(SBLOG_SHARDS_MAX + 1),
		.flags = (uint32_t)any(8),
		.note = note,
		.note_len = (uint32_t)any(SBLOG_NOTE_MAX + 1),
	};
}

static void
same_slot(const struct sb_slot *a, const struct sb_slot *b)
{
	CHECK_U64(a->seq, b->seq);
	CHECK_U64(a->offset, b->offset);
	CHECK_U64(a->chain, b->chain);
	CHECK_U64(a->time, b->time);
	CHECK_U64(a->epoch, b->epoch);
	CHECK_U64(a->of_epoch, b->of_epoch);
	CHECK_U64(a->shards, b->shards);
	CHECK_U64(a->flags, b->flags);
	CHECK_U64(a->note_len, b->note_len);
	CHECK_BYTES(a->note, b->note, a->note_len);
}

static void
slots_come_back(void)
{
	uint8_t note[SBLOG_NOTE_MAX], file[SB_GROUP_FILE_SIZE];

	for (size_t i = 0; i < sizeof(note); i++)
		note[i] = (uint8_t)(1 + any(255));
	for (int round = 0; round < 2000; round++) {
		uint64_t seq = 1 + any(1000);
		struct sb_slot a = some_slot(seq, note);
		struct sb_slot b = some_slot(seq + 1 + 2 * any(3), note);
		struct sb_slots s;

		memset(file, 0, sizeof(file));
		(void)sb_slot_encode(&a, id, 7, file + sb_slot_pos(a.seq));
		(void)sb_slot_encode(&b, id, 7, file + sb_slot_pos(b.seq));
		CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)), 0);
		same_slot(&s.now, &b);
		CHECK(!s.damaged);
		/* Another name, another topic, the slots exchanged. */
		CHECK_U64(sb_slots_decode(&s, id, 8, file, sizeof(file)),
		    SBLOG_EDAMAGE);
		CHECK_U64(sb_slots_decode(&s,
			      (const uint8_t *)"fedcba9876543210", 7, file,
			      sizeof(file)),
		    SBLOG_EDAMAGE);
		memset(file, 0, sizeof(file));
		(void)sb_slot_encode(&a, id, 7,
		    file + SB_SLOT_STRIDE - sb_slot_pos(a.seq));
		(void)sb_slot_encode(&b, id, 7,
		    file + SB_SLOT_STRIDE - sb_slot_pos(b.seq));
		CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)),
		    SBLOG_EDAMAGE);
	}
}

static void
every_bit_counts(void)
{
	uint8_t note[] = "up to the invoice of March", file[SB_GROUP_FILE_SIZE];
	struct sb_slot a = some_slot(5, note), b = some_slot(6, note);
	struct sb_slots s;

	a.note_len = b.note_len = sizeof(note) - 1;
	memset(file, 0, sizeof(file));
	(void)sb_slot_encode(&a, id, 7, file);
	(void)sb_slot_encode(&b, id, 7, file + SB_SLOT_STRIDE);
	for (size_t bit = 0; bit < sizeof(file) * 8; bit++) {
		size_t in = bit / 8 % SB_SLOT_STRIDE;
		bool used = in < SB_SLOT_HEAD_SIZE + sizeof(note) - 1;
		bool first = bit / 8 < SB_SLOT_STRIDE;

		file[bit / 8] = (uint8_t)(file[bit / 8] ^ 1u << bit % 8);
		CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)), 0);
		CHECK_U64(s.damaged, used);
		same_slot(&s.now, used && !first ? &a : &b);
		if (used)
			CHECK_U64(s.damaged_pos, first ? 0 : SB_SLOT_STRIDE);
		file[bit / 8] = (uint8_t)(file[bit / 8] ^ 1u << bit % 8);
	}
	for (size_t len = 0; len <= sizeof(file); len++) {
		int rc = sb_slots_decode(&s, id, 7, file, len);
		size_t used = SB_SLOT_HEAD_SIZE + sizeof(note) - 1;

		if (len < SB_SLOT_HEAD_SIZE) {
			CHECK_U64(rc, SBLOG_EDAMAGE);
			continue;
		}
		CHECK_U64(rc, 0);
		CHECK_U64(s.damaged, len < SB_SLOT_STRIDE + used);
		CHECK_U64(s.now.seq, s.damaged ? 5 : 6);
	}
}

static void
a_head_serves_alone(void)
{
	uint8_t note[] = "a note", file[SB_GROUP_FILE_SIZE] = { 0 };
	struct sb_slot a = some_slot(5, note), b = some_slot(6, note);
	struct sb_slots s;

	a.note_len = b.note_len = 6;
	(void)sb_slot_encode(&a, id, 7, file);
	(void)sb_slot_encode(&b, id, 7, file + SB_SLOT_STRIDE);
	file[SB_SLOT_STRIDE + SB_SLOT_HEAD_SIZE] ^= 1;
	CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)), 0);
	CHECK_U64(s.now.seq, 5);
	file[SB_SLOT_HEAD_SIZE] ^= 1;
	CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)), 0);
	CHECK_U64(s.now.seq, 6);
	CHECK_U64(s.now.note_len, 0);
	CHECK(s.damaged);
	file[SB_SLOT_STRIDE] ^= 1;
	CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)), 0);
	CHECK_U64(s.now.seq, 5);
	file[0] ^= 1;
	CHECK_U64(sb_slots_decode(&s, id, 7, file, sizeof(file)),
	    SBLOG_EDAMAGE);
}

static void
names(void)
{
	char group[SBLOG_NAME_MAX + 1], file[SB_GROUP_NAME_SIZE];
	char longest[SBLOG_NAME_MAX + 2];
	uint32_t shard, shards;

	CHECK(sblog_group_name_ok("a"));
	CHECK(!sblog_group_name_ok(""));
	CHECK(!sblog_group_name_ok("a/b"));
	CHECK(!sblog_group_name_ok(".."));
	CHECK(!sblog_group_name_ok("a@b"));
	CHECK(!sblog_group_name_ok("a.tmp.0123456789abcdef"));
	memset(longest, 'x', SBLOG_NAME_MAX + 1);
	longest[SBLOG_NAME_MAX + 1] = '\0';
	CHECK(!sblog_group_name_ok(longest));
	longest[SBLOG_NAME_MAX] = '\0';
	CHECK(sblog_group_name_ok(longest));
	sb_group_shard_name(file, longest, 255, 256);
	CHECK(sb_group_name_parse(file, group, &shard, &shards));
	CHECK_STR(group, longest);
	CHECK_U64(shard, 255);
	CHECK_U64(shards, 256);
	CHECK(sb_group_name_parse("a", group, &shard, &shards));
	CHECK_U64(shards, 0);
	CHECK(!sb_group_name_parse("a@", group, &shard, &shards));
	CHECK(!sb_group_name_parse("a@1-of-1", group, &shard, &shards));
	CHECK(!sb_group_name_parse("a@01-of-2", group, &shard, &shards));
	CHECK(!sb_group_name_parse("a@0-of-257", group, &shard, &shards));
	CHECK(!sb_group_name_parse("a@0-of-2x", group, &shard, &shards));
}

/* ---- commits ---- */

enum { GROUPS = 6, STEPS = 1200 };

struct model {
	bool there, parked;
	uint64_t committed;
	char note[64];
};

static void
compare(struct model *m)
{
	struct sblog_group g;
	size_t seen = 0;
	char name[2];

	for (int i = 0; i < GROUPS; i++) {
		int rc;

		(void)snprintf(name, sizeof(name), "%c", 'a' + i);
		rc = sblog_group_get(topic, name, &g, &err);
		if (!m[i].there) {
			CHECK_U64(rc, SBLOG_ENOENT);
			continue;
		}
		good(rc, "get");
		CHECK_U64(g.committed, m[i].committed);
		CHECK_U64(g.parked, m[i].parked);
		CHECK_U64(g.shards, 0);
		CHECK_U64(g.one_slot_damaged, 0);
		CHECK_STR(g.note, m[i].note);
		CHECK_STR(g.name, name);
		good(sblog_group_check(topic, &g, &err), "check");
		good(sblog_group_at(topic, seen == 0 ? 0 : seen, &g, &err),
		    "at");
		CHECK_STR(g.name, name);
		seen++;
	}
	CHECK_U64(sblog_group_at(topic, seen, &g, &err), SBLOG_END);
}

static void
floor_of(struct model *m)
{
	uint64_t lowest = SBLOG_NO_OFFSET, got;
	char name[SBLOG_NAME_MAX + 1];
	int rc = sb_groups_floor(topic, &got, name, &err);

	for (int i = 0; i < GROUPS; i++)
		if (m[i].there && !m[i].parked && m[i].committed < lowest)
			lowest = m[i].committed;
	CHECK_U64(rc, lowest == SBLOG_NO_OFFSET ? SBLOG_END : 0);
	if (rc != 0)
		return;
	CHECK_U64(got, lowest);
	CHECK_U64(m[name[0] - 'a'].committed, lowest);
}

static void
commit_one(struct model *m, const char *name, uint64_t end)
{
	struct sblog_commit_opts opts = { .sync = any(20) ? SBLOG_SYNC_NONE
							  : SBLOG_SYNC_BATCH };
	uint64_t offset = any(end + 1), now;
	char note[64];
	int rc;

	now = m->there ? m->committed : SBLOG_NO_OFFSET;
	opts.if_set = any(3) == 0;
	opts.if_offset = any(2) ? now : any(end);
	opts.dry_run = any(5) == 0;
	opts.keep_note = any(3) == 0;
	opts.reset = any(3) == 0;
	if (any(2)) {
		(void)snprintf(note, sizeof(note), "note %" PRIu64,
		    any(1u << 30));
		opts.note = note;
	}
	rc = sblog_group_commit(topic, name, offset, &opts, &err);
	if (opts.if_set && opts.if_offset != now) {
		CHECK_U64(rc, SBLOG_ECOND);
		CHECK_U64(err.offset, now);
		return;
	}
	good(rc, "commit");
	if (opts.dry_run)
		return;
	if (!m->there || !opts.keep_note)
		(void)snprintf(m->note, sizeof(m->note), "%s",
		    opts.note ? note : "");
	m->there = true;
	m->committed = offset;
}

static void
as_the_model(void)
{
	struct model m[GROUPS] = { 0 };
	struct sblog_topic *other;

	open_topic();
	append(50, SBLOG_SYNC_BATCH, "x");
	good(sblog_topic_open(&other, store, "t", SBLOG_WRITE, &err), "other");
	for (int step = 0; step < STEPS; step++) {
		int i = (int)any(GROUPS), rc;
		char name[2] = { (char)('a' + i), '\0' };
		struct sblog_topic *swap = topic;
		bool dry = any(4) == 0, park = any(2);

		/* Two handles of the same topic see the same. */
		if (any(2)) {
			topic = other;
			other = swap;
		}
		switch (any(12)) {
		case 0:
			rc = sblog_group_remove(topic, name, dry, &err);
			CHECK_U64(rc, m[i].there ? 0 : SBLOG_ENOENT);
			if (!dry)
				m[i] = (struct model){ 0 };
			break;
		case 1:
			rc = sblog_group_park(topic, name, park, dry, &err);
			CHECK_U64(rc, m[i].there ? 0 : SBLOG_ENOENT);
			if (rc == 0 && !dry)
				m[i].parked = park;
			break;
		case 2:
			if (any(20) == 0) {
				sblog_topic_close(topic);
				good(sblog_topic_open(&topic, store, "t",
					 SBLOG_WRITE, &err),
				    "again");
			} else if (end_of() < 5000) {
				append(1 + any(9), SBLOG_SYNC_BATCH, "y");
			}
			break;
		case 3:
			if (any(10) == 0) {
				rc = sblog_seal(topic, NULL,
				    &(struct sblog_sealed){ 0 }, &err);
				CHECK(rc == 0 || rc == SBLOG_END);
			}
			break;
		default:
			commit_one(&m[i], name, end_of());
		}
		if (step % 10 == 0) {
			compare(m);
			floor_of(m);
		}
	}
	sblog_topic_close(other);
	close_topic();
}

static void
keeps_its_range(void)
{
	struct sblog_commit_opts opts = { .undurable = 1 };
	struct sblog_group g;

	open_topic();
	append(10, SBLOG_SYNC_BATCH, "x");
	append(5, SBLOG_SYNC_NONE, "y");
	CHECK_U64(sblog_group_commit(topic, "g", 16, NULL, &err), SBLOG_ENOENT);
	CHECK_U64(err.offset, 16);
	CHECK_U64(sblog_group_commit(topic, "g", 11, NULL, &err), SBLOG_ENOENT);
	CHECK(strstr(err.msg, "not durable") != NULL);
	CHECK_U64(sblog_group_get(topic, "g", &g, &err), SBLOG_ENOENT);
	good(sblog_group_commit(topic, "g", 10, NULL, &err), "commit");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.undurable, 0);
	CHECK_U64(sblog_group_commit(topic, "g", 16, &opts, &err),
	    SBLOG_ENOENT);
	good(sblog_group_commit(topic, "g", 12, &opts, &err), "undurable");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.undurable, 1);
	good(sblog_sync(topic, &err), "sync");
	good(sblog_group_commit(topic, "g", 15, NULL, &err), "durable now");
	CHECK_U64(sblog_group_commit(topic, "a/b", 1, NULL, &err),
	    SBLOG_EINVAL);
	CHECK_U64(sblog_group_get(topic, "a/b", &g, &err), SBLOG_EINVAL);
	close_topic();
}

/* ---- the chain ---- */

static void
chains(void)
{
	struct sblog_cursor_opts all = { .to = SBLOG_NO_OFFSET };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t chain = SB_CHAIN_START, got, n;

	open_topic();
	for (int i = 0; i < 60; i++) {
		append(1 + any(99), SBLOG_SYNC_NONE, "x");
		if (any(10) == 0)
			good(sblog_seal(topic, NULL,
				 &(struct sblog_sealed){ 0 }, &err),
			    "seal");
	}
	n = end_of();
	good(sblog_cursor_open(&cur, topic, &all, &err), "cursor");
	for (uint64_t i = 0; i < n; i++) {
		good(sblog_chain_at(topic, i, &got, &err), "chain");
		CHECK_U64(got, chain);
		good(sblog_cursor_next(cur, &rec, &err), "next");
		chain = sb_chain_record(chain, &rec);
	}
	good(sblog_chain_at(topic, n, &got, &err), "chain");
	CHECK_U64(got, chain);
	CHECK_U64(sblog_chain_at(topic, n + 1, &got, &err), SBLOG_ENOENT);
	sblog_cursor_close(cur);
	close_topic();
}

/* Wherever records were removed, the chain is what it was or not known. */
static void
compacted(void)
{
	struct sblog_compact_opts opts = { .min_dirty = 0 };
	struct sblog_compacted done;
	uint64_t was[2000], n, now, known = 0;
	struct sblog_group g;

	open_topic();
	for (int i = 0; i < 15; i++)
		append(1 + any(99), SBLOG_SYNC_NONE, "x");
	good(sblog_seal(topic, NULL, &(struct sblog_sealed){ 0 }, &err),
	    "seal");
	n = end_of();
	for (uint64_t i = 0; i <= n; i++)
		good(sblog_chain_at(topic, i, &was[i], &err), "chain");
	for (uint64_t i = 0; i < 8; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		good(sblog_group_commit(topic, name, i * n / 7, NULL, &err),
		    "commit");
	}
	good(sblog_compact(topic, &opts, &done, &err), "compact");
	CHECK(done.records_after < done.records_before);
	close_topic();
	open_topic(); /* a handle goes on with the files that it has */
	for (uint64_t i = 0; i <= n; i++) {
		int rc = sblog_chain_at(topic, i, &now, &err);

		if (rc == SBLOG_END)
			continue;
		good(rc, "chain");
		CHECK_U64(now, was[i]);
		known++;
	}
	CHECK(known > 0 && known < n);
	for (size_t i = 0; sblog_group_at(topic, i, &g, &err) == 0; i++)
		good(sblog_group_check(topic, &g, &err), "check");
	/* And what is committed where it is not known is not called wrong. */
	for (uint64_t i = 0; i < n; i += 7) {
		good(sblog_group_commit(topic, "a", i, NULL, &err), "commit");
		good(sblog_group_get(topic, "a", &g, &err), "get");
		good(sblog_group_check(topic, &g, &err), "check");
	}
	close_topic();
}

/* The WAL's batches end here. */
static off_t
wal_end(void)
{
	struct sblog_info info;

	good(sblog_topic_info(topic, &info, &err), "info");
	return (off_t)info.bytes_unsealed;
}

/* A WAL that lost its last bytes, as after a power cut, and no page. */
static void
lose(off_t from)
{
	close_topic();
	CHECK(truncate("s/t/00000000000000000000.wal", from) == 0);
	CHECK(unlink("s/t/state") == 0);
	open_topic();
}

static void
divergence(void)
{
	struct sblog_commit_opts opts = { .undurable = 1 };
	struct sblog_group g;
	off_t size;

	open_topic();
	append(10, SBLOG_SYNC_NONE, "x");
	size = wal_end();
	append(10, SBLOG_SYNC_NONE, "y");
	good(sblog_group_commit(topic, "g", 15, &opts, &err), "commit");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	good(sblog_group_check(topic, &g, &err), "check");
	/* Nobody said that it was durable: the tail may be torn, and offsets
	 * are used again; but the group notices. */
	lose(size);
	CHECK_U64(end_of(), 10);
	CHECK_U64(sblog_group_check(topic, &g, &err), SBLOG_EDAMAGE);
	append(10, SBLOG_SYNC_NONE, "z");
	CHECK_U64(end_of(), 20);
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(sblog_group_check(topic, &g, &err), SBLOG_EDAMAGE);
	CHECK(strstr(err.msg, "diverged") != NULL);
	CHECK_U64(err.offset, 15);
	opts.reset = 1;
	good(sblog_group_commit(topic, "g", 12, &opts, &err), "reset");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	good(sblog_group_check(topic, &g, &err), "check");
	close_topic();
}

static void
recovery_knows(void)
{
	struct sblog_group g;
	uint64_t most;
	off_t size;

	open_topic();
	append(10, SBLOG_SYNC_BATCH, "x");
	size = wal_end();
	append(10, SBLOG_SYNC_BATCH, "y");
	good(sblog_group_commit(topic, "g", 15, NULL, &err), "commit");
	good(sb_groups_durable(topic, &most, &err), "durable");
	CHECK_U64(most, 15);
	/* It was durable, so what is missing is damage: no offset that the
	 * consumer has seen is ever used again. */
	lose(size);
	CHECK_U64(end_of(), 15);
	append(10, SBLOG_SYNC_NONE, "z");
	CHECK_U64(end_of(), 25);
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 15);
	close_topic();
}

/* ---- damage ---- */

static void
flip(const char *path, off_t pos)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	CHECK(fd >= 0);
	CHECK(pread(fd, &byte, 1, pos) == 1);
	byte ^= 4;
	CHECK(pwrite(fd, &byte, 1, pos) == 1);
	close(fd);
}

static void
damage(void)
{
	struct sblog_commit_opts reset = { .reset = 1 };
	struct sblog_group g;

	open_topic();
	append(20, SBLOG_SYNC_BATCH, "x");
	good(sblog_group_commit(topic, "g", 5, NULL, &err), "first");
	good(sblog_group_commit(topic, "g", 6, NULL, &err), "second");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.seq, 3); /* two with the file, and this one, at byte 0 */
	flip("s/t/groups/g", 50);
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 5);
	CHECK_U64(g.one_slot_damaged, 1);
	CHECK_U64(g.damaged_pos, 0);
	CHECK_STR(g.damaged_file, "g");
	good(sblog_group_commit(topic, "g", 7, NULL, &err), "heals");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 7);
	CHECK_U64(g.one_slot_damaged, 0);
	flip("s/t/groups/g", 50);
	flip("s/t/groups/g", 4096 + 50);
	CHECK_U64(sblog_group_get(topic, "g", &g, &err), SBLOG_EDAMAGE);
	CHECK_STR(err.file, "groups/g");
	CHECK_U64(err.pos, 0);
	CHECK_U64(sblog_group_commit(topic, "g", 8, NULL, &err), SBLOG_EDAMAGE);
	CHECK_U64(sblog_group_park(topic, "g", true, false, &err),
	    SBLOG_EDAMAGE);
	CHECK_U64(sb_groups_floor(topic, &(uint64_t){ 0 }, g.name, &err),
	    SBLOG_EDAMAGE);
	good(sblog_group_commit(topic, "g", 8, &reset, &err), "reset");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 8);
	/* A file under another name is not believed. */
	CHECK(rename("s/t/groups/g", "s/t/groups/h") == 0);
	CHECK_U64(sblog_group_get(topic, "h", &g, &err), SBLOG_EDAMAGE);
	CHECK_U64(sblog_group_remove(topic, "h", false, &err), 0);
	CHECK_U64(sblog_group_get(topic, "h", &g, &err), SBLOG_ENOENT);
	close_topic();
}

/* ---- leases ---- */

static void
divided(void)
{
	struct sblog_lease_opts four = { .shards = 4, .from = 3 };
	struct sblog_lease_opts two = { .shards = 2 };
	struct sblog_lease *l[5];
	struct sblog_commit_opts opts = { 0 };
	struct sblog_group g;

	open_topic();
	append(50, SBLOG_SYNC_BATCH, "x");
	for (uint32_t i = 0; i < 4; i++) {
		good(sblog_lease_take(&l[i], topic, "g", &four, &err), "take");
		CHECK_U64(sblog_lease_shard(l[i]), i);
		good(sblog_lease_get(l[i], &g, &err), "get");
		CHECK_U64(g.committed, 3);
	}
	CHECK_U64(sblog_lease_take(&l[4], topic, "g", &four, &err),
	    SBLOG_EBUSY);
	CHECK_U64(sblog_lease_wait(&l[4], topic, "g", &four, 3000, &err),
	    SBLOG_END);
	CHECK_U64(sblog_lease_take(&l[4], topic, "g", &two, &err), SBLOG_ECOND);
	CHECK_U64(err.offset, 4);
	for (uint32_t i = 0; i < 4; i++) {
		opts.lease = l[i];
		good(sblog_group_commit(topic, "g", 10 + i, &opts, &err),
		    "commit");
	}
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 10);
	CHECK_U64(g.shards, 4);
	good(sblog_group_shard(topic, "g", 3, &g, &err), "shard");
	CHECK_U64(g.committed, 13);
	/* For all at once only when nobody has a lease. */
	CHECK_U64(sblog_group_commit(topic, "g", 20, NULL, &err), SBLOG_ECOND);
	CHECK_U64(sblog_group_remove(topic, "g", false, &err), SBLOG_ECOND);
	good(sblog_group_park(topic, "g", true, false, &err), "park");
	for (uint32_t i = 0; i < 4; i++)
		sblog_lease_release(l[i]);
	good(sblog_lease_take(&l[0], topic, "g", &two, &err), "divide anew");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 10);
	CHECK_U64(g.shards, 2);
	CHECK_U64(g.parked, 1);
	sblog_lease_release(l[0]);
	good(sblog_group_commit(topic, "g", 20, NULL, &err), "commit for all");
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, 20);
	CHECK_U64(g.shards, 0);
	CHECK(access("s/t/groups/g@0-of-2", F_OK) != 0);
	close_topic();
}

static void
fenced(void)
{
	struct sblog_commit_opts opts = { 0 };
	struct sblog_lease *l;
	struct sblog_group g;

	open_topic();
	append(50, SBLOG_SYNC_BATCH, "x");
	good(sblog_lease_take(&l, topic, "g", NULL, &err), "take");
	opts.lease = l;
	good(sblog_group_commit(topic, "g", 5, &opts, &err), "commit");
	CHECK_U64(sblog_group_commit(topic, "h", 5, &opts, &err), SBLOG_EINVAL);
	opts.if_set = 1;
	opts.if_offset = 4;
	CHECK_U64(sblog_group_commit(topic, "g", 6, &opts, &err), SBLOG_ECOND);
	CHECK_U64(err.offset, 5);
	opts.if_set = 0;
	/* Somebody takes the file away, by hand. */
	CHECK(unlink("s/t/groups/g@0-of-1") == 0);
	usleep(3000);
	CHECK_U64(sblog_group_commit(topic, "g", 6, &opts, &err), SBLOG_ECOND);
	CHECK_U64(sblog_lease_check(l, &err), SBLOG_ECOND);
	CHECK_U64(sblog_lease_get(l, &g, &err), SBLOG_ECOND);
	sblog_lease_release(l);
	good(sblog_lease_take(&l, topic, "g", NULL, &err), "take");
	opts.lease = l;
	good(sblog_group_commit(topic, "g", 7, &opts, &err), "commit");
	sblog_lease_release(l);
	close_topic();
}

static uint64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A process that has a lease, committed offset 9 and sleeps. */
static pid_t
holder(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	CHECK(pipe(ready) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct sblog_commit_opts opts = { 0 };
		struct sblog_lease *l;

		close_topic();
		open_topic();
		good(sblog_lease_take(&l, topic, "g", NULL, &err), "take");
		opts.lease = l;
		good(sblog_group_commit(topic, "g", 9, &opts, &err), "commit");
		CHECK(write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

/* Each record is seen as soon as it is durable, and not when a sleeper looks up
 * by himself, once a second. */
static void
what_is_durable_wakes(void)
{
	const struct sblog_cursor_opts opts = { .to = SBLOG_NO_OFFSET,
		.durable = 1 };
	struct timespec begun, done;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	int seen[2], status;
	char byte = 'x';
	pid_t pid;

	open_topic();
	CHECK(pipe(seen) == 0);
	CHECK((pid = fork()) >= 0);
	if (pid == 0) {
		close_topic();
		open_topic();
		good(sblog_cursor_open(&cur, topic, &opts, &err), "cursor");
		for (int n = 0; n < 40;) {
			if (sblog_cursor_next(cur, &rec, &err) == SBLOG_END) {
				good(sblog_cursor_wait(cur, 60000000, &err),
				    "wait");
				continue;
			}
			CHECK_U64(rec.offset, n++);
			CHECK(write(seen[1], &byte, 1) == 1);
		}
		_exit(0);
	}
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (int i = 0; i < 40; i++) {
		append(1, SBLOG_SYNC_BATCH, "x");
		CHECK(read(seen[0], &byte, 1) == 1);
	}
	clock_gettime(CLOCK_MONOTONIC, &done);
	CHECK(done.tv_sec - begun.tv_sec < 20);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	close(seen[0]);
	close(seen[1]);
	close_topic();
}

static void
taken_over(void)
{
	struct sblog_lease *l;
	struct sblog_group g;
	uint64_t begun, killed = 0;

	open_topic();
	append(50, SBLOG_SYNC_BATCH, "x");
	for (int round = 0; round < 20; round++) {
		pid_t pid = holder(), killer;

		CHECK_U64(sblog_lease_take(&l, topic, "g", NULL, &err),
		    SBLOG_EBUSY);
		CHECK((killer = fork()) >= 0);
		if (killer == 0) {
			usleep(20000);
			kill(pid, SIGKILL);
			_exit(0);
		}
		begun = now_us();
		good(sblog_lease_wait(&l, topic, "g", NULL, 20000000, &err),
		    "wait");
		killed += now_us() - begun;
		CHECK(waitpid(killer, NULL, 0) == killer);
		CHECK(waitpid(pid, NULL, 0) == pid);
		good(sblog_lease_get(l, &g, &err), "get");
		CHECK_U64(g.committed, 9);
		sblog_lease_release(l);
	}
	/* 20 ms until the kill; a process that is woken by nothing looks again
	 * after 100 ms, so half of that on average would mean it was deaf. */
	CHECK(killed / 20 < 60000);
	close_topic();
}

/* ---- many at once ---- */

enum { CROWD = 4, EACH = 400, LOG_END = 2000 };

/* Count in the committed offset: each add is a compare and set. */
static void
count_up(int who)
{
	struct sblog_commit_opts opts = { .sync = SBLOG_SYNC_NONE,
		.if_set = 1 };
	struct sblog_group g;

	state += (uint64_t)who * 977;
	for (int n = 0; n < EACH;) {
		int rc = sblog_group_get(topic, "g", &g, &err);

		if (rc != SBLOG_ENOENT)
			good(rc, "get");
		opts.if_offset = rc == 0 ? g.committed : SBLOG_NO_OFFSET;
		rc = sblog_group_commit(topic, "g",
		    rc == 0 ? g.committed + 1 : 1, &opts, &err);
		if (rc != SBLOG_ECOND)
			good(rc, "commit");
		n += rc == 0;
	}
}

/* Make and remove a group all the time; what others see is one or the other. */
static void
come_and_go(int who)
{
	uint64_t mine = (uint64_t)who;

	for (int n = 0; n < EACH; n++) {
		int rc = sblog_group_commit(topic, "h", mine, NULL, &err);

		good(rc, "commit");
		rc = sblog_group_remove(topic, "h", false, &err);
		if (rc != SBLOG_ENOENT)
			good(rc, "remove");
	}
}

/* Nobody who only looks ever sees half a commit. */
static void
look_on(int who)
{
	struct sblog_group g;
	uint64_t last = 0;
	int rc;

	(void)who;
	for (int n = 0; n < EACH * 20; n++) {
		rc = sblog_group_get(topic, "g", &g, &err);
		if (rc != SBLOG_ENOENT)
			good(rc, "get");
		CHECK_U64(rc == 0 && g.one_slot_damaged, 0);
		CHECK(rc != 0 || g.committed >= last);
		last = rc == 0 ? g.committed : last;
		rc = sblog_group_get(topic, "h", &g, &err);
		if (rc != SBLOG_ENOENT)
			good(rc, "get");
		CHECK_U64(rc == 0 && g.one_slot_damaged, 0);
	}
}

static pid_t
in_child(void (*what)(int who), int who)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid != 0)
		return pid;
	close_topic();
	open_topic();
	what(who);
	close_topic();
	_exit(0);
}

static void
crowd(void)
{
	pid_t pids[3 * CROWD];
	struct sblog_group g;
	int status;

	open_topic();
	for (int i = 0; i < LOG_END / 100; i++)
		append(100, SBLOG_SYNC_NONE, "x");
	good(sblog_sync(topic, &err), "sync");
	for (int i = 0; i < CROWD; i++) {
		pids[3 * i] = in_child(count_up, i);
		pids[3 * i + 1] = in_child(come_and_go, i);
		pids[3 * i + 2] = in_child(look_on, i);
	}
	for (int i = 0; i < 3 * CROWD; i++) {
		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK_U64(status, 0);
	}
	good(sblog_group_get(topic, "g", &g, &err), "get");
	CHECK_U64(g.committed, CROWD * EACH);
	close_topic();
}

/* Who has a lease says so in a word of shared memory: never two at a time. */
static volatile int *holders;

static void
hold_and_die(int who)
{
	struct sblog_lease_opts two = { .shards = 2 };
	struct sblog_commit_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct sblog_lease *l;
	struct sblog_group g;
	uint32_t i;

	state += (uint64_t)who * 7919;
	good(sblog_lease_wait(&l, topic, "l", &two, 60000000, &err), "wait");
	i = sblog_lease_shard(l);
	CHECK_U64(__sync_add_and_fetch(&holders[i], 1), 1);
	opts.lease = l;
	good(sblog_lease_get(l, &g, &err), "get");
	good(sblog_group_commit(topic, "l", g.committed + 1, &opts, &err),
	    "commit");
	usleep((useconds_t)any(3000));
	CHECK_U64(__sync_sub_and_fetch(&holders[i], 1), 0);
	if (who % 2) /* without a word */
		_exit(0);
	sblog_lease_release(l);
}

static void
one_holder_each(void)
{
	pid_t pids[40];
	struct sblog_group a, b;
	int status;

	open_topic();
	append(100, SBLOG_SYNC_BATCH, "x");
	holders = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(holders != MAP_FAILED);
	for (int i = 0; i < 40; i++)
		pids[i] = in_child(hold_and_die, i);
	for (int i = 0; i < 40; i++) {
		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK_U64(status, 0);
	}
	good(sblog_group_shard(topic, "l", 0, &a, &err), "shard 0");
	good(sblog_group_shard(topic, "l", 1, &b, &err), "shard 1");
	CHECK_U64(a.committed + b.committed, 40);
	CHECK_U64(a.epoch + b.epoch, 40);
	close_topic();
}

/* ---- those who were not seen for long ---- */

static size_t gone;

static void
count_gone(void *arg, const struct sblog_group *g)
{
	(void)arg;
	CHECK(strcmp(g->name, "old") == 0);
	gone++;
}

static void
expires(void)
{
	struct sblog_setting set = { "group.retention.ms", "30ms" };
	struct sblog_group g;
	struct sblog_lease *l;

	open_topic();
	append(50, SBLOG_SYNC_BATCH, "x");
	good(sblog_group_commit(topic, "old", 3, NULL, &err), "old");
	good(sblog_group_commit(topic, "parked", 3, NULL, &err), "parked");
	good(sblog_group_park(topic, "parked", true, false, &err), "park");
	good(sblog_lease_take(&l, topic, "held", NULL, &err), "held");
	good(sb_groups_expire(topic, false, count_gone, NULL, &err), "none");
	CHECK_U64(gone, 0);
	good(sblog_setting_set(store, topic, &set, 1, false, &err), "set");
	usleep(50000);
	good(sblog_group_commit(topic, "new", 3, NULL, &err), "new");
	good(sb_groups_expire(topic, true, count_gone, NULL, &err), "dry");
	CHECK_U64(gone, 1);
	good(sblog_group_get(topic, "old", &g, &err), "still there");
	good(sb_groups_expire(topic, false, count_gone, NULL, &err), "expire");
	CHECK_U64(gone, 2);
	CHECK_U64(sblog_group_get(topic, "old", &g, &err), SBLOG_ENOENT);
	good(sblog_group_get(topic, "parked", &g, &err), "parked");
	good(sblog_group_get(topic, "held", &g, &err), "held");
	good(sblog_group_get(topic, "new", &g, &err), "new");
	sblog_lease_release(l);
	close_topic();
	/* With the topic its groups go. */
	open_topic();
	sblog_topic_close(topic);
	good(sblog_topic_remove(store, "t", &err), "remove");
	CHECK(access("s/t", F_OK) != 0);
	CHECK(access("s/lost+found", F_OK) != 0);
	sblog_store_close(store);
}

static const struct check_case cases[] = {
	{ "a slot comes back, under its own name and place only",
	    slots_come_back },
	{ "every bit of a slot counts, and the other one serves",
	    every_bit_counts },
	{ "a head without its note serves when there is nothing better",
	    a_head_serves_alone },
	{ "names of groups and of their shards", names },
	{ "commits, parking and removal do what a model does", as_the_model },
	{ "only what is there and durable is committed", keeps_its_range },
	{ "the chain at any offset is that of the records before", chains },
	{ "compaction leaves the chain what it was, or unknown", compacted },
	{ "offsets that are used again are noticed", divergence },
	{ "recovery believes a commit", recovery_knows },
	{ "damage is told, healed by a commit, or repaired by a reset",
	    damage },
	{ "shards have one holder each, and can be divided anew", divided },
	{ "who lost a lease cannot commit", fenced },
	{ "who reads what is durable is woken by it", what_is_durable_wakes },
	{ "a killed holder is followed at what it committed", taken_over },
	{ "of many who count, none is lost, and nobody sees half a commit",
	    crowd },
	{ "forty processes take turns at two shards", one_holder_each },
	{ "groups that nobody used expire, and go with their topic", expires },
};

int
main(int argc, char **argv)
{
	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
