/*
 * maintain.c - what a topic's settings ask for: seal, drop, compact, expire.
 */
#include <string.h>

#include "base/err.h"
#include "log/compact.h"
#include "log/group.h"

static bool
has_retention(const struct sb_config *c)
{
	return c->cleanup_policy != SB_CLEANUP_COMPACT &&
	    (c->retention_time != SB_SETTING_NONE ||
		c->retention_bytes != SB_SETTING_NONE ||
		c->retention_records != SB_SETTING_NONE);
}

/* A WAL that is finished waits, or the active one is old enough. */
static int
seal_is_due(struct sblog_topic *t, bool *duep, struct sblog_err *err)
{
	uint64_t age = t->config.segment_time;
	int64_t now = sb_sys_time_us();
	struct sb_published p;
	int rc = sb_topic_peek(t, &p, err);

	*duep = false;
	if (rc < 0 || age == SB_SETTING_NONE)
		return rc;
	for (size_t i = 0; i < t->manifest.file_count; i++) {
		const struct sb_file *f = &t->manifest.files[i];
		bool active = f->kind == SBLOG_FILE_WAL_ACTIVE;
		int64_t first = active ? p.wal_time : f->first_time;
		uint64_t count = active ? p.wal_count : f->count;

		if (f->kind != SBLOG_FILE_SEGMENT && count > 0 && now > first &&
		    (uint64_t)(now - first) > age)
			*duep = true;
	}
	return 0;
}

static int
seal(struct sblog_topic *t, const struct sblog_maintain_opts *o,
    struct sblog_maintained *done, struct sblog_err *err)
{
	const struct sblog_seal_opts opts = {
		.older_us = o->seal ? 0 : t->config.segment_time,
		.dry_run = o->dry_run,
		.progress = o->progress,
		.arg = o->arg,
	};
	bool due = o->seal;
	int rc = 0;

	if (!o->seal && (!o->automatic || (rc = seal_is_due(t, &due, err)) < 0))
		return rc;
	if (!due)
		return 0;
	rc = sblog_seal(t, &opts, &done->seal, err);
	done->sealed = rc == 0;
	return rc < 0 ? rc : 0;
}

/* Asked without a lock first: mostly there is nothing. */
static int
drop(struct sblog_topic *t, const struct sblog_maintain_opts *o,
    struct sblog_maintained *done, struct sblog_err *err)
{
	struct sblog_trim_opts opts = {
		.by_policy = 1,
		.ignore_groups = o->ignore_groups,
		.dry_run = 1,
	};
	int rc;

	if (!has_retention(&t->config))
		return 0;
	rc = sblog_trim(t, &opts, &done->trim, err);
	if (rc == 0 && !o->dry_run) {
		opts.dry_run = 0;
		rc = sblog_trim(t, &opts, &done->trim, err);
	}
	done->trimmed = rc == 0;
	return rc < 0 ? rc : 0;
}

static int
compact(struct sblog_topic *t, const struct sblog_maintain_opts *o,
    struct sblog_maintained *done, struct sblog_err *err)
{
	const struct sblog_compact_opts opts = {
		.min_dirty =
		    o->min_dirty_given ? o->min_dirty : t->config.min_dirty,
		.grace_us =
		    o->grace_given ? o->grace_us : t->config.delete_retention,
		.memory = o->memory,
		.rate = o->rate,
		.dry_run = o->dry_run,
		.progress = o->progress,
		.arg = o->arg,
	};
	int rc;

	if (t->config.cleanup_policy == SB_CLEANUP_DELETE ||
	    !sb_compact_due(&t->manifest, opts.min_dirty, opts.grace_us))
		return 0;
	rc = sblog_compact(t, &opts, &done->compact, err);
	done->compacted = rc == 0;
	return rc < 0 ? rc : 0;
}

static void
count_group(void *arg, const struct sblog_group *g)
{
	struct sblog_maintained *done = arg;

	(void)g;
	done->groups++;
}

int
sblog_maintain(struct sblog_topic *t, const struct sblog_maintain_opts *opts,
    struct sblog_maintained *done, struct sblog_err *err)
{
	static const struct sblog_maintain_opts none;
	int rc;

	opts = opts ? opts : &none;
	*done = (struct sblog_maintained){ 0 };
	if (!opts->dry_run && t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	memcpy(done->hook, t->config.hook_seal, sizeof(done->hook));
	if ((rc = seal(t, opts, done, err)) < 0 ||
	    (rc = drop(t, opts, done, err)) < 0 ||
	    (rc = compact(t, opts, done, err)) < 0 ||
	    (rc = sb_groups_expire(t, opts->dry_run, count_group, done, err)) <
		0)
		return rc;
	return done->sealed || done->trimmed || done->compacted ||
		done->groups > 0
	    ? 0
	    : SBLOG_END;
}
