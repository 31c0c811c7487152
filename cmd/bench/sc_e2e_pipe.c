/*
 * sc_e2e_pipe.c - a scenario: lines from a pipe to a pipe, through the commands
 * that append and follow.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/mem.h"
#include "bench/sc_e2e.h"
#include "bench/traffic_rows.h"
#include "common/stop.h"

enum {
	RATE = 1000,
	MESSAGE = 49,           /* bytes, */
	LINE = 2 * MESSAGE + 1, /* as a line of hexadecimal digits */
	LINES = 1000,           /* in one write at most */
	PATIENCE = 10,   /* seconds until a line must have come through */
	LEAD = 20000000, /* ns */
	NAP = 1000000,
};

#define SECONDS 5.0
#define QUICK 1.0
#define WARM_UP 0.2

/* What the process at the end of the pipe leaves for us. */
struct arrived {
	_Atomic uint64_t count;
	_Atomic bool wrong;
	uint64_t measured; /* when that begins */
	uint64_t last_ns;
	char why[TRAFFIC_WHY];
	struct hist latency, service;
};

struct ends {
	struct arrived *arrived;
	int from, close; /* descriptors: to be read, and not ours */
};

struct pipeline {
	const struct traffic *t;
	struct arrived *arrived;
	struct ends ends;
	int to; /* descriptor */
	pid_t append, read, reader;
	struct proc_cost cost;
	uint64_t begin, sent, acked;
	char *store;
};

/* -- lines ---------------------------------------------------------------------- */

static const char digits[] = "0123456789abcdef";

static void
write_line(const struct work_message *m, char *out)
{
	uint8_t bytes[MESSAGE];

	work_encode(m, bytes, MESSAGE);
	for (size_t i = 0; i < MESSAGE; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[LINE - 1] = '\n';
}

static int
digit(char c)
{
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p == NULL ? -1 : (int)(p - digits);
}

/* Without its newline. */
static bool
read_line(struct work_message *m, const char *line)
{
	uint8_t bytes[MESSAGE];

	for (size_t i = 0; i < MESSAGE; i++) {
		int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return work_decode(m, bytes, MESSAGE);
}

/* -- the end of the pipe -------------------------------------------------------- */

/* false: it is not the next one. */
static bool
arrive(struct arrived *a, const char *line)
{
	uint64_t count = atomic_load(&a->count), now;
	struct work_message m;

	if (line[LINE - 1] != '\n' || !read_line(&m, line) ||
	    m.number != count) {
		(void)snprintf(a->why, sizeof(a->why),
		    "line %" PRIu64 " is not the one that was sent", count + 1);
		atomic_store(&a->wrong, true);
		return false;
	}
	now = work_now();
	a->last_ns = now;
	if (m.intended >= a->measured) {
		hist_add(&a->latency, now - m.intended, 1);
		hist_add(&a->service, now - m.started, 1);
	}
	atomic_store(&a->count, count + 1);
	return true;
}

static void
read_end(void *arg)
{
	static char buf[64 * LINE];
	struct ends *e = arg;
	size_t len = 0, at;
	ssize_t n;

	(void)close(e->close);
	while ((n = read(e->from, buf + len, sizeof(buf) - len)) > 0) {
		len += (size_t)n;
		for (at = 0; len - at >= LINE; at += LINE)
			if (!arrive(e->arrived, buf + at))
				return;
		memmove(buf, buf + at, len - at);
		len -= at;
	}
}

/* -- its beginning ---------------------------------------------------------------- */

static void
start(struct pipeline *p, const struct bench_ctx *ctx)
{
	char *append = mem_format("%s/sblog-append", ctx->bin);
	char *read = mem_format("%s/sblog-read", ctx->bin);
	const char *const append_argv[] = { append, "-C", p->store,
		p->t->durable ? "--sync=batch" : "--sync=none", "t", NULL };
	const char *const read_argv[] = { read, "-C", p->store, "-F",
		p->t->durable ? "--durable" : "--quiet", "t", NULL };
	struct proc_files files = { .in = NULL };
	int in[2], out[2];
	char *path;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		work_fail("no pipe: %s", strerror(errno));
	path = mem_format("/proc/self/fd/%d", in[0]);
	files.in = path;
	p->append = proc_spawn(append_argv, &files);
	free(path);
	path = mem_format("/proc/self/fd/%d", out[1]);
	files = (struct proc_files){ .out = path };
	p->read = proc_spawn(read_argv, &files);
	free(path);
	(void)close(in[0]);
	(void)close(out[1]);
	p->to = in[1];
	p->ends = (struct ends){ p->arrived, out[0], in[1] };
	p->reader = proc_fork(read_end, &p->ends);
	(void)close(out[0]);
	free(append);
	free(read);
}

static void
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0)
			work_fail("the pipe to sblog-append: %s",
			    strerror(errno));
		data += n;
		len -= (size_t)n;
	}
}

/* Write all lines when they are due. */
static void
send(struct pipeline *p)
{
	uint64_t total = schedule_total(&p->t->schedule), now;
	char *lines = mem_new(LINES, LINE);

	while (p->sent < total && !stop_wanted()) {
		uint64_t due =
		    p->begin + schedule_due(&p->t->schedule, p->sent);
		size_t n = 0;

		work_sleep_until(due);
		now = work_now();
		while (n < LINES && p->sent < total && due <= now) {
			const struct work_message m = { 0, p->sent++, due,
				now };

			write_line(&m, lines + n++ * LINE);
			p->acked += due >= p->arrived->measured;
			due = p->begin + schedule_due(&p->t->schedule, p->sent);
		}
		write_all(p->to, lines, n * LINE);
	}
	free(lines);
}

/* Wait for the last line, then end those that would wait for more. */
static void
drain(struct pipeline *p)
{
	uint64_t until = work_now() + PATIENCE * UINT64_C(1000000000);

	(void)close(p->to);
	proc_finish(p->append, "sblog-append", &p->cost);
	while (atomic_load(&p->arrived->count) < p->sent &&
	    !atomic_load(&p->arrived->wrong) && work_now() < until)
		work_sleep_until(work_now() + NAP);
	(void)kill(p->read, SIGKILL);
	(void)proc_wait(p->read, &p->cost);
	proc_finish(p->reader, "a reader", NULL);
}

/* -- what came of it ---------------------------------------------------------------- */

/* Every line is in the log, in order. */
static uint64_t
check_log(const struct bench_ctx *ctx, const struct pipeline *p,
    struct traffic_outcome *out)
{
	const struct sblog_cursor_opts opts = { .copy = 1 };
	struct sblog_cursor *cur;
	struct work_message m;
	struct sblog_record rec;
	struct work_log log;
	struct sblog_err err;
	uint64_t n = 0;
	int rc;

	work_open(&log, ctx->directory, "t", NULL);
	work_need(sblog_cursor_open(&cur, log.topic, &opts, &err), &err,
	    "read");
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0 &&
	    rec.value.len == LINE - 1 && read_line(&m, rec.value.data) &&
	    m.number == n)
		n++;
	if (n != p->sent || rc != SBLOG_END)
		(void)snprintf(out->why, sizeof(out->why),
		    "the log afterwards: %" PRIu64 " of %" PRIu64
		    " lines are as they were sent%s%s",
		    n, p->sent, rc < 0 ? ": " : "", rc < 0 ? err.msg : "");
	sblog_cursor_close(cur);
	work_close(&log);
	return out->why[0] == '\0' ? 0 : n < p->sent ? p->sent - n : 1;
}

static void
conclude(const struct bench_ctx *ctx, struct bench_result *result,
    const struct pipeline *p)
{
	const struct traffic_goals goals = { .keep_up = true, .plain = true };
	struct traffic_outcome *out = mem_new(1, sizeof(*out));
	const struct arrived *a = p->arrived;
	uint64_t count = atomic_load(&a->count);

	out->asked = out->acked = p->acked;
	out->sent = p->sent;
	out->received = count;
	out->bytes = p->sent * (LINE - 1);
	hist_merge(&out->seen, &a->latency);
	hist_merge(&out->seen_service, &a->service);
	out->cost = p->cost;
	out->elapsed = (double)(work_now() - p->begin) / 1e9;
	if (a->last_ns > a->measured)
		out->seconds = out->receive_seconds =
		    (double)(a->last_ns - a->measured) / 1e9;
	out->wrong = p->sent - count;
	if (a->why[0] != '\0')
		(void)snprintf(out->why, sizeof(out->why), "%s", a->why);
	else if (out->wrong > 0)
		(void)snprintf(out->why, sizeof(out->why),
		    "line %" PRIu64 " did not come within %d s", count + 1,
		    PATIENCE);
	else
		out->wrong = check_log(ctx, p, out);
	traffic_rows(ctx, result, "", p->t, &goals, out);
	free(out);
}

void
e2e_pipe(const struct bench_ctx *ctx, struct bench_result *result)
{
	const struct bench_options *o = ctx->options;
	double seconds = o->duration_us > 0 ? (double)o->duration_us / 1e6
	    : o->quick                      ? QUICK
					    : SECONDS;
	struct traffic t = { .producers = 1,
		.consumers = 1,
		.size_min = LINE - 1,
		.size_max = LINE - 1,
		.warm_up = seconds * WARM_UP,
		.durable = o->sync == BENCH_SYNC_BATCH };
	struct pipeline p = { .t = &t };
	struct work_log log;

	t.rate = o->rate > 0 ? (double)o->rate : RATE;
	schedule_steady(&t.schedule, t.rate, seconds);
	schedule_warm_up(&t.schedule, t.rate, t.warm_up);
	work_open(&log, ctx->directory, "t", NULL);
	p.store = mem_text(log.dir);
	work_close(&log);
	p.arrived = proc_shared(sizeof(*p.arrived));
	(void)prctl(PR_SET_TIMERSLACK, 1);
	p.begin = work_now() + LEAD;
	p.arrived->measured = p.begin + (uint64_t)(t.warm_up * 1e9);
	start(&p, ctx);
	/* A command that ended is an error of the write. */
	(void)signal(SIGPIPE, SIG_IGN);
	send(&p);
	(void)signal(SIGPIPE, SIG_DFL);
	drain(&p);
	conclude(ctx, result, &p);
	proc_shared_free(p.arrived, sizeof(*p.arrived));
	free(p.store);
}
