/*
 * lib_keys.c - look-ups by key, conditional appends, groups and compaction with
 * libsblog.
 *
 * LIBS: -lsblog
 */
#include <sblog.h>
#include <string.h>

#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/streams.h"

enum { LOOKUPS = 100000, READS = 2000, APPENDS = 20000, COMPACT = 18000000 };

struct log {
	struct sblog_store *store;
	struct sblog_topic *topic;
};

static void
need(int rc, const struct sblog_err *err, const char *what)
{
	if (rc < 0)
		measure_fail(err->msg, what);
}

static struct log
log_open(const struct measure_env *env, const char *name)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX };
	struct place p = place_at(env->dir, "sblog.keys");
	struct sblog_err err;
	struct log l;

	need(sblog_store_open(&l.store, p.path, &opts, &err), &err, p.path);
	need(sblog_topic_open(&l.topic, l.store, name, SBLOG_CREATE, &err),
	    &err, name);
	return l;
}

static void
log_close(struct log *l)
{
	sblog_topic_close(l->topic);
	sblog_store_close(l->store);
}

/* Records first, first + 1, ... with their keys or without, not synced. */
static double
append(struct log *l, uint64_t first, uint64_t n, bool keyed)
{
	static struct sblog_record recs[STREAM_BATCH];
	static char keys[STREAM_BATCH][STREAM_KEY];
	static const char value[STREAM_VALUE + 1] =
	    "0123456789abcdefghijklmnopqrst";
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	double seconds = 0;
	struct sblog_err err;
	uint64_t offset, start;

	for (uint64_t i = 0; i < n; i += STREAM_BATCH) {
		for (uint64_t j = 0; j < STREAM_BATCH; j++) {
			stream_key(first + i + j, keys[j]);
			recs[j] = (struct sblog_record){
				.user_time_us = SBLOG_NO_TIME,
				.value = { value, STREAM_VALUE },
			};
			if (keyed)
				recs[j].key = (struct sblog_bytes){ keys[j],
					strlen(keys[j]) };
		}
		start = clock_ns();
		need(sblog_append(l->topic, recs, STREAM_BATCH, &opts, &offset,
			 &err),
		    &err, "append");
		seconds += clock_since(start);
	}
	return seconds;
}

/* A million keys, in ten segments and a WAL; then some streams get longer. */
static void
prepare(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "sblog.keys");
	uint64_t part = STREAMS / STREAM_PARTS / STREAM_BATCH * STREAM_BATCH;
	uint64_t done = 0;
	struct sblog_sealed sealed;
	struct sblog_err err;
	struct log l;

	place_fresh(p.path);
	l = log_open(env, "keys");
	for (int i = 0; i < STREAM_PARTS - 1; i++, done += part) {
		(void)append(&l, done, part, true);
		need(sblog_seal(l.topic, NULL, &sealed, &err), &err, "seal");
	}
	(void)append(&l, done, STREAMS - done, true);
	for (int i = 0; i < STREAM_EACH; i++)
		(void)append(&l, 0, STREAM_LONG, true);
	log_close(&l);
}

static void
latest(const struct measure_env *env)
{
	struct log l = log_open(env, "keys");
	struct sblog_record rec;
	struct sblog_err err;
	char key[STREAM_KEY];
	uint64_t start = 0;

	/* The first half is to warm up. */
	for (uint64_t i = 0; i < 2 * LOOKUPS; i++) {
		if (i == LOOKUPS)
			start = clock_ns();
		stream_key(i * 104729 % STREAMS, key);
		need(sblog_get_key(l.topic,
			 (struct sblog_bytes){ key, strlen(key) }, &rec, &err),
		    &err, key);
	}
	measure_print("latest-key", clock_since(start) / LOOKUPS * 1e6, "us");
	log_close(&l);
}

/* Read n records with these options; returns them. */
static uint64_t
read_some(struct log *l, const struct sblog_cursor_opts *opts, uint64_t n)
{
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t got = 0;

	need(sblog_cursor_open(&cur, l->topic, opts, &err), &err, "cursor");
	while (got < n && sblog_cursor_next(cur, &rec, &err) == 0)
		got++;
	sblog_cursor_close(cur);
	return got;
}

static void
stream10(const struct measure_env *env)
{
	struct log l = log_open(env, "keys");
	char key[STREAM_KEY];
	uint64_t start = 0;

	for (uint64_t i = 0; i < 2 * READS; i++) {
		struct sblog_cursor_opts opts = { .by_pos = 1, .pos = 3 };

		if (i == READS)
			start = clock_ns();
		stream_key(i * 37 % STREAM_LONG, key);
		opts.key = (struct sblog_bytes){ key, strlen(key) };
		if (read_some(&l, &opts, 10) != 10)
			measure_fail("not ten records", key);
	}
	measure_print("stream-10", clock_since(start) / READS * 1e6, "us");
	log_close(&l);
}

static void
category100(const struct measure_env *env)
{
	struct log l = log_open(env, "keys");
	uint64_t start = 0;

	for (uint64_t i = 0; i < 2 * READS; i++) {
		const struct sblog_cursor_opts opts = {
			.from = i * 9973 % (STREAMS - 10 * STREAM_BATCH),
			.key = { "acct3", 5 },
			.category = 1,
		};

		if (i == READS)
			start = clock_ns();
		if (read_some(&l, &opts, STREAM_CATEGORY) != STREAM_CATEGORY)
			measure_fail("not a hundred records", "acct3");
	}
	measure_print("category-100", clock_since(start) / READS * 1e6, "us");
	log_close(&l);
}

/* Records with keys, indexed, against the same without. */
static void
keyed(const struct measure_env *env)
{
	struct log with = log_open(env, "with"),
		   without = log_open(env, "without");
	double plain = append(&without, 0, STREAMS, false);
	double indexed = append(&with, 0, STREAMS, true);

	measure_print("append-keyed", STREAMS / indexed / 1e6, "M/s");
	measure_print("append-unkeyed", STREAMS / plain / 1e6, "M/s");
	log_close(&with);
	log_close(&without);
}

static void
conditional(const struct measure_env *env)
{
	const struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME,
		.key = { "cond-1", 6 },
		.value = { "v", 1 } };
	struct sblog_expect e = { .kind = SBLOG_EXPECT_KEY_POS,
		.value = SBLOG_NO_OFFSET,
		.key = rec.key };
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE,
		.expect = &e,
		.expect_count = 1 };
	struct log l = log_open(env, "keys");
	struct sblog_key_info info;
	struct sblog_err err;
	uint64_t offset, start;

	if (sblog_key_find(l.topic, rec.key, &info, &err) == 0)
		e.value = info.next_pos - 1;
	start = clock_ns();
	for (int i = 0; i < APPENDS; i++) {
		need(sblog_append(l.topic, &rec, 1, &opts, &offset, &err), &err,
		    "append");
		e.value = e.value == SBLOG_NO_OFFSET ? 0 : e.value + 1;
	}
	measure_print("append-if", clock_since(start) / APPENDS * 1e6, "us");
	log_close(&l);
}

static void
groups(const struct measure_env *env)
{
	const struct sblog_commit_opts opts = { .sync = SBLOG_SYNC_NONE,
		.undurable = 1 };
	struct log l = log_open(env, "keys");
	struct sblog_group group;
	struct sblog_info info;
	struct sblog_err err;
	uint64_t start;

	need(sblog_topic_info(l.topic, &info, &err), &err, "info");
	need(sblog_group_commit(l.topic, "g", info.end, &opts, &err), &err,
	    "commit");
	start = clock_ns();
	for (int i = 0; i < APPENDS; i++)
		need(sblog_group_commit(l.topic, "g", info.end, &opts, &err),
		    &err, "commit");
	measure_print("group-commit", clock_since(start) / APPENDS * 1e6, "us");
	start = clock_ns();
	for (int i = 0; i < APPENDS; i++)
		need(sblog_group_get(l.topic, "g", &group, &err), &err, "get");
	measure_print("group-get", clock_since(start) / APPENDS * 1e6, "us");
	log_close(&l);
}

/* W40-like records of which one in ten has the last word. */
static void
compact(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "sblog.keys/compact");
	struct sblog_compacted done;
	struct sblog_sealed sealed;
	struct sblog_err err;
	struct log l;
	uint64_t start;

	place_remove(p.path);
	l = log_open(env, "compact");
	for (uint64_t i = 0; i < COMPACT; i += STREAMS)
		(void)append(&l, 0,
		    COMPACT - i < STREAMS ? COMPACT - i : STREAMS, true);
	need(sblog_seal(l.topic, NULL, &sealed, &err), &err, "seal");
	start = clock_ns();
	need(sblog_compact(l.topic, NULL, &done, &err), &err, "compact");
	measure_print("compact",
	    (double)sealed.bytes_before / clock_since(start) / 1e6, "MB/s");
	if (done.records_after != STREAMS)
		measure_fail("not one record for each key", "compact");
	log_close(&l);
	place_remove(p.path);
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "prepare", prepare, "a million keys" },
		{ "latest-key", latest, "the newest record of a key" },
		{ "stream-10", stream10, "ten records of a key" },
		{ "category-100", category100, "a hundred of a category" },
		{ "append-keyed", keyed, "append with keys and without" },
		{ "append-if", conditional, "append if a stream ends so" },
		{ "group", groups, "commit an offset, and get it" },
		{ "compact", compact, "the latest of each key" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
