/*
 * peers_rocksdb.c - the work of common/peer.c with RocksDB.
 *
 * LIBS: -lrocksdb
 *
 * As Debian builds it and with its own defaults, compression included; sync=1
 * where durable is asked for.  The writers are threads, whose syncs it merges.
 */
#include <rocksdb/c.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/work.h"

struct db {
	rocksdb_t *store;
	rocksdb_options_t *options;
	rocksdb_writeoptions_t *durable, *plain;
	rocksdb_readoptions_t *read;
};

static void
need(const char *error, const char *what)
{
	if (error != NULL)
		measure_fail(error, what);
}

static void *
rocksdb_begin(const char *path)
{
	struct db *db = calloc(1, sizeof(*db));
	char *error = NULL;

	if (db == NULL)
		measure_fail("cannot allocate", "RocksDB");
	db->options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(db->options, 1);
	db->durable = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(db->durable, 1);
	db->plain = rocksdb_writeoptions_create();
	db->read = rocksdb_readoptions_create();
	db->store = rocksdb_open(db->options, path, &error);
	need(error, "open");
	return db;
}

static void
rocksdb_end(void *arg)
{
	struct db *db = arg;

	rocksdb_close(db->store);
	rocksdb_options_destroy(db->options);
	rocksdb_writeoptions_destroy(db->durable);
	rocksdb_writeoptions_destroy(db->plain);
	rocksdb_readoptions_destroy(db->read);
	free(db);
}

static void
rocksdb_append(void *arg, const struct peer_record *recs, size_t n,
    bool durable)
{
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	const struct db *db = arg;
	char *error = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct peer_record *rec = &recs[i];
		char offset[8];

		peer_offset_key(rec->offset, offset);
		if (rec->key != NULL)
			rocksdb_writebatch_put(batch, rec->key, WORK_KEY,
			    rec->value, rec->value_len);
		else
			rocksdb_writebatch_put(batch, offset, sizeof(offset),
			    rec->value, rec->value_len);
	}
	rocksdb_write(db->store, durable ? db->durable : db->plain, batch,
	    &error);
	need(error, "write");
	rocksdb_writebatch_destroy(batch);
}

static struct peer_sum
rocksdb_scan(void *arg)
{
	struct peer_sum sum = { 0, 0, 0 };
	const struct db *db = arg;
	rocksdb_iterator_t *it = rocksdb_create_iterator(db->store, db->read);
	char *error = NULL;

	for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it);
	     rocksdb_iter_next(it)) {
		size_t len;
		const char *value = rocksdb_iter_value(it, &len);

		peer_see(&sum, value, len);
	}
	rocksdb_iter_get_error(it, &error);
	need(error, "scan");
	rocksdb_iter_destroy(it);
	return sum;
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "rocksdb",
		.crew = CREW_THREADS,
		.open = rocksdb_begin,
		.close = rocksdb_end,
		.append = rocksdb_append,
		.scan = rocksdb_scan,
	};

	return peer_main(argc, argv, &peer);
}
