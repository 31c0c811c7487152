/*
 * ops.c - what a simulated process can do: one entry for each operation.
 */
#include "common/ops.h"

#include <stdio.h>
#include <string.h>

#include "common/ops_group.h"
#include "common/sched.h"

enum { BATCH_MAX = 4 };

/* ---- append ---- */

static int
open_topic(enum sblog_mode mode, struct sblog_store **s, struct sblog_topic **t,
    struct sblog_err *err)
{
	const struct sblog_store_opts opts = {
		.mode = mode,
		.lock_timeout_ms = UINT32_MAX,
	};
	int rc;

	*s = NULL;
	*t = NULL;
	if ((rc = sblog_store_open(s, "store", &opts, err)) == 0)
		rc = sblog_topic_open(t, *s, "t", mode, err);
	return rc;
}

static void
close_topic(struct sblog_store *s, struct sblog_topic *t)
{
	sblog_topic_close(t);
	sblog_store_close(s);
}

static int
append_to(struct sblog_topic *t, uint32_t n, uint32_t len,
    const struct sblog_append_opts *opts, struct sblog_err *err)
{
	/* Written and read by the core in the same call: each process has
	 * its own. */
	char values[BATCH_MAX][64], keys[BATCH_MAX][WORLD_KEY_MAX];
	static char large[SIM_PROCS][WORLD_VALUE_MAX + 64];
	struct sblog_record recs[BATCH_MAX];
	uint32_t id = world_begin(n, len);
	uint64_t first, floor = world.acked_end;
	int rc;

	for (uint32_t i = 0; i < n; i++)
		world_record(id + i, &recs[i],
		    len > 30 ? large[sim.cur - sim.procs] : values[i], keys[i]);
	if ((rc = sblog_append(t, recs, n, opts, &first, err)) == 0)
		world_acked(id, first, opts->sync == SBLOG_SYNC_BATCH, floor);
	return rc;
}

static void
append(uint32_t n, uint32_t len, enum sblog_sync sync, enum sblog_codec codec)
{
	const struct sblog_append_opts opts = { .sync = sync, .codec = codec };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_topic(SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = append_to(t, n, len, &opts, &err);
	world_result("append", rc, &err);
	close_topic(s, t);
}

static void
do_append(void)
{
	append(1, 0, SBLOG_SYNC_BATCH, SBLOG_CODEC_NONE);
}

static void
do_append_none(void)
{
	append(1, 0, SBLOG_SYNC_NONE, SBLOG_CODEC_NONE);
}

static void
do_append_batch(void)
{
	append(3, 0, SBLOG_SYNC_BATCH, SBLOG_CODEC_LZ4);
}

static void
do_append_large(void)
{
	append(1, 36 << 10, SBLOG_SYNC_NONE, SBLOG_CODEC_NONE);
}

static void
do_append_twice(void)
{
	const struct sblog_append_opts opts[] = {
		{ .sync = SBLOG_SYNC_NONE, .sync_later = 1 },
		{ .sync = SBLOG_SYNC_BATCH },
	};
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_topic(SBLOG_WRITE, &s, &t, &err);

	for (int i = 0; i < 2 && rc == 0; i++)
		rc = append_to(t, 1, 0, &opts[i], &err);
	world_result("append", rc, &err);
	close_topic(s, t);
}

/* A run of lines in two batches, then one sync for both. */
static void
do_append_run(void)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE,
		.sync_later = 1 };
	struct sblog_run run = { .max_records = 1 };
	struct sblog_appended done = { 0 };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_record rec;
	struct sblog_err err;
	char text[64], key[WORLD_KEY_MAX];
	int rc = open_topic(SBLOG_WRITE, &s, &t, &err);

	for (int i = 0; i < 2 && rc == 0; i++) {
		uint64_t floor = world.acked_end;
		uint32_t id = world_begin(1, 0);

		/* A run has no keys. */
		while (id % 3 == 0)
			id = world_begin(1, 0);
		world_record(id, &rec, text, key);
		text[rec.value.len] = '\n';
		run.data = text;
		run.len = rec.value.len + 1;
		rc = sblog_append_run(t, &run, &opts, &done, &err);
		if (rc == 0 && done.next - done.first != 1)
			world_bad("a run of one line got %llu offsets",
			    (unsigned long long)(done.next - done.first));
		if (rc == 0)
			world_acked(id, done.first, false, floor);
	}
	if (rc == 0 && (rc = sblog_sync(t, &err)) == 0 && !world.loose)
		world_durable(done.next);
	world_result("append a run", rc, &err);
	close_topic(s, t);
}

/* ---- read ---- */

static int
read_all(struct sblog_cursor *cur, struct world_reader *r,
    struct sblog_err *err)
{
	struct sblog_record rec;
	int rc;

	while ((rc = sblog_cursor_next(cur, &rec, err)) == 0)
		world_see(r, &rec);
	return rc;
}

static void
read_topic(const struct sblog_cursor_opts *opts, int waits)
{
	struct sblog_cursor *cur = NULL;
	struct world_reader r;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc;

	world_read_begin(&r, 0, opts->durable);
	if ((rc = open_topic(SBLOG_READ, &s, &t, &err)) == 0)
		rc = sblog_cursor_open(&cur, t, opts, &err);
	while (rc == 0) {
		rc = read_all(cur, &r, &err);
		if (rc == SBLOG_END)
			world_read_end(&r);
		if (rc == SBLOG_END && waits-- > 0)
			rc = sblog_cursor_wait(cur, 20000, &err);
	}
	world_result("read", rc, &err);
	sblog_cursor_close(cur);
	close_topic(s, t);
}

static void
do_read(void)
{
	const struct sblog_cursor_opts opts = { 0 };

	read_topic(&opts, 0);
}

static void
do_read_durable(void)
{
	const struct sblog_cursor_opts opts = { .durable = 1 };

	read_topic(&opts, 0);
}

static void
do_follow(void)
{
	const struct sblog_cursor_opts opts = { .to = SBLOG_NO_OFFSET };

	read_topic(&opts, 3);
}

static void
do_get(void)
{
	struct world_reader r = { 0 };
	struct sblog_record rec;
	struct sblog_info info;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t offset, least = world.acked_end;
	int rc = open_topic(SBLOG_READ, &s, &t, &err);

	if (rc == 0 && (rc = sblog_topic_info(t, &info, &err)) == 0) {
		if (!world.loose && info.end < least)
			world_bad("the end is %llu, but %llu was acknowledged",
			    (unsigned long long)info.end,
			    (unsigned long long)least);
		for (int i = 0; i < 2 && info.end > 0 && rc == 0; i++) {
			r = (struct world_reader){ .next = i == 0 ? info.end - 1
								  : 0 };
			if ((rc = sblog_get(t, r.next, &rec, &err)) == 0)
				world_see(&r, &rec);
		}
		if (rc == 0)
			rc = sblog_find_time(t, 0, &offset, &err);
	}
	world_result("get", rc, &err);
	close_topic(s, t);
}

static void
do_stat(void)
{
	struct sblog_file file;
	struct sblog_info info;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t next = 0;
	int rc = open_topic(SBLOG_READ, &s, &t, &err);

	if (rc == 0)
		rc = sblog_topic_info(t, &info, &err);
	if (rc == 0 && !world.loose) {
		if (info.durable_end > info.end)
			world_bad("more is durable than there is");
		/* What is called durable must be so. */
		world_durable(info.durable_end);
	}
	for (size_t i = 0; rc == 0; i++) {
		rc = sblog_topic_file(t, i, &file, &err);
		if (rc != 0)
			break;
		if (file.first < next)
			world_bad("file %zu begins before the last one ends",
			    i);
		next = file.first;
	}
	world_result("stat", rc, &err);
	close_topic(s, t);
}

static void
found(void *arg, const struct sblog_finding *f)
{
	(void)arg;
	if (f->damage && !world.loose)
		world_bad("verify: %s: %s", f->file, f->msg);
}

static void
do_verify(void)
{
	const struct sblog_verify_opts opts = {
		.depth = SBLOG_VERIFY_DEEP,
		.found = found,
	};
	struct sblog_verified done;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t least = world.acked_end;
	int rc = open_topic(SBLOG_READ, &s, &t, &err);

	if (rc == 0 && (rc = sblog_verify(t, &opts, &done, &err)) == 0 &&
	    !world.loose && done.end < least)
		world_bad("verify went to %llu of %llu",
		    (unsigned long long)done.end, (unsigned long long)least);
	world_result("verify", rc, &err);
	close_topic(s, t);
}

/* ---- maintenance ---- */

static void
do_seal(void)
{
	const struct sblog_seal_opts opts = { .threads = 1 };
	struct sblog_sealed sealed;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	uint64_t least = world.acked_end;
	int rc = open_topic(SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = sblog_seal(t, &opts, &sealed, &err);
	world_result("seal", rc, &err);
	/* Segments are durable. */
	if (rc >= 0 && !world.loose)
		world_durable(least);
	close_topic(s, t);
}

static void
do_index(void)
{
	struct sblog_indexed done;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_topic(SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = sblog_index(t, SBLOG_INDEX_DROP, false, &done, &err);
	if (rc >= 0)
		rc = sblog_index(t, SBLOG_INDEX_BUILD, false, &done, &err);
	world_result("index", rc, &err);
	close_topic(s, t);
}

static const struct sblog_setting settings[WORLD_SETTINGS] = {
	{ "max.message.bytes", "128K" },
	{ "min.free.bytes", "1K" },
	{ "compression.type", "none" },
};

static void
set(bool store)
{
	size_t i = (size_t)(sim.cur - sim.procs) % WORLD_SETTINGS;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = open_topic(SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = sblog_setting_set(s, store ? NULL : t, &settings[i], 1,
		    false, &err);
	world_result("set", rc, &err);
	if (rc == 0)
		world.set[store][i] = true;
	close_topic(s, t);
}

static void
do_set(void)
{
	set(false);
}

static void
do_set_store(void)
{
	set(true);
}

static void
do_remove(void)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_WRITE,
		.lock_timeout_ms = UINT32_MAX };
	struct sblog_store *s = NULL;
	struct sblog_err err;
	int rc;

	world.tried_remove++;
	if ((rc = sblog_store_open(&s, "store", &opts, &err)) == 0)
		rc = sblog_topic_remove(s, "t", &err);
	if (rc == 0)
		world.gone = world.creating == 0;
	world_result("remove", rc, &err);
	sblog_store_close(s);
}

static void
do_create(void)
{
	const struct sblog_setting small = { "segment.bytes", "64K" };
	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX };
	struct sblog_store *s = NULL;
	struct sblog_err err;
	int rc;

	world.creating++;
	world.gone = false;
	if ((rc = sblog_store_open(&s, "store", &opts, &err)) == 0)
		rc = sblog_topic_create(s, "t", &small, 1, &err);
	if (rc == 0) {
		world.created++;
		world.exists = true;
	}
	if (rc == 0 && world.created > world.tried_remove + 1)
		world_bad("created twice");
	if (rc != SBLOG_ECOND)
		world_result("create", rc, &err);
	sblog_store_close(s);
}

const struct op ops[] = {
	{ "append", do_append, OP_CHANGES },
	{ "append-none", do_append_none, OP_CHANGES },
	{ "append-batch", do_append_batch, OP_CHANGES },
	{ "append-twice", do_append_twice, OP_CHANGES },
	{ "append-run", do_append_run, OP_CHANGES },
	{ "append-large", do_append_large, OP_CHANGES },
	{ "seal", do_seal, OP_CHANGES },
	{ "index", do_index, OP_CHANGES },
	{ "set", do_set, OP_CHANGES },
	{ "set-store", do_set_store, OP_CHANGES },
	{ "read", do_read, 0 },
	{ "read-durable", do_read_durable, 0 },
	{ "follow", do_follow, 0 },
	{ "get", do_get, 0 },
	{ "stat", do_stat, 0 },
	{ "verify", do_verify, 0 },
	{ "commit", do_commit, OP_CHANGES },
	{ "commit-none", do_commit_none, OP_CHANGES },
	{ "lease", do_lease, OP_CHANGES },
	{ "group-rm", do_group_remove, OP_CHANGES },
	{ "create", do_create, OP_CHANGES | OP_CREATES },
	{ "remove", do_remove, OP_CHANGES | OP_REMOVES },
};
const size_t op_count = sizeof(ops) / sizeof(ops[0]);
