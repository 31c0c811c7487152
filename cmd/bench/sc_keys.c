/*
 * sc_keys.c - scenarios: keys, consumer groups, topics.
 */
#include "bench/sc_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/work.h"

enum { KEY_SIZE = 24, BATCH = 1000 };

/* -- keys -------------------------------------------------------------------- */

struct keys_state {
	struct work_log log;
	char (*keys)[KEY_SIZE];
	uint64_t n, at, bad, appended;
};

static void *
keys_open(const struct bench_ctx *ctx, const struct micro *m)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct keys_state *s = mem_new(1, sizeof(*s));
	struct sblog_record *recs = mem_new(m->n, sizeof(*recs));
	struct sblog_err err;
	uint64_t first;

	work_open(&s->log, ctx->directory, "t", NULL);
	s->n = s->appended = m->n;
	s->keys = mem_new(s->n, sizeof(*s->keys));
	for (uint64_t i = 0; i < s->n; i++) {
		(void)snprintf(s->keys[i], KEY_SIZE, "key%" PRIu64, i);
		recs[i] = (struct sblog_record){ .user_time_us = SBLOG_NO_TIME,
			.key = { s->keys[i], strlen(s->keys[i]) },
			.value = { s->keys[i], strlen(s->keys[i]) } };
	}
	for (uint64_t i = 0; i < s->n; i += BATCH)
		work_need(sblog_append(s->log.topic, recs + i,
			      s->n - i < BATCH ? (size_t)(s->n - i) : BATCH,
			      &opts, &first, &err),
		    &err, "append");
	free(recs);
	return s;
}

static void
keys_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct keys_state *s = arg;
	struct sblog_info info;
	struct sblog_err err;

	work_need(sblog_topic_info(s->log.topic, &info, &err), &err, "info");
	if (s->bad != 0 || info.records != s->appended)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "%" PRIu64 " of %" PRIu64 " records are there, %" PRIu64
		    " answers were wrong",
		    info.records, s->appended, s->bad);
	work_close(&s->log);
	free(s->keys);
	free(s);
}

static void
put(void *arg, uint64_t count)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct keys_state *s = arg;
	struct sblog_err err;
	uint64_t first;

	for (uint64_t i = 0; i < count; i++, s->at += 7919) {
		const char *key = s->keys[s->at % s->n];
		const struct sblog_record rec = {
			.user_time_us = SBLOG_NO_TIME,
			.key = { key, strlen(key) },
			.value = { key, strlen(key) },
		};

		work_need(sblog_append(s->log.topic, &rec, 1, &opts, &first,
			      &err),
		    &err, "append");
		s->bad += first != s->appended++;
	}
}

static void
get(void *arg, uint64_t count)
{
	struct keys_state *s = arg;
	struct sblog_record rec;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++, s->at += 7919) {
		const char *key = s->keys[s->at % s->n];
		struct sblog_bytes want = { key, strlen(key) };

		work_need(sblog_get_key(s->log.topic, want, &rec, &err), &err,
		    key);
		s->bad += rec.value.len != want.len ||
		    memcmp(rec.value.data, key, want.len) != 0;
	}
}

/* The newest record of every key, once around. */
static void
iterate(void *arg, uint64_t count)
{
	const struct sblog_cursor_opts opts = { .latest = 1, .copy = 1 };
	struct keys_state *s = arg;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t got = 0;
		int rc;

		work_need(sblog_cursor_open(&cur, s->log.topic, &opts, &err),
		    &err, "latest");
		while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0)
			got++;
		work_need(rc, &err, "latest");
		s->bad += got != s->n;
		sblog_cursor_close(cur);
	}
}

const struct micro keys_put = { keys_open, put, keys_close,
	"keys=10000 sync=none", 10000, 0, 1000000, 0 };
const struct micro keys_get = { keys_open, get, keys_close, "keys=10000", 10000,
	0, 0, 0 };
const struct micro keys_iterate = { keys_open, iterate, keys_close, "keys=1000",
	1000, 0, 0, 0 };

/* -- groups ------------------------------------------------------------------ */

struct groups_state {
	struct work_log log;
	struct sblog_commit_opts opts;
	uint64_t at, end, bad;
};

static void *
groups_open_as(const struct bench_ctx *ctx, enum sblog_sync sync)
{
	struct groups_state *s = mem_new(1, sizeof(*s));
	struct sblog_err err;

	work_open(&s->log, ctx->directory, "t", NULL);
	s->end = 1000;
	work_fill(&s->log, s->end, 40, 100);
	work_need(sblog_sync(s->log.topic, &err), &err, "sync");
	s->opts.sync = sync;
	return s;
}

static void
commit(void *arg, uint64_t count)
{
	struct groups_state *s = arg;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++) {
		s->at = (s->at + 1) % (s->end + 1);
		work_need(sblog_group_commit(s->log.topic, "g", s->at, &s->opts,
			      &err),
		    &err, "commit");
	}
}

static void *
groups_open(const struct bench_ctx *ctx, const struct micro *m)
{
	(void)m;
	return groups_open_as(ctx, SBLOG_SYNC_NONE);
}

static void *
groups_open_durable(const struct bench_ctx *ctx, const struct micro *m)
{
	(void)m;
	return groups_open_as(ctx, SBLOG_SYNC_BATCH);
}

static void *
groups_open_get(const struct bench_ctx *ctx, const struct micro *m)
{
	void *s = groups_open(ctx, m);

	commit(s, 1);
	return s;
}

static void
group_get(void *arg, uint64_t count)
{
	struct groups_state *s = arg;
	struct sblog_group group;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++) {
		work_need(sblog_group_get(s->log.topic, "g", &group, &err),
		    &err, "get");
		s->bad += group.committed != s->at;
	}
}

static void
groups_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct groups_state *s = arg;

	group_get(s, 1);
	if (s->bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "not what was committed last");
	work_close(&s->log);
	free(s);
}

const struct micro groups_commit = { groups_open, commit, groups_close,
	"sync=none", 1, 0, 0, 0 };
const struct micro groups_commit_durable = { groups_open_durable, commit,
	groups_close, "sync=batch", 1, 0, 20000, 0 };
const struct micro groups_get = { groups_open_get, group_get, groups_close, "",
	1, 0, 0, 0 };

/* -- topics ------------------------------------------------------------------ */

struct topics_state {
	struct work_log log;
	uint64_t created, bad;
};

static void
create(void *arg, uint64_t count)
{
	struct topics_state *s = arg;
	struct sblog_err err;
	char name[32];

	for (uint64_t i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "topic-%" PRIu64,
		    s->created++);
		work_need(sblog_topic_create(s->log.store, name, NULL, 0, &err),
		    &err, name);
	}
}

static void
open_one(void *arg, uint64_t count)
{
	struct topics_state *s = arg;
	struct sblog_topic *topic;
	struct sblog_info info;
	struct sblog_err err;

	for (uint64_t i = 0; i < count; i++) {
		work_need(sblog_topic_open(&topic, s->log.store, "t",
			      SBLOG_READ, &err),
		    &err, "open");
		work_need(sblog_topic_info(topic, &info, &err), &err, "info");
		s->bad += info.records != 0;
		sblog_topic_close(topic);
	}
}

static void
list(void *arg, uint64_t count)
{
	struct topics_state *s = arg;
	struct sblog_err err;
	char **names;
	size_t n;

	for (uint64_t i = 0; i < count; i++) {
		work_need(sblog_store_list(s->log.store, &names, &n, &err),
		    &err, "list");
		s->bad += n != s->created + 1;
		sblog_names_free(names);
	}
}

static void *
topics_open_store(const struct bench_ctx *ctx, const struct micro *m)
{
	struct topics_state *s = mem_new(1, sizeof(*s));

	work_open(&s->log, ctx->directory, "t", NULL);
	create(s, micro_n(ctx, m));
	return s;
}

static void
topics_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct topics_state *s = arg;

	list(s, 1);
	if (s->bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "not the topics that were created");
	work_close(&s->log);
	free(s);
}

const struct micro topics_create = { topics_open_store, create, topics_close,
	"", 0, 0, 1000, 0 };
const struct micro topics_open = { topics_open_store, open_one, topics_close,
	"", 0, 0, 0, 0 };
const struct micro topics_list = { topics_open_store, list, topics_close,
	"topics=10", 9, 0, 0, 0 };
const struct micro topics_list_1000 = { topics_open_store, list, topics_close,
	"", 1000, 100, 0, 0 };
