/*
 * lib_sblog.c - the work of common/peer.c with libsblog.
 *
 * LIBS: -lsblog
 *
 * Writers are processes, each with its own handle: there is no server and no
 * handle that they could share.  What is scanned is sealed, uncompressed.
 */
#include <sblog.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/work.h"

enum { BATCH_MAX = 10000 }; /* records of one call of peer.c */

struct db {
	struct sblog_store *store;
	struct sblog_topic *topic;
	struct sblog_record recs[BATCH_MAX];
};

/* Below zero is failure; news is not. */
static void
need(int rc, const struct sblog_err *err, const char *what)
{
	if (rc < 0)
		measure_fail(err->msg, what);
}

static void *
lib_open(const char *path)
{
	const struct sblog_store_opts opts = {
		.mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX,
	};
	const struct sblog_setting plain = { "compression.type", "none" };
	struct db *db = calloc(1, sizeof(*db));
	struct sblog_err err;
	int rc;

	if (db == NULL)
		measure_fail("cannot allocate", "sblog");
	need(sblog_store_open(&db->store, path, &opts, &err), &err, path);
	rc = sblog_topic_create(db->store, "log", &plain, 1, &err);
	if (rc != SBLOG_ECOND) /* another writer was first */
		need(rc, &err, "create");
	need(sblog_topic_open(&db->topic, db->store, "log", SBLOG_WRITE, &err),
	    &err, "open");
	return db;
}

static void
lib_close(void *arg)
{
	struct db *db = arg;

	sblog_topic_close(db->topic);
	sblog_store_close(db->store);
	free(db);
}

static void
lib_append(void *arg, const struct peer_record *recs, size_t n, bool durable)
{
	const struct sblog_append_opts opts = {
		.sync = durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
	};
	struct db *db = arg;
	struct sblog_err err;
	uint64_t first;

	for (size_t i = 0; i < n; i++)
		db->recs[i] = (struct sblog_record){
			.user_time_us = SBLOG_NO_TIME,
			.key = { recs[i].key, recs[i].key ? WORK_KEY : 0 },
			.value = { recs[i].value, recs[i].value_len },
		};
	need(sblog_append(db->topic, db->recs, n, &opts, &first, &err), &err,
	    "append");
}

static void
lib_settle(void *arg)
{
	struct sblog_sealed sealed;
	struct sblog_err err;
	struct db *db = arg;

	need(sblog_seal(db->topic, NULL, &sealed, &err), &err, "seal");
}

static struct peer_sum
lib_scan(void *arg)
{
	struct peer_sum sum = { 0, 0, 0 };
	struct sblog_cursor *cursor;
	struct sblog_record rec;
	struct db *db = arg;
	struct sblog_err err;
	int rc;

	need(sblog_cursor_open(&cursor, db->topic, NULL, &err), &err, "scan");
	while ((rc = sblog_cursor_next(cursor, &rec, &err)) == SBLOG_OK)
		peer_see(&sum, rec.value.data, rec.value.len);
	need(rc, &err, "scan");
	sblog_cursor_close(cursor);
	return sum;
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "sblog",
		.crew = CREW_PROCESSES,
		.open = lib_open,
		.close = lib_close,
		.append = lib_append,
		.settle = lib_settle,
		.scan = lib_scan,
	};

	return peer_main(argc, argv, &peer);
}
