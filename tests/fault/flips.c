/*
 * flips.c - every bit of a topic with two segments and a WAL flipped, one at a
 * time; every truncation; every file gone, emptied, or swapped with its like.
 * Of a second file of a kind and of indexes only every 13th bit and length,
 * except with CHECK_ALL in the environment.
 *
 * A reader either sees exactly what was there or is told of damage; never wrong
 * bytes.  Verification finds what a reader would run into.  An append
 * afterwards loses nothing silently.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/lab.h"

enum {
	RECORDS = 80,
	FILES_MAX = 32,
	APPEND_EACH = 29,
	SPARSE = 331,
	STRIDE = 13, /* odd, so that every bit of a byte has its turn */
	SPARSE_FROM = 8 << 13, /* bits; the batches of the WAL end before */
};

static char base[LAB_PATH + 32], work[LAB_PATH + 32], other[LAB_PATH + 32];
static char names[FILES_MAX][64];
static size_t name_count;
static struct lab_seen seen;

static void
path_of(char out[2 * LAB_PATH], const char *dir, const char *name)
{
	(void)snprintf(out, 2 * LAB_PATH, "%.250s/t/%.60s", dir, name);
}

static void
list_files(void)
{
	char path[LAB_PATH + 64];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/t", base);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && name_count < FILES_MAX)
			(void)snprintf(names[name_count++], 64, "%.60s",
			    e->d_name);
	if (d != NULL)
		(void)closedir(d);
}

static bool
refusal(int rc)
{
	return rc == SBLOG_EDAMAGE || rc == SBLOG_EFORMAT ||
	    rc == SBLOG_EINVAL || rc == SBLOG_ENOENT;
}

/* The records in front of an error must be the right ones. */
static bool
right_so_far(uint64_t at_most)
{
	if (seen.count > at_most)
		return false;
	for (uint64_t i = 0; i < seen.count; i++)
		if (seen.ids[i] != i)
			return false;
	return true;
}

/* Damaged files must not be believed by an appender either. */
static void
append_after(const char *what, bool was_identical)
{
	struct sblog_store *s;
	struct sblog_topic *t;
	struct sblog_err err;
	int rc = lab_open(work, SBLOG_WRITE, &s, &t, &err);

	if (rc == 0)
		rc = lab_append(t, RECORDS, true, &err);
	sblog_topic_close(t);
	sblog_store_close(s);
	if (rc < 0 && !refusal(rc))
		lab_bad("%s: append: %s", what, err.msg);
	lab_read(work, &seen);
	if (!right_so_far(RECORDS + 1))
		lab_bad("%s: after an append, wrong records", what);
	else if (seen.rc == 0 && rc == 0 && seen.count != RECORDS + 1)
		lab_bad("%s: after an append, %llu records and no word", what,
		    (unsigned long long)seen.count);
	else if (was_identical && rc == 0 && seen.rc < 0)
		lab_bad("%s: an append lost records that were readable: %s",
		    what, seen.err.msg);
}

/* work is damaged: look at it in every way. */
static void
look(const char *what, bool append)
{
	bool identical;

	lab_cases++;
	lab_read(work, &seen);
	identical = seen.rc == 0 && seen.count == RECORDS;
	if (!right_so_far(RECORDS))
		lab_bad("%s: wrong records", what);
	else if (seen.rc == 0 && seen.count != RECORDS)
		lab_bad("%s: %llu records and no word of the rest", what,
		    (unsigned long long)seen.count);
	else if (seen.rc < 0 && !refusal(seen.rc))
		lab_bad("%s: %s", what, seen.err.msg);
	else if (seen.rc == SBLOG_EDAMAGE && seen.err.file[0] == '\0')
		lab_bad("%s: damage without a file name: %s", what,
		    seen.err.msg);
	if (append)
		append_after(what, identical);
}

static bool
ends(const char *name, const char *tail)
{
	size_t n = strlen(name), k = strlen(tail);

	return n >= k && strcmp(name + n - k, tail) == 0;
}

/* Bits or bytes from one case to the next. */
static off_t
stride(const char *name)
{
	if (getenv("CHECK_ALL") != NULL)
		return 1;
	if (ends(name, "dx") || ends(name, ".ktb"))
		return STRIDE;
	if (!ends(name, ".wal") && !ends(name, ".seg"))
		return 1;
	for (size_t i = 0; i < name_count; i++)
		if (ends(names[i], strrchr(name, '.')))
			return strcmp(names[i], name) == 0 ? 1 : STRIDE;
	return 1;
}

static void
flip(const char *name)
{
	off_t each = stride(name), sparse_from = SPARSE_FROM;
	char path[2 * LAB_PATH], what[128];
	struct stat st;
	int fd;

	if (getenv("CHECK_ALL") != NULL)
		sparse_from = INT64_MAX;

	lab_copy(base, work);
	path_of(path, work, name);
	if (stat(path, &st) < 0)
		return;
	/* Far behind the last batch a WAL is zeros that nobody reads. */
	for (off_t bit = 0; bit < st.st_size * 8;
	     bit += bit < sparse_from ? each : SPARSE) {
		bool append = bit % APPEND_EACH == 0;
		unsigned char byte;

		fd = open(path, O_RDWR);
		if (fd < 0 || pread(fd, &byte, 1, bit / 8) != 1)
			return;
		byte = (unsigned char)(byte ^ 1u << bit % 8);
		if (pwrite(fd, &byte, 1, bit / 8) != 1)
			return;
		(void)close(fd);
		(void)snprintf(what, sizeof(what), "%s: bit %lld", name,
		    (long long)bit);
		look(what, append);
		if (append) {
			lab_copy(base, work);
			continue;
		}
		byte = (unsigned char)(byte ^ 1u << bit % 8);
		fd = open(path, O_RDWR);
		if (fd < 0 || pwrite(fd, &byte, 1, bit / 8) != 1)
			return;
		(void)close(fd);
	}
}

static void
truncate_each(const char *name)
{
	off_t each = stride(name);
	off_t later = getenv("CHECK_ALL") != NULL ? 1 : 61;
	char path[2 * LAB_PATH], what[128];
	struct stat st;

	path_of(path, base, name);
	if (stat(path, &st) < 0)
		return;
	for (off_t size = 0; size < st.st_size;
	     size += size < 4096 ? each : later) {
		lab_copy(base, work);
		path_of(path, work, name);
		if (truncate(path, size) < 0)
			return;
		(void)snprintf(what, sizeof(what), "%s: cut to %lld bytes",
		    name, (long long)size);
		look(what, size % APPEND_EACH == 0);
	}
}

/* Gone, emptied, and replaced by the same file of another topic. */
static void
replace(const char *name)
{
	char path[2 * LAB_PATH], from[2 * LAB_PATH], what[128];
	char buf[1 << 16];
	ssize_t n;
	int in, out;

	lab_copy(base, work);
	path_of(path, work, name);
	(void)unlink(path);
	(void)snprintf(what, sizeof(what), "%s: deleted", name);
	look(what, true);

	lab_copy(base, work);
	(void)truncate(path, 0);
	(void)snprintf(what, sizeof(what), "%s: emptied", name);
	look(what, true);

	lab_copy(base, work);
	path_of(from, other, name);
	in = open(from, O_RDONLY);
	out = open(path, O_WRONLY | O_TRUNC);
	while (in >= 0 && out >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			break;
	(void)close(in);
	(void)close(out);
	/* A whole manifest of another topic is another topic. */
	if (in < 0 || strcmp(name, "config") == 0)
		return;
	(void)snprintf(what, sizeof(what), "%s: of another topic", name);
	look(what, true);
}

/* Each file in a process of its own: a crash is a finding, not the end. */
static void
for_each(const char *title, void (*what)(const char *name))
{
	unsigned long cases = 0, bad = 0;

	for (size_t i = 0; i < name_count; i++) {
		int pipefd[2], status;
		unsigned long got[2] = { 0, 1 };
		pid_t pid;

		if (pipe(pipefd) < 0)
			exit(1);
		(void)fflush(stdout);
		if ((pid = fork()) == 0) {
			what(names[i]);
			got[0] = lab_cases;
			got[1] = lab_violations;
			_exit(write(pipefd[1], got, sizeof(got)) !=
			    (ssize_t)sizeof(got));
		}
		(void)close(pipefd[1]);
		if (read(pipefd[0], got, sizeof(got)) != (ssize_t)sizeof(got))
			printf("# %s: %s: the reader died\n", title, names[i]);
		(void)close(pipefd[0]);
		(void)waitpid(pid, &status, 0);
		cases += got[0];
		bad += got[1];
	}
	lab_cases = cases;
	lab_violations = bad;
	lab_ok(bad == 0, "%s", title);
}

int
main(void)
{
	lab_begin();
	(void)snprintf(base, sizeof(base), "%s/base", lab_root);
	(void)snprintf(work, sizeof(work), "%s/work", lab_root);
	(void)snprintf(other, sizeof(other), "%s/other", lab_root);
	lab_make(base, true);
	lab_make(other, true);
	list_files();
	look("undamaged", false); /* work does not exist: a refusal */
	lab_violations = 0;
	lab_copy(base, work);
	look("undamaged", true);
	lab_ok(lab_violations == 0, "the undamaged topic is read");
	for_each("every bit flipped", flip);
	for_each("every truncation", truncate_each);
	for_each("every file deleted, emptied, swapped", replace);
	return lab_done();
}
