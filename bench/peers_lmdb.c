/*
 * peers_lmdb.c - the work of common/peer.c with LMDB.
 *
 * LIBS: -llmdb
 *
 * Its own defaults: a commit writes data and meta page and syncs both.
 * MDB_NOMETASYNC would be faster and may lose the last commit.
 */
#include <lmdb.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/work.h"

static const size_t map_size = (size_t)8 << 30; /* address space, not memory */

struct db {
	MDB_env *env;
	MDB_dbi dbi;
};

/* A failed call ends the program. */
static void
need(int rc, const char *what)
{
	if (rc != MDB_SUCCESS)
		measure_fail(mdb_strerror(rc), what);
}

static void *
lmdb_open(const char *path)
{
	struct db *db = calloc(1, sizeof(*db));
	MDB_txn *txn;

	if (db == NULL)
		measure_fail("cannot allocate", "LMDB");
	need(mdb_env_create(&db->env), "create");
	need(mdb_env_set_mapsize(db->env, map_size), "set map size");
	need(mdb_env_open(db->env, path, 0, 0666), "open");
	need(mdb_txn_begin(db->env, NULL, 0, &txn), "begin");
	need(mdb_dbi_open(txn, NULL, 0, &db->dbi), "open");
	need(mdb_txn_commit(txn), "commit");
	return db;
}

static void
lmdb_close(void *arg)
{
	struct db *db = arg;

	mdb_env_close(db->env);
	free(db);
}

static void
lmdb_append(void *arg, const struct peer_record *recs, size_t n, bool durable)
{
	struct db *db = arg;
	MDB_txn *txn;

	need(mdb_env_set_flags(db->env, MDB_NOSYNC, !durable), "set flags");
	need(mdb_txn_begin(db->env, NULL, 0, &txn), "begin");
	for (size_t i = 0; i < n; i++) {
		const struct peer_record *rec = &recs[i];
		MDB_val key, value;
		char offset[8];

		/* Its interface has no const; it copies both. */
		peer_offset_key(rec->offset, offset);
		key.mv_data = offset;
		key.mv_size = sizeof(offset);
		if (rec->key != NULL) {
			key.mv_data = (void *)(uintptr_t)rec->key;
			key.mv_size = WORK_KEY;
		}
		value.mv_data = (void *)(uintptr_t)rec->value;
		value.mv_size = rec->value_len;
		/* MDB_APPEND fills pages, and wants ascending keys: true for
		 * lines, not for several writers. */
		need(mdb_put(txn, db->dbi, &key, &value,
			 rec->key == NULL ? MDB_APPEND : 0),
		    "put");
	}
	need(mdb_txn_commit(txn), "commit");
}

static struct peer_sum
lmdb_scan(void *arg)
{
	struct peer_sum sum = { 0, 0, 0 };
	MDB_val key, value;
	struct db *db = arg;
	MDB_cursor *cursor;
	MDB_txn *txn;

	need(mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn), "begin");
	need(mdb_cursor_open(txn, db->dbi, &cursor), "cursor");
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS)
		peer_see(&sum, value.mv_data, value.mv_size);
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return sum;
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "lmdb",
		.crew = CREW_PROCESSES,
		.open = lmdb_open,
		.close = lmdb_close,
		.append = lmdb_append,
		.scan = lmdb_scan,
	};

	return peer_main(argc, argv, &peer);
}
