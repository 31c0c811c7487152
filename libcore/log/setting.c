/*
 * setting.c - look at settings, and change them.
 */
#include <errno.h>

#include "base/err.h"
#include "log/topic.h"

int
sblog_setting_at(struct sblog_store *store, struct sblog_topic *topic, size_t i,
    struct sblog_setting *setting, enum sblog_setting_origin *originp,
    struct sblog_err *err)
{
	struct sb_config config;
	const char *name;
	int rc;

	rc = sb_config_load(&config, store->fd, topic ? topic->dirfd : -1, err);
	if (rc < 0)
		return rc;
	if (!sb_config_at(&config, i, &name, store->setting_text, originp))
		return SBLOG_END;
	setting->name = name;
	setting->value = store->setting_text;
	return 0;
}

/* The settings of the store have no lock file: the directory is locked. */
static int
change_store(struct sblog_store *store, const struct sblog_setting *set,
    size_t n, struct sblog_err *err)
{
	int rc = sb_sys_lock(store->fd, store->lock_timeout_ms);

	if (rc == -EWOULDBLOCK)
		return sb_err_set(err, SBLOG_EBUSY, "",
		    "another process changes the settings of the store");
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "cannot lock");
	rc = sb_config_change(store->fd, set, n, false, err);
	sb_sys_unlock(store->fd);
	return rc;
}

int
sblog_setting_set(struct sblog_store *store, struct sblog_topic *topic,
    const struct sblog_setting *set, size_t n, bool dry_run,
    struct sblog_err *err)
{
	int rc;

	if (topic == NULL && dry_run)
		return sb_config_change(store->fd, set, n, true, err);
	if (topic == NULL)
		return change_store(store, set, n, err);
	if (dry_run)
		return sb_config_change(topic->dirfd, set, n, true, err);
	if ((rc = sb_topic_lock_maint(topic, err)) < 0)
		return rc;
	rc = sb_config_change(topic->dirfd, set, n, false, err);
	sb_topic_unlock_maint(topic);
	if (rc < 0)
		return rc;
	return sb_config_load(&topic->config, store->fd, topic->dirfd, err);
}
