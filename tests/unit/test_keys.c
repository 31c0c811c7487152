/*
 * test_keys.c - log: look-ups by key and by category against a list in memory.
 *
 * Random appends with few and with many keys, WALs that are finished, sealed
 * and opened again, indexes that are dropped, tables that are lost: every way
 * of asking for a key must tell what the list tells.
 */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sblog.h"

enum { MODEL_MAX = 40000, KEY_SIZE = 24, BATCH_MAX = 600, SEQUENCES = 10 };

struct row {
	uint64_t offset;
	char key[KEY_SIZE]; /* "" with has: the empty key */
	bool has, tombstone;
	uint32_t value;
};

static struct row model[MODEL_MAX];
static size_t count;
static uint64_t end;
static struct sblog_store *store;
static struct sblog_topic *topic;
static struct sblog_err err;
static uint64_t state;
static uint64_t keys, categories; /* how many different ones */

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static void
good(int rc, const char *what)
{
	if (rc < 0)
		CHECK_STR(err.msg, what);
	CHECK_U64(rc >= 0, 1);
}

static void
open_topic(void)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX };
	static const struct sblog_setting set[] = {
		{ "sync", "none" },
		{ "segment.bytes", "1M" },
	};

	good(sblog_store_open(&store, ".", &opts, &err), "store");
	if (access("t", F_OK) != 0)
		good(sblog_topic_create(store, "t", set, 2, &err), "create");
	good(sblog_topic_open(&topic, store, "t", SBLOG_WRITE, &err), "open");
}

static void
close_topic(void)
{
	sblog_topic_close(topic);
	sblog_store_close(store);
}

static void
some_key(char out[KEY_SIZE])
{
	uint64_t k = any(keys) * any(keys) / keys; /* some are hot */

	switch (any(12)) {
	case 0:
		(void)snprintf(out, KEY_SIZE, "plain%d", (int)k);
		break;
	case 1:
		(void)snprintf(out, KEY_SIZE, "cat%d", (int)(k % categories));
		break;
	case 2:
		out[0] = '\0';
		break;
	default:
		(void)snprintf(out, KEY_SIZE, "cat%d-%d", (int)(k % categories),
		    (int)k);
	}
}

static void
append_some(void)
{
	static struct sblog_record recs[BATCH_MAX];
	uint64_t n = any(3) ? 1 + any(3) : 1 + any(BATCH_MAX), first;
	bool with = any(5) != 0, holes = any(6) == 0;
	const struct sblog_append_opts keep = { .keep_offsets = 1 };
	struct sblog_info info;

	if (count + n > MODEL_MAX)
		return;
	good(sblog_topic_info(topic, &info, &err), "info");
	for (size_t i = 0; i < n; i++) {
		struct row *r = &model[count + i];

		*r = (struct row){ .has = with && any(8) != 0,
			.value = (uint32_t)any(1u << 30) };
		if (r->has)
			some_key(r->key);
		r->tombstone = r->has && any(5) == 0;
		end += holes ? any(4) : 0;
		r->offset = end++;
		recs[i] = (struct sblog_record){
			.offset = r->offset,
			.time_us = info.last_time_us + 1,
			.user_time_us = SBLOG_NO_TIME,
		};
		if (r->has)
			recs[i].key =
			    (struct sblog_bytes){ r->key, strlen(r->key) };
		if (!r->tombstone)
			recs[i].value = (struct sblog_bytes){ &r->value, 4 };
	}
	good(sblog_append(topic, recs, n, holes ? &keep : NULL, &first, &err),
	    "append");
	CHECK_U64(first, model[count].offset);
	count += n;
}

/* Files of one kind go, as an accident would have it. */
static void
lose(const char *suffix)
{
	DIR *d = opendir("t");
	struct dirent *e;
	char path[300];

	CHECK(d != NULL);
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < 4 || strcmp(e->d_name + len - 4, suffix) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "t/%s", e->d_name);
		CHECK(unlink(path) == 0);
	}
	closedir(d);
}

static void
maintain(void)
{
	struct sblog_indexed indexed;
	struct sblog_sealed sealed;

	switch (any(8)) {
	case 0:
	case 1:
		good(sblog_seal(topic, NULL, &sealed, &err), "seal");
		break;
	case 2:
		good(sblog_index(topic,
			 any(2) ? SBLOG_INDEX_BUILD : SBLOG_INDEX_DROP, false,
			 &indexed, &err),
		    "index");
		break;
	case 3:
		lose(any(2) ? ".kdx" : ".ktb");
		break;
	default:
		close_topic();
		open_topic();
	}
}

/* ---- comparing ---- */

static bool
wanted(const struct row *r, const char *key, bool category)
{
	size_t len = strlen(key);

	if (!r->has)
		return false;
	if (category && strncmp(r->key, key, len) == 0 && r->key[len] == '-')
		return memchr(r->key, '-', len) == NULL;
	if (category && memchr(key, '-', len) != NULL)
		return false;
	return strcmp(r->key, key) == 0;
}

static void
same(const struct sblog_record *rec, const struct row *r)
{
	CHECK_U64(rec->offset, r->offset);
	CHECK_U64(rec->key.data != NULL, r->has);
	CHECK_U64(rec->value.data == NULL, r->tombstone);
	if (r->has) {
		CHECK_U64(rec->key.len, strlen(r->key));
		CHECK_BYTES(rec->key.data, r->key, rec->key.len);
	}
	if (!r->tombstone)
		CHECK_BYTES(rec->value.data, &r->value, 4);
}

/* All of a key from an offset on, and their positions. */
static void
compare_from(const char *key, bool category, uint64_t from, uint64_t to)
{
	const struct sblog_cursor_opts opts = {
		.from = from,
		.to = to,
		.key = { key, strlen(key) },
		.category = category,
	};
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t pos = 0;

	good(sblog_cursor_open(&cur, topic, &opts, &err), "cursor");
	for (size_t i = 0; i < count; i++) {
		if (!wanted(&model[i], key, category))
			continue;
		if (model[i].offset >= from && model[i].offset < to) {
			good(sblog_cursor_next(cur, &rec, &err), "next");
			same(&rec, &model[i]);
			if (!category)
				CHECK_U64(sblog_cursor_pos(cur), pos);
		}
		pos++;
	}
	CHECK_U64(sblog_cursor_next(cur, &rec, &err), SBLOG_END);
	sblog_cursor_close(cur);
}

static void
compare_pos(const char *key, uint64_t pos)
{
	const struct sblog_cursor_opts opts = {
		.key = { key, strlen(key) },
		.by_pos = 1,
		.pos = pos,
	};
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t seen = 0;
	int rc;

	good(sblog_cursor_open(&cur, topic, &opts, &err), "cursor");
	for (size_t i = 0; i < count; i++) {
		if (!wanted(&model[i], key, false) || seen++ < pos)
			continue;
		good(rc = sblog_cursor_next(cur, &rec, &err), "next");
		CHECK_U64(rc, 0);
		same(&rec, &model[i]);
		CHECK_U64(sblog_cursor_pos(cur), seen - 1);
	}
	CHECK_U64(sblog_cursor_next(cur, &rec, &err), SBLOG_END);
	sblog_cursor_close(cur);
}

static void
compare_newest(const char *key)
{
	const struct sblog_bytes bytes = { key, strlen(key) };
	const struct row *last = NULL;
	struct sblog_key_info info;
	struct sblog_record rec;
	uint64_t n = 0;
	int rc = sblog_key_find(topic, bytes, &info, &err);

	for (size_t i = 0; i < count; i++) {
		if (wanted(&model[i], key, false)) {
			last = &model[i];
			n++;
		}
	}
	if (last == NULL) {
		CHECK(rc == SBLOG_ENOENT);
		CHECK(sblog_get_key(topic, bytes, &rec, &err) == SBLOG_ENOENT);
		return;
	}
	good(rc, "find");
	CHECK_U64(info.last, last->offset);
	CHECK_U64(info.next_pos, n);
	good(sblog_get_key(topic, bytes, &rec, &err), "get key");
	same(&rec, last);
}

static bool
is_newest(size_t i, uint64_t to)
{
	if (!model[i].has || model[i].offset >= to)
		return false;
	for (size_t j = i + 1; j < count && model[j].offset < to; j++)
		if (model[j].has && strcmp(model[j].key, model[i].key) == 0)
			return false;
	return true;
}

static void
compare_latest(uint64_t from, uint64_t to)
{
	const struct sblog_cursor_opts opts = { .from = from,
		.to = to,
		.latest = 1 };
	struct sblog_cursor *cur;
	struct sblog_record rec;

	good(sblog_cursor_open(&cur, topic, &opts, &err), "cursor");
	for (size_t i = 0; i < count; i++) {
		if (model[i].offset < from || !is_newest(i, to))
			continue;
		good(sblog_cursor_next(cur, &rec, &err), "next");
		same(&rec, &model[i]);
	}
	CHECK_U64(sblog_cursor_next(cur, &rec, &err), SBLOG_END);
	sblog_cursor_close(cur);
}

static void
compare(void)
{
	struct sblog_verify_opts deep = { .depth = SBLOG_VERIFY_DEEP };
	struct sblog_verified verified;
	char key[KEY_SIZE];

	for (int i = 0; i < 12; i++) {
		some_key(key);
		compare_from(key, false, any(end + 1), end + any(2));
		compare_from(key, false, 0, any(end) + 1);
		compare_pos(key, any(20));
		compare_newest(key);
		(void)snprintf(key, sizeof(key), "cat%d",
		    (int)any(categories + 1));
		compare_from(key, true, any(end + 1), end + 1);
	}
	compare_newest("no such key");
	good(sblog_verify(topic, &deep, &verified, &err), "verify");
	CHECK_U64(verified.damages, 0);
}

static void
keys_are_found_as_a_list_finds_them(void)
{
	for (int s = 0; s < SEQUENCES; s++) {
		state = (uint64_t)s * 77 + 5;
		count = 0;
		end = 0;
		keys = any(2) ? 5 + any(40) : 2000;
		categories = 1 + any(5);
		CHECK(mkdir("s", 0777) == 0 && chdir("s") == 0);
		open_topic();
		for (int i = 0; i < 40; i++) {
			for (uint64_t n = any(5) + 1; n > 0; n--)
				append_some();
			maintain();
			if (i % 8 == 7)
				compare();
		}
		if (count < 6000)
			compare_latest(any(end), end);
		compare_latest(0, any(end) + 1);
		close_topic();
		CHECK(chdir("..") == 0 && rename("s", "old") == 0);
		CHECK(system("rm -rf old") == 0);
	}
}

static void
a_reader_sees_keys_that_others_append(void)
{
	const struct sblog_cursor_opts opts = {
		.to = SBLOG_NO_OFFSET,
		.key = { "k", 1 },
	};
	struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME,
		.key = { "k", 1 },
		.value = { "v", 1 } };
	struct sblog_record got;
	struct sblog_topic *reader;
	struct sblog_sealed sealed;
	struct sblog_cursor *cur;
	uint64_t first;

	open_topic();
	good(sblog_topic_open(&reader, store, "t", SBLOG_READ, &err), "reader");
	good(sblog_cursor_open(&cur, reader, &opts, &err), "cursor");
	for (uint64_t i = 0; i < 300; i++) {
		CHECK_U64(sblog_cursor_next(cur, &got, &err), SBLOG_END);
		rec.key = (struct sblog_bytes){ "other", 5 };
		good(sblog_append(topic, &rec, 1, NULL, &first, &err),
		    "append");
		rec.key = (struct sblog_bytes){ "k", 1 };
		good(sblog_append(topic, &rec, 1, NULL, &first, &err),
		    "append");
		if (i % 50 == 20)
			good(sblog_seal(topic, NULL, &sealed, &err), "seal");
		if (i % 60 == 30)
			lose(".ktb");
		good(sblog_cursor_next(cur, &got, &err), "next");
		CHECK_U64(got.offset, first);
		CHECK_U64(sblog_cursor_pos(cur), i);
	}
	sblog_cursor_close(cur);
	sblog_topic_close(reader);
	close_topic();
}

/* One changed byte of an index or a table anywhere: never another answer. */
static void
a_damaged_index_is_not_believed(void)
{
	static const char *const suffixes[] = { ".kdx", ".ktb" };
	struct sblog_sealed sealed;
	char command[200], path[100];

	state = 99;
	count = 0;
	end = 0;
	keys = 30;
	categories = 3;
	open_topic();
	while (count < 400)
		append_some();
	good(sblog_seal(topic, NULL, &sealed, &err), "seal");
	for (size_t n = count + 200; count < n;)
		append_some();
	for (size_t i = 0; i < 2; i++) {
		FILE *f;
		int fd;

		(void)snprintf(command, sizeof(command), "echo t/*%s",
		    suffixes[i]);
		f = popen(command, "r");
		CHECK(f != NULL && fscanf(f, "%99s", path) == 1);
		pclose(f);
		CHECK((fd = open(path, O_RDWR)) >= 0);
		for (int tries = 0; tries < 250; tries++) {
			off_t size = lseek(fd, 0, SEEK_END);
			off_t at =
			    (off_t)any(tries % 2 ? 6000 : (uint64_t)size);
			unsigned char was, now;

			CHECK(pread(fd, &was, 1, at) == 1);
			now = (unsigned char)(was ^ 1u << any(8));
			CHECK(pwrite(fd, &now, 1, at) == 1);
			close_topic();
			open_topic();
			compare_from("cat1", true, 0, end + 1);
			compare_newest("cat1-1");
			compare_from("cat1-7", false, 0, end + 1);
			CHECK(pwrite(fd, &was, 1, at) == 1);
		}
		close(fd);
	}
	close_topic();
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "keys: found as a list finds them",
		    keys_are_found_as_a_list_finds_them },
		{ "keys: a reader sees those that others append",
		    a_reader_sees_keys_that_others_append },
		{ "keys: a damaged index is not believed",
		    a_damaged_index_is_not_believed },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
