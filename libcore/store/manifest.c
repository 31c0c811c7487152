/*
 * manifest.c - load and replace the list of files that make up a topic.
 */
#include "store/manifest.h"

#include <errno.h>

#include "base/err.h"
#include "store/names.h"
#include "sys/sys.h"
#include "sys/tmp.h"

static int
read_all(int fd, struct sb_buf *text, struct sblog_err *err)
{
	struct sb_stat st;
	int64_t n;
	int rc;

	if ((rc = sb_sys_fstat(fd, &st)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_MANIFEST,
		    "cannot stat");
	if (st.size > SB_MANIFEST_MAX)
		return sb_err_damage(err, SB_NAME_MANIFEST, st.size,
		    SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
		    "longer than any manifest");
	if (sb_buf_reserve(text, (size_t)st.size + 1) < 0)
		return sb_err_nomem(err);
	n = sb_sys_pread(fd, text->data, (size_t)st.size, 0);
	if (n < 0)
		return sb_err_sys(err, SBLOG_EIO, (int)n, SB_NAME_MANIFEST,
		    "cannot read");
	text->len = (size_t)n;
	return 0;
}

int
sb_manifest_load(struct sb_manifest *m, int dirfd, struct sblog_err *err)
{
	struct sb_buf text = SB_BUF_INIT;
	const char *why;
	uint64_t pos;
	int fd, rc;

	fd = sb_sys_open(dirfd, SB_NAME_MANIFEST, SB_OPEN_READ);
	if (fd < 0)
		return sb_err_sys(err, fd == -ENOENT ? SBLOG_ENOENT : SBLOG_EIO,
		    fd, SB_NAME_MANIFEST, "cannot open");
	if ((rc = read_all(fd, &text, err)) < 0)
		goto out;
	rc = sb_manifest_decode(m, text.data, text.len, &why, &pos);
	if (rc == SBLOG_ENOMEM)
		rc = sb_err_nomem(err);
	else if (rc == SBLOG_EFORMAT)
		rc = sb_err_set(err, rc, SB_NAME_MANIFEST, "%s", why);
	else if (rc < 0)
		rc = sb_err_damage(err, SB_NAME_MANIFEST, pos, SBLOG_NO_OFFSET,
		    SBLOG_NO_OFFSET, "%s", why);
out:
	sb_buf_release(&text);
	(void)sb_sys_close(&fd); /* only read from */
	return rc;
}

int
sb_manifest_save(const struct sb_manifest *m, int dirfd, struct sblog_err *err)
{
	struct sb_buf bytes = SB_BUF_INIT;
	struct sb_tmp file = SB_TMP_INIT;
	int rc;

	if (sb_manifest_encode(m, &bytes) < 0) {
		rc = sb_err_nomem(err);
		goto out;
	}
	if ((rc = sb_tmp_create(&file, dirfd, SB_NAME_MANIFEST, err)) < 0 ||
	    (rc = sb_tmp_write(&file, sb_buf_bytes(&bytes), 0, err)) < 0)
		goto out;
	rc = sb_tmp_commit(&file, SB_TMP_REPLACE, err);
out:
	sb_tmp_discard(&file); /* a no-op after a commit */
	sb_buf_release(&bytes);
	return rc;
}
