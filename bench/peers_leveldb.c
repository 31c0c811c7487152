/*
 * peers_leveldb.c - the work of common/peer.c with LevelDB.
 *
 * LIBS: -lleveldb
 *
 * As Debian builds it and with its own defaults, compression included; sync=1
 * where durable is asked for.  The writers are threads, whose syncs it merges.
 */
#include <leveldb/c.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/work.h"

struct db {
	leveldb_t *store;
	leveldb_options_t *options;
	leveldb_writeoptions_t *durable, *plain;
	leveldb_readoptions_t *read;
};

static void
need(const char *error, const char *what)
{
	if (error != NULL)
		measure_fail(error, what);
}

static void *
leveldb_begin(const char *path)
{
	struct db *db = calloc(1, sizeof(*db));
	char *error = NULL;

	if (db == NULL)
		measure_fail("cannot allocate", "LevelDB");
	db->options = leveldb_options_create();
	leveldb_options_set_create_if_missing(db->options, 1);
	db->durable = leveldb_writeoptions_create();
	leveldb_writeoptions_set_sync(db->durable, 1);
	db->plain = leveldb_writeoptions_create();
	db->read = leveldb_readoptions_create();
	db->store = leveldb_open(db->options, path, &error);
	need(error, "open");
	return db;
}

static void
leveldb_end(void *arg)
{
	struct db *db = arg;

	leveldb_close(db->store);
	leveldb_options_destroy(db->options);
	leveldb_writeoptions_destroy(db->durable);
	leveldb_writeoptions_destroy(db->plain);
	leveldb_readoptions_destroy(db->read);
	free(db);
}

static void
leveldb_append(void *arg, const struct peer_record *recs, size_t n,
    bool durable)
{
	leveldb_writebatch_t *batch = leveldb_writebatch_create();
	const struct db *db = arg;
	char *error = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct peer_record *rec = &recs[i];
		char offset[8];

		peer_offset_key(rec->offset, offset);
		if (rec->key != NULL)
			leveldb_writebatch_put(batch, rec->key, WORK_KEY,
			    rec->value, rec->value_len);
		else
			leveldb_writebatch_put(batch, offset, sizeof(offset),
			    rec->value, rec->value_len);
	}
	leveldb_write(db->store, durable ? db->durable : db->plain, batch,
	    &error);
	need(error, "write");
	leveldb_writebatch_destroy(batch);
}

static struct peer_sum
leveldb_scan(void *arg)
{
	struct peer_sum sum = { 0, 0, 0 };
	const struct db *db = arg;
	leveldb_iterator_t *it = leveldb_create_iterator(db->store, db->read);
	char *error = NULL;

	for (leveldb_iter_seek_to_first(it); leveldb_iter_valid(it);
	     leveldb_iter_next(it)) {
		size_t len;
		const char *value = leveldb_iter_value(it, &len);

		peer_see(&sum, value, len);
	}
	leveldb_iter_get_error(it, &error);
	need(error, "scan");
	leveldb_iter_destroy(it);
	return sum;
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "leveldb",
		.crew = CREW_THREADS,
		.open = leveldb_begin,
		.close = leveldb_end,
		.append = leveldb_append,
		.scan = leveldb_scan,
	};

	return peer_main(argc, argv, &peer);
}
