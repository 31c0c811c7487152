/*
 * sys.h - every system call we make, one wrapper each.
 *
 * Returns are those of the kernel: >= 0 or -errno.  EINTR is retried inside,
 * except by sb_sys_wait.  This is the one door to the world: the build with
 * -DSB_FAULT counts the calls and lets tests fail, shorten or kill at any of
 * them (sys/fault.h).  Nothing else in libcore calls the kernel, reads a clock
 * or asks for random bytes; tests/lint/symbols enforces it.
 */
#ifndef SB_SYS_SYS_H
#define SB_SYS_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/check.h"

struct sb_stat {
	uint64_t size, ino, dev, links;
	bool regular, directory;
	uint32_t mode; /* permission bits */
};

enum sb_fs {
	SB_FS_LOCAL,
	SB_FS_NETWORK,  /* NFS, SMB, 9p, Ceph, FUSE, ... */
	SB_FS_VOLATILE, /* tmpfs, ramfs: nothing survives a power cut */
};

enum sb_open {
	SB_OPEN_READ,
	SB_OPEN_WRITE,  /* read and write, must exist */
	SB_OPEN_CREATE, /* read and write, created if absent */
	SB_OPEN_NEW,    /* read and write, must not exist (O_EXCL) */
};

/*
 * Open a regular file below dirfd: never through a symbolic link, never a
 * device or FIFO (-EINVAL), close-on-exec, descriptor >= 3.  Mode 0666 & ~umask.
 */
int sb_sys_open(int dirfd, const char *name, enum sb_open how) SB_MUST_CHECK;

/* Open a directory; dirfd -1: path is relative to the working directory and
 * may contain symbolic links, else it is one name that may not be one. */
int sb_sys_opendir(int dirfd, const char *path) SB_MUST_CHECK;

int sb_sys_close(int *fdp); /* *fdp becomes -1, also on failure; -1 is fine */

/* Whole transfers: short reads and writes are continued.  read: bytes got,
 * fewer only at end of file.  write: 0, or -errno with something written. */
int64_t sb_sys_pread(int fd, void *buf, size_t len, uint64_t pos) SB_MUST_CHECK;
int sb_sys_pwrite(int fd, const void *buf, size_t len,
    uint64_t pos) SB_MUST_CHECK;
/* iov is used up: its elements are changed. At most 8 elements. */
int sb_sys_pwritev(int fd, struct iovec *iov, int n,
    uint64_t pos) SB_MUST_CHECK;

int sb_sys_fsync(int fd) SB_MUST_CHECK; /* of a directory, too */
int sb_sys_fdatasync(int fd) SB_MUST_CHECK;
/* Start write-back of a range; a hint, failure means nothing. */
void sb_sys_writeback(int fd, uint64_t pos, uint64_t len);
/* Drop clean cached pages of a file; a hint. */
void sb_sys_forget(int fd, uint64_t pos, uint64_t len);

int sb_sys_truncate(int fd, uint64_t size) SB_MUST_CHECK;
int sb_sys_fstat(int fd, struct sb_stat *st) SB_MUST_CHECK;

/* A mark on a file that is kept in memory only: it goes with the mount, or when
 * the kernel forgets the file.  < 0: the kernel, or this user, has no marks. */
int sb_sys_mark(int fd) SB_MUST_CHECK;
int sb_sys_marked(int fd) SB_MUST_CHECK; /* 1: yes; 0: no */
/* of a name, not following a symbolic link */
int sb_sys_stat(int dirfd, const char *name, struct sb_stat *st) SB_MUST_CHECK;
int sb_sys_fs(int fd, enum sb_fs *fsp, uint64_t *freep) SB_MUST_CHECK;

int sb_sys_mkdir(int dirfd, const char *path) SB_MUST_CHECK; /* 0777 & ~umask */
int sb_sys_rmdir(int dirfd, const char *name) SB_MUST_CHECK;
int sb_sys_rename(int dirfd, const char *from, const char *to) SB_MUST_CHECK;
/* Both names may be in different directories; fails with -EEXIST if to is. */
int sb_sys_rename_new(int fromdir, const char *from, int todir,
    const char *to) SB_MUST_CHECK;
int sb_sys_unlink(int dirfd, const char *name) SB_MUST_CHECK;
/* Names in a directory without . and .., NUL-terminated one after another in a
 * malloced block the caller frees; order as the kernel has it. */
int sb_sys_list(int dirfd, char **namesp, size_t *lenp) SB_MUST_CHECK;

/* Exclusive flock; timeout_ms 0: try once.  -EWOULDBLOCK: not obtained. */
int sb_sys_lock(int fd, uint32_t timeout_ms) SB_MUST_CHECK;
void sb_sys_unlock(int fd);

/* Map a file shared.  write: also for stores.  */
int sb_sys_map(int fd, uint64_t len, bool write, void **mapp) SB_MUST_CHECK;
/* A part of it; pos is a multiple of a page.  It may lie behind the end of the
 * file as long as nobody looks there. */
int sb_sys_map_at(int fd, uint64_t pos, uint64_t len, bool write,
    void **mapp) SB_MUST_CHECK;
void sb_sys_unmap(void *map, uint64_t len);
/* Read pages of a mapping in / let go of them; hints. */
void sb_sys_populate(void *map, uint64_t len);
void sb_sys_populate_write(void *map, uint64_t len); /* to be written to */
void sb_sys_release(void *map, uint64_t len);

/* Futex on a shared word.  wait: 0 woken, -EAGAIN *word != seen,
 * -ETIMEDOUT, -EINTR, -ENOSYS. */
int sb_sys_wait(const uint32_t *word, uint32_t seen, uint64_t timeout_us);
void sb_sys_wake(uint32_t *word);
void sb_sys_sleep(uint64_t us);

/*
 * A descriptor that hears of files in a directory being closed that were open
 * for writing, and a wait of at most timeout_us for that: 0, -ETIMEDOUT,
 * -EINTR.  With fd -1 the wait only times out.
 */
int sb_sys_watch(int dirfd) SB_MUST_CHECK;
int sb_sys_watched(int fd, uint64_t timeout_us) SB_MUST_CHECK;

int64_t sb_sys_time_us(void);       /* wall clock, microseconds since 1970 */
uint64_t sb_sys_monotonic_us(void); /* for time-outs */
int sb_sys_random(void *buf, size_t len) SB_MUST_CHECK;
/* Identity of this boot of the kernel, 16 bytes; all zero where unknown. */
void sb_sys_boot_id(uint8_t id[static 16]);
unsigned sb_sys_processors(void);

/* Worker threads; arg is passed on.  0 or -errno. */
struct sb_thread {
	unsigned long handle;
};
int sb_sys_spawn(struct sb_thread *t, void (*run)(void *),
    void *arg) SB_MUST_CHECK;
void sb_sys_join(struct sb_thread *t);

/* A lock with one condition, within a process. */
struct sb_monitor;
struct sb_monitor *sb_monitor_new(void); /* NULL: no memory */
void sb_monitor_free(struct sb_monitor *m);
void sb_monitor_enter(struct sb_monitor *m);
void sb_monitor_leave(struct sb_monitor *m);
void sb_monitor_await(struct sb_monitor *m);  /* inside; may wake for nothing */
void sb_monitor_notify(struct sb_monitor *m); /* inside; wakes all */

#endif
