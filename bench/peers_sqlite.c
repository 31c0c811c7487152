/*
 * peers_sqlite.c - the work of common/peer.c with SQLite.
 *
 * LIBS: -lsqlite3
 *
 * Write-ahead log and synchronous=FULL: a commit is durable with one sync, the
 * fastest durable mode it has.  The row number is the offset.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/place.h"
#include "common/work.h"

struct db {
	sqlite3 *sql;
	sqlite3_stmt *insert, *begin, *commit;
	bool durable;
};

static void
need(const struct db *db, int rc, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		measure_fail(sqlite3_errmsg(db->sql), what);
}

static void
run(const struct db *db, const char *statement)
{
	need(db, sqlite3_exec(db->sql, statement, NULL, NULL, NULL), statement);
}

static void
compile(const struct db *db, const char *statement, sqlite3_stmt **stmtp)
{
	need(db,
	    sqlite3_prepare_v3(db->sql, statement, -1,
		SQLITE_PREPARE_PERSISTENT, stmtp, NULL),
	    statement);
}

/* Run a compiled statement that has no rows. */
static void
step(const struct db *db, sqlite3_stmt *stmt)
{
	need(db, sqlite3_step(stmt), "step");
	need(db, sqlite3_reset(stmt), "reset");
}

static void *
sqlite_open(const char *path)
{
	struct place file = place_at(path, "db");
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL)
		measure_fail("cannot allocate", "SQLite");
	need(db, sqlite3_open(file.path, &db->sql), "open");
	need(db, sqlite3_busy_timeout(db->sql, 60000), "set time-out");
	run(db, "PRAGMA journal_mode=WAL");
	run(db, "PRAGMA synchronous=FULL");
	run(db,
	    "CREATE TABLE IF NOT EXISTS log(offset INTEGER PRIMARY KEY, "
	    "key BLOB, value BLOB)");
	compile(db, "INSERT INTO log(key, value) VALUES(?, ?)", &db->insert);
	compile(db, "BEGIN IMMEDIATE", &db->begin);
	compile(db, "COMMIT", &db->commit);
	db->durable = true;
	return db;
}

static void
sqlite_close(void *arg)
{
	struct db *db = arg;

	need(db, sqlite3_finalize(db->insert), "finalize");
	need(db, sqlite3_finalize(db->begin), "finalize");
	need(db, sqlite3_finalize(db->commit), "finalize");
	need(db, sqlite3_close(db->sql), "close");
	free(db);
}

static void
insert(const struct db *db, const struct peer_record *rec)
{
	need(db,
	    rec->key == NULL ? sqlite3_bind_null(db->insert, 1)
			     : sqlite3_bind_blob(db->insert, 1, rec->key,
				   WORK_KEY, SQLITE_STATIC),
	    "bind");
	need(db,
	    sqlite3_bind_blob(db->insert, 2, rec->value, (int)rec->value_len,
		SQLITE_STATIC),
	    "bind");
	step(db, db->insert);
}

static void
sqlite_append(void *arg, const struct peer_record *recs, size_t n, bool durable)
{
	struct db *db = arg;

	if (durable != db->durable)
		run(db,
		    durable ? "PRAGMA synchronous=FULL"
			    : "PRAGMA synchronous=OFF");
	db->durable = durable;
	if (n > 1)
		step(db, db->begin);
	for (size_t i = 0; i < n; i++)
		insert(db, &recs[i]);
	if (n > 1)
		step(db, db->commit);
}

static struct peer_sum
sqlite_scan(void *arg)
{
	struct peer_sum sum = { 0, 0, 0 };
	const struct db *db = arg;
	sqlite3_stmt *select;

	compile(db, "SELECT value FROM log ORDER BY offset", &select);
	while (sqlite3_step(select) == SQLITE_ROW)
		peer_see(&sum, sqlite3_column_blob(select, 0),
		    (size_t)sqlite3_column_bytes(select, 0));
	need(db, sqlite3_finalize(select), "scan");
	return sum;
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "sqlite",
		.crew = CREW_PROCESSES,
		.open = sqlite_open,
		.close = sqlite_close,
		.append = sqlite_append,
		.scan = sqlite_scan,
	};

	return peer_main(argc, argv, &peer);
}
