/*
 * sc_readpath.c - scenarios: reading a log, sealed and not, in pieces of all
 * sizes, by one or many, with and without the page cache.
 *
 * A sealed log is mapped, one that is not is read through a buffer; both verify
 * what they read.  Sealed means not compressed here, but for those called lz4.
 */
#include "bench/sc_readpath.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/cold.h"
#include "bench/work.h"

enum {
	LINE = 100, /* bytes of a value */
	MB = 1000000,
	BATCH = 10000,
	RUN_NS = 500000000,
	QUICK_NS = 20000000,
	GETS = 100000,
	QUICK_GETS = 5000,
	READERS_MAX = 8,
};

enum form { SEALED, SEALED_LZ4, ACTIVE, FORMS };

static const char *const form_names[] = { "sealed", "lz4", "active" };

static void
make(struct work_log *l, const struct bench_ctx *ctx, enum form form,
    uint64_t bytes)
{
	static const char *const plain[] = { "compression.type=none", NULL };
	char name[32];

	(void)snprintf(name, sizeof(name), "%s-%" PRIu64, form_names[form],
	    bytes);
	work_open(l, ctx->directory, name, form == SEALED ? plain : NULL);
	work_fill(l, bytes / LINE, LINE, BATCH);
	if (form != ACTIVE)
		work_seal(l);
}

/* What a reader found. */
struct found {
	uint64_t records, bytes, bad;
};

/* Records [from, to) in pieces of so many bytes; the first and the last byte of
 * every record are looked at. */
static void
read_pieces(struct work_log *l, uint64_t from, uint64_t to, uint64_t piece,
    struct found *f)
{
	const struct sblog_cursor_opts opts = { .from = from,
		.to = to,
		.copy = 1 };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t next = from, left = piece;
	int rc;

	work_need(sblog_cursor_open(&cur, l->topic, &opts, &err), &err, "read");
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		const char *value = rec.value.data;

		f->bad += rec.offset != next++ || rec.value.len != LINE ||
		    value[0] == '\0' || value[LINE - 1] == '\0';
		f->bytes += rec.value.len;
		left = left > rec.value.len ? left - rec.value.len : piece;
	}
	work_need(rc, &err, "read");
	sblog_cursor_close(cur);
	f->records += next - from;
	f->bad += next != to;
}

/* Every byte must be what was appended. */
static void
check_all(struct work_log *l, uint64_t n, struct bench_run *run)
{
	const struct sblog_cursor_opts opts = { .copy = 1 };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err err;
	uint64_t count = 0, bad = 0;
	char text[LINE];
	int rc;

	work_need(sblog_cursor_open(&cur, l->topic, &opts, &err), &err, "read");
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		work_text(count, text, LINE);
		bad += rec.offset != count || rec.value.len != LINE ||
		    memcmp(rec.value.data, text, LINE) != 0;
		count++;
	}
	work_need(rc, &err, "read");
	sblog_cursor_close(cur);
	if (count != n || bad != 0)
		bench_run_fail(run,
		    "%" PRIu64 " of %" PRIu64 " records are there, %" PRIu64
		    " of them are not what was appended",
		    count, n, bad);
}

static void
finish(struct bench_run *run, const struct found *f, uint64_t ops,
    double seconds)
{
	run->ops = ops;
	run->bytes = f->bytes;
	run->seconds = seconds;
	run->value = (double)f->bytes / seconds / (1 << 20);
	if (f->bad != 0)
		bench_run_fail(run, "%" PRIu64 " records were wrong", f->bad);
}

static uint64_t
run_ns(const struct bench_ctx *ctx)
{
	return ctx->options->duration_us != 0
	    ? ctx->options->duration_us * 1000
	    : (ctx->options->quick ? QUICK_NS : RUN_NS);
}

static struct bench_measure *
measure_of(const struct bench_ctx *ctx, struct bench_result *result,
    const char *name, enum form form, uint64_t bytes, uint64_t piece)
{
	struct bench_measure *m =
	    bench_measure_of(ctx, result, name, "MiB/s", true);

	bench_measure_param(m, "value", "%d", LINE);
	bench_measure_param(m, "bytes", "%" PRIu64, bytes);
	bench_measure_param(m, "max_bytes", "%" PRIu64, piece);
	bench_measure_param(m, "form", "%s", form_names[form]);
	return m;
}

/* Over and over, in pieces that begin one behind the other. */
static void
measure(const struct bench_ctx *ctx, struct bench_result *result,
    struct work_log *l, const char *name, enum form form, uint64_t bytes,
    uint64_t piece)
{
	struct bench_run *run = bench_measure_run(
	    measure_of(ctx, result, name, form, bytes, piece));
	uint64_t n = bytes / LINE, limit = run_ns(ctx), begun, cpu, ops = 0;
	uint64_t each = piece < bytes ? piece / LINE : n, at = 0;
	struct found f = { 0 };

	read_pieces(l, 0, n, bytes, &f); /* to warm up */
	f = (struct found){ 0 };
	cpu = work_cpu();
	begun = work_now();
	do {
		read_pieces(l, at, at + each < n ? at + each : n, piece, &f);
		at = at + each < n ? at + each : 0;
		ops++;
	} while (work_now() - begun < limit);
	finish(run, &f, ops, (double)(work_now() - begun) / 1e9);
	run->cpu_seconds = (double)(work_cpu() - cpu) / 1e9;
	check_all(l, n, run);
}

void
readpath_chunk(const struct bench_ctx *ctx, struct bench_result *result)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} pieces[] = { { "1K", 1000 }, { "10K", 10000 }, { "100K", 100000 },
		{ "1M", MB }, { "10M", 10 * MB } };
	struct work_log l;
	char name[64];

	for (int form = 0; form < FORMS; form++) {
		make(&l, ctx, (enum form)form, 10 * MB);
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]);
		     i++) {
			(void)snprintf(name, sizeof(name), "%s-%s",
			    form_names[form], pieces[i].name);
			measure(ctx, result, &l, name, (enum form)form, 10 * MB,
			    pieces[i].bytes);
		}
		work_close(&l);
	}
}

void
readpath_size(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct work_log l;
	char name[64];

	for (int form = 0; form < FORMS; form++)
		for (int mb = 1; mb <= (ctx->options->quick ? 10 : 100);
		     mb *= 10) {
			(void)snprintf(name, sizeof(name), "%s-%dM",
			    form_names[form], mb);
			make(&l, ctx, (enum form)form, (uint64_t)mb * MB);
			measure(ctx, result, &l, name, (enum form)form,
			    (uint64_t)mb * MB, MB);
			work_close(&l);
		}
}

/* One pass over everything, opened anew. */
static void
pass(const struct bench_ctx *ctx, struct bench_run *run, enum form form)
{
	struct found f = { 0 };
	struct work_log l;
	uint64_t begun;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s-%d", form_names[form], 10 * MB);
	begun = work_now();
	work_open(&l, ctx->directory, name, NULL);
	read_pieces(&l, 0, 10 * MB / LINE, MB, &f);
	finish(run, &f, 10, (double)(work_now() - begun) / 1e9);
	work_close(&l);
}

void
readpath_cold(const struct bench_ctx *ctx, struct bench_result *result)
{
	for (int form = 0; form < FORMS; form++) {
		struct bench_run *cold, *warm;
		struct cold_state state;
		struct work_log l;
		char name[32];

		make(&l, ctx, (enum form)form, 10 * MB);
		work_close(&l);
		(void)snprintf(name, sizeof(name), "%s-cold", form_names[form]);
		cold = bench_measure_run(measure_of(ctx, result, name,
		    (enum form)form, 10 * MB, MB));
		(void)snprintf(name, sizeof(name), "%s-warm", form_names[form]);
		warm = bench_measure_run(measure_of(ctx, result, name,
		    (enum form)form, 10 * MB, MB));
		state = cold_drop(ctx->directory);
		pass(ctx, cold, (enum form)form);
		if (state.resident != 0)
			bench_run_fail(cold,
			    "%" PRIu64 " of %" PRIu64
			    " pages stay in the cache: nothing is cold",
			    state.resident, state.pages);
		pass(ctx, warm, (enum form)form);
		state = cold_look(ctx->directory);
		if (state.resident == 0)
			bench_run_fail(warm, "nothing is in the cache");
	}
}

/* ---- many readers --------------------------------------------------------- */

/* Shared with the processes that read. */
struct hall {
	volatile uint64_t ready, go;
	struct {
		struct found found;
		uint64_t begun, ended;
	} readers[READERS_MAX];
};

static void
be_reader(const struct bench_ctx *ctx, struct hall *hall, int i, int n)
{
	uint64_t count = 10 * MB / LINE,
		 from = count / (uint64_t)n * (uint64_t)i;
	uint64_t limit = run_ns(ctx);
	struct found f = { 0 };
	struct work_log l;

	bench_forked();
	work_open(&l, ctx->directory, "sealed-10000000", NULL);
	read_pieces(&l, 0, count, MB, &f);
	f = (struct found){ 0 };
	(void)__atomic_add_fetch(&hall->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&hall->go, __ATOMIC_SEQ_CST) == 0)
		work_sleep_until(work_now() + 50000);
	hall->readers[i].begun = work_now();
	do {
		read_pieces(&l, from, count, MB, &f);
		if (from > 0)
			read_pieces(&l, 0, from, MB, &f);
	} while (work_now() - hall->readers[i].begun < limit);
	hall->readers[i].ended = work_now();
	hall->readers[i].found = f;
	work_close(&l);
	_exit(0);
}

static void
read_together(const struct bench_ctx *ctx, struct bench_run *run, int n)
{
	struct hall *hall = mmap(NULL, sizeof(*hall), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t begun = UINT64_MAX, ended = 0;
	struct found sum = { 0 };
	pid_t pids[READERS_MAX];

	if (hall == MAP_FAILED)
		work_fail("cannot map: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		if ((pids[i] = fork()) == 0)
			be_reader(ctx, hall, i, n);
		if (pids[i] < 0)
			work_fail("cannot start a reader: %s", strerror(errno));
	}
	for (int i = 0; i < 100000 && hall->ready != (uint64_t)n; i++)
		work_sleep_until(work_now() + 100000);
	__atomic_store_n(&hall->go, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < n; i++) {
		int status;

		if (waitpid(pids[i], &status, 0) < 0 || status != 0)
			work_fail("a reader died");
		sum.bytes += hall->readers[i].found.bytes;
		sum.bad += hall->readers[i].found.bad;
		if (hall->readers[i].begun < begun)
			begun = hall->readers[i].begun;
		if (hall->readers[i].ended > ended)
			ended = hall->readers[i].ended;
	}
	finish(run, &sum, sum.bytes / MB, (double)(ended - begun) / 1e9);
	(void)munmap(hall, sizeof(*hall));
}

void
readpath_readers(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct work_log l;
	char name[32];

	make(&l, ctx, SEALED, 10 * MB);
	work_close(&l);
	for (int n = 1; n <= READERS_MAX; n *= 2) {
		struct bench_measure *m;

		(void)snprintf(name, sizeof(name), "%d", n);
		m = measure_of(ctx, result, name, SEALED, 10 * MB, MB);
		bench_measure_param(m, "readers", "%d", n);
		read_together(ctx, bench_measure_run(m), n);
	}
}

/* ---- from anywhere ---------------------------------------------------------- */

static void
get_anywhere(const struct bench_ctx *ctx, struct work_log *l,
    struct bench_run *run)
{
	uint64_t count = ctx->options->quick ? QUICK_GETS : GETS;
	uint64_t state = ctx->options->seed + 1, n = 10 * MB / LINE, begun;
	struct found f = { 0 };
	struct sblog_record rec;
	struct sblog_err err;
	char text[LINE];

	begun = work_now();
	for (uint64_t i = 0; i < count; i++) {
		uint64_t offset = work_random(&state) % n;

		work_need(sblog_get(l->topic, offset, &rec, &err), &err, "get");
		f.bad += rec.offset != offset || rec.value.len != LINE;
		f.bytes += rec.value.len;
		/* Some in full; all would be measuring that. */
		if (i % 64 == 0 && rec.value.len == LINE) {
			work_text(offset, text, LINE);
			f.bad += memcmp(rec.value.data, text, LINE) != 0;
		}
	}
	finish(run, &f, count, (double)(work_now() - begun) / 1e9);
}

void
readpath_order(const struct bench_ctx *ctx, struct bench_result *result)
{
	struct work_log l;
	char name[32];

	for (int form = 0; form < FORMS; form++) {
		make(&l, ctx, (enum form)form, 10 * MB);
		(void)snprintf(name, sizeof(name), "%s-sequential",
		    form_names[form]);
		measure(ctx, result, &l, name, (enum form)form, 10 * MB,
		    10 * MB);
		(void)snprintf(name, sizeof(name), "%s-random",
		    form_names[form]);
		get_anywhere(ctx, &l,
		    bench_measure_run(measure_of(ctx, result, name,
			(enum form)form, 10 * MB, LINE)));
		work_close(&l);
	}
}
