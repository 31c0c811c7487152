/*
 * lost.c - lost+found of a topic: nothing is thrown away unseen.
 */
#include "store/lost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

enum { COPY_SIZE = 256 << 10 };

/* The directory, made on first use. */
static int
open_lost(int dirfd, int *fdp, struct sblog_err *err)
{
	int rc = sb_sys_mkdir(dirfd, SB_NAME_LOST);

	if (rc < 0 && rc != -EEXIST)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_LOST,
		    "cannot create directory");
	if ((rc = sb_sys_opendir(dirfd, SB_NAME_LOST)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_LOST,
		    "cannot open directory");
	*fdp = rc;
	return 0;
}

int
sb_lost_move(int dirfd, const char *name, struct sblog_err *err)
{
	char to[128];
	uint64_t number;
	int lost = -1;
	int rc;

	if ((rc = open_lost(dirfd, &lost, err)) < 0)
		return rc;
	if ((rc = sb_sys_random(&number, sizeof(number))) < 0) {
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot set aside");
		goto out;
	}
	(void)snprintf(to, sizeof(to), "%.80s.%016" PRIx64, name, number);
	if ((rc = sb_sys_rename_new(dirfd, name, lost, to)) < 0 ||
	    (rc = sb_sys_fsync(lost)) < 0 || (rc = sb_sys_fsync(dirfd)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot set aside");
out:
	(void)sb_sys_close(&lost); /* a directory: nothing unwritten */
	return rc;
}

static int
copy_range(struct sb_tmp *to, int fd, const char *name, uint64_t pos,
    uint64_t end, struct sblog_err *err)
{
	struct sb_buf buf = SB_BUF_INIT;
	uint64_t from = pos;
	int rc = 0;

	if (sb_buf_reserve(&buf, COPY_SIZE) < 0)
		return sb_err_nomem(err);
	while (rc == 0 && from < end) {
		size_t len =
		    end - from < COPY_SIZE ? (size_t)(end - from) : COPY_SIZE;
		int64_t n = sb_sys_pread(fd, buf.data, len, from);

		if (n <= 0) {
			rc = n == 0 ? 0
				    : sb_err_sys(err, SBLOG_EIO, (int)n, name,
					  "cannot read");
			break;
		}
		buf.len = (size_t)n;
		rc = sb_tmp_write(to, sb_buf_bytes(&buf), from - pos, err);
		from += (uint64_t)n;
	}
	sb_buf_release(&buf);
	return rc;
}

int
sb_lost_copy(int dirfd, int fd, const char *name, uint64_t pos, uint64_t end,
    struct sblog_err *err)
{
	struct sb_tmp file = SB_TMP_INIT;
	char to[SB_NAME_SIZE];
	int lost = -1;
	int rc;

	(void)snprintf(to, sizeof(to), "%.28s.%" PRIu64, name, pos);
	if ((rc = open_lost(dirfd, &lost, err)) < 0 ||
	    (rc = sb_tmp_create(&file, lost, to, err)) < 0 ||
	    (rc = copy_range(&file, fd, name, pos, end, err)) < 0)
		goto out;
	/* The same tail may be cut twice, after a crash during recovery. */
	rc = sb_tmp_commit(&file, SB_TMP_REPLACE, err);
	if (rc == 0 && (rc = sb_sys_fsync(dirfd)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_LOST,
		    "cannot sync directory");
out:
	sb_tmp_discard(&file);
	(void)sb_sys_close(&lost);
	return rc;
}
