/*
 * test_get.c - one record from anywhere, and whatever else the same handle is
 * asked for in between: what was kept of one question never answers another.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sblog.h"

enum { BATCH = 1500, BATCHES = 12, KEYS = 300, SIZE = 200, ASKED = 6000 };

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

/* What record number `offset` says: lengths differ, and it can be packed. */
static size_t
value_of(uint64_t offset, char out[static SIZE])
{
	int n = snprintf(out, SIZE, "record %" PRIu64 " and %.*s", offset,
	    (int)(offset * 7919 % 120),
	    "the same words again and again, the same words again and again, "
	    "the same words again and again, the same words again");

	return (size_t)n;
}

static size_t
key_of(uint64_t offset, char out[static SIZE])
{
	uint64_t k = offset * 7919 % KEYS;

	return (size_t)snprintf(out, SIZE, "cat%d-%0*d", (int)(k % 7),
	    (int)(1 + k % 5), (int)k);
}

/* Batches number first, first + 1, ...: each has a time of its own, and some
 * have no keys. */
static void
append(uint64_t first, uint64_t n)
{
	static char values[BATCH][SIZE], keys[BATCH][SIZE];
	static struct sblog_record recs[BATCH];
	uint64_t got;

	for (uint64_t b = first; b < first + n; b++) {
		const struct sblog_append_opts opts = {
			.sync = SBLOG_SYNC_NONE,
			.keep_offsets = 1,
			.codec =
			    b % 3 == 1 ? SBLOG_CODEC_LZ4 : SBLOG_CODEC_NONE,
		};

		for (uint64_t i = 0; i < BATCH; i++) {
			uint64_t offset = b * BATCH + i;

			recs[i] = (struct sblog_record){
				.offset = offset,
				.time_us = (int64_t)(1000 * b + 1000),
				.user_time_us = SBLOG_NO_TIME,
				.value = { values[i],
				    value_of(offset, values[i]) },
			};
			if (b % 4 != 3)
				recs[i].key = (struct sblog_bytes){ keys[i],
					key_of(offset, keys[i]) };
		}
		good(sblog_append(topic, recs, BATCH, &opts, &got, &err),
		    "append");
	}
}

static void
make(bool indexed)
{
	struct sblog_store_opts how = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = 2000 };
	struct sblog_sealed sealed;

	good(sblog_store_open(&store, "s", &how, &err), "store");
	good(sblog_topic_open(&topic, store, "t", SBLOG_CREATE, &err), "topic");
	append(0, 3);
	good(sblog_seal(topic, NULL, &sealed, &err), "seal");
	append(3, 3);
	good(sblog_seal(topic, NULL, &sealed, &err), "seal");
	append(6, BATCHES - 6);
	sblog_topic_close(topic);
	if (!indexed) {
		CHECK(unlink("s/t/00000000000000000000.kdx") == 0);
		CHECK(unlink("s/t/00000000000000004500.kdx") == 0);
		CHECK(unlink("s/t/00000000000000009000.ktb") == 0);
	}
	good(sblog_topic_open(&topic, store, "t", SBLOG_READ, &err), "again");
}

static void
done(void)
{
	sblog_topic_close(topic);
	sblog_store_close(store);
}

static void
check(const struct sblog_record *rec, uint64_t offset)
{
	char value[SIZE];
	size_t len = value_of(offset, value);

	CHECK_U64(rec->offset, offset);
	CHECK_U64(rec->value.len, len);
	CHECK_BYTES(rec->value.data, value, len);
}

static bool
has_key(uint64_t offset)
{
	return offset / BATCH % 4 != 3;
}

static void
ask_key(uint64_t offset)
{
	uint64_t want = (uint64_t)BATCH * BATCHES - 1;
	struct sblog_record rec;
	char key[SIZE];
	size_t len = key_of(offset, key);

	while (want % KEYS != offset % KEYS || !has_key(want))
		want--;
	good(sblog_get_key(topic, (struct sblog_bytes){ key, len }, &rec, &err),
	    key);
	CHECK_U64(rec.key.len, len);
	CHECK_BYTES(rec.key.data, key, len);
	check(&rec, want);
}

/* A few of a key, or of its category. */
static void
ask_stream(uint64_t offset, bool category)
{
	char key[SIZE], other[SIZE];
	size_t len = key_of(offset, key);
	struct sblog_cursor_opts opts = { .from = offset,
		.key = { key, category ? strcspn(key, "-") : len },
		.category = category };
	uint64_t want = offset;
	struct sblog_cursor *cur;
	struct sblog_record rec;

	good(sblog_cursor_open(&cur, topic, &opts, &err), "cursor");
	for (uint64_t n = any(300); n > 0; n--) {
		for (; want < (uint64_t)BATCH * BATCHES; want++) {
			if (!has_key(want))
				continue;
			len = key_of(want, other);
			if (category ? strncmp(other, key, opts.key.len) == 0 &&
				    other[opts.key.len] == '-'
				     : strcmp(other, key) == 0)
				break;
		}
		if (want == (uint64_t)BATCH * BATCHES) {
			CHECK_U64(sblog_cursor_next(cur, &rec, &err),
			    SBLOG_END);
			break;
		}
		good(sblog_cursor_next(cur, &rec, &err), "next");
		check(&rec, want++);
	}
	sblog_cursor_close(cur);
}

static void
ask_time(uint64_t offset)
{
	uint64_t got;

	good(sblog_find_time(topic, (int64_t)(offset / BATCH * 1000 + 1000),
		 &got, &err),
	    "time");
	CHECK_U64(got, offset / BATCH * BATCH);
}

static void
ask_all(void)
{
	uint64_t offset = 0, chain;
	struct sblog_record rec;

	for (int i = 0; i < ASKED; i++) {
		/* Mostly near the last one: in the same batch or block. */
		offset = any(3) ? offset + any(100) : any(BATCH * BATCHES);
		offset %= (uint64_t)BATCH * BATCHES;
		switch (any(20)) {
		case 0:
			ask_time(any(BATCH * BATCHES));
			break;
		case 1:
			ask_key(any(BATCH * BATCHES));
			break;
		case 2:
			ask_stream(any(BATCH * BATCHES), false);
			break;
		case 3:
			ask_stream(any(BATCH * BATCHES), true);
			break;
		case 4:
			good(sblog_chain_at(topic, any(BATCH * BATCHES), &chain,
				 &err),
			    "chain");
			break;
		default:
			good(sblog_get(topic, offset, &rec, &err), "get");
			check(&rec, offset);
		}
	}
}

static void
indexed(void)
{
	make(true);
	ask_all();
	done();
}

static void
unindexed(void)
{
	make(false);
	ask_all();
	done();
}

static const struct check_case cases[] = {
	{ "questions of all kinds do not disturb each other", indexed },
	{ "nor where keys have no index", unindexed },
};

int
main(int argc, char **argv)
{
	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
