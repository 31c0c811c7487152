/*
 * lab.c - topics to break: make one, copy it, look at what is left.
 */
#include "common/lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char lab_root[LAB_PATH];
unsigned long lab_violations, lab_cases;
static int tests, failed;

void
lab_begin(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	if (getenv("TMPDIR") != NULL)
		base = getenv("TMPDIR");
	(void)snprintf(lab_root, sizeof(lab_root), "%.200s/sblog-lab.XXXXXX",
	    base);
	if (mkdtemp(lab_root) == NULL) {
		perror("mkdtemp");
		exit(1);
	}
}

void
lab_end(void)
{
	lab_remove(lab_root);
}

void
lab_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	tests++;
	failed += !ok;
	printf("%s %d ", ok ? "ok" : "not ok", tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" (%lu cases, %lu violations)\n", lab_cases, lab_violations);
	(void)fflush(stdout);
	lab_cases = lab_violations = 0;
}

void
lab_skip(const char *what, const char *why)
{
	printf("ok %d %s # skip %s\n", ++tests, what, why);
	(void)fflush(stdout);
}

void
lab_result(const char *name, uint64_t count, uint64_t seed, uint64_t violations)
{
	const char *commit = getenv("COMMIT");

	printf("# result name=%s count=%llu seed=%llu commit=%s "
	       "violations=%llu\n",
	    name, (unsigned long long)count, (unsigned long long)seed,
	    commit && *commit ? commit : "unknown",
	    (unsigned long long)violations);
}

int
lab_done(void)
{
	printf("1..%d\n", tests);
	lab_end();
	return failed > 0;
}

void
lab_bad(const char *fmt, ...)
{
	va_list ap;

	if (lab_violations++ >= 20)
		return;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
	if (getenv("LAB_STOP") != NULL) {
		lab_end();
		exit(1);
	}
}

static void
copy_file(const char *from, const char *to)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY), out;
	ssize_t n;

	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	while (in >= 0 && out >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			break;
	(void)close(in);
	(void)close(out);
}

/* Call file for each plain file and dir for each directory below path. */
static void
each(const char *path, const char *other, bool removing)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char from[2 * LAB_PATH], to[2 * LAB_PATH];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(from, sizeof(from), "%.250s/%.250s", path,
		    e->d_name);
		(void)snprintf(to, sizeof(to), "%.250s/%.250s",
		    other ? other : "", e->d_name);
		if (lstat(from, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			if (!removing)
				(void)mkdir(to, 0777);
			each(from, to, removing);
			if (removing)
				(void)rmdir(from);
		} else if (removing) {
			(void)unlink(from);
		} else {
			copy_file(from, to);
		}
	}
	if (d != NULL)
		(void)closedir(d);
}

void
lab_copy(const char *from, const char *to)
{
	lab_remove(to);
	(void)mkdir(to, 0777);
	each(from, to, false);
}

void
lab_remove(const char *dir)
{
	each(dir, NULL, true);
	(void)rmdir(dir);
}

int
lab_no_wait(const struct sb_fault_call *call)
{
	if (strcmp(call->name, "futex") != 0 &&
	    strcmp(call->name, "sleep") != 0)
		return 0;
	sb_fault.ahead += call->pos;
	return -ETIMEDOUT;
}

struct sblog_store *
lab_store(const char *dir, enum sblog_mode mode)
{
	const struct sblog_store_opts opts = {
		.mode = mode,
		.lock_timeout_ms = 20000,
	};
	struct sblog_store *s;
	struct sblog_err err;

	if (sblog_store_open(&s, dir, &opts, &err) < 0)
		return NULL;
	return s;
}

int
lab_open(const char *dir, enum sblog_mode mode, struct sblog_store **s,
    struct sblog_topic **t, struct sblog_err *err)
{
	const struct sblog_store_opts opts = {
		.mode = mode,
		.lock_timeout_ms = 20000,
	};
	int rc;

	*t = NULL;
	*s = NULL;
	if ((rc = sblog_store_open(s, dir, &opts, err)) < 0)
		return rc;
	return sblog_topic_open(t, *s, "t", mode, err);
}

/* The value of a record says its number several times, in 40 to 60 bytes. */
static size_t
make_value(uint64_t id, char out[128])
{
	return (size_t)sprintf(out, "%08llu %*s record number %08llu",
	    (unsigned long long)id, (int)(id % 20), "", (unsigned long long)id);
}

int
lab_append_as(struct sblog_topic *t, uint64_t id, uint64_t n,
    const struct sblog_append_opts *opts, uint64_t *firstp,
    struct sblog_err *err)
{
	char values[LAB_BATCH_MAX][128], keys[LAB_BATCH_MAX][32];
	struct sblog_record recs[LAB_BATCH_MAX];

	for (uint64_t i = 0; i < n && i < LAB_BATCH_MAX; i++) {
		struct sblog_record *r = &recs[i];

		*r = (struct sblog_record){ .user_time_us = SBLOG_NO_TIME };
		r->value.data = values[i];
		r->value.len = make_value(id + i, values[i]);
		if ((id + i) % 3 != 0)
			continue;
		r->key.data = keys[i];
		r->key.len = (size_t)sprintf(keys[i], "key-%llu",
		    (unsigned long long)(id + i) % 7);
	}
	return sblog_append(t, recs, n, opts, firstp, err);
}

int
lab_append_many(struct sblog_topic *t, uint64_t id, uint64_t n, bool durable,
    uint64_t *firstp, struct sblog_err *err)
{
	const struct sblog_append_opts opts = {
		.sync = durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
	};

	return lab_append_as(t, id, n, &opts, firstp, err);
}

int
lab_append(struct sblog_topic *t, uint64_t id, bool durable,
    struct sblog_err *err)
{
	uint64_t first;

	return lab_append_many(t, id, 1, durable, &first, err);
}

static void
must(int rc, const struct sblog_err *err, const char *what)
{
	if (rc >= 0)
		return;
	printf("Bail out! %s: %s\n", what, err->msg);
	exit(1);
}

static void
append_range(struct sblog_topic *t, uint64_t from, uint64_t to)
{
	struct sblog_err err;

	for (uint64_t id = from; id < to; id++)
		must(lab_append(t, id, id + 1 == to, &err), &err, "append");
}

void
lab_make(const char *dir, bool segments)
{
	struct sblog_sealed sealed;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;

	must(lab_open(dir, SBLOG_CREATE, &s, &t, &err), &err, "create");
	if (!segments) {
		append_range(t, 0, 20);
	} else {
		append_range(t, 0, 30);
		must(sblog_seal(t, NULL, &sealed, &err), &err, "seal");
		append_range(t, 30, 60);
		must(sblog_seal(t, NULL, &sealed, &err), &err, "seal");
		append_range(t, 60, 80);
	}
	sblog_topic_close(t);
	sblog_store_close(s);
}

static uint64_t
id_of(const struct sblog_record *rec)
{
	char want[128];
	uint64_t id;

	if (rec->value.len < 8)
		return UINT64_MAX;
	id = strtoull(rec->value.data, NULL, 10);
	if (make_value(id, want) != rec->value.len ||
	    memcmp(want, rec->value.data, rec->value.len) != 0)
		return UINT64_MAX;
	if ((id % 3 == 0) != (rec->key.data != NULL))
		return UINT64_MAX;
	return id;
}

void
lab_read(const char *dir, struct lab_seen *seen)
{
	struct sblog_cursor *cur = NULL;
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_record rec;
	uint64_t next = 0;

	seen->count = 0;
	seen->rc = lab_open(dir, SBLOG_READ, &s, &t, &seen->err);
	if (seen->rc == 0)
		seen->rc = sblog_cursor_open(&cur, t, NULL, &seen->err);
	while (seen->rc == 0) {
		seen->rc = sblog_cursor_next(cur, &rec, &seen->err);
		if (seen->rc != 0)
			break;
		if (rec.offset != next)
			lab_bad("offset %llu where %llu was due",
			    (unsigned long long)rec.offset,
			    (unsigned long long)next);
		next = rec.offset + 1;
		if (seen->count < LAB_IDS)
			seen->ids[seen->count++] = id_of(&rec);
	}
	if (seen->rc == SBLOG_END)
		seen->rc = 0;
	sblog_cursor_close(cur);
	sblog_topic_close(t);
	sblog_store_close(s);
}

bool
lab_verify(const char *dir)
{
	const struct sblog_verify_opts opts = { .depth = SBLOG_VERIFY_DEEP };
	struct sblog_verified done = { 0 };
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = lab_open(dir, SBLOG_READ, &s, &t, &err);

	if (rc == 0)
		rc = sblog_verify(t, &opts, &done, &err);
	if (rc < 0)
		lab_bad("verify: %s", err.msg);
	sblog_topic_close(t);
	sblog_store_close(s);
	return rc == 0 && done.damages == 0;
}
