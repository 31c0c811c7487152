/*
 * table.c - a table in memory beside a topic: the same random operations on
 * both, some of them killed, and every way of reading must tell the same.
 *
 * Half of the runs keep all records and look at positions in streams too; the
 * others compact and trim.  TABLE_RUNS, TABLE_SEED: how many, and the first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/lab.h"
#include "sys/fault.h"

enum {
	ROWS = 40000,
	KEYS = 60,
	STEPS = 60,
	BATCH = 120,
	TEXT = 96,
	NO_KEY = -1,
};

/* Row i is the record with offset i. */
struct row {
	int key;
	bool tombstone, there, sealed, token;
};

static struct row table[ROWS];
static uint64_t start, end; /* offsets */
static uint64_t state;      /* of any() */
static uint64_t looks;      /* of look(): what is asked changes nothing */
static bool keeps;          /* nothing is compacted or trimmed */
static uint64_t tokens;
static uint64_t token_of[STEPS * 4]; /* its offset */
static char dir[LAB_PATH + 32], what[128];
static struct sblog_store *store;
static struct sblog_topic *topic;
static struct sblog_err err;

static uint64_t
any(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (state >> 33) % below;
}

static uint64_t
look(uint64_t below)
{
	looks = looks * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (looks >> 33) % below;
}

static size_t
key_text(int key, char out[static TEXT])
{
	static const char *const category[] = { "a", "account", "b", "" };

	if (key % 7 == 0) /* a category by itself */
		return (
		    size_t)snprintf(out, TEXT, "%s%d", category[key % 4], key);
	return (size_t)snprintf(out, TEXT, "%s-%d", category[key % 4], key);
}

static size_t
value_text(uint64_t offset, char out[static TEXT])
{
	return (size_t)snprintf(out, TEXT, "value of %" PRIu64 " %.*s", offset,
	    (int)(offset % 50),
	    "and words and words and words and words and words and words");
}

static bool
open_handle(void)
{
	if (lab_open(dir, SBLOG_WRITE, &store, &topic, &err) == 0)
		return true;
	lab_bad("%s: cannot open: %s", what, err.msg);
	return false;
}

static void
close_handle(void)
{
	sblog_topic_close(topic);
	sblog_store_close(store);
	topic = NULL;
	store = NULL;
}

/* ---- operations ------------------------------------------------------------ */

/* What a step does, drawn before it is known whether it will be killed. */
struct step {
	enum { APPEND, ONCE, EXPECT, SEAL, COMPACT, TRIM, DROP, REOPEN } kind;
	uint64_t n, arg;
	bool durable, packed;
	int keys[BATCH];
	bool tombstone[BATCH];
	int rc; /* as it came back */
	uint64_t at;
};

static struct step *step; /* shared with the child */

static void
draw(void)
{
	static const int often[] = { APPEND, APPEND, APPEND, APPEND, ONCE,
		EXPECT, EXPECT, SEAL, COMPACT, COMPACT, TRIM, DROP, REOPEN };
	int one = (int)any(KEYS);

	do
		step->kind = often[any(sizeof(often) / sizeof(often[0]))];
	while (keeps && (step->kind == COMPACT || step->kind == TRIM));
	step->n = any(3) ? 1 + any(5) : 1 + any(BATCH);
	step->durable = any(4) == 0;
	step->packed = any(4) == 0;
	step->arg = any(1000);
	for (uint64_t i = 0; i < step->n; i++) {
		step->keys[i] = any(6) == 0 ? NO_KEY
		    : any(3) == 0           ? one
					    : (int)any(KEYS);
		step->tombstone[i] = step->keys[i] != NO_KEY && any(6) == 0;
	}
}

/* Position of the last record of a key; SBLOG_NO_OFFSET: there is none. */
static uint64_t
last_pos(int key)
{
	uint64_t pos = SBLOG_NO_OFFSET;

	for (uint64_t i = start; i < end; i++)
		if (table[i].there && table[i].key == key)
			pos++;
	return pos;
}

static int
append(const struct sblog_append_opts *more)
{
	static char keys[BATCH][TEXT], values[BATCH][TEXT];
	struct sblog_record recs[BATCH];
	struct sblog_append_opts opts = *more;

	opts.sync = step->durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE;
	opts.codec = step->packed ? SBLOG_CODEC_LZ4 : SBLOG_CODEC_NONE;
	for (uint64_t i = 0; i < step->n; i++) {
		recs[i] = (struct sblog_record){
			.user_time_us = SBLOG_NO_TIME,
		};
		if (!step->tombstone[i])
			recs[i].value = (struct sblog_bytes){ values[i],
				value_text(end + i, values[i]) };
		if (step->keys[i] != NO_KEY)
			recs[i].key = (struct sblog_bytes){ keys[i],
				key_text(step->keys[i], keys[i]) };
	}
	return sblog_append(topic, recs, step->n, &opts, &step->at, &err);
}

/* Number of the token of this step: one of before, or a new one. */
static uint64_t
token_number(void)
{
	return tokens > 0 && step->arg % 3 == 0 ? step->arg % tokens : tokens;
}

static int
append_once(void)
{
	char name[TEXT];
	struct sblog_append_opts opts = { .once.data = name };

	opts.once.len = (size_t)snprintf(name, sizeof(name), "token %" PRIu64,
	    token_number());
	return append(&opts);
}

/* On a key's last position, right or wrong, or on the end. */
static int
append_if(void)
{
	char key[TEXT];
	struct sblog_expect e = { .kind = SBLOG_EXPECT_END, .value = end };
	struct sblog_append_opts opts = { .expect = &e, .expect_count = 1 };

	if (keeps && step->arg % 2 == 0) {
		int k = (int)(step->arg / 2 % KEYS);

		e.kind = SBLOG_EXPECT_KEY_POS;
		e.key = (struct sblog_bytes){ key, key_text(k, key) };
		e.value = last_pos(k);
	}
	if (step->arg % 5 == 0)
		e.value++;
	return append(&opts);
}

/* Index files go; they are only faster. */
static int
drop(void)
{
	char command[LAB_PATH + 128];

	(void)snprintf(command, sizeof(command), "rm -f %.250s/t/*.%s", dir,
	    step->arg % 3 == 0       ? "kdx"
		: step->arg % 3 == 1 ? "ktb"
				     : "idx");
	return system(command) == 0 ? 0 : -1;
}

static void
run(void)
{
	const struct sblog_append_opts none = { .sync = SBLOG_SYNC_NONE };
	const struct sblog_seal_opts seal = { .threads = 1 };
	const struct sblog_compact_opts compact = {
		.grace_us = step->arg % 2 ? 0 : SBLOG_NO_LIMIT,
		.memory = 1,
		.threads = 1,
	};
	struct sblog_trim_opts trim = { .before = 0 };
	struct sblog_compacted compacted;
	struct sblog_trimmed trimmed;
	struct sblog_sealed sealed;

	step->rc = 0;
	switch (step->kind) {
	case APPEND:
		step->rc = append(&none);
		break;
	case ONCE:
		step->rc = append_once();
		break;
	case EXPECT:
		step->rc = append_if();
		break;
	case SEAL:
		step->rc = sblog_seal(topic, &seal, &sealed, &err);
		break;
	case COMPACT:
		step->rc = sblog_compact(topic, &compact, &compacted, &err);
		break;
	case TRIM:
		trim.before = start + step->arg * (end - start) / 2000;
		if (trim.before > start)
			step->rc = sblog_trim(topic, &trim, &trimmed, &err);
		break;
	case DROP:
		step->rc = drop();
		break;
	case REOPEN:
		break;
	}
}

/* ---- the table follows ---------------------------------------------------- */

static void
add_rows(bool token)
{
	for (uint64_t i = 0; i < step->n; i++)
		table[end + i] = (struct row){
			.key = step->keys[i],
			.tombstone = step->tombstone[i],
			.there = true,
			.token = token && i == 0,
		};
	if (token) {
		uint64_t number = token_number();

		token_of[number] = end;
		tokens += number == tokens;
	}
	end += step->n;
}

static bool
appends(void)
{
	return step->kind == APPEND || step->kind == ONCE ||
	    step->kind == EXPECT;
}

/* Was this token used before, by a record that is there still? */
static bool
replays(void)
{
	return step->kind == ONCE && token_number() < tokens &&
	    token_of[token_number()] >= start;
}

static void
expect_code(int want)
{
	if (step->rc != want)
		lab_bad("%s: returned %d, not %d: %s", what, step->rc, want,
		    err.msg);
}

/* What is still there of the sealed records is what there is now: but what was
 * dropped had to be superseded, or deleted. */
static void
take_over(const bool *read)
{
	uint64_t newest[KEYS];
	bool any_newer[KEYS] = { false };

	for (uint64_t i = end; i-- > start;) {
		struct row *r = &table[i];
		bool last;

		if (!r->there || !r->sealed || r->key == NO_KEY)
			continue;
		last = !any_newer[r->key];
		if (last)
			newest[r->key] = i;
		any_newer[r->key] = true;
		if (read[i])
			continue;
		if ((last && !r->tombstone) || r->token)
			lab_bad("%s: record %" PRIu64 ", newest of its key, "
				"is gone",
			    what, newest[r->key]);
		r->there = false;
	}
}

/* Everything that can be read, by the simplest means. */
static bool
read_all(bool *read)
{
	struct sblog_cursor *cur;
	struct sblog_record rec;
	char text[TEXT];
	int rc;

	memset(read, 0, ROWS * sizeof(*read));
	if (sblog_cursor_open(&cur, topic, NULL, &err) < 0) {
		lab_bad("%s: cannot read: %s", what, err.msg);
		return false;
	}
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		const struct row *r = &table[rec.offset];

		if (rec.offset >= end || !r->there || read[rec.offset] ||
		    (rec.value.data == NULL) != r->tombstone ||
		    (!r->tombstone &&
			(rec.value.len != value_text(rec.offset, text) ||
			    memcmp(rec.value.data, text, rec.value.len) !=
				0)) ||
		    (rec.key.data == NULL) != (r->key == NO_KEY) ||
		    (r->key != NO_KEY &&
			(rec.key.len != key_text(r->key, text) ||
			    memcmp(rec.key.data, text, rec.key.len) != 0))) {
			lab_bad("%s: record %" PRIu64 " is another one", what,
			    rec.offset);
			break;
		}
		read[rec.offset] = true;
	}
	sblog_cursor_close(cur);
	if (rc < 0)
		lab_bad("%s: reading: %s", what, err.msg);
	return rc >= 0;
}

/* A batch that was written but not published when its writer was killed is
 * there again, or gone for good, after the next append: a record of nothing. */
static void
settle(struct sblog_info *info)
{
	const struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME };
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	uint64_t first;

	if (sblog_append(topic, &rec, 1, &opts, &first, &err) != 0 ||
	    sblog_topic_info(topic, info, &err) < 0) {
		lab_bad("%s: append: %s", what, err.msg);
		return;
	}
	if (first == end + step->n)
		add_rows(step->kind == ONCE);
	else if (first != end)
		lab_bad("%s: part of a batch: %" PRIu64, what, first);
	table[end++] =
	    (struct row){ .key = NO_KEY, .tombstone = true, .there = true };
}

/* Of a killed step all or nothing has happened; which, the topic tells. */
static void
follow(bool killed)
{
	static bool read[ROWS];
	struct sblog_info info;

	if (sblog_topic_info(topic, &info, &err) < 0) {
		lab_bad("%s: info: %s", what, err.msg);
		return;
	}
	if (replays()) {
		if (!killed && step->rc != SBLOG_REPLAYED)
			lab_bad("%s: %d for a token that was used", what,
			    step->rc);
	} else if (appends()) {
		bool done = killed ? info.end == end + step->n : step->rc == 0;

		if (killed && !done)
			settle(&info);
		else if (!killed && step->kind == EXPECT && step->arg % 5 == 0)
			expect_code(SBLOG_ECOND);
		else if (!killed)
			expect_code(0);
		if (done)
			add_rows(step->kind == ONCE);
	} else if (!killed && step->rc < 0) {
		lab_bad("%s: %s", what, err.msg);
	}
	if (step->kind == SEAL && (!killed || info.durable_end == info.end))
		for (uint64_t i = start; i < end; i++)
			table[i].sealed = true;
	if (info.end != end)
		lab_bad("%s: the end is %" PRIu64 ", not %" PRIu64, what,
		    info.end, end);
	if (step->kind == TRIM && info.start != start &&
	    info.start != start + step->arg * (end - start) / 2000)
		lab_bad("%s: the start is %" PRIu64, what, info.start);
	start = info.start;
	if (!keeps && read_all(read))
		take_over(read);
}

/* ---- every way of reading -------------------------------------------------- */

static bool
in_category(int key, const char *name)
{
	char text[TEXT];
	size_t n;

	if (key == NO_KEY)
		return false;
	text[key_text(key, text)] = '\0';
	n = strcspn(text, "-");
	return n == strlen(name) && memcmp(text, name, n) == 0;
}

/* A cursor from `from`: all rows that are of the key, or of the category. */
static void
check_cursor(const struct sblog_cursor_opts *opts, int key, const char *name,
    uint64_t pos)
{
	struct sblog_cursor *cur;
	struct sblog_record rec;
	uint64_t i = opts->from > start ? opts->from : start;

	if (sblog_cursor_open(&cur, topic, opts, &err) < 0) {
		lab_bad("%s: cursor: %s", what, err.msg);
		return;
	}
	for (;; i++) {
		int rc;

		while (i < end &&
		    !(table[i].there &&
			(name != NULL ? in_category(table[i].key, name)
				      : table[i].key == key)))
			i++;
		rc = sblog_cursor_next(cur, &rec, &err);
		if (i == end && rc == SBLOG_END)
			break;
		if (i == end || rc != 0 || rec.offset != i) {
			lab_bad("%s: %s %s from %" PRIu64 ": %" PRIu64
				" instead of %" PRIu64 ", %d",
			    what, name ? "category" : "key", name ? name : "",
			    opts->from, rc == 0 ? rec.offset : 0, i, rc);
			break;
		}
		if (keeps && name == NULL && sblog_cursor_pos(cur) != pos++) {
			lab_bad("%s: position of %" PRIu64, what, i);
			break;
		}
	}
	sblog_cursor_close(cur);
}

static void
check_key(int key)
{
	char text[TEXT];
	struct sblog_cursor_opts opts = { .key = { text,
					      key_text(key, text) } };
	struct sblog_key_info info = { 0 };
	struct sblog_record rec;
	uint64_t last = SBLOG_NO_OFFSET, count = 0, before = 0, rank = 0;
	int rc;

	opts.from = start + look(end - start + 1);
	for (uint64_t i = start; i < end; i++)
		if (table[i].there && table[i].key == key) {
			last = i;
			count++;
			before += i < opts.from;
		}
	check_cursor(&opts, key, NULL, before);
	rc = sblog_get_key(topic, opts.key, &rec, &err);
	if (rc != (last == SBLOG_NO_OFFSET ? SBLOG_ENOENT : 0) ||
	    (rc == 0 && rec.offset != last))
		lab_bad("%s: the newest of %s is %" PRIu64 ", not %" PRIu64,
		    what, text, rc == 0 ? rec.offset : 0, last);
	rc = sblog_key_find(topic, opts.key, &info, &err);
	if (rc != (last == SBLOG_NO_OFFSET ? SBLOG_ENOENT : 0) ||
	    (rc == 0 && info.last != last) ||
	    (rc == 0 && keeps && info.next_pos != count))
		lab_bad("%s: %s ends at %" PRIu64 ", position %" PRIu64
			", not %" PRIu64 ", %" PRIu64,
		    what, text, info.last, info.next_pos, last, count);
	if (keeps &&
	    sblog_key_rank(topic, opts.key, opts.from, &rank, &err) == 0 &&
	    rank != before)
		lab_bad("%s: %s has rank %" PRIu64 " before %" PRIu64
			", not %" PRIu64,
		    what, text, rank, opts.from, before);
	if (!keeps || count == 0)
		return;
	/* The same by position. */
	opts.by_pos = 1;
	opts.pos = look(count);
	opts.from = start;
	for (uint64_t n = 0;; opts.from++)
		if (table[opts.from].there && table[opts.from].key == key &&
		    n++ == opts.pos)
			break;
	check_cursor(&opts, key, NULL, opts.pos);
}

static void
check_latest(void)
{
	const struct sblog_cursor_opts opts = { .latest = 1 };
	uint64_t last[KEYS], left = 0;
	struct sblog_cursor *cur;
	struct sblog_record rec;
	int rc;

	for (int k = 0; k < KEYS; k++)
		last[k] = SBLOG_NO_OFFSET;
	for (uint64_t i = start; i < end; i++)
		if (table[i].there && table[i].key != NO_KEY) {
			left += last[table[i].key] == SBLOG_NO_OFFSET;
			last[table[i].key] = i;
		}
	if (sblog_cursor_open(&cur, topic, &opts, &err) < 0) {
		lab_bad("%s: latest: %s", what, err.msg);
		return;
	}
	while ((rc = sblog_cursor_next(cur, &rec, &err)) == 0) {
		int key = table[rec.offset].key;

		if (key == NO_KEY || last[key] != rec.offset)
			lab_bad("%s: %" PRIu64 " is not the newest", what,
			    rec.offset);
		left--;
	}
	if (rc < 0 || left != 0)
		lab_bad("%s: latest: %d, %" PRIu64 " are missing", what, rc,
		    left);
	sblog_cursor_close(cur);
}

static void
check_all(void)
{
	static const char *const names[] = { "a", "account", "b", "", "a28",
		"zzz" };
	static bool read[ROWS];
	const char *name = names[look(6)];
	struct sblog_cursor_opts opts = { .category = 1,
		.key = { name, strlen(name) } };

	lab_cases++;
	opts.from = start + look(end - start + 1);
	check_cursor(&opts, 0, name, 0);
	for (int i = 0; i < 3; i++)
		check_key((int)look(KEYS));
	check_latest();
	if (look(4) == 0 && read_all(read))
		for (uint64_t i = start; i < end; i++)
			if (table[i].there != read[i])
				lab_bad("%s: record %" PRIu64 " is gone", what,
				    i);
}

/* ---- runs ------------------------------------------------------------------- */

static bool
do_step(bool kill)
{
	uint64_t at = 1 + any(60); /* calls; a longer step is not killed */
	int status;
	pid_t pid;

	if (!kill) {
		run();
		return false;
	}
	(void)fflush(stdout);
	close_handle();
	if ((pid = fork()) == 0) {
		if (!open_handle())
			_exit(3);
		sb_fault = (struct sb_fault){ .kind = SB_FAULT_KILL,
			.at = at,
			.trace_fd = -1 };
		run();
		sb_fault.kind = SB_FAULT_NONE;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		lab_bad("cannot fork");
	(void)open_handle();
	return !WIFEXITED(status);
}

static void
one_run(uint64_t seed)
{
	static const struct sblog_setting set[] = {
		{ "sync", "none" },
		{ "cleanup.policy", "compact" },
		{ "segment.bytes", "64K" },
	};

	state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	looks = state;
	keeps = any(2) == 0;
	start = end = tokens = 0;
	lab_remove(dir);
	store = lab_store(dir, SBLOG_CREATE);
	if (sblog_topic_create(store, "t", set, keeps ? 1 : 3, &err) < 0)
		lab_bad("cannot make: %s", err.msg);
	sblog_store_close(store);
	(void)open_handle();
	for (int i = 0; i < STEPS && lab_violations == 0; i++) {
		bool kill = any(5) == 0;

		draw();
		(void)snprintf(what, sizeof(what),
		    "seed %" PRIu64 ", step %d, kind %d%s", seed, i,
		    (int)step->kind, kill ? ", killed" : "");
		kill = do_step(kill);
		if (step->kind == REOPEN) {
			close_handle();
			(void)open_handle();
		}
		follow(kill);
		check_all();
	}
	close_handle();
	if (lab_violations == 0 && !lab_verify(dir))
		lab_bad("%s: verification finds damage", what);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int
main(void)
{
	uint64_t runs = setting("TABLE_RUNS", 60);
	uint64_t seed = setting("TABLE_SEED", 1);

	lab_begin();
	step = mmap(NULL, sizeof(*step), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (step == MAP_FAILED)
		return 1;
	(void)snprintf(dir, sizeof(dir), "%s/table", lab_root);
	for (uint64_t i = 0; i < runs && lab_violations == 0; i++)
		one_run(seed + i);
	lab_ok(lab_violations == 0,
	    "%" PRIu64 " topics tell what tables beside them do", runs);
	lab_result("table", lab_cases, seed, lab_violations);
	return lab_done();
}
