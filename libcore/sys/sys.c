/*
 * sys.c - open, read, write, sync: the system calls on one file.
 */
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/fault.h"

enum { FIRST_DATA_FD = 3 };

/* Standard descriptors may be closed: data never goes to one of them. */
static int
move_up(int fd)
{
	int moved, saved;

	if (fd >= FIRST_DATA_FD)
		return fd;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DATA_FD);
	saved = errno;
	(void)close(fd);
	return moved < 0 ? -saved : moved;
}

static int
open_retry(int dirfd, const char *name, int flags)
{
	int fd;

	do
		fd = openat(dirfd, name, flags, 0666);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : move_up(fd);
}

int
sb_sys_open(int dirfd, const char *name, enum sb_open how)
{
	int rc;
	static const int flags[] = {
		[SB_OPEN_READ] = O_RDONLY,
		[SB_OPEN_WRITE] = O_RDWR,
		[SB_OPEN_CREATE] = O_RDWR | O_CREAT,
		[SB_OPEN_NEW] = O_RDWR | O_CREAT | O_EXCL,
	};
	struct stat st;
	int fd;

	if ((rc = sb_fault_point("open", dirfd)) < 0)
		return rc;
	fd = open_retry(dirfd, name,
	    flags[how] | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (rc == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return rc < 0 ? rc : -EINVAL;
}

int
sb_sys_opendir(int dirfd, const char *path)
{
	int rc;

	if ((rc = sb_fault_point("opendir", dirfd)) < 0)
		return rc;
	return open_retry(dirfd < 0 ? AT_FDCWD : dirfd, path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | (dirfd < 0 ? 0 : O_NOFOLLOW));
}

int
sb_sys_close(int *fdp)
{
	int fd = *fdp;
	int rc;

	*fdp = -1;
	if (fd < 0)
		return 0;
	rc = sb_fault_point("close", fd);
	/* Linux has closed it also where it says EINTR. */
	if (close(fd) < 0 && errno != EINTR)
		return -errno;
	return rc;
}

int64_t
sb_sys_pread(int fd, void *buf, size_t len, uint64_t pos)
{
	size_t done = 0;
	int hit = sb_fault_enter("pread", fd, pos, &len);

	if (hit < 0)
		return hit;
	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done,
		    (off_t)(pos + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

int
sb_sys_pwrite(int fd, const void *buf, size_t len, uint64_t pos)
{
	const char *at = buf;
	int hit = sb_fault_enter("pwrite", fd, pos, &len);

	if (hit < 0)
		return hit;
	while (len > 0) {
		ssize_t n = pwrite(fd, at, len, (off_t)pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		pos += (uint64_t)n;
		len -= (size_t)n;
	}
	return hit > 0 ? sb_fault_after() : 0;
}

/* Leave only the first len bytes of what iov describes. */
static void
shorten(struct iovec *iov, int n, size_t len)
{
	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len > len)
			iov[i].iov_len = len;
		len -= iov[i].iov_len;
	}
}

static size_t
total(const struct iovec *iov, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

int
sb_sys_pwritev(int fd, struct iovec *iov, int n, uint64_t pos)
{
	size_t len = total(iov, n);
	int hit = sb_fault_enter("pwrite", fd, pos, &len);

	if (hit < 0)
		return hit;
	if (hit > 0)
		shorten(iov, n, len);
	while (len > 0) {
		ssize_t done = pwritev(fd, iov, n, (off_t)pos);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -EIO;
		pos += (uint64_t)done;
		len -= (size_t)done;
		while (n > 0 && (size_t)done >= iov->iov_len) {
			done -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return hit > 0 ? sb_fault_after() : 0;
}

int
sb_sys_fsync(int fd)
{
	int rc;

	if ((rc = sb_fault_point("fsync", fd)) < 0)
		return rc;
	return fsync(fd) < 0 ? -errno : 0;
}

int
sb_sys_fdatasync(int fd)
{
	int rc;

	if ((rc = sb_fault_point("fdatasync", fd)) < 0)
		return rc;
	return fdatasync(fd) < 0 ? -errno : 0;
}

void
sb_sys_writeback(int fd, uint64_t pos, uint64_t len)
{
	if (sb_fault_point("sync_file_range", fd) == 0)
		(void)sync_file_range(fd, (off_t)pos, (off_t)len,
		    SYNC_FILE_RANGE_WRITE);
}

void
sb_sys_forget(int fd, uint64_t pos, uint64_t len)
{
	if (sb_fault_point("fadvise", fd) == 0)
		(void)posix_fadvise(fd, (off_t)pos, (off_t)len,
		    POSIX_FADV_DONTNEED);
}

int
sb_sys_truncate(int fd, uint64_t size)
{
	int rc;

	if ((rc = sb_fault_enter("ftruncate", fd, size, NULL)) < 0)
		return rc;
	while (ftruncate(fd, (off_t)size) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The hint for how long data live, which file systems do not store. */
enum { GET_HINT = 1024 + 11, SET_HINT = 1024 + 12, HINT_MEDIUM = 3 };

int
sb_sys_mark(int fd)
{
	uint64_t hint = HINT_MEDIUM;
	int rc;

	if ((rc = sb_fault_point("mark", fd)) < 0)
		return rc;
	return fcntl(fd, SET_HINT, &hint) < 0 ? -errno : 0;
}

int
sb_sys_marked(int fd)
{
	uint64_t hint = 0;
	int rc;

	if ((rc = sb_fault_point("marked", fd)) < 0)
		return rc;
	return fcntl(fd, GET_HINT, &hint) < 0 ? -errno : hint == HINT_MEDIUM;
}

static void
convert(struct sb_stat *to, const struct stat *from)
{
	*to = (struct sb_stat){
		.size = (uint64_t)from->st_size,
		.ino = from->st_ino,
		.dev = from->st_dev,
		.links = from->st_nlink,
		.regular = S_ISREG(from->st_mode),
		.directory = S_ISDIR(from->st_mode),
		.mode = from->st_mode & 07777,
	};
}

int
sb_sys_fstat(int fd, struct sb_stat *st)
{
	int rc;
	struct stat s;

	if ((rc = sb_fault_point("fstat", fd)) < 0)
		return rc;
	if (fstat(fd, &s) < 0)
		return -errno;
	convert(st, &s);
	return 0;
}

int
sb_sys_stat(int dirfd, const char *name, struct sb_stat *st)
{
	int rc;
	struct stat s;

	if ((rc = sb_fault_point("fstatat", dirfd)) < 0)
		return rc;
	if (fstatat(dirfd, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	convert(st, &s);
	return 0;
}

int
sb_sys_fs(int fd, enum sb_fs *fsp, uint64_t *freep)
{
	int rc;
	/* statfs(2), "f_type"; the clustered ones count as network */
	static const uint32_t network[] = {
		0x00006969, /* NFS */
		0x0000517b, /* SMB */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x01021997, /* 9p */
		0x00c36400, /* Ceph */
		0x65735546, /* FUSE */
		0x5346414f, /* AFS */
		0x0bd00bd0, /* Lustre */
		0x01161970, /* GFS2 */
		0x7461636f, /* OCFS2 */
	};
	struct statfs s;

	if ((rc = sb_fault_point("fstatfs", fd)) < 0)
		return rc;
	if (fstatfs(fd, &s) < 0)
		return -errno;
	*freep = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
	*fsp = SB_FS_LOCAL;
	if ((uint32_t)s.f_type == 0x01021994 || /* tmpfs */
	    (uint32_t)s.f_type == 0x858458f6)   /* ramfs */
		*fsp = SB_FS_VOLATILE;
	for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if ((uint32_t)s.f_type == network[i])
			*fsp = SB_FS_NETWORK;
	return 0;
}
