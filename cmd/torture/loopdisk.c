/*
 * loopdisk.c - a file system of its own in an image file, whose power can fail.
 */
#include "torture/loopdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* linux/loop.h and linux/fs.h, of which musl has nothing. */
enum {
	LOOP_SET_FD_ = 0x4c00,
	LOOP_CLR_FD_ = 0x4c01,
	LOOP_SET_STATUS64_ = 0x4c04,
	LOOP_CTL_GET_FREE_ = 0x4c82,
	LO_AUTOCLEAR = 4,
};

struct loop_info {
	uint64_t device, inode, rdevice, offset, sizelimit;
	uint32_t number, encrypt_type, encrypt_key_size, flags;
	uint8_t file_name[64], crypt_name[64], encrypt_key[32];
	uint64_t init[2];
};

#define FS_SHUTDOWN _IOR('X', 125, uint32_t)

static bool
failed(struct loopdisk *d, const char *what)
{
	(void)snprintf(d->why, sizeof(d->why), "%.200s: %s", what,
	    strerror(errno));
	return false;
}

int
loopdisk_run(char *const argv[])
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LC_ALL=C";
	char *env[] = { path, lang, NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null >= 0) {
			(void)dup2(null, 0);
			(void)dup2(null, 1);
			(void)dup2(null, 2);
		}
		(void)setenv("PATH", path + 5, 1);
		(void)execvpe(argv[0], argv, env);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool
loopdisk_possible(const char *fs, char why[LOOPDISK_WHY])
{
	char mkfs[32], version[] = "-V", btrfs_version[] = "--version";
	char *argv[] = { mkfs, version, NULL };

	if (strcmp(fs, "btrfs") == 0)
		argv[1] = btrfs_version;
	(void)snprintf(mkfs, sizeof(mkfs), "mkfs.%.20s", fs);
	if (geteuid() != 0)
		(void)snprintf(why, LOOPDISK_WHY, "not root");
	else if (access("/dev/loop-control", R_OK | W_OK) < 0)
		(void)snprintf(why, LOOPDISK_WHY, "no /dev/loop-control");
	else if (loopdisk_run(argv) != 0)
		(void)snprintf(why, LOOPDISK_WHY, "no mkfs.%.20s", fs);
	else
		return true;
	return false;
}

bool
loopdisk_private(char why[LOOPDISK_WHY])
{
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	(void)snprintf(why, LOOPDISK_WHY, "no mount namespace: %s",
	    strerror(errno));
	return false;
}

static const char boot_id[] = "/proc/sys/kernel/random/boot_id";

bool
loopdisk_boot(const char *base, uint64_t n, char why[LOOPDISK_WHY])
{
	char path[LOOPDISK_PATH + 8], text[40];
	struct stat here, there;
	int len, fd;

	(void)snprintf(path, sizeof(path), "%.300s/boot", base);
	len = snprintf(text, sizeof(text), "%08x-0000-4000-8000-%012llx\n",
	    (unsigned)getpid(), (unsigned long long)n & 0xffffffffffff);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0 && pwrite(fd, text, (size_t)len, 0) == len &&
	    fstat(fd, &here) == 0 && stat(boot_id, &there) == 0 &&
	    ((here.st_dev == there.st_dev && here.st_ino == there.st_ino) ||
		mount(path, boot_id, NULL, MS_BIND, NULL) == 0)) {
		(void)close(fd);
		return true;
	}
	(void)snprintf(why, LOOPDISK_WHY, "%s: cannot hide: %s", boot_id,
	    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return false;
}

void
loopdisk_boot_end(const char *base)
{
	char path[LOOPDISK_PATH + 8];

	(void)snprintf(path, sizeof(path), "%.300s/boot", base);
	(void)umount2(boot_id, MNT_DETACH);
	(void)unlink(path);
}

static bool
attach(struct loopdisk *d, int image)
{
	struct loop_info info = { .flags = LO_AUTOCLEAR };
	int control, n = -1;

	/* Somebody else may take the one that was free. */
	for (int attempt = 0; attempt < 100; attempt++) {
		control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
		if (control >= 0) {
			n = ioctl(control, LOOP_CTL_GET_FREE_);
			(void)close(control);
		}
		if (n < 0)
			return failed(d, "no free loop device");
		(void)snprintf(d->device, sizeof(d->device), "/dev/loop%d", n);
		d->fd = open(d->device, O_RDWR | O_CLOEXEC);
		if (d->fd >= 0 && ioctl(d->fd, LOOP_SET_FD_, image) == 0)
			break;
		if (d->fd >= 0)
			(void)close(d->fd);
		d->fd = -1;
		if (errno != EBUSY)
			break;
	}
	if (d->fd < 0)
		return failed(d, d->device);
	if (ioctl(d->fd, LOOP_SET_STATUS64_, &info) < 0)
		return failed(d, d->device);
	return true;
}

bool
loopdisk_make(struct loopdisk *d, const char *base, const char *name,
    const char *fs, uint64_t bytes, const char *mkfs_words)
{
	static char sh[] = "sh", c[] = "-c";
	char command[2 * LOOPDISK_PATH];
	char *argv[] = { sh, c, command, NULL };
	int image;
	bool ok;

	*d = (struct loopdisk){ .fs = fs, .fd = -1, .dir_fd = -1 };
	(void)snprintf(d->image, sizeof(d->image), "%.300s/%.40s.img", base,
	    name);
	(void)snprintf(d->dir, sizeof(d->dir), "%.300s/%.40s", base, name);
	image = open(d->image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (image < 0)
		return failed(d, d->image);
	ok = ftruncate(image, (off_t)bytes) == 0 && mkdir(d->dir, 0700) == 0;
	if (!ok)
		(void)failed(d, d->image);
	ok = ok && attach(d, image);
	(void)close(image);
	if (!ok)
		return false;
	(void)snprintf(command, sizeof(command), "exec mkfs.%.20s %s %s", fs,
	    mkfs_words, d->device);
	errno = EINVAL;
	if (loopdisk_run(argv) != 0)
		return failed(d, command);
	return true;
}

bool
loopdisk_mount(struct loopdisk *d, const char *options)
{
	d->options = options;
	if (mount(d->device, d->dir, d->fs, MS_NOATIME, options) < 0)
		return failed(d, "mount");
	d->dir_fd = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->dir_fd >= 0 || failed(d, d->dir);
}

bool
loopdisk_cut(struct loopdisk *d, enum loopdisk_cut how)
{
	uint32_t flags = (uint32_t)how;

	/* ioctl() has no one type for the request. */
	return syscall(SYS_ioctl, d->dir_fd, FS_SHUTDOWN, &flags) == 0 ||
	    failed(d, "shut down");
}

bool
loopdisk_umount(struct loopdisk *d)
{
	if (d->dir_fd < 0)
		return true;
	(void)close(d->dir_fd);
	d->dir_fd = -1;
	/* Killed processes take a moment to let go of their files. */
	for (int i = 0; umount2(d->dir, 0) < 0; i++) {
		if (errno != EBUSY || i == 2000)
			return failed(d, "unmount");
		(void)usleep(1000);
	}
	return true;
}

void
loopdisk_free(struct loopdisk *d)
{
	if (d->dir_fd >= 0 && !loopdisk_umount(d))
		(void)umount2(d->dir, MNT_DETACH);
	if (d->fd >= 0)
		(void)close(d->fd); /* the last user: it is cleared */
	d->fd = -1;
	(void)unlink(d->image);
	(void)rmdir(d->dir);
}
