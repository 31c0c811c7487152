/*
 * create.c - a new topic: complete under its name, or not there at all.
 *
 * It is built in a directory whose name no topic can have, made durable there,
 * and renamed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "codec/chain.h"
#include "log/remove.h"
#include "log/topic.h"
#include "store/manifest.h"
#include "store/names.h"

static int
make_empty(int dirfd, const char *name, struct sblog_err *err)
{
	int fd = sb_sys_open(dirfd, name, SB_OPEN_NEW);

	if (fd < 0)
		return sb_err_sys(err, SBLOG_EIO, fd, name, "cannot create");
	(void)sb_sys_close(&fd); /* nothing was written */
	return 0;
}

int
sb_topic_init(int dirfd, const struct sblog_setting *set, size_t n,
    struct sblog_err *err)
{
	struct sb_manifest m = SB_MANIFEST_INIT;
	struct sb_file wal;
	int rc;

	m.generation = 1;
	m.created = sb_sys_time_us();
	if ((rc = sb_sys_random(m.topic, sizeof(m.topic))) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "no random bytes");
	if ((rc = make_empty(dirfd, SB_NAME_LOCK_APPEND, err)) < 0 ||
	    (rc = make_empty(dirfd, SB_NAME_LOCK_MAINT, err)) < 0 ||
	    (rc = sb_config_change(dirfd, set, n, false, err)) < 0 ||
	    (rc = sb_state_create(dirfd, m.topic, err)) < 0 ||
	    (rc = sb_wal_create(dirfd, m.topic, 0, SB_CHAIN_START, &wal, err)) <
		0)
		return rc;
	if (sb_manifest_insert(&m, 0, &wal) < 0)
		return sb_err_nomem(err);
	rc = sb_manifest_save(&m, dirfd, err);
	sb_manifest_release(&m);
	return rc;
}

static int
publish(struct sblog_store *store, const char *tmp, const char *name,
    struct sblog_err *err)
{
	int rc = sb_sys_rename_new(store->fd, tmp, store->fd, name);

	if (rc == -EEXIST)
		return sb_err_set(err, SBLOG_ECOND, "", "topic exists");
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "",
		    "cannot rename the new topic into place");
	if ((rc = sb_sys_fsync(store->fd)) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, rc, "",
		    "topic is there, but cannot sync the store");
	return 0;
}

int
sblog_topic_create(struct sblog_store *store, const char *name,
    const struct sblog_setting *set, size_t n, struct sblog_err *err)
{
	struct sb_stat st;
	uint64_t number;
	char tmp[32];
	int fd, rc;

	if (!sblog_name_ok(name))
		return sb_err_set(err, SBLOG_EINVAL, "", "bad topic name");
	if (store->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "store is open for reading only");
	if (sb_sys_stat(store->fd, name, &st) == 0)
		return sb_err_set(err, SBLOG_ECOND, "", "topic exists");
	if ((rc = sb_sys_random(&number, sizeof(number))) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "no random bytes");
	(void)snprintf(tmp, sizeof(tmp), ".new-%016" PRIx64, number);
	if ((rc = sb_sys_mkdir(store->fd, tmp)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "",
		    "cannot create topic");
	if ((fd = sb_sys_opendir(store->fd, tmp)) < 0) {
		rc = sb_err_sys(err, SBLOG_EIO, fd, "", "cannot create topic");
		fd = -1;
	} else {
		rc = sb_topic_init(fd, set, n, err);
	}
	if (rc == 0)
		rc = publish(store, tmp, name, err);
	if (rc < 0 && rc != SBLOG_EUNKNOWN)
		sb_topic_scrap(store->fd, tmp, name);
	(void)sb_sys_close(&fd);
	return rc;
}
