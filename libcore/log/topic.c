/*
 * topic.c - open and close a topic, its locks, and the change of its manifest.
 */
#include "log/topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/group.h"
#include "store/manifest.h"
#include "store/names.h"

static int
open_dir(struct sblog_topic *t, struct sblog_err *err)
{
	int rc = sb_sys_opendir(t->store->fd, t->name);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return sb_err_set(err, SBLOG_ENOENT, "", "no such topic");
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "cannot open topic");
	t->dirfd = rc;
	return 0;
}

static int
open_files(struct sblog_topic *t, struct sblog_err *err)
{
	int rc;

	if ((rc = open_dir(t, err)) < 0)
		return rc;
	rc = sb_manifest_load(&t->manifest, t->dirfd, err);
	if (rc == SBLOG_ENOENT)
		return sb_err_set(err, rc, "", "no such topic");
	if (rc < 0 ||
	    (rc = sb_config_load(&t->config, t->store->fd, t->dirfd, err)) < 0)
		return rc;
	sb_sys_boot_id(t->boot);
	return sb_state_open(&t->state, t->dirfd, t->mode != SBLOG_READ, err);
}

static struct sblog_topic *
new_topic(struct sblog_store *store, const char *name, enum sblog_mode mode)
{
	struct sblog_topic *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->store = store;
	t->mode = mode;
	memcpy(t->name, name, strlen(name) + 1);
	t->dirfd = -1;
	t->lock_append = -1;
	t->lock_maint = -1;
	t->state = SB_STATE_INIT;
	t->wal = SB_WAL_INIT;
	t->keytab = SB_KEYTAB_INIT;
	return t;
}

int
sblog_topic_open(struct sblog_topic **topicp, struct sblog_store *store,
    const char *name, enum sblog_mode mode, struct sblog_err *err)
{
	struct sblog_topic *t;
	int rc;

	if (!sblog_name_ok(name))
		return sb_err_set(err, SBLOG_EINVAL, "", "bad topic name");
	if (mode != SBLOG_READ && store->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "store is open for reading only");
	if ((t = new_topic(store, name, mode)) == NULL)
		return sb_err_nomem(err);
	rc = open_files(t, err);
	if (rc == SBLOG_ENOENT && mode == SBLOG_CREATE) {
		sblog_topic_close(t);
		rc = sblog_topic_create(store, name, NULL, 0, err);
		/* Somebody else was faster: all the better. */
		if (rc < 0 && rc != SBLOG_ECOND)
			return rc;
		if ((t = new_topic(store, name, mode)) == NULL)
			return sb_err_nomem(err);
		rc = open_files(t, err);
	}
	if (rc < 0) {
		sblog_topic_close(t);
		return rc;
	}
	*topicp = t;
	return 0;
}

void
sblog_topic_close(struct sblog_topic *t)
{
	if (t == NULL)
		return;
	sb_reader_free(t->reader);
	sb_groups_free(t->groups);
	sb_wal_close(&t->wal);
	sb_keytab_close(&t->keytab);
	sb_state_close(&t->state);
	sb_manifest_release(&t->manifest);
	sb_buf_release(&t->scratch);
	sb_buf_release(&t->packed);
	sb_buf_release(&t->stamped);
	sb_buf_release(&t->once);
	free(t->ends);
	free(t->lz_state);
	/* Locks and a directory: nothing unwritten. */
	(void)sb_sys_close(&t->lock_append);
	(void)sb_sys_close(&t->lock_maint);
	(void)sb_sys_close(&t->dirfd);
	free(t);
}

int
sb_topic_reload(struct sblog_topic *t, struct sblog_err *err)
{
	struct sb_manifest fresh = SB_MANIFEST_INIT;
	const struct sb_file *active;
	int rc = sb_manifest_load(&fresh, t->dirfd, err);

	if (rc == SBLOG_ENOENT)
		return sb_err_set(err, rc, "", "no such topic");
	if (rc < 0)
		return rc;
	sb_manifest_release(&t->manifest);
	t->manifest = fresh;
	active = sb_manifest_active(&t->manifest);
	if (t->wal.fd >= 0 &&
	    (active == NULL ||
		memcmp(active->salt, t->wal.head.salt, SB_SALT_SIZE) != 0))
		sb_wal_close(&t->wal);
	return 0;
}

/* Open the lock file and lock it; the file stays open with the handle. */
static int
lock_file(struct sblog_topic *t, int *fdp, const char *name,
    struct sblog_err *err)
{
	struct sb_stat st;
	int rc;

	for (int tries = 0; tries < 3; tries++) {
		bool fresh = *fdp < 0;

		if (fresh) {
			rc = sb_sys_open(t->dirfd, name, SB_OPEN_CREATE);
			/* The directory was removed while we had it open. */
			if (rc == -ENOENT)
				return sb_err_set(err, SBLOG_ENOENT, name,
				    "no such topic");
			if (rc < 0)
				return sb_err_sys(err, SBLOG_EIO, rc, name,
				    "cannot open lock");
			*fdp = rc;
		}
		rc = sb_sys_lock(*fdp, t->store->lock_timeout_ms);
		if (rc == -EWOULDBLOCK)
			return sb_err_set(err, SBLOG_EBUSY, name,
			    "another process holds the lock");
		if (rc < 0)
			return sb_err_sys(err, SBLOG_EIO, rc, name,
			    "cannot lock");
		/* A lock on a file that is gone excludes nobody.  Later it
		 * can only go with the topic, and then the page goes too. */
		if (!fresh)
			return 0;
		if (sb_sys_fstat(*fdp, &st) == 0 && st.links > 0)
			return 0;
		(void)sb_sys_close(fdp);
	}
	return sb_err_set(err, SBLOG_ENOENT, name, "no such topic");
}

int
sb_topic_lock_append(struct sblog_topic *t, struct sblog_err *err)
{
	return lock_file(t, &t->lock_append, SB_NAME_LOCK_APPEND, err);
}

void
sb_topic_unlock_append(struct sblog_topic *t)
{
	sb_sys_unlock(t->lock_append);
}

int
sb_topic_lock_maint(struct sblog_topic *t, struct sblog_err *err)
{
	return lock_file(t, &t->lock_maint, SB_NAME_LOCK_MAINT, err);
}

void
sb_topic_unlock_maint(struct sblog_topic *t)
{
	sb_sys_unlock(t->lock_maint);
}

int
sb_topic_replace_manifest(struct sblog_topic *t, struct sb_manifest *m,
    struct sblog_err *err)
{
	struct sb_manifest copy = SB_MANIFEST_INIT;
	int rc;

	m->generation = t->manifest.generation + 1;
	if (sb_manifest_copy(&copy, m) < 0)
		return sb_err_nomem(err);
	/* Whoever dies from here on leaves dirty behind, and the next holder
	 * of the lock reads the manifest again. */
	sb_state_set_dirty(&t->state, true);
	if ((rc = sb_manifest_save(m, t->dirfd, err)) < 0) {
		/* The old one is still there, unless the outcome is unknown. */
		if (rc != SBLOG_EUNKNOWN)
			sb_state_set_dirty(&t->state, false);
		sb_manifest_release(&copy);
		return rc;
	}
	sb_manifest_release(&t->manifest);
	t->manifest = copy;
	t->pub.generation = copy.generation;
	sb_state_publish(&t->state, &t->pub);
	sb_state_set_dirty(&t->state, false);
	return 0;
}
