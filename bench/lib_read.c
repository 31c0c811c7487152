/*
 * lib_read.c - finding and reading single records with libsblog.
 *
 * LIBS: -lsblog
 *
 * Reads what "lib_sblog prepare" (sealed, uncompressed) and "throughput
 * prepare" (sealed, LZ4) have stored: W100, ten million records.
 */
#include <errno.h>
#include <sblog.h>

#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/work.h"

enum { LOCATE = 2000000, GET_RAW = 400000, GET_LZ4 = 20000 };

/* One topic, open for reading. */
struct reader {
	struct sblog_store *store;
	struct sblog_topic *topic;
	uint64_t end; /* all offsets before it exist */
};

static void
need(int rc, const struct sblog_err *err, const char *what)
{
	if (rc < 0)
		measure_fail(err->msg, what);
}

static struct reader
reader_open(const struct measure_env *env, const char *dir, const char *topic)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_READ };
	struct place p = place_at(env->dir, dir);
	struct sblog_info info;
	struct sblog_err err;
	struct reader r;

	need(sblog_store_open(&r.store, p.path, &opts, &err), &err, p.path);
	need(sblog_topic_open(&r.topic, r.store, topic, SBLOG_READ, &err), &err,
	    topic);
	need(sblog_topic_info(r.topic, &info, &err), &err, topic);
	errno = 0;
	if (info.start != 0 || info.end != env->lines)
		measure_fail("not the records asked for", p.path);
	r.end = info.end;
	return r;
}

static void
reader_close(struct reader *r)
{
	sblog_topic_close(r->topic);
	sblog_store_close(r->store);
}

/* Get n records anywhere; returns the seconds. */
static double
get_some(const struct reader *r, uint64_t n, uint64_t seed)
{
	uint64_t start, newlines = 0;
	struct sblog_record rec;
	struct sblog_err err;
	struct work work;

	work_init(&work, seed);
	start = clock_ns();
	for (uint64_t i = 0; i < n; i++) {
		uint64_t offset = work_random(&work) % r->end;
		const char *value;

		need(sblog_get(r->topic, offset, &rec, &err), &err, "get");
		if (rec.offset != offset || rec.value.len != WORK_LINE - 1)
			measure_fail("not the record asked for", "get");
		value = rec.value.data; /* looked at, as anyone would */
		newlines += value[0] == '\n';
		newlines += value[rec.value.len - 1] == '\n';
	}
	if (newlines > 0)
		measure_fail("not a line", "get");
	return clock_since(start);
}

/* The first n are to warm up: the files are mapped then. */
static void
get(const struct measure_env *env, const char *dir, const char *topic,
    uint64_t n, const char *name)
{
	struct reader r = reader_open(env, dir, topic);

	(void)get_some(&r, n, 1);
	measure_print(name, get_some(&r, n, 2) / (double)n * 1e6, "us");
	reader_close(&r);
}

static void
get_raw(const struct measure_env *env)
{
	get(env, "sblog.w100", "log", GET_RAW, "get-raw");
}

static void
get_lz4(const struct measure_env *env)
{
	get(env, "store", "sealed", GET_LZ4, "get-lz4");
}

/* Find n batches; returns the seconds. */
static double
locate_some(const struct reader *r, uint64_t n, uint64_t seed)
{
	struct sblog_place place;
	struct sblog_err err;
	struct work work;
	uint64_t start;

	work_init(&work, seed);
	start = clock_ns();
	for (uint64_t i = 0; i < n; i++) {
		uint64_t offset = work_random(&work) % r->end;

		need(sblog_locate(r->topic, offset, &place, &err), &err,
		    "locate");
		if (offset < place.first || offset >= place.next)
			measure_fail("not the batch asked for", "locate");
	}
	return clock_since(start);
}

static void
locate(const struct measure_env *env)
{
	struct reader r = reader_open(env, "store", "sealed");

	(void)locate_some(&r, LOCATE / 10, 1);
	measure_print("locate", locate_some(&r, LOCATE, 2) / LOCATE * 1e9,
	    "ns");
	reader_close(&r);
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "locate", locate, "find an offset in the index" },
		{ "get-raw", get_raw, "one record, sealed uncompressed" },
		{ "get-lz4", get_lz4, "one record, sealed LZ4" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
