/*
 * remove.c - remove a topic, finally.
 *
 * One rename makes it disappear; deleting its files is clean-up.  Files that
 * sblog does not know are moved to lost+found of the store, never deleted.
 */
#include "log/remove.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/group.h"
#include "log/topic.h"
#include "store/lost.h"
#include "store/names.h"
#include "sys/tmp.h"

static bool
known(const char *name)
{
	static const char *const fixed[] = {
		SB_NAME_CONFIG,
		SB_NAME_MANIFEST,
		SB_NAME_STATE,
		SB_NAME_LOCK_APPEND,
		SB_NAME_LOCK_MAINT,
	};
	enum sb_name_kind kind;
	uint32_t revision;
	uint64_t base;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(name, fixed[i]) == 0)
			return true;
	return sb_name_parse(name, &kind, &base, &revision) ||
	    sb_tmp_is_name(name);
}

static bool
is_lock(const char *name)
{
	return strcmp(name, SB_NAME_LOCK_APPEND) == 0 ||
	    strcmp(name, SB_NAME_LOCK_MAINT) == 0;
}

/* Every file in lost+found of a topic was put there by recovery. */
static void
empty_lost(int dirfd)
{
	char *names = NULL;
	size_t len = 0;
	int fd = sb_sys_opendir(dirfd, SB_NAME_LOST);

	if (fd < 0)
		return;
	if (sb_sys_list(fd, &names, &len) == 0)
		for (char *n = names; n < names + len; n += strlen(n) + 1)
			if (sb_sys_unlink(fd, n) < 0)
				break;
	free(names);
	(void)sb_sys_close(&fd);
	/* Not empty after all: then it stays, and so does the topic's. */
	if (sb_sys_rmdir(dirfd, SB_NAME_LOST) < 0)
		return;
}

/* Files nobody knows go to STORE/lost+found/rm-<number>.TOPIC.NAME: the name of
 * the directory that is removed, without its dot, so that they are seen. */
static void
keep_strangers(int storefd, int dirfd, const char *topic, const char *name)
{
	char to[512];
	int lost, rc = sb_sys_mkdir(storefd, SB_NAME_LOST);

	if ((rc < 0 && rc != -EEXIST) ||
	    (lost = sb_sys_opendir(storefd, SB_NAME_LOST)) < 0)
		return;
	(void)snprintf(to, sizeof(to), "%.120s.%.130s",
	    topic[0] == '.' ? topic + 1 : topic, name);
	/* It stays where it is if it cannot be moved. */
	if (sb_sys_rename_new(dirfd, name, lost, to) == 0)
		rc = sb_sys_fsync(lost);
	(void)sb_sys_close(&lost);
}

void
sb_topic_scrap(int storefd, const char *name, const char *topic)
{
	char *names = NULL;
	size_t len = 0;
	int fd = sb_sys_opendir(storefd, name);
	int rc;

	if (fd < 0)
		return;
	/* First of all, so that a reader that misses a file sees that the topic
	 * is gone, and calls it by no other name. */
	rc = sb_sys_unlink(fd, SB_NAME_MANIFEST);
	if (rc < 0 && rc != -ENOENT)
		goto out;
	empty_lost(fd);
	sb_groups_scrap(fd);
	if (sb_sys_list(fd, &names, &len) == 0) {
		for (char *n = names; n < names + len; n += strlen(n) + 1) {
			if (!known(n))
				keep_strangers(storefd, fd, topic, n);
			else if (!is_lock(n) && sb_sys_unlink(fd, n) < 0)
				break;
		}
	}
	/* Last: whoever finds none makes one, and believes that it has it. */
	rc = sb_sys_unlink(fd, SB_NAME_LOCK_APPEND);
	if (rc == 0 || rc == -ENOENT)
		rc = sb_sys_unlink(fd, SB_NAME_LOCK_MAINT);
	free(names);
out:
	(void)sb_sys_close(&fd);
	if (sb_sys_rmdir(storefd, name) < 0)
		return; /* never listed; the next removal tries again */
}

/* What an earlier removal could not finish. */
static void
sweep(int storefd)
{
	char *names = NULL;
	size_t len = 0;

	if (sb_sys_list(storefd, &names, &len) < 0)
		return;
	for (char *n = names; n < names + len; n += strlen(n) + 1)
		if (strncmp(n, ".rm-", 4) == 0)
			sb_topic_scrap(storefd, n, n + 1);
	free(names);
}

static int
remove_locked(struct sblog_topic *t, struct sblog_err *err)
{
	struct sblog_store *store = t->store;
	uint64_t number;
	char tmp[SBLOG_NAME_MAX + 32];
	int rc;

	if ((rc = sb_sys_random(&number, sizeof(number))) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "no random bytes");
	(void)snprintf(tmp, sizeof(tmp), ".rm-%016" PRIx64 ".%s", number,
	    t->name);
	/* Handles that are open elsewhere must look again. */
	if (t->state.map != NULL)
		sb_state_set_dirty(&t->state, true);
	rc = sb_sys_rename_new(store->fd, t->name, store->fd, tmp);
	if (rc == -ENOENT) /* another one was faster, and died at it */
		return sb_err_set(err, SBLOG_ENOENT, "", "no such topic");
	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "cannot remove");
	if ((rc = sb_sys_fsync(store->fd)) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, rc, "",
		    "removed, but cannot sync the store");
	sb_topic_scrap(store->fd, tmp, t->name);
	sweep(store->fd);
	return 0;
}

int
sblog_topic_remove(struct sblog_store *store, const char *name,
    struct sblog_err *err)
{
	struct sblog_topic *t;
	int rc;

	if ((rc = sblog_topic_open(&t, store, name, SBLOG_WRITE, err)) < 0)
		return rc;
	if ((rc = sb_topic_lock_maint(t, err)) == 0) {
		if ((rc = sb_topic_lock_append(t, err)) == 0) {
			rc = remove_locked(t, err);
			sb_topic_unlock_append(t);
		}
		sb_topic_unlock_maint(t);
	}
	sblog_topic_close(t);
	return rc;
}

int
sb_topic_set_aside(int dirfd, const char *name, struct sblog_err *err)
{
	return sb_lost_move(dirfd, name, err);
}
