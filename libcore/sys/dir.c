/*
 * dir.c - names: make, rename, unlink, list.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fault.h"
#include "sys/sys.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

int
sb_sys_mkdir(int dirfd, const char *path)
{
	int rc;

	if ((rc = sb_fault_point("mkdir", dirfd)) < 0)
		return rc;
	return mkdirat(dirfd < 0 ? AT_FDCWD : dirfd, path, 0777) < 0 ? -errno
								     : 0;
}

int
sb_sys_rmdir(int dirfd, const char *name)
{
	int rc;

	if ((rc = sb_fault_point("rmdir", dirfd)) < 0)
		return rc;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int
sb_sys_rename(int dirfd, const char *from, const char *to)
{
	int rc;

	if ((rc = sb_fault_point("rename", dirfd)) < 0)
		return rc;
	return renameat(dirfd, from, dirfd, to) < 0 ? -errno : 0;
}

static int
rename_noreplace(int fromdir, const char *from, int todir, const char *to)
{
	int rc;

	if ((rc = sb_fault_point("renameat2", fromdir)) < 0)
		return rc;
	return syscall(SYS_renameat2, fromdir, from, todir, to,
		   RENAME_NOREPLACE) < 0
	    ? -errno
	    : 0;
}

/* A directory takes the place of an empty one, but of nothing else. */
static int
rename_directory(int fromdir, const char *from, int todir, const char *to)
{
	struct stat st;
	int rc;

	if (fstatat(todir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if ((rc = sb_fault_point("rename", fromdir)) < 0)
		return rc;
	if (renameat(fromdir, from, todir, to) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == ENOTDIR ? -EEXIST : -errno;
}

int
sb_sys_rename_new(int fromdir, const char *from, int todir, const char *to)
{
	struct stat st;
	int rc = rename_noreplace(fromdir, from, todir, to);

	if (rc != -ENOSYS && rc != -EINVAL)
		return rc;
	/* A file system without it: for files a link does the same. */
	if (fstatat(fromdir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return rename_directory(fromdir, from, todir, to);
	if ((rc = sb_fault_point("linkat", fromdir)) < 0)
		return rc;
	if (linkat(fromdir, from, todir, to, 0) < 0)
		return -errno;
	/* It has its new name; the old one is only left over. */
	if (sb_fault_point("unlink", fromdir) == 0)
		(void)unlinkat(fromdir, from, 0);
	return 0;
}

int
sb_sys_unlink(int dirfd, const char *name)
{
	int rc;

	if ((rc = sb_fault_point("unlink", dirfd)) < 0)
		return rc;
	return unlinkat(dirfd, name, 0) < 0 ? -errno : 0;
}

static int
add_name(char **namesp, size_t *lenp, size_t *sizep, const char *name)
{
	size_t len = strlen(name) + 1;
	char *grown;

	if (*sizep - *lenp < len) {
		size_t size = (*sizep + len) * 2 + 512;

		if ((grown = realloc(*namesp, size)) == NULL)
			return -ENOMEM;
		*namesp = grown;
		*sizep = size;
	}
	memcpy(*namesp + *lenp, name, len);
	*lenp += len;
	return 0;
}

int
sb_sys_list(int dirfd, char **namesp, size_t *lenp)
{
	char *names = NULL;
	size_t len = 0, size = 0;
	const struct dirent *e;
	DIR *dir;
	int fd, rc = 0;

	if ((rc = sb_fault_point("list", dirfd)) < 0)
		return rc;
	/* A description of its own: the position is not shared. */
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if ((dir = fdopendir(fd)) == NULL) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	for (;;) {
		errno = 0;
		if ((e = readdir(dir)) == NULL) {
			rc = -errno;
			break;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if ((rc = add_name(&names, &len, &size, e->d_name)) < 0)
			break;
	}
	(void)closedir(dir);
	if (rc < 0) {
		free(names);
		return rc;
	}
	*namesp = names;
	*lenp = len;
	return 0;
}
