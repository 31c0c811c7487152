/*
 * trim.c - remove the oldest records: by offset, age, size or number.
 *
 * The new manifest is durable before a file of records is unlinked.  Where the
 * disk has no room left for it, indexes go first: they can be made again.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/group.h"
#include "log/reader.h"
#include "log/topic.h"
#include "store/names.h"

struct trimming {
	struct sblog_topic *topic;
	const struct sblog_trim_opts *opts;
	struct sblog_trimmed *done;
	struct sb_published pub;
	uint64_t start; /* first offset that stays */
};

static uint64_t
end_of(const struct trimming *x, const struct sb_file *f)
{
	return f->kind == SBLOG_FILE_WAL_ACTIVE ? x->pub.end : f->next;
}

static void
raise(struct trimming *x, uint64_t start)
{
	x->start = sb_max_u64(x->start, sb_min_u64(start, x->pub.end));
}

/* What is older than this: exactly, or whole files of which all is. */
static int
by_age(struct trimming *x, uint64_t age_us, bool whole, struct sblog_err *err)
{
	const struct sb_manifest *m = &x->topic->manifest;
	int64_t now = sb_sys_time_us(), before;
	uint64_t offset = 0;
	int rc;

	before = age_us > (uint64_t)now ? 0 : now - (int64_t)age_us;
	if (!whole) {
		if ((rc = sblog_find_time(x->topic, before, &offset, err)) < 0)
			return rc;
		raise(x, offset);
		return 0;
	}
	for (size_t i = 0; i + 1 < m->file_count; i++) {
		if (m->files[i].last_time >= before)
			break;
		raise(x, m->files[i].next);
	}
	return 0;
}

/* Oldest files over a number of bytes. */
static void
by_bytes(struct trimming *x, uint64_t keep)
{
	const struct sb_manifest *m = &x->topic->manifest;
	uint64_t total = x->pub.pos;
	size_t i = 0;

	for (size_t j = 0; j + 1 < m->file_count; j++)
		total += m->files[j].size;
	for (; i + 1 < m->file_count && total > keep; i++) {
		total -= m->files[i].size;
		raise(x, m->files[i].next);
	}
}

/* Oldest records over a number: the exact one, or whole files. */
static void
by_records(struct trimming *x, uint64_t keep, bool whole)
{
	const struct sb_manifest *m = &x->topic->manifest;
	uint64_t total = x->pub.wal_count;

	for (size_t j = 0; j + 1 < m->file_count; j++)
		total += m->files[j].count;
	for (size_t i = 0; i < m->file_count && total > keep; i++) {
		const struct sb_file *f = &m->files[i];
		bool active = f->kind == SBLOG_FILE_WAL_ACTIVE;
		uint64_t count = active ? x->pub.wal_count : f->count;

		if (total - count < keep || active) {
			/* Part of it; where it has holes, a little less. */
			if (!whole)
				raise(x, f->base + (total - keep));
			break;
		}
		total -= count;
		raise(x, f->next);
	}
}

static int
find_start(struct trimming *x, struct sblog_err *err)
{
	const struct sblog_trim_opts *o = x->opts;
	const struct sb_config *c = &x->topic->config;
	int rc = 0;

	x->start = x->topic->manifest.start;
	if (o->before > x->pub.end) {
		(void)sb_err_set(err, SBLOG_ENOENT, "",
		    "no such offset; the end is %llu",
		    (unsigned long long)x->pub.end);
		err->offset = o->before;
		return SBLOG_ENOENT;
	}
	raise(x, o->before);
	if (o->keep_age_us != 0)
		rc = by_age(x, o->keep_age_us, o->whole_files, err);
	if (rc == 0 && o->by_policy && c->retention_time != SB_SETTING_NONE)
		rc = by_age(x, c->retention_time, true, err);
	if (o->keep_bytes != 0)
		by_bytes(x, o->keep_bytes);
	if (o->by_policy && c->retention_bytes != SB_SETTING_NONE)
		by_bytes(x, c->retention_bytes);
	if (o->keep_records != 0)
		by_records(x, o->keep_records, o->whole_files);
	if (o->by_policy && c->retention_records != SB_SETTING_NONE)
		by_records(x, c->retention_records, true);
	return rc;
}

/* Groups that are not parked keep what they have not read. */
static int
ask_groups(struct trimming *x, struct sblog_err *err)
{
	struct sblog_topic *t = x->topic;
	uint64_t floor;
	int rc;

	if (x->opts->ignore_groups ||
	    (x->opts->by_policy && !t->config.retention_groups))
		return 0;
	rc = sb_groups_floor(t, &floor, x->done->group, err);
	if (rc == SBLOG_END || (rc == 0 && floor >= x->start)) {
		x->done->group[0] = '\0';
		return 0;
	}
	if (rc < 0)
		return rc;
	if (!x->opts->by_policy) {
		(void)sb_err_set(err, SBLOG_ECOND, "",
		    "group %.100s has read only up to %llu", x->done->group,
		    (unsigned long long)floor);
		err->offset = floor;
		return SBLOG_ECOND;
	}
	x->start = sb_max_u64(t->manifest.start, floor);
	return 0;
}

/* What goes: files wholly before the start; the active WAL never does. */
static size_t
count_out(struct trimming *x)
{
	const struct sb_manifest *m = &x->topic->manifest;
	size_t n = 0;

	while (n + 1 < m->file_count && end_of(x, &m->files[n]) <= x->start) {
		x->done->records += m->files[n].count;
		x->done->bytes += m->files[n].size;
		n++;
	}
	x->done->files = n;
	x->done->start = x->start;
	return n;
}

/* Room for a manifest on a full disk: indexes of what goes, or of the oldest. */
static void
make_room(struct sblog_topic *t, size_t out)
{
	static const enum sb_name_kind kinds[] = { SB_NAME_INDEX, SB_NAME_KEYS,
		SB_NAME_WINDEX };
	char name[SB_FILE_NAME_SIZE];

	for (size_t i = 0; i < out || i == 0; i++) {
		const struct sb_file *f = &t->manifest.files[i];

		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			sb_name_format(name, kinds[k], f->base, f->revision);
			if (sb_sys_unlink(t->dirfd, name) < 0)
				continue; /* not every file has every kind */
		}
	}
}

/* lock.maint and lock.append are held. */
static int
apply(struct trimming *x, size_t out, struct sblog_err *err)
{
	struct sblog_topic *t = x->topic;
	struct sb_manifest m = SB_MANIFEST_INIT, old = SB_MANIFEST_INIT;
	int rc = SBLOG_ENOMEM;

	if (sb_manifest_copy(&m, &t->manifest) < 0 ||
	    sb_manifest_copy(&old, &t->manifest) < 0) {
		(void)sb_err_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < out; i++)
		sb_manifest_remove(&m, 0);
	m.start = x->start;
	/* Damage in what is gone is no damage any more. */
	while (m.lost_count > 0 && m.lost[0].to <= m.start) {
		m.lost_count--;
		memmove(m.lost, m.lost + 1, m.lost_count * sizeof(*m.lost));
	}
	rc = sb_topic_replace_manifest(t, &m, err);
	if (rc == SBLOG_EIO && (err->sys == ENOSPC || err->sys == EDQUOT)) {
		make_room(t, out);
		rc = sb_topic_replace_manifest(t, &m, err);
	}
	if (rc < 0)
		goto out;
	sb_state_wake(&t->state);
	for (size_t i = 0; i < out; i++)
		sb_topic_unlink(t, &old.files[i]);
out:
	sb_manifest_release(&m);
	sb_manifest_release(&old);
	return rc;
}

static int
trim_locked(struct trimming *x, struct sblog_err *err)
{
	struct sblog_topic *t = x->topic;
	size_t out;
	int rc;

	if (x->opts->dry_run) {
		if ((rc = sb_topic_peek(t, &x->pub, err)) < 0)
			return rc;
	} else {
		if ((rc = sb_topic_validate(t, err)) < 0)
			return rc;
		sb_topic_sweep(t);
		x->pub = t->pub;
	}
	if ((rc = find_start(x, err)) < 0 || (rc = ask_groups(x, err)) < 0)
		return rc;
	out = count_out(x);
	if (x->start == t->manifest.start && out == 0)
		return SBLOG_END;
	return x->opts->dry_run ? 0 : apply(x, out, err);
}

int
sblog_trim(struct sblog_topic *t, const struct sblog_trim_opts *opts,
    struct sblog_trimmed *done, struct sblog_err *err)
{
	static const struct sblog_trim_opts none;
	struct trimming x = {
		.topic = t,
		.opts = opts ? opts : &none,
		.done = done,
	};
	int rc;

	*done = (struct sblog_trimmed){ 0 };
	if (x.opts->dry_run)
		return trim_locked(&x, err);
	if (t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	if ((rc = sb_topic_lock_maint(t, err)) < 0)
		return rc;
	if ((rc = sb_topic_lock_append(t, err)) == 0) {
		rc = trim_locked(&x, err);
		sb_topic_unlock_append(t);
	}
	sb_topic_unlock_maint(t);
	return rc;
}
