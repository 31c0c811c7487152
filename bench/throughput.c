/*
 * throughput.c - what the commands of sblog can do.
 *
 * Each measure runs the command as a user would and times the process.  What
 * to hold a figure against is in rows.tsv, mostly a measure of limits.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/child.h"
#include "common/measure.h"
#include "common/place.h"
#include "common/warm.h"
#include "common/work.h"

enum { STARTS = 200 }; /* processes of which the mean is taken */

static const struct child_files no_files = { 0 };
static const char *const cat[] = { "cat", NULL };

/* Print GB/s of the text and the memory that it took. */
static void
print_rate(const struct measure_env *env, const char *name, double seconds,
    uint64_t rss)
{
	struct place rss_name = place_join(name, "-rss");

	measure_print(name, (double)env->lines * WORK_LINE / seconds / 1e9,
	    "GB/s");
	measure_print(rss_name.path, (double)rss / (1 << 20), "MiB");
}

/* sblog append [SYNC] TOPIC [FILE] into this store. */
static struct child_cost
append(const struct measure_env *env, const char *store, const char *topic,
    const char *sync_mode, const char *file)
{
	const char *const argv[] = { env->sblog, "-C", store, "append",
		sync_mode, topic, file, NULL };

	return child_run(argv, &no_files);
}

static void
seal_topic(const struct measure_env *env, const char *store, const char *topic,
    struct child_cost *costp)
{
	const char *const argv[] = { env->sblog, "-C", store, "seal", topic,
		NULL };

	*costp = child_run(argv, &no_files);
}

static void
prepare(const struct measure_env *env)
{
	struct place w100 = place_at(env->dir, "w100");
	struct place store = place_at(env->dir, "store");
	struct child_cost ignored;

	place_fresh(store.path);
	(void)append(env, store.path, "plain", "--sync=batch", w100.path);
	(void)append(env, store.path, "sealed", "--sync=batch", w100.path);
	seal_topic(env, store.path, "sealed", &ignored);
	sync(); /* so that no measure pays for writing this back */
}

/* Append the text from its file to a new store. */
static double
append_new(const struct measure_env *env, const char *name,
    const char *sync_mode)
{
	struct place w100 = place_at(env->dir, "w100");
	struct place store = place_at(env->dir, "new");
	struct child_cost cost;

	place_fresh(store.path);
	warm_memory(env->dir, env->lines * WORK_LINE);
	cost = append(env, store.path, "log", sync_mode, w100.path);
	place_remove(store.path);
	print_rate(env, name, cost.seconds, cost.rss);
	return cost.seconds;
}

static void
append_file(const struct measure_env *env)
{
	(void)append_new(env, "append-file", "--sync=none");
}

static void
append_durable(const struct measure_env *env)
{
	double seconds = append_new(env, "append-durable", "--sync=batch");

	measure_print("append-durable-records", (double)env->lines / seconds,
	    "records/s");
}

static void
append_pipe(const struct measure_env *env)
{
	struct place w100 = place_at(env->dir, "w100");
	struct place store = place_at(env->dir, "new");
	const char *const left[] = { "cat", w100.path, NULL };
	const char *const right[] = { env->sblog, "-C", store.path, "append",
		"--sync=none", "log", NULL };
	struct child_cost cost;
	uint64_t rss[2];

	place_fresh(store.path);
	warm_memory(env->dir, env->lines * WORK_LINE);
	cost = child_pipe(left, right, &no_files, rss);
	place_remove(store.path);
	print_rate(env, "append-pipe", cost.seconds, rss[1]);
}

/* sblog read TOPIC | cat > /dev/null, or without the cat. */
static void
read_topic(const struct measure_env *env, const char *name, const char *topic,
    bool piped)
{
	struct place store = place_at(env->dir, "store");
	const char *const argv[] = { env->sblog, "-C", store.path, "read",
		topic, NULL };
	struct child_cost cost;
	uint64_t rss[2];

	if (piped) {
		cost = child_pipe(argv, cat, &no_files, rss);
	} else {
		cost = child_run(argv, &no_files);
		rss[0] = cost.rss;
	}
	print_rate(env, name, cost.seconds, rss[0]);
}

static void
read_pipe(const struct measure_env *env)
{
	read_topic(env, "read-pipe", "plain", true);
}

static void
read_null(const struct measure_env *env)
{
	read_topic(env, "read-null", "plain", false);
}

static void
read_sealed(const struct measure_env *env)
{
	read_topic(env, "read-sealed", "sealed", true);
}

/* Seal a topic that is durable already, as the input of lz4 is. */
static void
seal(const struct measure_env *env)
{
	struct place w100 = place_at(env->dir, "w100");
	struct place store = place_at(env->dir, "new");
	struct child_cost cost;

	place_fresh(store.path);
	(void)append(env, store.path, "log", "--sync=batch", w100.path);
	warm_memory(env->dir, env->lines * WORK_LINE / 3);
	seal_topic(env, store.path, "log", &cost);
	place_remove(store.path);
	print_rate(env, "seal", cost.seconds, cost.rss);
}

/* Everything in the topic's directory, not only the segments. */
static void
sealed_bytes(const struct measure_env *env)
{
	struct place topic = place_at(env->dir, "store/sealed");

	measure_print("sealed-bytes", (double)place_bytes(topic.path) / 1e6,
	    "MB");
}

/* Print stored bytes of segments by time. */
static void
print_stored_rate(const struct measure_env *env, const char *name,
    double seconds)
{
	struct place topic = place_at(env->dir, "store/sealed");

	measure_print(name,
	    (double)place_bytes_of(topic.path, ".seg") / seconds / 1e9, "GB/s");
}

static void
verify(const struct measure_env *env)
{
	struct place store = place_at(env->dir, "store");
	const char *const argv[] = { env->sblog, "-C", store.path, "verify",
		"sealed", NULL };

	print_stored_rate(env, "verify", child_run(argv, &no_files).seconds);
}

/* The same bytes, only read. */
static void
cat_segments(const struct measure_env *env)
{
	struct place topic = place_at(env->dir, "store/sealed");
	const char *const argv[] = { "sh", "-c", "exec cat \"$1\"/*.seg", "sh",
		topic.path, NULL };

	print_stored_rate(env, "cat-segments",
	    child_run(argv, &no_files).seconds);
}

/* The mean of many starts of one command, in milliseconds. */
static void
run_starts(const char *name, const char *const argv[],
    const struct child_files *files)
{
	double seconds = 0;

	for (int i = 0; i < STARTS; i++)
		seconds += child_run(argv, files).seconds;
	measure_print(name, seconds / STARTS * 1e3, "ms");
}

/* A file with one line, for standard input. */
static struct place
one_line(const struct measure_env *env)
{
	struct place p = place_at(env->dir, "one");
	char line[WORK_LINE];
	struct work work;
	int fd = open(p.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	work_init(&work, 1);
	work_line(&work, line);
	if (fd < 0 || write(fd, line, sizeof(line)) != sizeof(line) ||
	    close(fd) < 0)
		measure_fail("cannot write", p.path);
	return p;
}

/* One record a process, to a topic that exists. */
static void
append_starts(const struct measure_env *env, const char *name,
    const char *sync_mode)
{
	struct place line = one_line(env);
	struct place store = place_at(env->dir, "new");
	const char *const argv[] = { env->sblog, "-C", store.path, "append",
		sync_mode, "log", NULL };
	const struct child_files files = { .in = line.path };

	place_fresh(store.path);
	(void)child_run(argv, &files);
	run_starts(name, argv, &files);
	place_remove(store.path);
}

static void
append_one(const struct measure_env *env)
{
	append_starts(env, "append-one", "--sync=none");
}

static void
append_one_durable(const struct measure_env *env)
{
	append_starts(env, "append-one-durable", "--sync=batch");
}

static void
tail_topic(const struct measure_env *env, const char *name, const char *topic)
{
	struct place store = place_at(env->dir, "store");
	const char *const argv[] = { env->sblog, "-C", store.path, "tail", "-n",
		"10", topic, NULL };

	run_starts(name, argv, &no_files);
}

static void
tail_plain(const struct measure_env *env)
{
	tail_topic(env, "tail-unsealed", "plain");
}

static void
tail_sealed(const struct measure_env *env)
{
	tail_topic(env, "tail-sealed", "sealed");
}

int
main(int argc, char **argv)
{
	static const struct measure table[] = {
		{ "prepare", prepare, "W100 unsealed and sealed" },
		{ "append-file", append_file, "append --sync=none W100" },
		{ "append-pipe", append_pipe, "cat W100 | append" },
		{ "append-durable", append_durable, "append W100, durable" },
		{ "read-pipe", read_pipe, "read unsealed | cat > /dev/null" },
		{ "read-null", read_null, "read unsealed > /dev/null" },
		{ "read-sealed", read_sealed, "read sealed | cat > /dev/null" },
		{ "seal", seal, "seal W100" },
		{ "sealed-bytes", sealed_bytes, "size of sealed W100" },
		{ "verify", verify, "verify sealed, stored bytes" },
		{ "cat-segments", cat_segments, "cat *.seg > /dev/null" },
		{ "append-one", append_one, "one record, a process each" },
		{ "append-one-durable", append_one_durable,
		    "the same, durable" },
		{ "tail-unsealed", tail_plain, "tail -n 10 of the unsealed" },
		{ "tail-sealed", tail_sealed, "tail -n 10 of the sealed" },
		{ .name = NULL },
	};

	return measure_main(argc, argv, table, NULL);
}
