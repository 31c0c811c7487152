/*
 * verify_group.c - are files of consumer groups what was written, and is the log
 * still the one that they speak of?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/group.h"
#include "log/verify.h"
#include "store/names.h"
#include "sys/tmp.h"

static void
tell_at(struct sb_verify *j, const char *kind, const char *file, uint64_t pos,
    uint64_t offset, bool damage, const char *msg)
{
	const struct sblog_finding f = {
		.kind = kind,
		.file = file,
		.pos = pos,
		.first = offset,
		.next = SBLOG_NO_OFFSET,
		.msg = msg,
		.damage = damage,
	};

	sb_verify_report(j, &f);
}

/* Its records before the committed offset. */
static int
check_log(struct sb_verify *j, const char *name, const char *path,
    struct sblog_err *err)
{
	struct sblog_group g;
	int rc = sblog_group_get(j->topic, name, &g, err);

	/* Gone meanwhile; or a shard is damaged, which is told of its file. */
	if (rc == SBLOG_ENOENT || rc == SBLOG_EDAMAGE)
		return 0;
	if (rc < 0)
		return rc;
	rc = sblog_group_check(j->topic, &g, err);
	if (rc != SBLOG_EDAMAGE)
		return rc;
	/* What cannot be read is told of the records. */
	if (err->file[0] == '\0')
		tell_at(j, "damage", path, UINT64_MAX, g.committed, true,
		    err->msg);
	return 0;
}

static int
check_file(struct sb_verify *j, int dirfd, const char *name, bool shard,
    struct sblog_err *err)
{
	char path[SB_GROUP_NAME_SIZE + 8];
	struct sb_group_state s;
	struct sb_group_file f;
	int rc;

	(void)snprintf(path, sizeof(path), SB_NAME_GROUPS "/%.230s", name);
	rc = sb_group_open(&f, dirfd, name, j->manifest.topic, false, err);
	if (rc != 0) /* gone meanwhile, or no file */
		return rc == SBLOG_END ? 0 : rc;
	rc = sb_group_read(&f, &s, err);
	if (rc == SBLOG_EDAMAGE)
		tell_at(j, "damage", path, err->pos, SBLOG_NO_OFFSET, true,
		    err->msg);
	else if (rc == 0 && s.slots.damaged)
		tell_at(j, "torn", path, s.slots.damaged_pos, SBLOG_NO_OFFSET,
		    false, "one of the last two commits; the other serves");
	sb_group_close(&f);
	if (rc == SBLOG_EDAMAGE)
		return 0;
	return rc < 0 || shard ? rc : check_log(j, name, path, err);
}

int
sb_verify_groups(struct sb_verify *j, struct sblog_err *err)
{
	char group[SBLOG_NAME_MAX + 1], path[SB_GROUP_NAME_SIZE + 8];
	uint32_t shard, shards;
	char *names = NULL;
	size_t len = 0;
	int fd, rc;

	if ((rc = sb_group_dir(j->topic->dirfd, false, &fd, err)) != 0)
		return rc == SBLOG_END ? 0 : rc;
	if ((rc = sb_sys_list(fd, &names, &len)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, SB_NAME_GROUPS,
		    "cannot list directory");
	for (char *n = names; rc == 0 && n < names + len; n += strlen(n) + 1) {
		if (sb_group_name_parse(n, group, &shard, &shards)) {
			rc = check_file(j, fd, n, shards > 0, err);
			continue;
		}
		(void)snprintf(path, sizeof(path), SB_NAME_GROUPS "/%.220s", n);
		sb_verify_tell(j, "orphan", path, false,
		    sb_tmp_is_name(n) ? "left over by a crash"
				      : "not a file of sblog");
	}
	free(names);
	(void)sb_sys_close(&fd); /* a directory: nothing unwritten */
	return rc;
}
