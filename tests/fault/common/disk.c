/*
 * disk.c - what a power cut leaves of a directory.
 */
#include "common/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/lab.h"

enum {
	PAGE = 4096,
	SECTOR = 512,
	FILE_MAX = 4 << 20,
	INODES = 4096,
	DIRS = 8,
	NAMES = 256,
	PAST = 16, /* contents of the state page that may be on the device */
	FDS = 256,

	DIRTY = 1,
	LOST = 2, /* clean, and not what is on the device */
};

struct inode {
	uint64_t ino;
	uint8_t *bytes; /* on the device */
	uint64_t size;
	uint8_t flags[FILE_MAX / PAGE];
};

struct name {
	char text[80];
	uint64_t ino;
};

struct dir {
	uint64_t ino;
	struct name names[NAMES];
	size_t count;
};

static struct {
	char root[LAB_PATH];
	struct inode *inodes[INODES];
	size_t inode_count;
	struct dir dirs[DIRS];
	size_t dir_count;
	struct {
		uint64_t ino;
		uint8_t bytes[PAGE];
	} past[PAST];
	bool owed[FDS]; /* descriptors that are to hear of a failed sync */
	uint64_t heard;
} disk;

uint64_t
disk_random(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static _Noreturn void
bail(const char *what)
{
	printf("Bail out! disk: %s\n", what);
	exit(1);
}

static struct inode *
find(uint64_t ino)
{
	for (size_t i = 0; i < disk.inode_count; i++)
		if (disk.inodes[i]->ino == ino)
			return disk.inodes[i];
	return NULL;
}

static struct inode *
find_or_add(uint64_t ino)
{
	struct inode *n = find(ino);

	if (n != NULL)
		return n;
	if (disk.inode_count == INODES || (n = calloc(1, sizeof(*n))) == NULL)
		bail("too many files");
	n->ino = ino;
	disk.inodes[disk.inode_count++] = n;
	return n;
}

static struct dir *
find_dir(uint64_t ino)
{
	for (size_t i = 0; i < disk.dir_count; i++)
		if (disk.dirs[i].ino == ino)
			return &disk.dirs[i];
	return NULL;
}

/* All names in a directory as they are now. */
static void
list(struct dir *d, const char *path)
{
	char full[2 * LAB_PATH];
	struct dirent *e;
	struct stat st;
	DIR *dir = opendir(path);

	d->count = 0;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		struct name *n = &d->names[d->count];

		(void)snprintf(full, sizeof(full), "%.300s/%.200s", path,
		    e->d_name);
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 || lstat(full, &st) < 0)
			continue;
		if (d->count == NAMES)
			bail("too many names");
		(void)snprintf(n->text, sizeof(n->text), "%.79s", e->d_name);
		n->ino = st.st_ino;
		d->count++;
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void
sync_dir(uint64_t ino, const char *path)
{
	struct dir *d = find_dir(ino);

	if (d == NULL) {
		if (disk.dir_count == DIRS)
			bail("too many directories");
		d = &disk.dirs[disk.dir_count++];
		d->ino = ino;
	}
	list(d, path);
}

/* Pages of a file that are dirty go to the device; or nowhere, if it fails. */
static void
sync_file(struct inode *n, int fd, uint64_t size, bool fails)
{
	uint8_t *grown;

	if (size > FILE_MAX)
		bail("file too long");
	if (size > n->size) {
		if ((grown = realloc(n->bytes, size)) == NULL)
			bail("no memory");
		memset(grown + n->size, 0, size - n->size);
		n->bytes = grown;
	}
	n->size = size;
	for (uint64_t page = 0; page * PAGE < size; page++) {
		uint64_t at = page * PAGE;
		uint64_t len = size - at < PAGE ? size - at : PAGE;

		if (!(n->flags[page] & DIRTY))
			continue;
		n->flags[page] = fails ? LOST : 0;
		if (!fails &&
		    pread(fd, n->bytes + at, len, (off_t)at) != (ssize_t)len)
			bail("cannot read");
	}
}

static void
begin_tree(const char *path)
{
	struct dir here;
	struct stat st;

	if (stat(path, &st) < 0)
		bail(path);
	sync_dir(st.st_ino, path);
	list(&here, path);
	for (size_t i = 0; i < here.count; i++) {
		char full[2 * LAB_PATH];
		int fd;

		(void)snprintf(full, sizeof(full), "%.250s/%.79s", path,
		    here.names[i].text);
		if (lstat(full, &st) < 0)
			bail(full);
		if (S_ISDIR(st.st_mode)) {
			begin_tree(full);
			continue;
		}
		struct inode *n = find_or_add(st.st_ino);

		memset(n->flags, DIRTY, sizeof(n->flags));
		if ((fd = open(full, O_RDONLY)) < 0)
			bail(full);
		sync_file(n, fd, (uint64_t)st.st_size, false);
		memset(n->flags, 0, sizeof(n->flags));
		(void)close(fd);
	}
}

void
disk_begin(const char *dir)
{
	(void)snprintf(disk.root, sizeof(disk.root), "%.250s", dir);
	begin_tree(dir);
}

void
disk_end(void)
{
	for (size_t i = 0; i < disk.inode_count; i++) {
		free(disk.inodes[i]->bytes);
		free(disk.inodes[i]);
	}
	memset(&disk, 0, sizeof(disk));
}

/* The page is written through a mapping: the kernel may write back whatever it
 * has held. */
static void
remember_state(void)
{
	char path[2 * LAB_PATH];
	uint64_t seed = disk.heard++;
	size_t i = disk_random(&seed) % PAST;
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/t/state", disk.root);
	if ((fd = open(path, O_RDONLY)) < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size == PAGE &&
	    pread(fd, disk.past[i].bytes, PAGE, 0) == PAGE)
		disk.past[i].ino = st.st_ino;
	(void)close(fd);
}

/* Everybody else who has the file open hears of the failure later. */
static void
owe(uint64_t ino, int but)
{
	struct stat st;

	for (int fd = 3; fd < FDS; fd++)
		if (fd != but && fstat(fd, &st) == 0 && st.st_ino == ino)
			disk.owed[fd] = true;
}

static int
observe_sync(const struct sb_fault_call *call, const struct stat *st)
{
	struct inode *n = find_or_add(st->st_ino);

	sync_file(n, call->fd, (uint64_t)st->st_size, call->verdict < 0);
	if (call->verdict < 0) {
		owe(st->st_ino, call->fd);
		return 0;
	}
	if (call->fd >= FDS || !disk.owed[call->fd])
		return 0;
	disk.owed[call->fd] = false;
	return -EIO;
}

int
disk_observe(const struct sb_fault_call *call)
{
	bool sync = strcmp(call->name, "fdatasync") == 0 ||
	    !strcmp(call->name, "fsync");
	bool write = strcmp(call->name, "pwrite") == 0;
	char path[64];
	struct inode *n;
	struct stat st;

	remember_state();
	if (strcmp(call->name, "close") == 0 && call->fd < FDS)
		disk.owed[call->fd] = false;
	if (call->fd < 0 || (!sync && !write) || fstat(call->fd, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d",
		    call->fd);
		if (call->verdict == 0)
			sync_dir(st.st_ino, path);
		return 0;
	}
	if (sync)
		return observe_sync(call, &st);
	n = find_or_add(st.st_ino);
	if (call->pos + call->len > FILE_MAX)
		bail("file too long");
	for (uint64_t at = call->pos / PAGE * PAGE;
	     call->verdict == 0 && at < call->pos + call->len; at += PAGE)
		n->flags[at / PAGE] = DIRTY;
	return 0;
}

/* ---- the cut ---- */

struct cut {
	enum disk_loss loss;
	uint64_t seed;
	char live[NAMES][2 * LAB_PATH]; /* where files are now */
	uint64_t inos[NAMES];
	size_t count;
};

static void
find_live(struct cut *c, const char *path)
{
	struct dir here;

	list(&here, path);
	for (size_t i = 0; i < here.count; i++) {
		struct stat st;
		char full[2 * LAB_PATH];

		(void)snprintf(full, sizeof(full), "%.300s/%.79s", path,
		    here.names[i].text);
		if (lstat(full, &st) < 0 || c->count == NAMES)
			bail("cannot look");
		(void)snprintf(c->live[c->count], sizeof(c->live[0]), "%s",
		    full);
		c->inos[c->count++] = st.st_ino;
		if (S_ISDIR(st.st_mode))
			find_live(c, full);
	}
}

static const char *
live_path(const struct cut *c, uint64_t ino)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->inos[i] == ino)
			return c->live[i];
	return NULL;
}

/* Is this piece on the device as it is in memory? */
static bool
survives(struct cut *c, const struct inode *n, uint64_t at)
{
	if (!(n->flags[at / PAGE] & DIRTY))
		return !(n->flags[at / PAGE] & LOST);
	return c->loss == DISK_LOSES_NONE ||
	    (c->loss == DISK_LOSES_SOME && disk_random(&c->seed) % 2 == 0);
}

static void
write_out(const char *to, const uint8_t *bytes, uint64_t size)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || (size > 0 && write(fd, bytes, size) != (ssize_t)size))
		bail("cannot write");
	(void)close(fd);
}

static void
cut_file(struct cut *c, uint64_t ino, const char *to)
{
	static uint8_t now[FILE_MAX], out[FILE_MAX];
	const struct inode *n = find_or_add(ino);
	const char *path = live_path(c, ino);
	uint64_t size = n->size;
	ssize_t got = -1;
	int fd;

	if (path != NULL && (fd = open(path, O_RDONLY)) >= 0) {
		got = read(fd, now, sizeof(now));
		(void)close(fd);
	}
	memset(out, 0, sizeof(out));
	if (n->size > 0)
		memcpy(out, n->bytes, n->size);
	if (got >= 0 &&
	    (c->loss == DISK_LOSES_NONE ||
		(c->loss == DISK_LOSES_SOME && disk_random(&c->seed) % 2)))
		size = (uint64_t)got;
	/* Dirty pages behind the size on the device are nowhere. */
	for (uint64_t at = 0; got >= 0 && at < (uint64_t)got && at < size;
	     at += SECTOR)
		if (survives(c, n, at))
			memcpy(out + at, now + at, SECTOR);
	write_out(to, out, size);
}

static void
cut_state(struct cut *c, uint64_t ino, const char *to)
{
	size_t i = disk_random(&c->seed) % PAST;

	if (c->loss != DISK_LOSES_NONE && disk.past[i].ino == ino)
		write_out(to, disk.past[i].bytes, PAGE);
	else
		cut_file(c, ino, to);
}

static void cut_dir(struct cut *c, uint64_t ino, const char *to);

static void
cut_name(struct cut *c, const struct name *n, const char *dir)
{
	const char *path = live_path(c, n->ino);
	char to[2 * LAB_PATH];
	struct stat st;

	(void)snprintf(to, sizeof(to), "%.300s/%.79s", dir, n->text);
	if (strcmp(n->text, "state") == 0)
		cut_state(c, n->ino, to);
	else if (find_dir(n->ino) != NULL ||
	    (path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		cut_dir(c, n->ino, to);
	else
		cut_file(c, n->ino, to);
}

static const struct name *
named(const struct dir *d, const char *text)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->names[i].text, text) == 0)
			return &d->names[i];
	return NULL;
}

/* Each name for itself: as it was synced, or as it is now. */
static void
cut_dir(struct cut *c, uint64_t ino, const char *to)
{
	static const struct dir nothing;
	const struct dir *was = find_dir(ino);
	const char *path = live_path(c, ino);
	struct dir now = { .ino = ino };

	(void)mkdir(to, 0777);
	was = was ? was : &nothing;
	if (path != NULL)
		list(&now, path);
	for (size_t i = 0; i < was->count; i++) {
		const struct name *n = &was->names[i];
		const struct name *other = named(&now, n->text);
		bool old = c->loss == DISK_LOSES_ALL ||
		    (c->loss == DISK_LOSES_SOME && disk_random(&c->seed) % 2);

		n = old ? n : other;
		if (n != NULL)
			cut_name(c, n, to);
	}
	for (size_t i = 0; i < now.count; i++)
		if (named(was, now.names[i].text) == NULL &&
		    (c->loss == DISK_LOSES_NONE ||
			(c->loss == DISK_LOSES_SOME &&
			    disk_random(&c->seed) % 2)))
			cut_name(c, &now.names[i], to);
}

void
disk_cut(const char *to, enum disk_loss loss, uint64_t seed)
{
	static struct cut c;
	struct stat st;

	c.loss = loss;
	c.seed = seed;
	c.count = 0;
	if (stat(disk.root, &st) < 0)
		bail("no root");
	find_live(&c, disk.root);
	(void)snprintf(c.live[c.count], sizeof(c.live[0]), "%s", disk.root);
	c.inos[c.count++] = st.st_ino;
	lab_remove(to);
	cut_dir(&c, st.st_ino, to);
}
