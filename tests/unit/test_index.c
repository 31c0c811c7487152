/*
 * test_index.c - store/index: of segments and of WALs, against a search from the
 * front; damaged ones are refused.
 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/index.h"

enum { MANY = 1000 };

static const uint8_t topic[SB_ID_SIZE] = "fedcba987654321";

static uint64_t state = 1;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static int
here(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void
put_file(const char *name, const void *data, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	CHECK(fd >= 0);
	CHECK_U64(write(fd, data, len), len);
	CHECK(close(fd) == 0);
}

static size_t
get_file(const char *name, void *data, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, data, size);
	CHECK(n >= 0 && close(fd) == 0);
	return (size_t)n;
}

/* Another value for one byte of a file. */
static void
change_byte(const char *name, off_t pos)
{
	int fd = open(name, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	CHECK(fd >= 0);
	CHECK_U64(pread(fd, &byte, 1, pos), 1);
	byte ^= (uint8_t)(1 + any(255));
	CHECK_U64(pwrite(fd, &byte, 1, pos), 1);
	CHECK(close(fd) == 0);
}

/* ---- index of a segment ---- */

static struct sb_index_entry table[MANY];

/* Ascending, in steps that are now small, now large. */
static void
make_table(uint64_t n)
{
	struct sb_index_entry e = { any(9), 128, (int64_t)any(1000) };

	for (uint64_t i = 0; i < n; i++) {
		table[i] = e;
		e.offset += 1 + (any(20) == 0 ? any(1u << 30) : any(100));
		e.pos += 128 + any(90000);
		e.time += any(3) ? (int64_t)any(50) : 0;
	}
}

static void
check_index(const struct sb_index *ix, uint64_t n)
{
	CHECK_U64(ix->count, n);
	for (int k = 0; k < 200; k++) {
		uint64_t i = any(n), key = table[i].offset + any(3) - 1;
		uint64_t want = n, time_want = 0;
		int64_t time = table[i].time + (int64_t)any(3) - 1;

		if (any(8) == 0)
			key = any(UINT32_MAX);
		for (uint64_t j = 0; j < n && table[j].offset <= key; j++)
			want = j;
		for (uint64_t j = 0; j < n && table[j].time < time; j++)
			time_want = j;
		CHECK_U64(sb_index_find(ix, key), want);
		CHECK_U64(sb_index_find_time(ix, time), time_want);
		CHECK_U64(sb_index_at(ix, i).offset, table[i].offset);
		CHECK_U64(sb_index_at(ix, i).pos, table[i].pos);
		CHECK_U64(sb_index_at(ix, i).time, table[i].time);
	}
	CHECK_U64(sb_index_find(ix, UINT64_MAX), n - 1);
	CHECK_U64(sb_index_find_time(ix, INT64_MAX), n - 1);
	CHECK_U64(sb_index_find_time(ix, INT64_MIN), 0);
}

static void
an_index_finds_what_a_search_finds(void)
{
	static const uint64_t sizes[] = { 1, 2, 3, 10, 100, MANY };
	struct sb_file segment = { .base = 7, .size = 5000 };
	struct sb_cpu cpu = { 0 };
	struct sblog_err err;
	struct sb_index ix;
	int dir = here();

	for (int round = 0; round < 30; round++) {
		uint64_t n = sizes[round % 6];

		make_table(n);
		segment.salt[0] = (uint8_t)round;
		CHECK_U64(sb_index_save(dir, &segment, topic, table, n, &cpu,
			      &err),
		    0);
		CHECK_U64(sb_index_open(&ix, dir, &segment, topic, &cpu, &err),
		    0);
		check_index(&ix, n);
		sb_index_close(&ix);
	}
	CHECK_U64(sb_index_save(dir, &segment, topic, table, 0, &cpu, &err), 0);
	CHECK_U64(sb_index_open(&ix, dir, &segment, topic, &cpu, &err), 0);
	CHECK_U64(sb_index_find(&ix, 5), ix.count);
	CHECK_U64(sb_index_find_time(&ix, 5), 0);
	sb_index_close(&ix);
}

static void
an_index_of_something_else_is_refused(void)
{
	const struct sb_file right = { .base = 7, .size = 5000 };
	uint8_t other_topic[SB_ID_SIZE] = { 0 };
	struct sb_cpu cpu = { 0 };
	struct sblog_err err;
	struct sb_file wrong;
	struct sb_index ix;
	int dir = here();

	make_table(20);
	CHECK_U64(sb_index_save(dir, &right, topic, table, 20, &cpu, &err), 0);
	wrong = right;
	wrong.size++;
	CHECK(sb_index_open(&ix, dir, &wrong, topic, &cpu, &err) ==
	    SBLOG_EDAMAGE);
	wrong = right;
	wrong.salt[15] ^= 1;
	CHECK(sb_index_open(&ix, dir, &wrong, topic, &cpu, &err) ==
	    SBLOG_EDAMAGE);
	wrong = right;
	wrong.base++;
	CHECK(
	    sb_index_open(&ix, dir, &wrong, topic, &cpu, &err) == SBLOG_ENOENT);
	CHECK(rename("00000000000000000007.idx", "00000000000000000008.idx") ==
	    0);
	CHECK(sb_index_open(&ix, dir, &wrong, topic, &cpu, &err) ==
	    SBLOG_EDAMAGE);
	CHECK(rename("00000000000000000008.idx", "00000000000000000007.idx") ==
	    0);
	CHECK(sb_index_open(&ix, dir, &right, other_topic, &cpu, &err) ==
	    SBLOG_EDAMAGE);
	CHECK_STR(err.file, "00000000000000000007.idx");
}

static void
any_changed_byte_of_an_index_is_refused(void)
{
	const struct sb_file segment = { .base = 7, .size = 5000 };
	struct sb_cpu cpu = { 0 };
	static uint8_t bytes[SB_FILE_HEAD_SIZE + 24 * 20 + 1];
	const char *name = "00000000000000000007.idx";
	struct sblog_err err;
	struct sb_index ix;
	int dir = here();
	size_t len;

	make_table(20);
	CHECK_U64(sb_index_save(dir, &segment, topic, table, 20, &cpu, &err),
	    0);
	len = get_file(name, bytes, sizeof(bytes));
	CHECK_U64(len, sizeof(bytes) - 1);
	for (size_t i = 0; i < len; i++) {
		change_byte(name, (off_t)i);
		CHECK(sb_index_open(&ix, dir, &segment, topic, &cpu, &err) ==
		    SBLOG_EDAMAGE);
		CHECK(ix.map == NULL);
		put_file(name, bytes, len);
	}
	for (size_t cut = 0; cut < len; cut += 8) {
		put_file(name, bytes, cut);
		CHECK(sb_index_open(&ix, dir, &segment, topic, &cpu, &err) ==
		    SBLOG_EDAMAGE);
	}
	put_file(name, bytes, len + 1);
	CHECK(sb_index_open(&ix, dir, &segment, topic, &cpu, &err) ==
	    SBLOG_EDAMAGE);
}

/* ---- index of a WAL ---- */

static uint8_t windex[SB_FILE_HEAD_SIZE + MANY * SB_WINDEX_ENTRY_SIZE];

static size_t
make_windex(const struct sb_file *wal, uint64_t n)
{
	make_table(n);
	sb_windex_head(wal, topic, windex);
	for (uint64_t i = 0; i < n; i++)
		sb_windex_encode(&table[i], i, wal->salt,
		    windex + SB_FILE_HEAD_SIZE + i * SB_WINDEX_ENTRY_SIZE);
	return SB_FILE_HEAD_SIZE + (size_t)n * SB_WINDEX_ENTRY_SIZE;
}

static void
wal_entries_round_trip_and_refuse(void)
{
	static const uint8_t salt[SB_SALT_SIZE] = "0123456789abcde";
	static const uint8_t other[SB_SALT_SIZE] = "0123456789abcdf";
	const struct sb_index_entry e = { 1000, 262144, 99 };
	uint8_t bytes[SB_WINDEX_ENTRY_SIZE];
	struct sb_index_entry got;

	sb_windex_encode(&e, 3, salt, bytes);
	CHECK(sb_windex_decode(&got, 3, salt, bytes));
	CHECK(got.offset == 1000 && got.pos == 262144 && got.time == 99);
	CHECK(!sb_windex_decode(&got, 4, salt, bytes));
	CHECK(!sb_windex_decode(&got, 3, other, bytes));
	for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
		sb_windex_encode(&e, 3, salt, bytes);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(!sb_windex_decode(&got, 3, salt, bytes));
	}
}

static void
a_wal_index_finds_what_a_search_finds(void)
{
	const struct sb_file wal = { .base = 7, .salt = "salt" };
	const char *name = "00000000000000000007.wdx";
	struct sb_index_entry got;
	int dir = here();

	CHECK(!sb_windex_find(dir, &wal, false, 5, &got));
	for (uint64_t n = 0; n <= 30; n++) {
		size_t len = make_windex(&wal, n);

		/* The last entry may be cut. */
		put_file(name, windex,
		    len + any(SB_WINDEX_ENTRY_SIZE) * n / 30);
		for (int k = 0; k < 50; k++) {
			uint64_t i = n ? any(n) : 0, key, want = n, by_time = n;

			key = table[i].offset + any(3) - 1;
			for (uint64_t j = 0; j < n; j++)
				if (table[j].offset <= key)
					want = j;
			CHECK_U64(sb_windex_find(dir, &wal, false, key, &got),
			    want < n);
			if (want < n)
				CHECK_U64(got.pos, table[want].pos);
			key = (uint64_t)table[i].time + any(3);
			for (uint64_t j = 0; j < n; j++)
				if (table[j].time < (int64_t)key)
					by_time = j;
			CHECK_U64(sb_windex_find(dir, &wal, true, key, &got),
			    by_time < n);
			if (by_time < n)
				CHECK_U64(got.pos, table[by_time].pos);
		}
	}
}

/* Damage may cost speed: an earlier entry is found, never a wrong one. */
static void
a_damaged_wal_index_never_leads_too_far(void)
{
	const struct sb_file wal = { .base = 7, .salt = "salt" };
	const char *name = "00000000000000000007.wdx";
	size_t len = make_windex(&wal, 30);
	struct sb_index_entry got;
	int dir = here();

	for (int round = 0; round < 300; round++) {
		uint64_t key = table[any(30)].offset;

		put_file(name, windex, len);
		for (uint64_t n = 1 + any(5); n > 0; n--)
			change_byte(name, (off_t)any(len));
		if (sb_windex_find(dir, &wal, false, key, &got)) {
			CHECK(got.offset <= key);
			CHECK(got.pos >= table[0].pos);
		}
	}
}

int
main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "index: finds what a search finds",
		    an_index_finds_what_a_search_finds },
		{ "index: of something else is refused",
		    an_index_of_something_else_is_refused },
		{ "index: any changed byte is refused",
		    any_changed_byte_of_an_index_is_refused },
		{ "windex: entries round trip, damage refused",
		    wal_entries_round_trip_and_refuse },
		{ "windex: finds what a search finds",
		    a_wal_index_finds_what_a_search_finds },
		{ "windex: damage never leads too far",
		    a_damaged_wal_index_never_leads_too_far },
	};

	return check_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
