/*
 * test_shard.c - a cursor that sees one shard: every record is of exactly one,
 * whatever the batches, and what is stepped over is not read twice or never.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sblog.h"

enum { RECORDS = 60000, SHARDS = 4 };

static struct sblog_store *store;
static struct sblog_topic *topic;
static struct sblog_err err;
static uint64_t state = 88172645463325252u;
static uint8_t *seen; /* how often each offset */
static uint64_t end;

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

/* Batches from one record to three shards' runs, most of them without keys,
 * with holes between and within. */
static void
make(void)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE,
		.keep_offsets = 1 };
	struct sblog_store_opts how = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = 2000 };
	static struct sblog_record recs[3 * SBLOG_SHARD_RUN];
	struct sblog_sealed sealed;
	uint64_t first;

	good(sblog_store_open(&store, "s", &how, &err), "store");
	good(sblog_topic_open(&topic, store, "t", SBLOG_CREATE, &err), "topic");
	end = 0;
	for (uint64_t n, total = 0; total < RECORDS; total += n) {
		bool keys = any(5) == 0, holes = any(3) == 0;

		n = any(4) == 0 ? 1 + any(3 * SBLOG_SHARD_RUN) : 1 + any(3000);
		if (any(6) == 0)
			end += any(2 * SBLOG_SHARD_RUN);
		for (uint64_t i = 0; i < n; i++) {
			recs[i] = (struct sblog_record){
				.offset = end,
				.time_us = 1,
				.user_time_us = SBLOG_NO_TIME,
				.value = { "value", 5 },
			};
			if (keys && any(3) > 0)
				recs[i].key = (struct sblog_bytes){ "abcdefgh",
					1 + any(8) };
			end += 1 + (holes && any(50) == 0 ? any(9000) : 0);
		}
		good(sblog_append(topic, recs, n, &opts, &first, &err),
		    "append");
		end = recs[n - 1].offset + 1;
		if (total < RECORDS / 2 && any(8) == 0)
			good(sblog_seal(topic, NULL, &sealed, &err), "seal");
	}
	seen = calloc(end, 1);
}

static void
done(void)
{
	free(seen);
	sblog_topic_close(topic);
	sblog_store_close(store);
}

static void
note(const struct sblog_record *rec, uint32_t shard, uint64_t *last)
{
	CHECK_U64(sblog_shard_of(rec, SHARDS), shard);
	CHECK(*last == SBLOG_NO_OFFSET || rec->offset > *last);
	CHECK_U64(rec->value.len, 5);
	*last = rec->offset;
	seen[rec->offset]++;
}

/* Everything that a cursor without shards sees, and nothing else. */
static void
check_seen(uint8_t times)
{
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t count = 0, sum = 0;

	good(sblog_cursor_open(&cur, topic, NULL, &err), "open");
	while (sblog_cursor_next(cur, &rec, &err) == 0) {
		CHECK_U64(seen[rec.offset], times);
		count++;
	}
	sblog_cursor_close(cur);
	for (uint64_t i = 0; i < end; i++)
		sum += seen[i];
	CHECK_U64(sum, count * times);
	CHECK(count >= RECORDS);
}

static void
records(void)
{
	make();
	for (uint32_t shard = 0; shard < SHARDS; shard++) {
		struct sblog_cursor_opts opts = { .shards = SHARDS,
			.shard = shard };
		uint64_t last = SBLOG_NO_OFFSET;
		struct sblog_cursor *cur;
		struct sblog_record rec;

		good(sblog_cursor_open(&cur, topic, &opts, &err), "open");
		while (sblog_cursor_next(cur, &rec, &err) == 0)
			note(&rec, shard, &last);
		CHECK_U64(sblog_cursor_offset(cur), end);
		sblog_cursor_close(cur);
	}
	check_seen(1);
	done();
}

/* Batch after batch, and now and then from where the last one said. */
static void
batches(void)
{
	make();
	for (uint32_t shard = 0; shard < SHARDS; shard++) {
		struct sblog_cursor_opts opts = { .shards = SHARDS,
			.shard = shard };
		uint64_t last = SBLOG_NO_OFFSET;
		struct sblog_cursor *cur;
		struct sblog_record rec;
		struct sblog_batch b;
		uint64_t n;

		good(sblog_cursor_open(&cur, topic, &opts, &err), "open");
		while (sblog_cursor_batch(cur, &b, &err) == 0) {
			CHECK_U64(sblog_cursor_offset(cur), b.next);
			for (n = 0; sblog_batch_next(&b, &rec) == 0; n++)
				if (b.keys &&
				    sblog_shard_of(&rec, SHARDS) != shard)
					CHECK(rec.offset < b.next);
				else
					note(&rec, shard, &last);
			CHECK_U64(n, b.count);
			if (any(10) > 0)
				continue;
			opts.from = b.next;
			sblog_cursor_close(cur);
			good(sblog_cursor_open(&cur, topic, &opts, &err),
			    "again");
		}
		CHECK_U64(sblog_cursor_offset(cur), end);
		sblog_cursor_close(cur);
	}
	check_seen(1);
	done();
}

/* A limit in a run of another shard is where the cursor stands in the end. */
static void
limit(void)
{
	make();
	for (int i = 0; i < 200; i++) {
		struct sblog_cursor_opts opts = { .shards = SHARDS,
			.shard = (uint32_t)any(SHARDS) };
		struct sblog_cursor *cur;
		struct sblog_batch b;

		opts.from = any(end);
		opts.to = opts.from + 1 + any(end - opts.from);
		good(sblog_cursor_open(&cur, topic, &opts, &err), "open");
		while (sblog_cursor_batch(cur, &b, &err) == 0) {
			CHECK(b.first >= opts.from);
			CHECK(b.next <= opts.to);
		}
		CHECK(sblog_cursor_offset(cur) <= opts.to);
		sblog_cursor_close(cur);
	}
	done();
}

static void
misuse(void)
{
	struct sblog_cursor_opts opts = { .shards = SHARDS, .shard = SHARDS };
	struct sblog_cursor *cur;

	make();
	CHECK_U64(sblog_cursor_open(&cur, topic, &opts, &err), SBLOG_EINVAL);
	CHECK_STR(err.msg, "there is no shard 4 of 4");
	opts = (struct sblog_cursor_opts){ .shards = SHARDS, .latest = 1 };
	CHECK_U64(sblog_cursor_open(&cur, topic, &opts, &err), SBLOG_EINVAL);
	CHECK_STR(err.msg, "a shard is not read by key");
	done();
}

static const struct check_case cases[] = {
	{ "record by record, each is of one shard", records },
	{ "batch by batch, each is of one shard", batches },
	{ "a limit among the records of others is where it ends", limit },
	{ "a shard that there is not, or with a key", misuse },
};

int
main(int argc, char **argv)
{
	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
