/*
 * stress.c - processes that append, read, follow and seal one topic at once,
 * some of them killed at random; then everything is checked.
 *
 * Each record holds its producer, a sequence number and a hash of both.  In the
 * end: nothing acknowledged is lost, nothing is there twice, offsets are dense,
 * each producer's records are in its order, and no reader ever saw anything
 * else.  STRESS_SECONDS: how long (default 60); STRESS_SEED: which run.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/lab.h"

enum {
	PRODUCERS = 4,
	READERS = 2,
	ROLES = PRODUCERS + READERS + 2,
	GAPS_MAX = 1 << 14,
};

/* Shared: what was promised, and what went wrong. */
struct board {
	volatile bool stop;
	volatile uint64_t tried[PRODUCERS]; /* sequence numbers begun */
	volatile uint64_t acked[PRODUCERS]; /* all below, but for the gaps */
	/* [from, to) was begun and not acknowledged when its producer died */
	volatile uint64_t gap_count[PRODUCERS];
	volatile uint64_t gaps[PRODUCERS][GAPS_MAX][2];
	volatile uint64_t reads, seals, kills, follows, violations;
};

static struct board *board;
static char dir[LAB_PATH + 32];

static void
violation(const char *what, uint64_t a, uint64_t b)
{
	if (__atomic_fetch_add(&board->violations, 1, __ATOMIC_SEQ_CST) < 10)
		printf("# %s: %llu %llu\n", what, (unsigned long long)a,
		    (unsigned long long)b);
	(void)fflush(stdout);
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * UINT64_C(0x9e3779b97f4a7c15) + b;

	x ^= x >> 29;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 32;
}

static size_t
make(char out[256], uint64_t producer, uint64_t seq)
{
	int n = sprintf(out, "%llu %llu %016llx", (unsigned long long)producer,
	    (unsigned long long)seq, (unsigned long long)mix(producer, seq));

	/* Different lengths, up to 180 bytes. */
	for (uint64_t pad = mix(seq, producer) % 140; pad > 0; pad--)
		out[n++] = '.';
	return (size_t)n;
}

static bool
parse(const struct sblog_record *rec, uint64_t *producerp, uint64_t *seqp)
{
	unsigned long long p, s;
	char want[256], text[256];

	if (rec->value.data == NULL || rec->value.len >= sizeof(text))
		return false;
	memcpy(text, rec->value.data, rec->value.len);
	text[rec->value.len] = '\0';
	if (sscanf(text, "%llu %llu", &p, &s) != 2 ||
	    make(want, p, s) != rec->value.len ||
	    memcmp(want, text, rec->value.len) != 0)
		return false;
	*producerp = p;
	*seqp = s;
	return p < PRODUCERS;
}

/* A run of n records of a producer, newline-delimited. */
static size_t
make_run(char *out, uint64_t producer, uint64_t seq, uint64_t n)
{
	size_t len = 0;

	for (uint64_t i = 0; i < n; i++) {
		len += make(out + len, producer, seq + i);
		out[len++] = '\n';
	}
	return len;
}

static void
produce(unsigned me, uint64_t seed)
{
	static char run[64 << 10];
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	/* After a kill: behind everything that may have been written. */
	uint64_t seq = board->tried[me];

	if (board->acked[me] < seq && board->gap_count[me] < GAPS_MAX) {
		uint64_t g = board->gap_count[me];

		board->gaps[me][g][0] = board->acked[me];
		board->gaps[me][g][1] = seq;
		board->gap_count[me] = g + 1;
	}
	if (lab_open(dir, SBLOG_WRITE, &s, &t, &err) < 0) {
		violation(err.msg, me, 0);
		return;
	}
	while (!board->stop) {
		uint64_t n = 1 + mix(seed, seq) % (me % 2 ? 3 : 150);
		struct sblog_append_opts o = { .sync = mix(seq, seed) % 4
			    ? SBLOG_SYNC_NONE
			    : SBLOG_SYNC_BATCH };
		struct sblog_appended done;
		struct sblog_run r = { .data = run };

		r.len = make_run(run, me, seq, n);
		board->tried[me] = seq + n;
		if (sblog_append_run(t, &r, &o, &done, &err) < 0) {
			violation(err.msg, me, seq);
			break;
		}
		if (done.consumed != r.len || done.next - done.first != n)
			violation("partial append", me, seq);
		seq += n;
		board->acked[me] = seq;
	}
	sblog_topic_close(t);
	sblog_store_close(s);
}

/* What a reader knows about each producer while it goes on. */
struct order {
	uint64_t last[PRODUCERS];
	uint64_t next_offset;
};

static void
see(struct order *o, const struct sblog_record *rec)
{
	uint64_t p, seq;

	if (rec->offset != o->next_offset)
		violation("offset", rec->offset, o->next_offset);
	o->next_offset = rec->offset + 1;
	if (!parse(rec, &p, &seq)) {
		violation("not a record", rec->offset, rec->value.len);
		return;
	}
	if (seq + 1 <= o->last[p])
		violation("order", seq, o->last[p]);
	o->last[p] = seq + 1;
}

static void
read_all(void)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	struct order o = { .next_offset = 0 };
	struct sblog_err err;
	int rc = lab_open(dir, SBLOG_READ, &s, &t, &err);

	if (rc == 0)
		rc = sblog_cursor_open(&cur, t, NULL, &err);
	while (rc == 0 && (rc = sblog_cursor_next(cur, &rec, &err)) == 0)
		see(&o, &rec);
	if (rc < 0)
		violation(err.msg, err.offset, err.pos);
	sblog_cursor_close(cur);
	sblog_topic_close(t);
	sblog_store_close(s);
	board->reads++;
}

static void
follow(void)
{
	const struct sblog_cursor_opts opts = { .to = SBLOG_NO_OFFSET };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	struct order o = { .next_offset = 0 };
	struct sblog_err err;
	int rc = lab_open(dir, SBLOG_READ, &s, &t, &err);

	if (rc == 0)
		rc = sblog_cursor_open(&cur, t, &opts, &err);
	while (rc >= 0 && !board->stop) {
		if ((rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
			see(&o, &rec);
			board->follows++;
		} else if (rc == SBLOG_END) {
			rc = sblog_cursor_wait(cur, 100000, &err);
		}
	}
	if (rc < 0)
		violation(err.msg, err.offset, err.pos);
	sblog_cursor_close(cur);
	sblog_topic_close(t);
	sblog_store_close(s);
}

static void
seal(void)
{
	struct sblog_sealed done;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = lab_open(dir, SBLOG_WRITE, &s, &t, &err);

	while (rc >= 0 && !board->stop) {
		rc = sblog_seal(t, NULL, &done, &err);
		board->seals++;
		(void)usleep(20000);
	}
	if (rc < 0)
		violation(err.msg, err.offset, err.pos);
	sblog_topic_close(t);
	sblog_store_close(s);
}

static pid_t
start(unsigned role, uint64_t seed)
{
	pid_t pid;

	(void)fflush(stdout);
	if ((pid = fork()) != 0)
		return pid;
	if (role < PRODUCERS)
		produce(role, seed);
	else if (role < PRODUCERS + READERS)
		while (!board->stop)
			read_all();
	else if (role == PRODUCERS + READERS)
		follow();
	else
		seal();
	_exit(0);
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Kill or stop somebody every few milliseconds, and start it again. */
static void
disturb(pid_t *pids, uint64_t seed, uint64_t seconds)
{
	uint64_t end = now_ms() + seconds * 1000;

	for (uint64_t i = 0; now_ms() < end; i++) {
		uint64_t r = mix(seed, i);
		/* Producers and the sealer may die; readers are to see it. */
		unsigned role = r % (PRODUCERS + 1) < PRODUCERS
		    ? (unsigned)(r % (PRODUCERS + 1))
		    : ROLES - 1;

		(void)usleep((useconds_t)(1000 + r / 64 % 30000));
		if (r % 7 == 0) {
			(void)kill(pids[role], SIGSTOP);
			(void)usleep(3000);
			(void)kill(pids[role], SIGCONT);
			continue;
		}
		(void)kill(pids[role], SIGKILL);
		(void)waitpid(pids[role], NULL, 0);
		board->kills++;
		pids[role] = start(role, r);
	}
}

static void
check_end(void)
{
	static uint8_t *there[PRODUCERS];
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_cursor *cur = NULL;
	struct sblog_record rec;
	struct order o = { .next_offset = 0 };
	struct sblog_err err;
	uint64_t p, seq, count = 0;
	int rc;

	for (int i = 0; i < PRODUCERS; i++)
		there[i] = calloc(board->tried[i] + 1, 1);
	rc = lab_open(dir, SBLOG_READ, &s, &t, &err);
	if (rc == 0)
		rc = sblog_cursor_open(&cur, t, NULL, &err);
	while (rc == 0 && (rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		see(&o, &rec);
		count++;
		if (!parse(&rec, &p, &seq) || seq >= board->tried[p])
			violation("phantom", rec.offset, 0);
		else if (there[p][seq]++)
			violation("duplicate", p, seq);
	}
	if (rc < 0)
		violation(err.msg, err.offset, err.pos);
	for (unsigned i = 0; i < PRODUCERS; i++) {
		uint64_t gap = 0;

		for (seq = 0; seq < board->acked[i]; seq++) {
			while (gap < board->gap_count[i] &&
			    seq >= board->gaps[i][gap][1])
				gap++;
			if (!there[i][seq] &&
			    (gap == board->gap_count[i] ||
				seq < board->gaps[i][gap][0]))
				violation("lost", i, seq);
		}
		free(there[i]);
	}
	sblog_cursor_close(cur);
	sblog_topic_close(t);
	sblog_store_close(s);
	lab_cases = count;
}

int
main(void)
{
	const char *text = getenv("STRESS_SECONDS");
	uint64_t seconds = text ? strtoull(text, NULL, 10) : 60;
	uint64_t seed = (uint64_t)getpid() * 1000003u;
	pid_t pids[ROLES];
	struct sblog_store *s;
	struct sblog_err err;

	if ((text = getenv("STRESS_SEED")) != NULL)
		seed = strtoull(text, NULL, 10);
	lab_begin();
	(void)snprintf(dir, sizeof(dir), "%s/stress", lab_root);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s = lab_store(dir, SBLOG_CREATE);
	if (board == MAP_FAILED || s == NULL)
		return 1;
	/* Small WALs, so that appenders rotate too. */
	const struct sblog_setting set[] = { { "segment.bytes", "2M" } };
	if (sblog_topic_create(s, "t", set, 1, &err) < 0)
		return 1;
	sblog_store_close(s);
	for (unsigned i = 0; i < ROLES; i++)
		pids[i] = start(i, seed + i);
	disturb(pids, seed, seconds);
	board->stop = true;
	for (unsigned i = 0; i < ROLES; i++)
		(void)waitpid(pids[i], NULL, 0);
	check_end();
	if (!lab_verify(dir))
		violation("verify", 0, 0);
	lab_violations = board->violations;
	printf("# seed %llu, %llu kills, %llu reads, %llu followed, "
	       "%llu seals\n",
	    (unsigned long long)seed, (unsigned long long)board->kills,
	    (unsigned long long)board->reads,
	    (unsigned long long)board->follows,
	    (unsigned long long)board->seals);
	lab_ok(board->violations == 0,
	    "%llu s of appending, reading, following, sealing and kills",
	    (unsigned long long)seconds);
	return lab_done();
}
