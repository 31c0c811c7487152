/*
 * keys_sqlite.c - the look-ups by key of lib_keys with SQLite: a table with an
 * index on stream and position, and one on category.
 *
 * LIBS: -lsqlite3
 */
#include <sqlite3.h>
#include <string.h>

#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/streams.h"

enum { READS = 2000 };

static void
need(sqlite3 *db, int rc, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		measure_fail(sqlite3_errmsg(db), what);
}

static sqlite3 *
db_open(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "keys.sqlite");
	sqlite3 *db;

	need(NULL, sqlite3_open(p.path, &db), p.path);
	need(db, sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL),
	    "wal");
	return db;
}

static void
add(sqlite3 *db, sqlite3_stmt *insert, uint64_t i, uint64_t pos)
{
	char key[STREAM_KEY];

	stream_key(i, key);
	need(db, sqlite3_bind_text(insert, 1, key, -1, SQLITE_STATIC), "bind");
	need(db, sqlite3_bind_text(insert, 2, key, 5, SQLITE_STATIC), "bind");
	need(db, sqlite3_bind_int64(insert, 3, (sqlite3_int64)pos), "bind");
	need(db, sqlite3_step(insert), "insert");
	need(db, sqlite3_reset(insert), "reset");
}

static void
prepare(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "keys.sqlite");
	sqlite3_stmt *insert;
	sqlite3 *db;

	place_remove(p.path);
	db = db_open(env);
	need(db,
	    sqlite3_exec(db,
		"CREATE TABLE m(global INTEGER PRIMARY KEY, stream TEXT, "
		"category TEXT, position INTEGER, data BLOB);"
		"CREATE UNIQUE INDEX s ON m(stream, position);"
		"CREATE INDEX c ON m(category, global); BEGIN",
		NULL, NULL, NULL),
	    "create");
	need(db,
	    sqlite3_prepare_v2(db,
		"INSERT INTO m(stream, category, position, data) "
		"VALUES(?, ?, ?, '0123456789abcdefghijklmnopqrst')",
		-1, &insert, NULL),
	    "prepare");
	for (uint64_t i = 0; i < STREAMS; i++)
		add(db, insert, i, 0);
	for (uint64_t k = 0; k < STREAM_EACH; k++)
		for (uint64_t i = 0; i < STREAM_LONG; i++)
			add(db, insert, i, k + 1);
	need(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), "commit");
	need(db, sqlite3_finalize(insert), "finalize");
	need(db, sqlite3_close(db), "close");
}

static void
rows(sqlite3 *db, sqlite3_stmt *select, int want, const char *what)
{
	int got = 0;

	while (sqlite3_step(select) == SQLITE_ROW)
		got += sqlite3_column_bytes(select, 0) == STREAM_VALUE;
	if (got != want)
		measure_fail("not the rows asked for", what);
	need(db, sqlite3_reset(select), "reset");
}

static void
stream10(const struct measure_env *env)
{
	sqlite3 *db = db_open(env);
	sqlite3_stmt *select;
	char key[STREAM_KEY];
	uint64_t start = 0;

	need(db,
	    sqlite3_prepare_v2(db,
		"SELECT data FROM m WHERE stream = ? AND position >= 3 "
		"ORDER BY position LIMIT 10",
		-1, &select, NULL),
	    "prepare");
	for (uint64_t i = 0; i < 2 * READS; i++) {
		if (i == READS)
			start = clock_ns();
		stream_key(i * 37 % STREAM_LONG, key);
		need(db, sqlite3_bind_text(select, 1, key, -1, SQLITE_STATIC),
		    "bind");
		rows(db, select, 10, key);
	}
	measure_print("stream-10", clock_since(start) / READS * 1e6, "us");
	need(db, sqlite3_finalize(select), "finalize");
	need(db, sqlite3_close(db), "close");
}

static void
category100(const struct measure_env *env)
{
	sqlite3 *db = db_open(env);
	sqlite3_stmt *select;
	uint64_t start = 0;

	need(db,
	    sqlite3_prepare_v2(db,
		"SELECT data FROM m WHERE category = 'acct3' AND global >= ? "
		"ORDER BY global LIMIT 100",
		-1, &select, NULL),
	    "prepare");
	for (uint64_t i = 0; i < 2 * READS; i++) {
		if (i == READS)
			start = clock_ns();
		need(db,
		    sqlite3_bind_int64(select, 1,
			(sqlite3_int64)(i * 9973 %
			    (STREAMS - 10 * STREAM_BATCH))),
		    "bind");
		rows(db, select, STREAM_CATEGORY, "acct3");
	}
	measure_print("category-100", clock_since(start) / READS * 1e6, "us");
	need(db, sqlite3_finalize(select), "finalize");
	need(db, sqlite3_close(db), "close");
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "prepare", prepare, "a million streams" },
		{ "stream-10", stream10, "ten records of a stream" },
		{ "category-100", category100, "a hundred of a category" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
