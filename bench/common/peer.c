/*
 * peer.c - one store of records, and the same work done with each.
 */
#include "common/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/stats.h"
#include "common/warm.h"
#include "common/work.h"

enum {
	PLAIN = 100000, /* appends of one record, not durable */
	SINGLES = 2000, /* durable appends of one record, one writer */
	CREWED = 4000,  /* the same of all writers together */
	BATCH = 1000,   /* records of a durable batch */
	BATCHES = 400,
	FILL = 10000, /* records of a batch that is not durable */
};

/* Memory that is there before the clock starts. */
static void *
allocate(size_t n, size_t size)
{
	void *bytes = malloc(n * size);

	if (bytes == NULL)
		measure_fail("cannot allocate", "peer");
	memset(bytes, 1, n * size);
	return bytes;
}

void
peer_offset_key(uint64_t offset, char key[static 8])
{
	for (int i = 8; i-- > 0; offset >>= 8)
		key[i] = (char)(offset & 255);
}

/* A database of this peer. */
static struct place
database(const struct measure_env *env, const char *kind)
{
	const struct peer *peer = env->arg;
	struct place p = place_at(env->dir, peer->name);

	return place_join(p.path, kind);
}

/* n records of W40, numbered from first in steps. */
static struct peer_record *
make_40(uint64_t first, uint64_t step, size_t n, char **bytesp)
{
	struct peer_record *recs = allocate(n, sizeof(*recs));
	char *bytes = allocate(n, WORK_KEY + WORK_VALUE);
	struct work work;

	work_init(&work, first);
	for (size_t i = 0; i < n; i++) {
		char *key = bytes + i * (WORK_KEY + WORK_VALUE);

		recs[i] = (struct peer_record){
			.offset = first + i * step,
			.key = key,
			.value = key + WORK_KEY,
			.value_len = WORK_VALUE,
		};
		work_40(&work, recs[i].offset, key, key + WORK_KEY);
	}
	*bytesp = bytes;
	return recs;
}

/* n log lines, without their newlines. */
static struct peer_record *
make_lines(size_t n, char **bytesp)
{
	struct peer_record *recs = allocate(n, sizeof(*recs));
	char *bytes = allocate(n, WORK_LINE);
	struct work work;

	work_init(&work, 1);
	for (size_t i = 0; i < n; i++) {
		work_line(&work, bytes + i * WORK_LINE);
		recs[i] = (struct peer_record){
			.offset = i,
			.value = bytes + i * WORK_LINE,
			.value_len = WORK_LINE - 1,
		};
	}
	*bytesp = bytes;
	return recs;
}

/* Appends of one record that are visible to others, not durable. */
static void
plain_one(const struct measure_env *env)
{
	struct place p = database(env, ".plain");
	const struct peer *peer = env->arg;
	struct peer_record *recs;
	uint64_t start;
	double seconds;
	char *bytes;
	void *db;

	recs = make_40(0, 1, PLAIN, &bytes);
	place_fresh(p.path);
	db = peer->open(p.path);
	start = clock_ns();
	for (size_t i = 0; i < PLAIN; i++)
		peer->append(db, recs + i, 1, false);
	seconds = clock_since(start);
	peer->close(db);
	place_remove(p.path);
	measure_print("plain-one", seconds / PLAIN * 1e6, "us");
	free(recs);
	free(bytes);
}

/* Durable appends of one record: the mean, the middle, the slow end. */
static void
durable_one(const struct measure_env *env)
{
	struct place p = database(env, ".one");
	const struct peer *peer = env->arg;
	struct peer_record *recs;
	static double us[SINGLES];
	char *bytes;
	void *db;

	recs = make_40(0, 1, SINGLES, &bytes);
	place_fresh(p.path);
	db = peer->open(p.path);
	for (size_t i = 0; i < SINGLES; i++) {
		uint64_t start = clock_ns();

		peer->append(db, recs + i, 1, true);
		us[i] = (double)(clock_ns() - start) / 1e3;
	}
	peer->close(db);
	place_remove(p.path);
	stats_sort(us, SINGLES);
	measure_print("durable-one", stats_mean(us, SINGLES), "us");
	measure_print("durable-one-p50", stats_rank(us, SINGLES, 0.5), "us");
	measure_print("durable-one-p99", stats_rank(us, SINGLES, 0.99), "us");
	free(recs);
	free(bytes);
}

/* Several writers of durable single records. */
struct crowd {
	const struct peer *peer;
	const char *path;
	unsigned writers;
	void *shared; /* the handle, if they are threads */
};

static _Thread_local void *writer_db;
static _Thread_local struct peer_record *writer_recs;
static _Thread_local char *writer_bytes;

static void
crowd_prepare(void *arg, unsigned member)
{
	const struct crowd *c = arg;

	writer_recs =
	    make_40(member, c->writers, CREWED / c->writers, &writer_bytes);
	writer_db = c->shared != NULL ? c->shared : c->peer->open(c->path);
}

static void
crowd_work(void *arg, unsigned member)
{
	const struct crowd *c = arg;

	(void)member; /* it has its own records already */
	for (size_t i = 0; i < CREWED / c->writers; i++)
		c->peer->append(writer_db, writer_recs + i, 1, true);
}

static void
durable_crowd(const struct measure_env *env, unsigned writers, const char *name)
{
	struct place p = database(env, ".crowd");
	const struct peer *peer = env->arg;
	struct crowd c = { peer, p.path, writers, NULL };
	double seconds;
	void *db;

	place_fresh(p.path);
	db = peer->open(p.path); /* it is made before they come */
	if (peer->crew == CREW_THREADS)
		c.shared = db;
	else
		peer->close(db);
	seconds = crew_run(peer->crew, writers, crowd_prepare, crowd_work, &c);
	if (peer->crew == CREW_THREADS)
		peer->close(db);
	place_remove(p.path);
	measure_print(name, CREWED / writers * writers / seconds, "records/s");
}

static void
durable_4(const struct measure_env *env)
{
	durable_crowd(env, 4, "durable-4");
}

static void
durable_32(const struct measure_env *env)
{
	durable_crowd(env, 32, "durable-32");
}

/* Log lines in batches of a thousand, each durable. */
static void
durable_batch(const struct measure_env *env)
{
	struct place p = database(env, ".batch");
	const struct peer *peer = env->arg;
	struct peer_record *recs;
	uint64_t start;
	double seconds;
	char *bytes;
	void *db;

	recs = make_lines((size_t)BATCHES * BATCH, &bytes);
	place_fresh(p.path);
	db = peer->open(p.path);
	warm_memory(env->dir, (uint64_t)4 * BATCHES * BATCH * WORK_LINE);
	start = clock_ns();
	for (size_t i = 0; i < BATCHES; i++)
		peer->append(db, recs + i * BATCH, BATCH, true);
	seconds = clock_since(start);
	peer->close(db);
	place_remove(p.path);
	measure_print("durable-batch", (double)BATCHES * BATCH / seconds,
	    "records/s");
	free(recs);
	free(bytes);
}

/* All of W100, for the scan; it stays. */
static void
prepare(const struct measure_env *env)
{
	struct place p = database(env, ".w100");
	const struct peer *peer = env->arg;
	static struct peer_record recs[FILL];
	static char bytes[FILL][WORK_LINE];
	struct work work;
	uint64_t offset = 0;
	void *db;

	work_init(&work, 1);
	place_fresh(p.path);
	db = peer->open(p.path);
	while (offset < env->lines) {
		size_t n = 0;

		for (; n < FILL && offset < env->lines; n++, offset++) {
			work_line(&work, bytes[n]);
			recs[n] = (struct peer_record){
				.offset = offset,
				.value = bytes[n],
				.value_len = WORK_LINE - 1,
			};
		}
		peer->append(db, recs, n, false);
	}
	if (peer->settle != NULL)
		peer->settle(db);
	peer->close(db);
	sync(); /* so that no measure pays for writing this back */
}

/*
 * Everything in order.  The second pass of one handle is the figure: the
 * first one also pays for mapping pages that are in memory already.
 */
static void
scan(const struct measure_env *env)
{
	struct place p = database(env, ".w100");
	const struct peer *peer = env->arg;
	void *db = peer->open(p.path);
	struct peer_sum sum;

	for (int pass = 0; pass < 2; pass++) {
		uint64_t start = clock_ns();
		double seconds;

		sum = peer->scan(db);
		seconds = clock_since(start);
		errno = 0;
		if (sum.records != env->lines)
			measure_fail("not all records found", p.path);
		measure_print(pass == 0 ? "scan-first" : "scan",
		    (double)sum.bytes / seconds / 1e9, "GB/s");
	}
	peer->close(db);
}

static void
stored(const struct measure_env *env)
{
	struct place p = database(env, ".w100");

	measure_print("stored",
	    (double)place_bytes(p.path) / (double)env->lines, "B/record");
}

int
peer_main(int argc, char **argv, const struct peer *peer)
{
	static const struct measure table[] = {
		{ "prepare", prepare, "store W100, for scan and stored" },
		{ "plain-one", plain_one, "one W40 record, not durable" },
		{ "durable-one", durable_one, "one W40 record, durable" },
		{ "durable-4", durable_4, "the same, 4 writers" },
		{ "durable-32", durable_32, "the same, 32 writers" },
		{ "durable-batch", durable_batch, "1000 lines, durable" },
		{ "scan", scan, "all lines in order" },
		{ "stored", stored, "size of a line as stored" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, peer);
}
