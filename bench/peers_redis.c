/*
 * peers_redis.c - the work of common/peer.c with a Redis stream.
 *
 * LIBS: -lhiredis -lpthread
 *
 * A server of its own in the directory of the run, on a socket there and on no
 * port; it ends with this program.  Append-only file with appendfsync=always
 * where durable is asked for, else appendfsync=no.  A batch is one transaction,
 * sent at once.  Each writer has a connection.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/place.h"
#include "common/work.h"

enum { PATIENCE_MS = 10000, LOAD_MS = 120000, PAGE = 10000 };

struct db {
	pid_t server;
	char socket[PLACE_MAX + 32];
	uint64_t number; /* of this server in this program */
};

/* Of this thread, and whose it is. */
static _Thread_local redisContext *connection;
static _Thread_local uint64_t connected;
static uint64_t servers;

static redisContext *
connect_to(const struct db *db)
{
	if (connection != NULL && connected == db->number)
		return connection;
	if (connection != NULL)
		redisFree(connection);
	connection = redisConnectUnix(db->socket);
	connected = db->number;
	if (connection == NULL || connection->err != 0)
		measure_fail("cannot connect", db->socket);
	return connection;
}

static redisReply *
take(redisContext *c)
{
	void *reply = NULL;

	if (redisGetReply(c, &reply) != REDIS_OK || reply == NULL)
		measure_fail(c->errstr, "Redis");
	if (((redisReply *)reply)->type == REDIS_REPLY_ERROR)
		measure_fail(((redisReply *)reply)->str, "Redis");
	return reply;
}

static void
ask(redisContext *c, const char *command)
{
	if (redisAppendCommand(c, command) != REDIS_OK)
		measure_fail(c->errstr, "Redis");
	freeReplyObject(take(c));
}

static _Noreturn void
serve(const char *path, const char *socket)
{
	const char *const argv[] = { "redis-server", "--port", "0",
		"--unixsocket", socket, "--dir", path, "--appendonly", "yes",
		"--appendfsync", "no", "--save", "", "--logfile", "/dev/null",
		"--auto-aof-rewrite-percentage", "0", NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

/* Until it has read what it finds in its directory. */
static void
load(redisContext *c)
{
	for (int ms = 0; ms < LOAD_MS; ms += 10) {
		redisReply *reply = redisCommand(c, "PING");
		bool ready = reply != NULL && reply->type != REDIS_REPLY_ERROR;

		freeReplyObject(reply);
		if (ready)
			return;
		(void)usleep(10000);
	}
	measure_fail("does not get ready", "redis-server");
}

static void *
redis_begin(const char *path)
{
	struct db *db = calloc(1, sizeof(*db));
	redisContext *c = NULL;

	if (db == NULL)
		measure_fail("cannot allocate", "Redis");
	if (!place_exists(path))
		place_fresh(path);
	db->number = ++servers;
	(void)snprintf(db->socket, sizeof(db->socket), "%s/redis.sock", path);
	(void)fflush(stdout);
	if ((db->server = fork()) == 0)
		serve(path, db->socket);
	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		int status;

		if (waitpid(db->server, &status, WNOHANG) != 0)
			measure_skip("it is not installed, or does not start",
			    "redis-server");
		c = redisConnectUnix(db->socket);
		if (c != NULL && c->err == 0)
			break;
		redisFree(c);
		c = NULL;
		(void)usleep(1000);
	}
	if (c == NULL)
		measure_fail("does not answer", "redis-server");
	redisFree(c);
	load(connect_to(db));
	return db;
}

static void
redis_end(void *arg)
{
	struct db *db = arg;
	int status;

	/* Everything it has is written first. */
	(void)kill(db->server, SIGTERM);
	(void)waitpid(db->server, &status, 0);
	free(db);
}

static void
set_durable(redisContext *c, const struct db *db, bool durable)
{
	static _Thread_local uint64_t of;
	static _Thread_local bool is;

	if (of == db->number && is == durable)
		return;
	ask(c,
	    durable ? "CONFIG SET appendfsync always"
		    : "CONFIG SET appendfsync no");
	of = db->number;
	is = durable;
}

static void
add(redisContext *c, const struct peer_record *rec)
{
	const char *argv[7] = { "XADD", "log", "*", "v", rec->value, "k",
		rec->key };
	const size_t len[7] = { 4, 3, 1, 1, rec->value_len, 1, WORK_KEY };

	if (redisAppendCommandArgv(c, rec->key != NULL ? 7 : 5, argv, len) !=
	    REDIS_OK)
		measure_fail(c->errstr, "XADD");
}

static void
redis_append(void *arg, const struct peer_record *recs, size_t n, bool durable)
{
	const struct db *db = arg;
	redisContext *c = connect_to(db);

	set_durable(c, db, durable);
	if (n == 1) {
		add(c, recs);
		freeReplyObject(take(c));
		return;
	}
	if (redisAppendCommand(c, "MULTI") != REDIS_OK)
		measure_fail(c->errstr, "MULTI");
	for (size_t i = 0; i < n; i++)
		add(c, &recs[i]);
	if (redisAppendCommand(c, "EXEC") != REDIS_OK)
		measure_fail(c->errstr, "EXEC");
	for (size_t i = 0; i < n + 2; i++)
		freeReplyObject(take(c));
}

/* Entries are [id, [field, value, ...]]; the first field is the value's. */
static struct peer_sum
redis_scan(void *arg)
{
	struct peer_sum sum = { 0, 0, 0 };
	redisContext *c = connect_to(arg);
	char from[64] = "-";

	for (;;) {
		redisReply *page;
		size_t n;

		if (redisAppendCommand(c, "XRANGE log %s + COUNT %d", from,
			PAGE) != REDIS_OK)
			measure_fail(c->errstr, "XRANGE");
		page = take(c);
		n = page->elements;
		for (size_t i = 0; i < n; i++) {
			const redisReply *fields = page->element[i]->element[1];

			peer_see(&sum, fields->element[1]->str,
			    fields->element[1]->len);
		}
		if (n > 0)
			(void)snprintf(from, sizeof(from), "(%s",
			    page->element[n - 1]->element[0]->str);
		freeReplyObject(page);
		if (n < PAGE)
			return sum;
	}
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "redis",
		.crew = CREW_THREADS,
		.open = redis_begin,
		.close = redis_end,
		.append = redis_append,
		.scan = redis_scan,
	};

	return peer_main(argc, argv, &peer);
}
