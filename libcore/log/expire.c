/*
 * expire.c - what consumer groups mean to recovery, retention and removal.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/group.h"
#include "store/names.h"
#include "sys/tmp.h"

int
sb_groups_floor(struct sblog_topic *t, uint64_t *offsetp,
    char name[static SBLOG_NAME_MAX + 1], struct sblog_err *err)
{
	uint64_t lowest = SBLOG_NO_OFFSET;
	struct sblog_group g;
	int rc;

	for (size_t i = 0; (rc = sblog_group_at(t, i, &g, err)) == 0; i++) {
		if (g.parked || g.committed >= lowest)
			continue;
		lowest = g.committed;
		memcpy(name, g.name, sizeof(g.name));
	}
	if (rc < 0)
		return rc;
	if (lowest == SBLOG_NO_OFFSET)
		return SBLOG_END;
	*offsetp = lowest;
	return 0;
}

int
sb_groups_durable(struct sblog_topic *t, uint64_t *offsetp,
    struct sblog_err *err)
{
	char *names = NULL, group[SBLOG_NAME_MAX + 1];
	struct sb_group_state s;
	struct sb_group_file f;
	uint32_t shard, shards;
	size_t len = 0;
	int fd, rc;

	*offsetp = 0;
	if ((rc = sb_group_dir(t->dirfd, false, &fd, err)) != 0)
		return rc == SBLOG_END ? 0 : rc;
	if ((rc = sb_sys_list(fd, &names, &len)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot list directory");
	for (char *n = names; rc == 0 && n < names + len; n += strlen(n) + 1) {
		/* What cannot be opened or believed says nothing. */
		if (!sb_group_name_parse(n, group, &shard, &shards) ||
		    sb_group_open(&f, fd, n, t->manifest.topic, false, err) !=
			0)
			continue;
		if (sb_group_read(&f, &s, err) == 0 &&
		    !(s.slots.now.flags & SB_SLOT_UNDURABLE))
			*offsetp = sb_max_u64(*offsetp, s.slots.now.offset);
		sb_group_close(&f);
	}
	free(names);
	(void)sb_sys_close(&fd); /* a directory: nothing unwritten */
	return rc;
}

int
sb_groups_expire(struct sblog_topic *t, bool dry_run, sb_group_gone_fn gone,
    void *arg, struct sblog_err *err)
{
	uint64_t older = t->config.group_retention;
	struct sblog_group g;
	int rc;

	if (older == SB_SETTING_NONE)
		return 0;
	for (size_t i = 0;; i++) {
		rc = sblog_group_at(t, i, &g, err);
		if (rc == SBLOG_EDAMAGE)
			continue; /* what is not known does not go */
		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (g.parked || sb_sys_time_us() - g.time_us <= (int64_t)older)
			continue;
		rc = sb_group_remove(t, g.name, older, dry_run, err);
		if (rc == 0 && gone != NULL)
			gone(arg, &g);
		/* Used again, or removed, meanwhile; or somebody waits for
		 * records. */
		if (rc < 0 && rc != SBLOG_ECOND && rc != SBLOG_ENOENT)
			return rc;
	}
}

void
sb_groups_tidy(struct sblog_topic *t)
{
	struct sblog_err ignored;
	char *names = NULL;
	size_t len = 0;
	int fd;

	if (sb_group_dir(t->dirfd, false, &fd, &ignored) != 0)
		return;
	/* Under the lock of those who make them: then they are of nobody. */
	if (sb_sys_lock(fd, 0) == 0) {
		if (sb_sys_list(fd, &names, &len) == 0)
			for (char *n = names; n < names + len;
			     n += strlen(n) + 1)
				if (sb_tmp_is_name(n) &&
				    sb_sys_unlink(fd, n) < 0)
					break;
		sb_sys_unlock(fd);
	}
	free(names);
	(void)sb_sys_close(&fd); /* a directory: nothing unwritten */
}

void
sb_groups_scrap(int dirfd)
{
	char *names = NULL, group[SBLOG_NAME_MAX + 1];
	struct sblog_err ignored;
	uint32_t shard, shards;
	size_t len = 0;
	int fd;

	if (sb_group_dir(dirfd, false, &fd, &ignored) != 0)
		return;
	if (sb_sys_list(fd, &names, &len) == 0)
		for (char *n = names; n < names + len; n += strlen(n) + 1)
			if ((sb_group_name_parse(n, group, &shard, &shards) ||
				sb_tmp_is_name(n)) &&
			    sb_sys_unlink(fd, n) < 0)
				break;
	free(names);
	(void)sb_sys_close(&fd);
	/* Not empty after all: then it is kept as it is. */
	if (sb_sys_rmdir(dirfd, SB_NAME_GROUPS) < 0)
		return;
}
