/*
 * store.c - open the directory of topics, and say which there are.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/topic.h"
#include "store/names.h"

enum { DEFAULT_TIMEOUT_MS = 10000 };

bool
sblog_name_ok(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t len = strlen(name);

	return len > 0 && len <= SBLOG_NAME_MAX &&
	    memchr(first, name[0], sizeof(first) - 1) != NULL &&
	    strspn(name,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* Make a name that was put into the directory above it durable. */
static int
sync_above(const char *path)
{
	char above[PATH_MAX + 4];
	int fd, rc;

	(void)snprintf(above, sizeof(above), "%s/..", path);
	if ((fd = sb_sys_opendir(-1, above)) < 0)
		return fd;
	rc = sb_sys_fsync(fd);
	(void)sb_sys_close(&fd);
	return rc;
}

/* mkdir -p; what is there already is fine. */
static int
make_path(const char *dir, struct sblog_err *err)
{
	size_t len = strlen(dir);
	char path[PATH_MAX];
	int rc = 0;

	if (len >= sizeof(path))
		return sb_err_set(err, SBLOG_EINVAL, "", "path is too long");
	memcpy(path, dir, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		rc = sb_sys_mkdir(-1, path);
		/* There already: the one who made it may not be that far. */
		if (rc == 0 || (rc == -EEXIST && i == len))
			rc = sync_above(path);
		path[i] = i < len ? '/' : '\0';
	}
	if (rc < 0 && rc != -EEXIST)
		return sb_err_sys(err, SBLOG_EIO, rc, "",
		    "cannot create store");
	return 0;
}

static int
check_fs(struct sblog_store *s, const struct sblog_store_opts *opts,
    struct sblog_err *err)
{
	uint64_t free_bytes;
	enum sb_fs fs;
	int rc;

	if ((rc = sb_sys_fs(s->fd, &fs, &free_bytes)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "cannot stat store");
	s->volatile_fs = fs == SB_FS_VOLATILE;
	if (fs == SB_FS_NETWORK && opts->mode != SBLOG_READ &&
	    !opts->network_ok)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "store is on a network file system: locks and syncs "
		    "promise nothing there");
	return 0;
}

int
sblog_store_open(struct sblog_store **storep, const char *dir,
    const struct sblog_store_opts *opts, struct sblog_err *err)
{
	static const struct sblog_store_opts none;
	struct sblog_store *s;
	int rc;

	opts = opts ? opts : &none;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return sb_err_nomem(err);
	s->mode = opts->mode;
	s->lock_timeout_ms = opts->lock_timeout_ms == UINT32_MAX
	    ? DEFAULT_TIMEOUT_MS
	    : opts->lock_timeout_ms;
	s->fd = sb_sys_opendir(-1, dir);
	if (s->fd == -ENOENT && opts->mode == SBLOG_CREATE) {
		if ((rc = make_path(dir, err)) < 0)
			goto fail;
		s->fd = sb_sys_opendir(-1, dir);
	}
	if (s->fd < 0) {
		rc = s->fd;
		s->fd = -1;
		rc = rc == -ENOENT
		    ? sb_err_set(err, SBLOG_ENOENT, "", "no such store")
		    : sb_err_sys(err, SBLOG_EIO, rc, "", "cannot open store");
		goto fail;
	}
	if ((rc = check_fs(s, opts, err)) < 0)
		goto fail;
	*storep = s;
	return 0;
fail:
	sblog_store_close(s);
	return rc;
}

void
sblog_store_close(struct sblog_store *s)
{
	if (s == NULL)
		return;
	(void)sb_sys_close(&s->fd); /* a directory: nothing unwritten */
	free(s);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_topic(struct sblog_store *s, const char *name)
{
	struct sb_stat st;
	int fd, rc;

	if (!sblog_name_ok(name) || (fd = sb_sys_opendir(s->fd, name)) < 0)
		return false;
	rc = sb_sys_stat(fd, SB_NAME_MANIFEST, &st);
	(void)sb_sys_close(&fd);
	return rc == 0;
}

int
sblog_store_list(struct sblog_store *s, char ***namesp, size_t *np,
    struct sblog_err *err)
{
	size_t len = 0, count = 0, n = 0;
	char *text = NULL, *copy;
	char **names;
	int rc = sb_sys_list(s->fd, &text, &len);

	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "cannot list store");
	for (size_t i = 0; i < len; i++)
		count += text[i] == '\0';
	/* One block: pointers, then the text they point to. */
	names = malloc((count + 1) * sizeof(*names) + len);
	if (names == NULL) {
		free(text);
		return sb_err_nomem(err);
	}
	copy = (char *)(names + count + 1);
	if (len > 0)
		memcpy(copy, text, len);
	free(text);
	for (char *at = copy; at < copy + len; at += strlen(at) + 1)
		if (is_topic(s, at))
			names[n++] = at;
	qsort(names, n, sizeof(*names), by_name);
	names[n] = NULL;
	*namesp = names;
	*np = n;
	return 0;
}

void
sblog_names_free(char **names)
{
	free(names);
}
