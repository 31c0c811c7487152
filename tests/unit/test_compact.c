/*
 * test_compact.c - log: compaction and retention against a list in memory.
 *
 * Random appends with keys and tombstones, sealing, compaction with little and
 * with much memory, trimming, other handles: what is left must have the latest
 * record of each key at its offset, nothing that was never there, and nothing
 * before the start; a reader that goes on meanwhile sees every survivor once.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sblog.h"

enum {
	MODEL_MAX = 60000,
	KEY_SIZE = 16,
	BATCH_MAX = 400,
	KEYS_MAX = 45000,
	SEQUENCES = 3,    /* few keys, some, many */
	SEQUENCES_ALL = 9 /* with CHECK_ALL in the environment */
};

struct row {
	char key[KEY_SIZE];
	bool has, tombstone, sealed;
	uint32_t value, len;
};

static struct row model[MODEL_MAX];
static uint64_t end, start;
static uint8_t filler[2000];
static struct sblog_store *store;
static struct sblog_topic *topic;
static struct sblog_err err;
static uint64_t state, keys;
static const char *unkeyed;
static uint64_t most_passes;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static int
good(int rc, const char *what)
{
	if (rc < 0)
		CHECK_STR(err.msg, what);
	CHECK_U64(rc >= 0, 1);
	return rc;
}

static void
open_topic(void)
{
	for (size_t i = 0; i < sizeof(filler); i++)
		filler[i] = (uint8_t)(i * 131 >> 3);

	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX };
	const struct sblog_setting set[] = {
		{ "sync", "none" },
		{ "segment.bytes", "256K" },
		{ "compact.unkeyed", unkeyed },
	};

	for (size_t i = 0; i < sizeof(filler); i++)
		filler[i] = (uint8_t)(i * 131 >> 3);
	good(sblog_store_open(&store, ".", &opts, &err), "store");
	if (access("t", F_OK) != 0)
		good(sblog_topic_create(store, "t", set, 3, &err), "create");
	good(sblog_topic_open(&topic, store, "t", SBLOG_WRITE, &err), "open");
}

static void
close_topic(void)
{
	sblog_topic_close(topic);
	sblog_store_close(store);
}

static void
append_some(void)
{
	static struct sblog_record recs[BATCH_MAX];
	uint64_t n = any(3) ? 1 + any(4) : 1 + any(BATCH_MAX), first;
	const struct sblog_append_opts lz4 = {
		.codec = any(2) ? SBLOG_CODEC_LZ4 : SBLOG_CODEC_NONE
	};

	if (end + n > MODEL_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		struct row *r = &model[end + i];

		*r = (struct row){ .has = any(10) != 0,
			.value = (uint32_t)any(256),
			.len =
			    (uint32_t)any(any(20) ? 60 : sizeof(filler) - 8) };
		if (r->has)
			(void)snprintf(r->key, KEY_SIZE, "k%d", (int)any(keys));
		r->tombstone = r->has && any(6) == 0;
		recs[i] =
		    (struct sblog_record){ .user_time_us = SBLOG_NO_TIME };
		if (r->has)
			recs[i].key =
			    (struct sblog_bytes){ r->key, strlen(r->key) };
		if (!r->tombstone)
			recs[i].value =
			    (struct sblog_bytes){ filler + r->value % 7,
				    r->len };
	}
	good(sblog_append(topic, recs, n, &lz4, &first, &err), "append");
	CHECK_U64(first, end);
	end += n;
}

static uint64_t
sealed_end(void)
{
	uint64_t sealed = start;
	struct sblog_file f;

	for (size_t i = 0; sblog_topic_file(topic, i, &f, &err) == 0; i++)
		if (f.kind == SBLOG_FILE_SEGMENT)
			sealed = f.next;
	return sealed;
}

static void
same(const struct sblog_record *rec)
{
	const struct row *r = &model[rec->offset];

	CHECK(rec->offset < end && rec->offset >= start);
	CHECK_U64(rec->key.data != NULL, r->has);
	CHECK_U64(rec->value.data == NULL, r->tombstone);
	if (r->has) {
		CHECK_U64(rec->key.len, strlen(r->key));
		CHECK_BYTES(rec->key.data, r->key, rec->key.len);
	}
	if (!r->tombstone) {
		CHECK_U64(rec->value.len, r->len);
		CHECK_BYTES(rec->value.data, filler + r->value % 7, r->len);
	}
}

/* Is there a later record of the same key below `to`?  Asked for two ends in
 * turn: a table of the last record of each key is kept for each. */
static bool
obsolete(uint64_t i, uint64_t to)
{
	static struct {
		uint64_t to, end;
		uint32_t last[KEYS_MAX];
	} tables[2];
	static int turn;
	int n = tables[0].to == to && tables[0].end == end ? 0
	    : tables[1].to == to && tables[1].end == end   ? 1
							   : (turn ^= 1);

	if (tables[n].to != to || tables[n].end != end) {
		memset(&tables[n], 0, sizeof(tables[n]));
		tables[n].to = to;
		tables[n].end = end;
		for (uint64_t j = 0; j < to; j++)
			if (model[j].has)
				tables[n].last[atoi(model[j].key + 1)] =
				    (uint32_t)j;
	}
	return tables[n].last[atoi(model[i].key + 1)] > i;
}

/*
 * Everything that must be there is, in order; compacted: nothing obsolete below
 * that offset is, but for one record that may stay so that a file is not empty.
 */
static void
compare(uint64_t compacted, bool tombstones_gone)
{
	static bool seen[MODEL_MAX];
	struct sblog_verify_opts deep = { .depth = SBLOG_VERIFY_DEEP };
	struct sblog_verified verified;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t before = 0, spare = 0;
	bool begun = false;

	memset(seen, 0, sizeof(seen));
	good(sblog_cursor_open(&cur, topic, NULL, &err), "cursor");
	while (good(sblog_cursor_next(cur, &rec, &err), "next") == 0) {
		CHECK(!begun || rec.offset > before);
		begun = true;
		before = rec.offset;
		same(&rec);
		seen[rec.offset] = true;
	}
	sblog_cursor_close(cur);
	for (uint64_t i = start; i < end; i++) {
		const struct row *r = &model[i];
		bool old = i < compacted &&
		    (r->has ? obsolete(i, compacted)
			    : strcmp(unkeyed, "drop") == 0);

		if (i < compacted && r->tombstone && tombstones_gone)
			old = true;
		if (old && seen[i])
			spare++;
		if (!old && !(r->tombstone && i < sealed_end()) &&
		    !(r->has && obsolete(i, sealed_end())) && r->has)
			CHECK(seen[i]);
		if (i >= compacted && i >= sealed_end())
			CHECK(seen[i]);
	}
	CHECK(spare <= 1);
	good(sblog_verify(topic, &deep, &verified, &err), "verify");
	CHECK_U64(verified.damages, 0);
}

static void
compact(bool *expiredp)
{
	struct sblog_compact_opts opts = {
		.memory = any(2) ? 1 << 20 : 0,
		.grace_us = any(2) ? SBLOG_NO_LIMIT : 0,
		.threads = 1 + (unsigned)any(3),
	};
	struct sblog_compacted done;
	int rc = good(sblog_compact(topic, &opts, &done, &err), "compact");

	most_passes = done.passes > most_passes ? done.passes : most_passes;

	/* Once to be seen, and once more to go. */
	*expiredp = opts.grace_us == 0;
	if (rc == 0 && *expiredp) {
		usleep(1000);
		rc = good(sblog_compact(topic, &opts, &done, &err), "again");
	}
	*expiredp = *expiredp && rc >= 0;
}

static void
trim_some(void)
{
	struct sblog_trim_opts opts = { .before =
					    start + any(end - start + 1) };
	struct sblog_trimmed done;

	if (good(sblog_trim(topic, &opts, &done, &err), "trim") == 0) {
		CHECK_U64(done.start, opts.before);
		start = opts.before;
	}
}

static void
what_is_left_is_the_latest_of_each_key(void)
{
	int sequences = getenv("CHECK_ALL") ? SEQUENCES_ALL : SEQUENCES;

	for (int s = 0; s < sequences; s++) {
		struct sblog_sealed sealed;
		bool expired = false;

		state = (uint64_t)s * 91 + 3;
		end = start = 0;
		keys = s % 3 == 0 ? 3 + any(30) : s % 3 == 1 ? 3000 : KEYS_MAX;
		unkeyed = any(3) ? "keep" : "drop";
		CHECK(mkdir("s", 0777) == 0 && chdir("s") == 0);
		open_topic();
		for (int i = 0; i < 12; i++) {
			for (uint64_t n = 1 + any(keys > 10000 ? 200 : 60);
			     n > 0; n--)
				append_some();
			if (any(3))
				good(sblog_seal(topic, NULL, &sealed, &err),
				    "seal");
			if (any(4) == 0)
				trim_some();
			if (any(2)) {
				compact(&expired);
				compare(sealed_end(), false);
			}
			if (any(3) == 0) {
				close_topic();
				open_topic();
			}
		}
		compare(0, false);
		close_topic();
		CHECK(chdir("..") == 0 && system("rm -rf s") == 0);
	}
	CHECK(most_passes > 1);
}

/* Each survivor once and in order, whatever is compacted before the reader. */
static void
a_reader_goes_on_through_ten_compactions(void)
{
	const struct sblog_cursor_opts follow = { .to = SBLOG_NO_OFFSET };
	struct sblog_compact_opts opts = { .grace_us = SBLOG_NO_LIMIT };
	static bool seen[MODEL_MAX];
	struct sblog_compacted done;
	struct sblog_sealed sealed;
	struct sblog_topic *other;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t before = 0, n = 0;

	state = 12345;
	end = start = 0;
	keys = 50;
	unkeyed = "keep";
	open_topic();
	good(sblog_topic_open(&other, store, "t", SBLOG_READ, &err), "other");
	good(sblog_cursor_open(&cur, other, &follow, &err), "cursor");
	for (int i = 0; i < 10; i++) {
		for (int k = 0; k < 30; k++)
			append_some();
		good(sblog_seal(topic, NULL, &sealed, &err), "seal");
		for (uint64_t k = any(300); k > 0; k--) {
			if (good(sblog_cursor_next(cur, &rec, &err), "next"))
				break;
			CHECK(n == 0 || rec.offset > before);
			same(&rec);
			before = rec.offset;
			seen[before] = true;
			n++;
		}
		good(sblog_compact(topic, &opts, &done, &err), "compact");
	}
	while (good(sblog_cursor_next(cur, &rec, &err), "next") == 0) {
		CHECK(rec.offset > before);
		same(&rec);
		before = rec.offset;
		seen[before] = true;
	}
	for (uint64_t i = 0; i < end; i++)
		CHECK(seen[i] || (model[i].has && obsolete(i, end)));
	sblog_cursor_close(cur);
	sblog_topic_close(other);
	close_topic();
}

static void
a_reader_is_told_what_retention_removed(void)
{
	const struct sblog_cursor_opts follow = { .to = SBLOG_NO_OFFSET };
	struct sblog_trim_opts opts = { .before = 900 };
	struct sblog_trimmed done;
	struct sblog_topic *other;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t first;

	unkeyed = "keep";
	state = 7;
	end = start = 0;
	keys = 9;
	open_topic();
	good(sblog_topic_open(&other, store, "t", SBLOG_READ, &err), "other");
	good(sblog_cursor_open(&cur, other, &follow, &err), "cursor");
	while (end < 100)
		append_some();
	good(sblog_cursor_next(cur, &rec, &err), "next");
	first = rec.offset;
	CHECK_U64(first, 0);
	while (end < 1000)
		append_some();
	good(sblog_trim(topic, &opts, &done, &err), "trim");
	start = 900;
	/* What is in its hands it may still show; then comes the gap. */
	for (;;) {
		int rc = sblog_cursor_next(cur, &rec, &err);

		if (rc == SBLOG_GAP)
			break;
		CHECK_U64(rc, 0);
		CHECK_U64(rec.offset, ++first);
		CHECK(first < 900);
	}
	CHECK_U64(err.offset, first + 1);
	CHECK_U64(err.end, 900);
	good(sblog_cursor_next(cur, &rec, &err), "next");
	CHECK_U64(rec.offset, 900);
	sblog_cursor_close(cur);
	good(sblog_cursor_open(&cur, other, NULL, &err), "cursor");
	good(sblog_cursor_next(cur, &rec, &err), "next");
	CHECK_U64(rec.offset, 900);
	CHECK(sblog_get(other, 899, &rec, &err) == SBLOG_ENOENT);
	sblog_cursor_close(cur);
	sblog_topic_close(other);
	close_topic();
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "compact: what is left is the latest of each key",
		    what_is_left_is_the_latest_of_each_key },
		{ "compact: a reader goes on through ten compactions",
		    a_reader_goes_on_through_ten_compactions },
		{ "trim: a reader is told what retention removed",
		    a_reader_is_told_what_retention_removed },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
