/*
 * test_log.c - log: the public interface against a list of records in memory.
 *
 * Random appends of every kind, with WALs that are finished, sealed, opened
 * again; then every way of reading must tell what the list tells.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/chain.h"
#include "sblog.h"

enum {
	SEQUENCES = 200,
	STEPS = 14,
	MODEL_MAX = 1 << 16, /* records of a sequence */
	POOL = 1 << 16,      /* random bytes that values are cut from */
	RUN_MAX = 48 << 10,
	ARENA = 8 << 20, /* what a sequence keeps */
	BATCH_MAX = 200,
};

static uint8_t pool[POOL], arena[ARENA];
static struct sblog_record model[MODEL_MAX];
static size_t count, arena_used;
static uint64_t end; /* offset behind all records */
static struct sblog_store *store;
static struct sblog_topic *topic;
static char name[32];
static struct sblog_err err;
static uint64_t state;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

/* 0, with what went wrong shown if not. */
static void
good(int rc, const char *what)
{
	if (rc != 0)
		CHECK_STR(err.msg, what);
	CHECK_U64(rc, 0);
}

/* A copy that stays for the sequence. */
static struct sblog_bytes
keep(struct sblog_bytes b)
{
	uint8_t *to = arena + arena_used;

	if (b.data == NULL)
		return b;
	CHECK(ARENA - arena_used >= b.len);
	if (b.len > 0)
		memcpy(to, b.data, b.len);
	arena_used += b.len;
	return (struct sblog_bytes){ to, b.len };
}

static struct sblog_bytes
some_bytes(uint64_t max)
{
	return (struct sblog_bytes){ pool + any(POOL - max), any(max + 1) };
}

static struct sblog_bytes
some_headers(void)
{
	static uint8_t buf[400];
	struct sblog_bytes value;
	size_t len = 0;

	for (uint64_t n = 1 + any(3); n > 0; n--) {
		value =
		    any(4) ? some_bytes(50) : (struct sblog_bytes){ NULL, 0 };
		good(sblog_headers_add(buf, sizeof(buf), &len,
			 (struct sblog_bytes){ pool + any(99), 1 + any(9) },
			 value),
		    "headers");
	}
	return keep((struct sblog_bytes){ buf, len });
}

/* ---- what is done to both ---- */

static void
add_to_model(const struct sblog_record *rec, uint64_t offset, int64_t time)
{
	struct sblog_record *r = &model[count++];

	CHECK(count <= MODEL_MAX);
	*r = *rec;
	r->offset = offset;
	r->time_us = time;
	r->value = keep(rec->value);
	r->key = keep(rec->key);
	r->headers = keep(rec->headers);
	end = offset + 1;
}

/* When the records from here on were appended: one time for all of them. */
static int64_t
time_of(uint64_t offset)
{
	struct sblog_record rec;

	good(sblog_get(topic, offset, &rec, &err), "get");
	CHECK(rec.time_us > 0);
	CHECK(count == 0 || rec.time_us >= model[count - 1].time_us);
	return rec.time_us;
}

static struct sblog_append_opts
some_opts(void)
{
	return (struct sblog_append_opts){
		.sync = any(40) ? SBLOG_SYNC_NONE : SBLOG_SYNC_BATCH,
		.codec = any(3) ? SBLOG_CODEC_NONE : SBLOG_CODEC_LZ4,
	};
}

static size_t
make_records(struct sblog_record *recs)
{
	bool keys = any(2), headers = any(4) == 0, user = any(4) == 0;
	bool nulls = any(4) == 0;
	uint64_t max = UINT64_C(1) << any(12);
	size_t n = 1 + any(any(3) ? 10 : BATCH_MAX);

	for (size_t i = 0; i < n; i++) {
		struct sblog_record *r = &recs[i];

		*r = (struct sblog_record){ .user_time_us = SBLOG_NO_TIME };
		if (!nulls || any(3))
			r->value = some_bytes(max);
		if (keys && any(3))
			r->key = some_bytes(20);
		if (headers && any(2))
			r->headers = some_headers();
		if (user && any(2))
			r->user_time_us = (int64_t)any(1u << 30) - 1000;
	}
	return n;
}

static void
append_records(void)
{
	struct sblog_append_opts opts = some_opts();
	static struct sblog_record recs[BATCH_MAX];
	size_t n = make_records(recs);
	uint64_t first;
	int64_t time;

	good(sblog_append(topic, recs, n, &opts, &first, &err), "append");
	CHECK_U64(first, end);
	time = time_of(first);
	for (size_t i = 0; i < n; i++)
		add_to_model(&recs[i], first + i, time);
}

/* Offsets and times of their own, with holes; one that is too low. */
static void
append_kept(void)
{
	int64_t time = count > 0 ? model[count - 1].time_us : 1000;
	struct sblog_append_opts opts = some_opts();
	static struct sblog_record recs[BATCH_MAX];
	size_t n = make_records(recs);
	uint64_t offset = end + any(50) * any(2), first;

	opts.keep_offsets = 1;
	for (size_t i = 0; i < n; i++) {
		recs[i].offset = offset;
		recs[i].time_us = time += (int64_t)any(30);
		offset += 1 + any(9) / 7 * any(400);
	}
	good(sblog_append(topic, recs, n, &opts, &first, &err), "keep");
	CHECK_U64(first, recs[0].offset);
	for (size_t i = 0; i < n; i++)
		add_to_model(&recs[i], recs[i].offset, recs[i].time_us);
	recs[0].offset = end - 1;
	CHECK(sblog_append(topic, recs, 1, &opts, &first, &err) == SBLOG_ECOND);
}

/* The records of a run, by their ends; pos is where the next begins. */
static size_t
run_to_model(const struct sblog_run *run, const struct sblog_appended *done,
    const char *data, size_t begin)
{
	int64_t time = time_of(done->first);
	struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME };
	size_t at = begin, stop = begin + done->consumed;

	for (uint64_t o = done->first; o < done->next; o++) {
		const char *hit = memmem(data + at, run->len - at, run->delim,
		    run->delim_len);
		size_t len = hit ? (size_t)(hit - data) - at : run->len - at;

		rec.value = (struct sblog_bytes){ data + at, len };
		add_to_model(&rec, o, time);
		at += len + (hit ? run->delim_len : 0);
	}
	CHECK_U64(at, stop);
	return stop;
}

static void
append_run(void)
{
	static const char *const delims[] = { "\n", "\r\n", "|", "12345678" };
	static char data[RUN_MAX + SBLOG_DELIM_MAX], copy[RUN_MAX];
	const char *delim = delims[any(4)];
	struct sblog_append_opts opts = some_opts();
	struct sblog_run run = { .delim_len = (uint8_t)strlen(delim),
		.final = any(2) == 0,
		.max_records = any(2) ? 0 : 1 + (uint32_t)any(500) };
	size_t every = 1 + any(300), at = 0;
	struct sblog_appended done;

	run.len = any(any(3) ? 2000 : RUN_MAX);
	memcpy(run.delim, delim, run.delim_len);
	for (size_t i = 0; i < run.len; i++)
		data[i] = (char)('a' + any(20));
	for (size_t i = any(every); i + run.delim_len <= run.len;
	     i += run.delim_len + any(every))
		memcpy(data + i, delim, run.delim_len);
	memcpy(copy, data, run.len);
	for (;;) {
		struct sblog_run rest = run;

		rest.data = data + at;
		rest.len = run.len - at;
		good(sblog_append_run(topic, &rest, &opts, &done, &err), "run");
		if (done.consumed == 0)
			break;
		CHECK_U64(done.first, end);
		at = run_to_model(&run, &done, copy, at);
	}
	CHECK(!run.final || at == run.len);
	CHECK(!memmem(copy + at, run.len - at, delim, run.delim_len));
}

static void
seal_some(void)
{
	const struct sblog_seal_opts opts = { .threads = 1 + (unsigned)any(2) };
	struct sblog_sealed sealed;
	int rc = sblog_seal(topic, &opts, &sealed, &err);

	good(rc == SBLOG_END ? 0 : rc, "seal");
	CHECK(sblog_seal(topic, NULL, &sealed, &err) == SBLOG_END);
}

static void
open_again(void)
{
	sblog_topic_close(topic);
	good(sblog_topic_open(&topic, store, name, SBLOG_WRITE, &err), "open");
}

/* ---- what is compared ---- */

static void
check_bytes_same(struct sblog_bytes got, struct sblog_bytes want)
{
	CHECK((got.data == NULL) == (want.data == NULL));
	CHECK_U64(got.len, want.len);
	if (want.len > 0)
		CHECK(memcmp(got.data, want.data, want.len) == 0);
}

static void
check_record(const struct sblog_record *got, const struct sblog_record *want)
{
	CHECK_U64(got->offset, want->offset);
	CHECK_U64(got->time_us, want->time_us);
	CHECK_U64(got->user_time_us, want->user_time_us);
	check_bytes_same(got->value, want->value);
	check_bytes_same(got->key, want->key);
	check_bytes_same(got->headers, want->headers);
}

/* Number of the first record at or after an offset. */
static size_t
from_offset(uint64_t offset)
{
	size_t i = 0;

	while (i < count && model[i].offset < offset)
		i++;
	return i;
}

/* The values of a batch as one run, in memory and in the file. */
static void
check_values(const struct sblog_batch *b, size_t i)
{
	const uint8_t *at = b->values.data, *stop = at + b->values.len;
	static uint8_t file[1 << 21];

	for (uint64_t n = b->count; n > 0; n--, i++) {
		const struct sblog_bytes v = model[i].value;

		CHECK((size_t)(stop - at) >= v.len + b->delim_len);
		CHECK(v.len == 0 || memcmp(at, v.data, v.len) == 0);
		at += v.len;
		CHECK(memcmp(at, b->delim, b->delim_len) == 0);
		at += b->delim_len;
		CHECK(v.data != NULL || b->nulls);
		CHECK(model[i].key.data == NULL || b->keys);
		CHECK(model[i].headers.len == 0 || b->headers);
		CHECK(model[i].user_time_us == SBLOG_NO_TIME || b->user_times);
	}
	CHECK(at == stop);
	if (b->fd >= 0 && b->values.len <= sizeof(file)) {
		CHECK_U64(pread(b->fd, file, b->values.len, (off_t)b->fd_pos),
		    b->values.len);
		CHECK(memcmp(file, b->values.data, b->values.len) == 0);
	}
}

static size_t
read_batch(struct sblog_cursor *cur, size_t i, size_t stop)
{
	struct sblog_record rec;
	struct sblog_batch b;
	uint64_t n = 0;
	int rc = sblog_cursor_batch(cur, &b, &err);

	if (i == stop) {
		CHECK_U64(rc, SBLOG_END);
		return i;
	}
	good(rc, "batch");
	CHECK(b.count > 0 && b.count <= stop - i);
	CHECK(b.first <= model[i].offset);
	CHECK_U64(b.time_us, model[i].time_us);
	check_values(&b, i);
	while (sblog_batch_next(&b, &rec) == 0) {
		check_record(&rec, &model[i + n]);
		CHECK(rec.offset < b.next);
		n++;
	}
	CHECK_U64(n, b.count);
	return i + n;
}

/* kinds: 0 one by one, 1 by batches, 2 mixed. */
static void
read_range(uint64_t from, uint64_t to, uint64_t kinds)
{
	const struct sblog_cursor_opts opts = { .from = from,
		.to = to,
		.copy = any(2) == 0 };
	size_t i = from_offset(from);
	size_t stop = to == 0 ? count : from_offset(to);
	struct sblog_cursor *cur;
	struct sblog_record rec;

	good(sblog_cursor_open(&cur, topic, &opts, &err), "cursor");
	while (i < stop) {
		if (kinds == 1 || (kinds == 2 && any(5) == 0)) {
			i = read_batch(cur, i, stop);
		} else {
			good(sblog_cursor_next(cur, &rec, &err), "next");
			check_record(&rec, &model[i++]);
		}
	}
	CHECK_U64(sblog_cursor_next(cur, &rec, &err), SBLOG_END);
	(void)read_batch(cur, i, i);
	sblog_cursor_close(cur);
}

static void
check_points(void)
{
	struct sblog_record rec;
	struct sblog_place place;
	struct sblog_file file;

	for (int k = 0; k < 40; k++) {
		uint64_t offset =
		    any(3) && count ? model[any(count)].offset : any(end + 3);
		size_t i = from_offset(offset);
		int rc = sblog_get(topic, offset, &rec, &err);

		if (i < count && model[i].offset == offset) {
			good(rc, "get");
			check_record(&rec, &model[i]);
		} else {
			CHECK_U64(rc, SBLOG_ENOENT);
		}
		rc = sblog_locate(topic, offset, &place, &err);
		if (offset >= end) {
			CHECK_U64(rc, SBLOG_ENOENT);
			continue;
		}
		good(rc, "locate");
		CHECK(place.first <= offset && offset < place.next);
		good(sblog_topic_file(topic, place.file, &file, &err), "file");
		CHECK(file.first <= offset && offset < file.next);
		CHECK(place.pos < file.bytes);
	}
}

static void
check_times(void)
{
	for (int k = 0; k < 10; k++) {
		int64_t time = count ? model[any(count)].time_us : 5;
		uint64_t want = end, got;

		time = any(10) ? time + (int64_t)any(3) - 1 : INT64_MAX;
		for (size_t i = count; i > 0 && model[i - 1].time_us >= time;
		     i--)
			want = model[i - 1].offset;
		good(sblog_find_time(topic, time, &got, &err), "find_time");
		CHECK_U64(got, want);
	}
}

static void
check_info(void)
{
	uint64_t chain = SB_CHAIN_START;
	struct sblog_info info;

	for (size_t i = 0; i < count; i++)
		chain = sb_chain_record(chain, &model[i]);
	good(sblog_topic_info(topic, &info, &err), "info");
	CHECK_U64(info.start, 0);
	CHECK_U64(info.end, end);
	CHECK_U64(info.records, count);
	CHECK_U64(info.chain, chain);
	CHECK(info.durable_end <= end);
	CHECK_U64(info.first_time_us, count ? model[0].time_us : 0);
	CHECK_U64(info.last_time_us, count ? model[count - 1].time_us : 0);
}

static void
check_all(void)
{
	const struct sblog_cursor_opts beyond = { .from = end + 1 };
	struct sblog_cursor *cur;

	check_info();
	read_range(0, 0, any(3));
	for (int k = 0; k < 4; k++) {
		uint64_t from = any(end + 1), to = from + any(end + 2 - from);

		read_range(from, to > end ? SBLOG_NO_OFFSET : to, any(3));
	}
	check_points();
	check_times();
	CHECK(sblog_cursor_open(&cur, topic, &beyond, &err) == SBLOG_ENOENT);
}

static void
check_verified(void)
{
	const struct sblog_verify_opts opts = { .depth = SBLOG_VERIFY_DEEP,
		.threads = 1 };
	struct sblog_verified done;
	struct sblog_info info;

	good(sblog_sync(topic, &err), "sync");
	good(sblog_topic_info(topic, &info, &err), "info");
	good(sblog_verify(topic, &opts, &done, &err), "verify");
	CHECK_U64(done.damages, 0);
	CHECK_U64(done.records, count);
	CHECK_U64(done.end, end);
	CHECK_U64(done.chain, info.chain);
}

/* ---- sequences ---- */

static void
begin(uint64_t number)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE };
	struct sblog_setting set[] = {
		{ "segment.bytes", "64K" },
		{ "sync", "none" },
		{ "compression.type", "none" },
	};

	state = number * 7919 + 1;
	count = arena_used = 0;
	end = 0;
	if (number == 0) {
		for (size_t i = 0; i < POOL; i++)
			pool[i] = (uint8_t)(i < POOL / 2 ? any(256) : any(4));
		good(sblog_store_open(&store, "store", &opts, &err), "store");
	}
	(void)snprintf(name, sizeof(name), "t%u", (unsigned)number);
	good(sblog_topic_create(store, name, set, 2 + any(2), &err), "create");
	good(sblog_topic_open(&topic, store, name, SBLOG_WRITE, &err), "open");
}

static void
step(void)
{
	static void (*const steps[12])(void) = {
		append_records,
		append_records,
		append_records,
		append_records,
		append_kept,
		append_kept,
		append_run,
		append_run,
		append_run,
		seal_some,
		open_again,
		check_all,
	};

	steps[any(12)]();
}

static void
every_read_tells_what_was_appended(void)
{
	uint64_t files = 0;
	struct sblog_info info;

	for (uint64_t s = 0; s < SEQUENCES; s++) {
		begin(s);
		for (int i = 0; i < STEPS; i++)
			step();
		check_all();
		open_again();
		check_all();
		check_verified();
		good(sblog_topic_info(topic, &info, &err), "info");
		files += info.segments + info.wals;
		sblog_topic_close(topic);
		good(sblog_topic_remove(store, name, &err), "remove");
	}
	/* WALs were finished on the way. */
	CHECK(files > SEQUENCES * 3 / 2);
	sblog_store_close(store);
}

/* A reader that stays sees all that others append, seal and finish. */
static void
a_follower_sees_every_record(void)
{
	const struct sblog_cursor_opts opts = { .to = SBLOG_NO_OFFSET };
	struct sblog_store *other;
	struct sblog_topic *reader;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	size_t seen = 0;

	begin(0);
	good(sblog_store_open(&other, "store", NULL, &err), "store");
	good(sblog_topic_open(&reader, other, name, SBLOG_READ, &err), "open");
	good(sblog_cursor_open(&cur, reader, &opts, &err), "cursor");
	for (int i = 0;
	     i < 200 && count < MODEL_MAX / 2 && arena_used < ARENA / 2; i++) {
		step();
		if (any(3) == 0)
			continue;
		while (seen < count) {
			good(sblog_cursor_next(cur, &rec, &err), "next");
			check_record(&rec, &model[seen++]);
		}
		CHECK_U64(sblog_cursor_next(cur, &rec, &err), SBLOG_END);
		CHECK_U64(sblog_cursor_offset(cur), end);
	}
	CHECK(seen > 100);
	sblog_cursor_close(cur);
	sblog_topic_close(reader);
	sblog_store_close(other);
	sblog_topic_close(topic);
	sblog_store_close(store);
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "log: every read tells what was appended",
		    every_read_tells_what_was_appended },
		{ "log: a follower sees every record",
		    a_follower_sees_every_record },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
