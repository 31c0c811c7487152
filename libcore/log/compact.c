/*
 * compact.c - keep the latest record of each key in the sealed segments.
 *
 * A window of segments is decided on at a time, as large as the memory for a bit
 * per record allows; neighbours that go together become groups, and each group
 * that loses something, or is made of small segments, is rewritten and swapped
 * into the manifest by itself, from the oldest to the newest: whatever is
 * interrupted, an older record never outlives the newer one that made it
 * obsolete.  sblog-internals(7), "Compaction".
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/compact.h"
#include "log/keys.h"

enum {
	MEMORY = 128 << 20,
	MEMORY_MIN = 1 << 20,
	WORKERS_MAX = 8,
	PERIODS = 8, /* of delete.retention.ms, see period() */
};

struct group {
	size_t from, to; /* segments of the manifest */
	uint64_t kept, lost, tombs;
	uint64_t period; /* of the tombstones, where there are some */
	bool clean;      /* all were compacted before */
};

void
sb_compact_pace(struct sb_compaction *c, uint64_t bytes)
{
	uint64_t due, spent;

	c->seen += bytes;
	if (c->opts->progress != NULL)
		c->opts->progress(c->opts->arg, c->seen,
		    sb_max_u64(c->total, c->seen));
	if (c->opts->rate == 0)
		return;
	due = c->seen * 1000000 / c->opts->rate;
	spent = sb_sys_monotonic_us() - c->begun;
	if (due > spent + 1000)
		sb_sys_sleep(due - spent);
}

/* ---- what to do ---- */

bool
sb_compact_due(const struct sb_manifest *m, uint64_t min_dirty,
    uint64_t grace_us)
{
	int64_t now = sb_sys_time_us();
	uint64_t dirty = 0, total = 0;

	for (size_t i = 0; i < m->file_count; i++) {
		const struct sb_file *f = &m->files[i];

		if (f->kind != SBLOG_FILE_SEGMENT)
			break;
		total += f->size;
		dirty += f->clean_time == 0 ? f->size : 0;
		/* Tombstones may be old enough. */
		if (f->clean_time > NO_TOMBSTONES &&
		    grace_us != SBLOG_NO_LIMIT && now > f->clean_time &&
		    (uint64_t)(now - f->clean_time) > grace_us)
			return true;
	}
	return dirty > 0 &&
	    (double)dirty * 1e6 >= (double)min_dirty * (double)total;
}

/* The sums before anything is done. */
static void
sum_up(struct sb_compaction *c)
{
	struct sblog_compacted *d = c->done;
	uint64_t dirty = 0;

	for (size_t i = 0; i < c->segments; i++) {
		const struct sb_file *f = &c->manifest.files[i];

		d->records_before += f->count;
		d->bytes_before += f->size;
		dirty += f->clean_time == 0 ? f->size : 0;
	}
	d->segments_before = d->segments_after = c->segments;
	d->records_after = d->records_before;
	d->bytes_after = d->bytes_before;
	c->total = 3 * d->bytes_before;
	if (d->bytes_before > 0)
		d->dirty =
		    (uint64_t)((double)dirty * 1e6 / (double)d->bytes_before);
}

/* From c->first on as many segments as a quarter of the memory has bits for. */
static int
open_window(struct sb_compaction *c, struct sblog_err *err)
{
	uint64_t room = c->opts->memory / 4 * 8, bits = 0;

	c->last = c->first;
	while (c->last < c->segments &&
	    (c->last == c->first ||
		bits + c->manifest.files[c->last].count <= room)) {
		c->bit_base[c->last] = bits;
		bits += c->manifest.files[c->last].count;
		c->kept[c->last] = c->tombs[c->last] = 0;
		c->last++;
	}
	free(c->bits);
	c->bits = calloc(bits / 64 + 1, 8);
	return c->bits == NULL ? sb_err_nomem(err) : 0;
}

/* Bytes that a segment will have, about. */
static uint64_t
estimate(const struct sb_compaction *c, size_t i)
{
	const struct sb_file *f = &c->manifest.files[i];

	return f->count == 0 ? 0
			     : (uint64_t)((double)f->size * (double)c->kept[i] /
				   (double)f->count);
}

static bool
loses(const struct sb_compaction *c, size_t i)
{
	return c->kept[i] < c->manifest.files[i].count;
}

/*
 * Tombstones that were seen in the same part of delete.retention.ms may share a
 * segment, and the time of the last of them.  Without such a bound each
 * compaction would move the time on by merging with newer ones, and they would
 * never go.
 */
static uint64_t
period(const struct sb_compaction *c, size_t i)
{
	uint64_t grace = c->topic->config.delete_retention;

	return grace == SB_SETTING_NONE
	    ? 0
	    : (uint64_t)c->manifest.files[i].clean_time / (grace / PERIODS + 1);
}

static void
add_to_group(const struct sb_compaction *c, struct group *g, size_t i)
{
	g->to = i + 1;
	if (c->tombs[i] > 0)
		g->period = period(c, i);
	g->kept += c->kept[i];
	g->tombs += c->tombs[i];
	g->lost += c->manifest.files[i].count - c->kept[i];
	g->clean = g->clean && c->manifest.files[i].clean_time != 0;
}

/* May segment i join the group?  Those that were compacted before and those that
 * were not stay apart, or tombstones would lose or gain time. */
static bool
joins(const struct sb_compaction *c, const struct group *g, uint64_t bytes,
    size_t i)
{
	const struct sb_file *f = c->manifest.files;
	uint64_t whole = c->topic->config.segment_bytes;

	return (f[i].clean_time != 0) == g->clean &&
	    (g->tombs == 0 || c->tombs[i] == 0 || period(c, i) == g->period) &&
	    f[i].next - f[g->from].base < UINT32_MAX &&
	    (loses(c, i) || estimate(c, i) < whole / 2) &&
	    bytes + estimate(c, i) <= whole;
}

/* Groups of the window, in order; *np of them. */
static void
make_groups(const struct sb_compaction *c, struct group *groups, size_t *np)
{
	uint64_t whole = c->topic->config.segment_bytes, bytes = 0;
	size_t n = 0;

	for (size_t i = c->first; i < c->last; i++) {
		bool open = n > 0 && groups[n - 1].to == i &&
		    (groups[n - 1].lost > 0 || bytes < whole / 2) &&
		    joins(c, &groups[n - 1], bytes, i);

		if (!open) {
			groups[n++] = (struct group){ .from = i,
				.to = i,
				.clean = c->manifest.files[i].clean_time != 0 };
			bytes = 0;
		}
		add_to_group(c, &groups[n - 1], i);
		bytes += estimate(c, i);
	}
	*np = n;
}

/* A segment has records: what would be empty goes to its neighbour. */
static void
merge_empty(const struct sb_compaction *c, struct group *groups, size_t *np)
{
	for (size_t i = 0; i < *np; i++) {
		size_t into = i > 0 ? i - 1 : 1;

		if (groups[i].kept > 0 || *np == 1)
			continue;
		if (into > i) { /* the next one takes it in front */
			groups[into].from = groups[i].from;
			groups[into].lost += groups[i].lost;
		} else {
			groups[into].to = groups[i].to;
			groups[into].lost += groups[i].lost;
		}
		memmove(groups + i, groups + i + 1,
		    (*np - i - 1) * sizeof(*groups));
		--*np;
		i -= i > 0;
	}
	(void)c;
}

/* ---- doing it ---- */

/* Put *file in the place of segments [from, to), or with file NULL only mark
 * them as compacted. */
static int
swap(struct sb_compaction *c, const struct group *g, const struct sb_file *file,
    struct sblog_err *err)
{
	const struct sb_file *f = c->manifest.files;
	struct sblog_topic *t = c->topic;
	struct sb_manifest m = SB_MANIFEST_INIT;
	size_t i = 0, n = g->to - g->from;
	int rc;

	if ((rc = sb_topic_lock_append(t, err)) < 0)
		return rc;
	if ((rc = sb_topic_validate(t, err)) == 0 &&
	    sb_manifest_copy(&m, &t->manifest) < 0)
		rc = sb_err_nomem(err);
	while (
	    rc == 0 && i < m.file_count && m.files[i].base != f[g->from].base)
		i++;
	if (rc == 0 &&
	    (i + n > m.file_count ||
		m.files[i + n - 1].next != f[g->to - 1].next))
		rc = sb_err_set(err, SBLOG_EUNKNOWN, "manifest",
		    "the segments that were compacted are gone");
	if (rc == 0 && file != NULL) {
		for (size_t k = 1; k < n; k++)
			sb_manifest_remove(&m, i + 1);
		m.files[i] = *file;
	} else if (rc == 0) {
		for (size_t k = 0; k < n; k++)
			m.files[i + k].clean_time =
			    g->tombs > 0 ? c->now : NO_TOMBSTONES;
	}
	if (rc == 0)
		rc = sb_topic_replace_manifest(t, &m, err);
	sb_topic_unlock_append(t);
	sb_manifest_release(&m);
	return rc;
}

static int
do_group(struct sb_compaction *c, const struct group *g, struct sblog_err *err)
{
	struct sblog_compacted *d = c->done;
	struct sblog_err ignored;
	struct sb_file file;
	int rc;

	if (g->lost == 0 && g->to - g->from == 1) {
		const struct sb_file *f = &c->manifest.files[g->from];

		/* As it is; the tombstones in it are seen from now on. */
		if (f->clean_time == 0 ||
		    (g->tombs == 0 && f->clean_time != NO_TOMBSTONES))
			return swap(c, g, NULL, err);
		return 0;
	}
	if ((rc = sb_compact_rewrite(c, g->from, g->to, &file, err)) < 0)
		return rc;
	if ((rc = swap(c, g, &file, err)) < 0)
		return rc;
	d->rewritten++;
	d->segments_after -= g->to - g->from - 1;
	d->records_after -= g->lost;
	d->bytes_after += file.size;
	if (c->topic->config.index_keys != SB_INDEX_KEYS_NO &&
	    sb_keys_build(c->topic, &file, &ignored) < 0)
		rc = 0; /* derivable */
	for (size_t i = g->from; i < g->to; i++) {
		d->bytes_after -= c->manifest.files[i].size;
		sb_topic_unlink(c->topic, &c->manifest.files[i]);
	}
	return 0;
}

static int
do_window(struct sb_compaction *c, struct sblog_err *err)
{
	struct group *groups;
	size_t n = 0;
	int rc;

	if ((rc = open_window(c, err)) < 0 ||
	    (rc = sb_compact_decide(c, err)) < 0)
		return rc;
	groups = calloc(c->last - c->first + 1, sizeof(*groups));
	if (groups == NULL)
		return sb_err_nomem(err);
	make_groups(c, groups, &n);
	merge_empty(c, groups, &n);
	if (n == 1 && groups[0].kept == 0) {
		/* Nothing would be left: the last record stays. */
		sb_compact_keep_last(c);
		groups[0].kept++;
		groups[0].lost--;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (c->opts->dry_run)
			c->done->records_after -= groups[i].lost;
		else
			rc = do_group(c, &groups[i], err);
	}
	free(groups);
	return rc;
}

static int
do_all(struct sb_compaction *c, struct sblog_err *err)
{
	size_t n = c->segments + 1;
	int rc = 0;

	c->bit_base = calloc(n, sizeof(*c->bit_base));
	c->kept = calloc(n, sizeof(*c->kept));
	c->tombs = calloc(n, sizeof(*c->tombs));
	if (c->bit_base == NULL || c->kept == NULL || c->tombs == NULL)
		rc = sb_err_nomem(err);
	for (; rc == 0 && c->first < c->segments; c->first = c->last)
		rc = do_window(c, err);
	free(c->bits);
	free(c->bit_base);
	free(c->kept);
	free(c->tombs);
	return rc;
}

/* A copy of the manifest; what an earlier one left is removed on the way. */
static int
begin(struct sb_compaction *c, struct sblog_err *err)
{
	struct sblog_topic *t = c->topic;
	int rc = 0;

	if (c->opts->dry_run) {
		rc = sb_topic_reload(t, err);
	} else if ((rc = sb_topic_lock_append(t, err)) == 0) {
		if ((rc = sb_topic_validate(t, err)) == 0)
			sb_topic_sweep(t);
		sb_topic_unlock_append(t);
	}
	if (rc == 0 && sb_manifest_copy(&c->manifest, &t->manifest) < 0)
		rc = sb_err_nomem(err);
	if (rc < 0)
		return rc;
	c->start = c->manifest.start;
	while (c->segments < c->manifest.file_count &&
	    c->manifest.files[c->segments].kind == SBLOG_FILE_SEGMENT)
		c->segments++;
	return 0;
}

int
sblog_compact(struct sblog_topic *t, const struct sblog_compact_opts *opts,
    struct sblog_compacted *done, struct sblog_err *err)
{
	struct sblog_compact_opts o = { 0 };
	struct sb_compaction c = {
		.topic = t,
		.opts = &o,
		.done = done,
		.manifest = SB_MANIFEST_INIT,
		.now = sb_sys_time_us(),
		.begun = sb_sys_monotonic_us(),
	};
	int rc;

	*done = (struct sblog_compacted){ 0 };
	if (opts != NULL)
		o = *opts;
	if (o.by_policy) {
		o.min_dirty = t->config.min_dirty;
		o.grace_us = t->config.delete_retention;
	}
	o.memory = o.memory == 0 ? MEMORY : sb_max_u64(o.memory, MEMORY_MIN);
	o.threads = o.threads ? o.threads : sb_sys_processors();
	o.threads = o.threads > WORKERS_MAX ? WORKERS_MAX : o.threads;
	if (!o.dry_run && t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	if (!o.dry_run && (rc = sb_topic_lock_maint(t, err)) < 0)
		return rc;
	rc = begin(&c, err);
	if (rc == 0) {
		sum_up(&c);
		rc = sb_compact_due(&c.manifest, o.min_dirty, o.grace_us)
		    ? do_all(&c, err)
		    : SBLOG_END;
	}
	if (!o.dry_run)
		sb_topic_unlock_maint(t);
	sb_manifest_release(&c.manifest);
	return rc;
}
