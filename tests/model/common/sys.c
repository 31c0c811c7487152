/*
 * sys.c - the system calls of libcore over the simulated file system.
 *
 * Takes the place of libcore/sys/{sys,dir,lock,map,clock,thread}.c when a
 * simulation is linked: sys.h is the whole interface between the core and the
 * world, so nothing of the core can see the difference.
 */
#include "sys/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/sched.h"
#include "common/seam.h"

enum { TEAR_FROM = 64 }; /* bytes; shorter writes are whole */

static struct sim_fd *
open_fd(int fd)
{
	struct sim_fd *d;

	if (fd < SIM_FIRST_FD || fd >= SIM_FIRST_FD + SIM_FDS)
		return NULL;
	d = &sim.cur->fds[fd - SIM_FIRST_FD];
	return d->ino != 0 ? d : NULL;
}

static struct fs_inode *
inode_of(int fd)
{
	struct sim_fd *d = open_fd(fd);

	return d ? &sim.fs->inodes[d->ino] : NULL;
}

/* The directory that a name is looked up in, or 0; a path from the working
 * directory has one component here. */
static uint32_t
directory(int dirfd)
{
	struct sim_fd *d;

	if (dirfd < 0)
		return FS_ROOT;
	d = open_fd(dirfd);
	return d && sim.fs->inodes[d->ino].directory ? d->ino : 0;
}

static int
give_fd(uint32_t ino, bool write)
{
	for (int i = 0; i < SIM_FDS; i++) {
		struct sim_fd *d = &sim.cur->fds[i];

		if (d->ino != 0)
			continue;
		*d = (struct sim_fd){ ino, sim.next_id++, write };
		return SIM_FIRST_FD + i;
	}
	return -EMFILE;
}

int
sb_sys_open(int dirfd, const char *name, enum sb_open how)
{
	uint32_t dir, ino;

	sim_point("open", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	if ((ino = fs_find(sim.fs, dir, name)) != 0) {
		if (how == SB_OPEN_NEW)
			return -EEXIST;
		if (sim.fs->inodes[ino].directory)
			return how == SB_OPEN_READ ? -EINVAL : -EISDIR;
		return give_fd(ino, how != SB_OPEN_READ);
	}
	if (how == SB_OPEN_READ || how == SB_OPEN_WRITE ||
	    sim.fs->inodes[dir].links == 0)
		return -ENOENT;
	ino = fs_new(sim.fs, false);
	fs_link(sim.fs, dir, name, ino);
	return give_fd(ino, true);
}

int
sb_sys_opendir(int dirfd, const char *path)
{
	uint32_t dir, ino;

	sim_point("opendir", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	/* There is one level below the root: above a store is the root. */
	ino = strstr(path, "/..") ? FS_ROOT : fs_find(sim.fs, dir, path);
	if (ino == 0)
		return -ENOENT;
	if (!sim.fs->inodes[ino].directory)
		return -ENOTDIR;
	return give_fd(ino, false);
}

int
sb_sys_close(int *fdp)
{
	struct sim_fd *d = open_fd(*fdp);

	if (*fdp < 0)
		return 0;
	*fdp = -1;
	if (d == NULL)
		return -EBADF;
	/* Of no interest to others, but where a lock goes. */
	if (sim.fs->inodes[d->ino].holder == d->id)
		sim_point("close", -1, 0, 0);
	sim_close(sim.cur, d);
	return 0;
}

int64_t
sb_sys_pread(int fd, void *buf, size_t len, uint64_t pos)
{
	sim_point("pread", fd, pos, len);
	if (inode_of(fd) == NULL)
		return -EBADF;
	return (int64_t)fs_read(sim.fs, open_fd(fd)->ino, buf, len, pos);
}

static int
write_piece(int fd, const uint8_t *at, size_t len, uint64_t pos)
{
	size_t first = 0;

	bool sector = pos % FS_PAGE == 0 && len <= FS_SECTOR;

	/* Somewhere in the middle others may look, or it ends for good.  But
	 * what is in the first sector of a page is written whole: slots of
	 * groups rely on that, and nothing else is written just there. */
	if (sim.plan.tear && len >= TEAR_FROM && !sector) {
		first = 1 + sim_random(&sim.random) % (len - 1);
		fs_write(sim.fs, open_fd(fd)->ino, at, first, pos);
		sim_point("pwrite, rest", fd, pos + first, len - first);
	}
	fs_write(sim.fs, open_fd(fd)->ino, at + first, len - first,
	    pos + first);
	return 0;
}

int
sb_sys_pwrite(int fd, const void *buf, size_t len, uint64_t pos)
{
	sim_point("pwrite", fd, pos, len);
	if (open_fd(fd) == NULL || !open_fd(fd)->write)
		return -EBADF;
	return write_piece(fd, buf, len, pos);
}

int
sb_sys_pwritev(int fd, struct iovec *iov, int n, uint64_t pos)
{
	static uint8_t all[4 << 20];
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	sim_point("pwrite", fd, pos, len);
	if (open_fd(fd) == NULL || !open_fd(fd)->write)
		return -EBADF;
	/* In one piece only where it must be one change. */
	if (len > sizeof(all) || (!sim.fs->track && !sim.plan.tear)) {
		for (int i = 0; i < n; i++) {
			fs_write(sim.fs, open_fd(fd)->ino, iov[i].iov_base,
			    iov[i].iov_len, pos);
			pos += iov[i].iov_len;
		}
		return 0;
	}
	if (sim.plan.tear) {
		int k = (int)(sim_random(&sim.random) % (uint64_t)n);

		/* Before one of the pieces: all is used again when others go
		 * on, so each part is gathered for itself. */
		for (int i = 0; i < n; i++) {
			if (i == k && i > 0)
				sim_point("pwrite, rest", fd, pos, 0);
			fs_write(sim.fs, open_fd(fd)->ino, iov[i].iov_base,
			    iov[i].iov_len, pos);
			pos += iov[i].iov_len;
		}
		return 0;
	}
	len = 0;
	for (int i = 0; i < n; i++) {
		memcpy(all + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	fs_write(sim.fs, open_fd(fd)->ino, all, len, pos);
	return 0;
}

static int
sync_fd(const char *name, int fd, bool data_only)
{
	uint64_t seq;

	sim_point(name, fd, 0, 0);
	if (inode_of(fd) == NULL)
		return -EBADF;
	/* What is written while it goes on may be durable or not. */
	seq = sim.fs->seq;
	sim_point("synced", fd, 0, 0);
	fs_sync(sim.fs, open_fd(fd)->ino, seq, data_only);
	return 0;
}

int
sb_sys_fsync(int fd)
{
	return sync_fd("fsync", fd, false);
}

int
sb_sys_fdatasync(int fd)
{
	return sync_fd("fdatasync", fd, true);
}

void
sb_sys_writeback(int fd, uint64_t pos, uint64_t len)
{
	(void)fd;
	(void)pos;
	(void)len;
}

void
sb_sys_forget(int fd, uint64_t pos, uint64_t len)
{
	(void)fd;
	(void)pos;
	(void)len;
}

int
sb_sys_truncate(int fd, uint64_t size)
{
	sim_point("ftruncate", fd, size, 0);
	if (open_fd(fd) == NULL || !open_fd(fd)->write)
		return -EINVAL;
	fs_truncate(sim.fs, open_fd(fd)->ino, size);
	return 0;
}

static void
convert(struct sb_stat *st, uint32_t ino)
{
	const struct fs_inode *n = &sim.fs->inodes[ino];

	*st = (struct sb_stat){
		.size = n->directory ? 4096 : n->size,
		.ino = ino,
		.dev = 1,
		.links = n->links,
		.regular = !n->directory,
		.directory = n->directory,
		.mode = n->directory ? 0755 : 0644,
	};
}

int
sb_sys_fstat(int fd, struct sb_stat *st)
{
	sim_point("fstat", fd, 0, 0);
	if (open_fd(fd) == NULL)
		return -EBADF;
	convert(st, open_fd(fd)->ino);
	return 0;
}

int
sb_sys_stat(int dirfd, const char *name, struct sb_stat *st)
{
	uint32_t dir, ino;

	sim_point("fstatat", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	if ((ino = fs_find(sim.fs, dir, name)) == 0)
		return -ENOENT;
	convert(st, ino);
	return 0;
}

int
sb_sys_fs(int fd, enum sb_fs *fsp, uint64_t *freep)
{
	(void)fd;
	*fsp = SB_FS_LOCAL;
	*freep = UINT64_C(1) << 40;
	return 0;
}

/* ---- names ---- */

int
sb_sys_mkdir(int dirfd, const char *path)
{
	uint32_t dir;

	sim_point("mkdir", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	if (fs_find(sim.fs, dir, path) != 0)
		return -EEXIST;
	if (sim.fs->inodes[dir].links == 0)
		return -ENOENT;
	fs_link(sim.fs, dir, path, fs_new(sim.fs, true));
	return 0;
}

int
sb_sys_rmdir(int dirfd, const char *name)
{
	uint32_t dir, ino;

	sim_point("rmdir", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	if ((ino = fs_find(sim.fs, dir, name)) == 0)
		return -ENOENT;
	if (!sim.fs->inodes[ino].directory)
		return -ENOTDIR;
	if (sim.fs->inodes[ino].count > 0)
		return -ENOTEMPTY;
	fs_link(sim.fs, dir, name, 0);
	return 0;
}

static int
rename_to(const char *call, int fromdir, const char *from, int todir,
    const char *to, bool replace)
{
	uint32_t a, b, ino, old;

	sim_point(call, fromdir, 0, 0);
	if ((a = directory(fromdir)) == 0 || (b = directory(todir)) == 0)
		return -EBADF;
	if ((ino = fs_find(sim.fs, a, from)) == 0)
		return -ENOENT;
	if (sim.fs->inodes[b].links == 0)
		return -ENOENT;
	if ((old = fs_find(sim.fs, b, to)) != 0) {
		if (!replace)
			return -EEXIST;
		if (sim.fs->inodes[old].directory)
			return -EISDIR;
	}
	fs_rename(sim.fs, a, from, b, to);
	return 0;
}

int
sb_sys_rename(int dirfd, const char *from, const char *to)
{
	return rename_to("rename", dirfd, from, dirfd, to, true);
}

int
sb_sys_rename_new(int fromdir, const char *from, int todir, const char *to)
{
	return rename_to("renameat2", fromdir, from, todir, to, false);
}

int
sb_sys_unlink(int dirfd, const char *name)
{
	uint32_t dir, ino;

	sim_point("unlink", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	if ((ino = fs_find(sim.fs, dir, name)) == 0)
		return -ENOENT;
	if (sim.fs->inodes[ino].directory)
		return -EISDIR;
	fs_link(sim.fs, dir, name, 0);
	return 0;
}

int
sb_sys_list(int dirfd, char **namesp, size_t *lenp)
{
	const struct fs_inode *d;
	uint32_t dir;
	size_t len = 0;

	sim_point("list", dirfd, 0, 0);
	if ((dir = directory(dirfd)) == 0)
		return -EBADF;
	d = &sim.fs->inodes[dir];
	if ((*namesp = malloc(FS_NAMES * FS_TEXT)) == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->count; i++) {
		size_t n = strlen(d->names[i].text) + 1;

		memcpy(*namesp + len, d->names[i].text, n);
		len += n;
	}
	*lenp = len;
	return 0;
}

/* ---- locks, mappings, sleep ---- */

int
sb_sys_lock(int fd, uint32_t timeout_ms)
{
	struct sim_fd *d;
	struct fs_inode *n;

	sim_point("flock", fd, 0, 0);
	if ((d = open_fd(fd)) == NULL)
		return -EBADF;
	n = &sim.fs->inodes[d->ino];
	while (n->holder != 0 && n->holder != d->id) {
		if (timeout_ms == 0)
			return -EWOULDBLOCK;
		sim_wait_lock(d->ino);
	}
	n->holder = d->id;
	return 0;
}

void
sb_sys_unlock(int fd)
{
	struct sim_fd *d;

	sim_point("unlock", fd, 0, 0);
	if ((d = open_fd(fd)) == NULL || sim.fs->inodes[d->ino].holder != d->id)
		return;
	sim.fs->inodes[d->ino].holder = 0;
	sim_unlocked(d->ino);
}

int
sb_sys_map(int fd, uint64_t len, bool write, void **mapp)
{
	return sb_sys_map_at(fd, 0, len, write, mapp);
}

int
sb_sys_map_at(int fd, uint64_t pos, uint64_t len, bool write, void **mapp)
{
	struct fs_inode *n;

	sim_point("mmap", fd, pos, len);
	if ((n = inode_of(fd)) == NULL || n->directory)
		return -EINVAL;
	/* A mapping stays where it is while the file grows below it. */
	fs_reserve(sim.fs, open_fd(fd)->ino, pos + len);
	if (write)
		fs_share(sim.fs, open_fd(fd)->ino);
	*mapp = n->data + pos;
	return 0;
}

void
sb_sys_unmap(void *map, uint64_t len)
{
	(void)map;
	(void)len;
}

void
sb_sys_populate(void *map, uint64_t len)
{
	(void)map;
	(void)len;
}

void
sb_sys_populate_write(void *map, uint64_t len)
{
	(void)map;
	(void)len;
}

void
sb_sys_release(void *map, uint64_t len)
{
	(void)map;
	(void)len;
}

int
sb_sys_wait(const uint32_t *word, uint32_t seen, uint64_t timeout_us)
{
	sim_point("futex", -1, 0, 0);
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != seen)
		return -EAGAIN;
	return sim_wait_word(word, timeout_us) ? 0 : -ETIMEDOUT;
}

void
sb_sys_wake(uint32_t *word)
{
	sim_point("wake", -1, 0, 0);
	sim_woken(word);
}

void
sb_sys_sleep(uint64_t us)
{
	sim_point("sleep", -1, us, 0);
	(void)sim_wait_word(NULL, us);
}

/* ---- clocks and chance ---- */

int64_t
sb_sys_time_us(void)
{
	return INT64_C(1700000000000000) + (int64_t)sim.now + sim.wall;
}

uint64_t
sb_sys_monotonic_us(void)
{
	return sim.now;
}

int
sb_sys_random(void *buf, size_t len)
{
	uint8_t *at = buf;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)sim_random(&sim.random);
	return 0;
}

void
sb_sys_boot_id(uint8_t id[static 16])
{
	memset(id, 0x5a, 16);
	memcpy(id, &sim.boot, sizeof(sim.boot));
}

unsigned
sb_sys_processors(void)
{
	return 1;
}

/* There are no threads: with one processor the core asks for none. */

int
sb_sys_spawn(struct sb_thread *t, void (*run)(void *), void *arg)
{
	(void)t;
	(void)run;
	(void)arg;
	return -EAGAIN;
}

void
sb_sys_join(struct sb_thread *t)
{
	(void)t;
}

struct sb_monitor *
sb_monitor_new(void)
{
	return NULL;
}

void
sb_monitor_free(struct sb_monitor *m)
{
	(void)m;
}

void
sb_monitor_enter(struct sb_monitor *m)
{
	(void)m;
}

void
sb_monitor_leave(struct sb_monitor *m)
{
	(void)m;
}

void
sb_monitor_await(struct sb_monitor *m)
{
	(void)m;
}

void
sb_monitor_notify(struct sb_monitor *m)
{
	(void)m;
}

int
sb_sys_mark(int fd)
{
	(void)fd;
	return -ENOSYS;
}

int
sb_sys_marked(int fd)
{
	(void)fd;
	return -ENOSYS;
}
