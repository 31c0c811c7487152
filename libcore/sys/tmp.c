/*
 * tmp.c - new files that appear complete, or not at all.
 *
 * Used for the manifest, segments, new WALs, indexes, settings.  Uses sys/sys.
 *
 * The order below is the whole point.  On ext4, leaving out the first fsync
 * leaves an empty file under the final name after a power cut; leaving out the
 * second may bring the old file back.  sblog-internals(7), "Replacing a file".
 */
#include "sys/tmp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sys/sys.h"

enum { DIGITS = 16 };

int
sb_tmp_create(struct sb_tmp *t, int dirfd, const char *name,
    struct sblog_err *err)
{
	uint64_t number;
	int rc;

	if ((rc = sb_sys_random(&number, sizeof(number))) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, name, "no random bytes");
	t->dirfd = dirfd;
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	(void)snprintf(t->tmp, sizeof(t->tmp), "%.40s.tmp.%016" PRIx64, name,
	    number);
	rc = sb_sys_open(dirfd, t->tmp, SB_OPEN_NEW);
	if (rc < 0) {
		t->tmp[0] = '\0';
		return sb_err_sys(err, SBLOG_EIO, rc, name, "cannot create");
	}
	t->fd = rc;
	return 0;
}

int
sb_tmp_write(struct sb_tmp *t, struct sblog_bytes data, uint64_t pos,
    struct sblog_err *err)
{
	int rc = sb_sys_pwrite(t->fd, data.data, data.len, pos);

	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->name, "cannot write");
	return 0;
}

int
sb_tmp_commit_fd(struct sb_tmp *t, enum sb_tmp_how how, int *fdp,
    struct sblog_err *err)
{
	int rc;

	sb_assert(t->fd >= 0 && t->tmp[0] != '\0');

	if ((rc = sb_sys_fsync(t->fd)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->name, "cannot sync");
	rc = how == SB_TMP_NEW
	    ? sb_sys_rename_new(t->dirfd, t->tmp, t->dirfd, t->name)
	    : sb_sys_rename(t->dirfd, t->tmp, t->name);
	if (rc == -EEXIST)
		return sb_err_set(err, SBLOG_ECOND, t->name, "file exists");
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, t->name,
		    "cannot rename into place");
	t->tmp[0] = '\0'; /* from here on there is nothing to undo */
	if ((rc = sb_sys_fsync(t->dirfd)) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, rc, t->name,
		    "renamed, but cannot sync the directory");
	*fdp = t->fd;
	t->fd = -1;
	return 0;
}

int
sb_tmp_commit(struct sb_tmp *t, enum sb_tmp_how how, struct sblog_err *err)
{
	int fd = -1;
	int rc = sb_tmp_commit_fd(t, how, &fd, err);

	if (rc < 0)
		return rc;
	/* Everything was synced: there is nothing left that could fail. */
	(void)sb_sys_close(&fd);
	return 0;
}

void
sb_tmp_discard(struct sb_tmp *t)
{
	/* Results ignored: the caller is already failing, and a left-over
	 * temporary file is removed by the next maintenance. */
	if (t->fd >= 0)
		(void)sb_sys_close(&t->fd);
	if (t->tmp[0] != '\0' && sb_sys_unlink(t->dirfd, t->tmp) < 0)
		t->tmp[0] = '\0';
	t->tmp[0] = '\0';
}

bool
sb_tmp_is_name(const char *name)
{
	size_t len = strlen(name);
	const char *mark;

	if (len < DIGITS + 5)
		return false;
	mark = name + len - DIGITS - 5;
	return strncmp(mark, ".tmp.", 5) == 0 &&
	    strspn(mark + 5, "0123456789abcdef") == DIGITS;
}
