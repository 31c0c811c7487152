/*
 * limits.c - what the machine and the usual commands can do.
 *
 * The figures that sblog is held against: files, pipes, compression, memory,
 * durable writes.  bench/run decides what is compared with what.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/clock.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/stats.h"
#include "common/warm.h"
#include "common/work.h"
#include "common/xxh3_avx2.h"

enum {
	STARTS = 200,         /* processes of which the mean is taken */
	INSERTS = 100,        /* the same, slower ones */
	SYNCS = 1000,         /* fdatasync calls of which the middle is taken */
	SYNC_LEN = 100,       /* bytes written before each */
	MEMORY_LEN = 1 << 28, /* bytes hashed and copied */
};

static const char *const to_null[] = { "cat", NULL };

/* Bytes of the text divided by seconds, in GB/s. */
static double
rate(const struct measure_env *env, double seconds)
{
	return (double)env->lines * WORK_LINE / seconds / 1e9;
}

/* The text all command lines work on, made once. */
static struct place
text(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "w100");

	errno = 0;
	if (place_bytes(p.path) != env->lines * WORK_LINE)
		measure_fail("not the text asked for (measure \"prepare\")",
		    p.path);
	return p;
}

/* One command from the text to a new file or to nothing. */
static void
run_command(const struct measure_env *env, const char *name,
    const char *const argv[], const char *in, const char *out)
{
	const struct child_files files = { .in = in, .out = out };
	struct child_cost cost = child_run(argv, &files);

	measure_print(name, rate(env, cost.seconds), "GB/s");
	if (out != NULL)
		place_remove(out);
}

/* left | cat, to a new file or to nothing. */
static void
run_pipe(const struct measure_env *env, const char *name,
    const char *const left[], const char *out)
{
	const struct child_files files = { .out = out };
	struct child_cost cost;
	uint64_t rss[2];

	cost = child_pipe(left, to_null, &files, rss);
	measure_print(name, rate(env, cost.seconds), "GB/s");
	if (out != NULL)
		place_remove(out);
}

static void
prepare(const struct measure_env *env)
{
	struct place w100 = place_at(env->dir, "w100");
	struct place lz4 = place_at(env->dir, "w100.lz4");
	const char *const argv[] = { "lz4", "-1", "-q", "-f", "-k", w100.path,
		lz4.path, NULL };
	static char lines[10000 * WORK_LINE];
	struct work work;
	FILE *f;

	if ((f = fopen(w100.path, "wbe")) == NULL)
		measure_fail("cannot make", w100.path);
	work_init(&work, 1);
	for (uint64_t i = 0; i < env->lines;) {
		size_t len = 0;

		for (; len < sizeof(lines) && i < env->lines; i++) {
			work_line(&work, lines + len);
			len += WORK_LINE;
		}
		if (fwrite(lines, 1, len, f) != len)
			measure_fail("cannot write", w100.path);
	}
	if (fflush(f) != 0 || fdatasync(fileno(f)) < 0 || fclose(f) != 0)
		measure_fail("cannot write", w100.path);
	(void)child_run(argv, &(const struct child_files){ 0 });
	sync(); /* so that no measure pays for writing this back */
}

static void
cat_file(const struct measure_env *env)
{
	struct place in = text(env), out = place_at(env->dir, "out");
	const char *const argv[] = { "cat", in.path, NULL };

	warm_memory(env->dir, env->lines * WORK_LINE);
	run_command(env, "cat-file", argv, NULL, out.path);
}

static void
cat_null(const struct measure_env *env)
{
	struct place in = text(env);
	const char *const argv[] = { "cat", in.path, NULL };

	run_command(env, "cat-null", argv, NULL, NULL);
}

static void
cat_pipe(const struct measure_env *env)
{
	struct place in = text(env);
	const char *const argv[] = { "cat", in.path, NULL };

	run_pipe(env, "cat-pipe", argv, NULL);
}

static void
cat_pipe_file(const struct measure_env *env)
{
	struct place in = text(env), out = place_at(env->dir, "out");
	const char *const argv[] = { "cat", in.path, NULL };

	warm_memory(env->dir, env->lines * WORK_LINE);
	run_pipe(env, "cat-pipe-file", argv, out.path);
}

static void
wc(const struct measure_env *env)
{
	struct place in = text(env);
	const char *const argv[] = { "wc", "-l", in.path, NULL };

	run_command(env, "wc", argv, NULL, NULL);
}

static void
dd_sync(const struct measure_env *env)
{
	struct place in = text(env), out = place_at(env->dir, "out");
	struct place from = place_join("if=", in.path);
	struct place to = place_join("of=", out.path);
	const char *const argv[] = { "dd", "bs=1M", "conv=fdatasync",
		"status=none", from.path, to.path, NULL };

	warm_memory(env->dir, env->lines * WORK_LINE);
	run_command(env, "dd-sync", argv, NULL, NULL);
	place_remove(out.path);
}

/* lz4 -1 and then sync of what it wrote. */
static void
lz4(const struct measure_env *env)
{
	struct place in = text(env), out = place_at(env->dir, "out.lz4");
	const struct child_files none = { 0 };
	const char *const argv[] = { "lz4", "-1", "-q", "-f", "-k", in.path,
		out.path, NULL };
	const char *const sync_it[] = { "sync", out.path, NULL };
	struct child_cost cost, synced;

	warm_memory(env->dir, env->lines * WORK_LINE / 3);
	cost = child_run(argv, &none);
	synced = child_run(sync_it, &none);
	measure_print("lz4", rate(env, cost.seconds + synced.seconds), "GB/s");
	place_remove(out.path);
}

static void
lz4_pipe(const struct measure_env *env)
{
	struct place in = place_at(env->dir, "w100.lz4");
	const char *const argv[] = { "lz4", "-dc", in.path, NULL };

	run_pipe(env, "lz4-pipe", argv, NULL);
}

static void
lz4_null(const struct measure_env *env)
{
	struct place in = place_at(env->dir, "w100.lz4");
	const char *const argv[] = { "lz4", "-dc", in.path, NULL };

	run_command(env, "lz4-null", argv, NULL, NULL);
}

static void
lz4_bytes(const struct measure_env *env)
{
	struct place in = place_at(env->dir, "w100.lz4");

	measure_print("lz4-bytes", (double)place_bytes(in.path) / 1e6, "MB");
}

/* The mean of n starts of one command, in milliseconds. */
static void
run_starts(const char *name, const char *const argv[], int n)
{
	const struct child_files none = { 0 };
	double seconds = 0;

	for (int i = 0; i < n; i++)
		seconds += child_run(argv, &none).seconds;
	measure_print(name, seconds / n * 1e3, "ms");
}

static void
true_start(const struct measure_env *env)
{
	const char *const argv[] = { "/bin/true", NULL };

	(void)env; /* nothing to choose */
	run_starts("true", argv, STARTS);
}

static void
tail(const struct measure_env *env)
{
	struct place in = text(env);
	const char *const argv[] = { "tail", "-n", "10", in.path, NULL };

	run_starts("tail", argv, STARTS);
}

/* One durable row a process, in the journal mode that is quickest so. */
static void
sqlite_insert(const struct measure_env *env)
{
	struct place db = place_at(env->dir, "insert.db");
	const char *const create[] = { "sqlite3", db.path,
		"CREATE TABLE log(offset INTEGER PRIMARY KEY, value BLOB);",
		NULL };
	const char *const argv[] = { "sqlite3", db.path,
		"INSERT INTO log(value) VALUES('a line of a log');", NULL };

	place_remove(db.path);
	(void)child_run(create, &(const struct child_files){ 0 });
	run_starts("sqlite-insert", argv, INSERTS);
	place_remove(db.path);
}

/* Memory that was touched before the clock starts. */
static char *
touched(size_t len, int fill)
{
	char *bytes = malloc(len);

	if (bytes == NULL)
		measure_fail("cannot allocate", "memory");
	memset(bytes, fill, len);
	return bytes;
}

static void
copy(const struct measure_env *env)
{
	char *from = touched(MEMORY_LEN, 'a'), *to = touched(MEMORY_LEN, 'b');
	uint64_t start = clock_ns();
	double seconds;

	(void)env; /* nothing to choose */
	memcpy(to, from, MEMORY_LEN);
	__asm__ volatile("" : : "r"(to) : "memory"); /* it is used */
	seconds = clock_since(start);
	measure_print("memcpy", MEMORY_LEN / seconds / 1e9, "GB/s");
	free(from);
	free(to);
}

static void
xxh3(const struct measure_env *env)
{
	char *bytes = touched(MEMORY_LEN, 'a');
	uint64_t hash = 0, start;
	double seconds;

	(void)env; /* nothing to choose */
	if (!xxh3_avx2_works())
		measure_skip("the processor has no AVX2", "xxh3");
	start = clock_ns();
	for (size_t at = 0; at < MEMORY_LEN; at += 1 << 20)
		hash ^= xxh3_avx2(bytes + at, 1 << 20);
	__asm__ volatile("" : : "r"(hash)); /* it is used */
	seconds = clock_since(start);
	measure_print("xxh3", MEMORY_LEN / seconds / 1e9, "GB/s");
	free(bytes);
}

/* The middle of many small writes, each made durable. */
static void
run_syncs(const char *name, int fd)
{
	static double us[SYNCS];
	char bytes[SYNC_LEN];

	memset(bytes, 'x', sizeof(bytes));
	for (off_t i = 0; i < SYNCS; i++) {
		uint64_t start = clock_ns();

		if (pwrite(fd, bytes, sizeof(bytes), i * SYNC_LEN) !=
			SYNC_LEN ||
		    fdatasync(fd) < 0)
			measure_fail("cannot write", name);
		us[i] = (double)(clock_ns() - start) / 1e3;
	}
	stats_sort(us, SYNCS);
	measure_print(name, stats_rank(us, SYNCS, 0.5), "us");
}

/* A new file, zeros in it as asked, synced. */
static int
new_file(const char *path, size_t zeros)
{
	char *bytes = touched(zeros + 1, 0);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || pwrite(fd, bytes, zeros, 0) != (ssize_t)zeros ||
	    fsync(fd) < 0)
		measure_fail("cannot make", path);
	free(bytes);
	return fd;
}

static void
syncs(const struct measure_env *env)
{
	struct place out = place_at(env->dir, "out");
	int fd = new_file(out.path, 0);

	run_syncs("fdatasync-extending", fd);
	(void)close(fd); /* it is removed */
	place_remove(out.path);
	fd = new_file(out.path, SYNCS * SYNC_LEN);
	run_syncs("fdatasync-zeroed", fd);
	(void)close(fd);
	place_remove(out.path);
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "prepare", prepare, "make W100 and its lz4 -1" },
		{ "cat-file", cat_file, "cat W100 > file" },
		{ "cat-null", cat_null, "cat W100 > /dev/null" },
		{ "cat-pipe", cat_pipe, "cat W100 | cat > /dev/null" },
		{ "cat-pipe-file", cat_pipe_file, "cat W100 | cat > file" },
		{ "wc", wc, "wc -l W100" },
		{ "dd-sync", dd_sync, "dd bs=1M conv=fdatasync" },
		{ "lz4", lz4, "lz4 -1 of W100 to a file, and sync of it" },
		{ "lz4-pipe", lz4_pipe, "lz4 -dc | cat > /dev/null" },
		{ "lz4-null", lz4_null, "lz4 -dc > /dev/null" },
		{ "lz4-bytes", lz4_bytes, "size of lz4 -1 of W100" },
		{ "true", true_start, "start and end of /bin/true" },
		{ "tail", tail, "tail -n 10 W100" },
		{ "sqlite-insert", sqlite_insert, "sqlite3 INSERT, durable" },
		{ "memcpy", copy, "256 MiB to 256 MiB, touched before" },
		{ "xxh3", xxh3, "XXH3-64 with AVX2, 1 MiB at a time" },
		{ "syncs", syncs,
		    "100 bytes and fdatasync: extending, zeroed" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
