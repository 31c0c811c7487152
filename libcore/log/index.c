/*
 * index.c - build, check and drop the indexes of a topic.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "log/keys.h"
#include "log/topic.h"
#include "store/names.h"
#include "sys/tmp.h"

struct indexing {
	struct sblog_topic *topic;
	enum sblog_index_mode mode;
	bool dry_run;
	struct sblog_indexed *done;
	struct sb_published pub;
};

static uint64_t
size_of(struct sblog_topic *t, enum sb_name_kind kind, const struct sb_file *f)
{
	char name[SB_FILE_NAME_SIZE];
	struct sb_stat st;

	sb_name_format(name, kind, f->base, f->revision);
	return sb_sys_stat(t->dirfd, name, &st) == 0 ? st.size : 0;
}

/* One entry for each batch; of a WAL one for each step. */
static int
collect(struct sb_source *s, uint64_t step, uint64_t end, struct sb_buf *out,
    struct sblog_err *err)
{
	uint64_t pos = s->start, last = 0, expected = s->file.base;
	struct sb_batch head;
	int rc = 0;

	while (
	    expected < end && (rc = sb_source_head(s, pos, &head, err)) == 0) {
		const struct sb_index_entry e = { head.base, pos,
			head.base_time };

		if (pos - last >= step) {
			if (sb_buf_add(out, &e, sizeof(e)) < 0)
				return sb_err_nomem(err);
			last = pos;
		}
		pos += head.total_size;
		expected = head.next;
	}
	return rc < 0 ? rc : 0;
}

static bool
same(const struct sb_index *ix, const struct sb_buf *entries)
{
	uint64_t n = entries->len / sizeof(struct sb_index_entry);
	const struct sb_index_entry *e =
	    (const struct sb_index_entry *)(const void *)entries->data;

	if (ix->count != n)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		struct sb_index_entry got = sb_index_at(ix, i);

		if (got.offset != e[i].offset || got.pos != e[i].pos ||
		    got.time != e[i].time)
			return false;
	}
	return true;
}

/* Does the WAL's index, as far as it goes, agree with the WAL? */
static bool
windex_good(struct sb_source *s, const struct sb_file *f, int dirfd)
{
	struct sb_index_entry e;
	struct sblog_err ignored;
	struct sb_batch head;

	if (!sb_windex_find(dirfd, f, false, UINT64_MAX >> 1, &e))
		return s->limit < s->start + SB_WINDEX_STEP;
	return sb_source_head(s, e.pos, &head, &ignored) == 0 &&
	    head.base == e.offset && head.base_time == e.time &&
	    s->limit - e.pos < UINT64_C(4) * SB_WINDEX_STEP;
}

/* Write a WAL's index anew; for a finished WAL only, appenders keep the other. */
static int
save_windex(struct indexing *x, const struct sb_file *f,
    const struct sb_buf *entries, struct sblog_err *err)
{
	uint64_t n = entries->len / sizeof(struct sb_index_entry);
	const struct sb_index_entry *e =
	    (const struct sb_index_entry *)(const void *)entries->data;
	uint8_t bytes[SB_FILE_HEAD_SIZE];
	struct sb_tmp file = SB_TMP_INIT;
	struct sb_buf out = SB_BUF_INIT;
	char name[SB_FILE_NAME_SIZE];
	int rc;

	sb_name_format(name, SB_NAME_WINDEX, f->base, 0);
	sb_windex_head(f, x->topic->manifest.topic, bytes);
	rc = sb_buf_add(&out, bytes, SB_FILE_HEAD_SIZE);
	for (uint64_t i = 0; i < n && rc == 0; i++) {
		sb_windex_encode(&e[i], i, f->salt, bytes);
		rc = sb_buf_add(&out, bytes, SB_WINDEX_ENTRY_SIZE);
	}
	if (rc < 0) {
		rc = sb_err_nomem(err);
	} else if ((rc = sb_tmp_create(&file, x->topic->dirfd, name, err)) ==
		0 &&
	    (rc = sb_tmp_write(&file, sb_buf_bytes(&out), 0, err)) == 0) {
		rc = sb_tmp_commit(&file, SB_TMP_REPLACE, err);
	}
	sb_tmp_discard(&file);
	sb_buf_release(&out);
	return rc;
}

static int
drop(struct indexing *x, const struct sb_file *f, enum sb_name_kind kind,
    struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];
	int rc;

	if (size_of(x->topic, kind, f) == 0)
		return 0;
	sb_name_format(name, kind, f->base, f->revision);
	if (!x->dry_run && (rc = sb_sys_unlink(x->topic->dirfd, name)) < 0 &&
	    rc != -ENOENT)
		return sb_err_sys(err, SBLOG_EIO, rc, name, "cannot remove");
	x->done->dropped++;
	return 0;
}

/* The keys of a segment; one without keys needs no index of them. */
static int
index_keys(struct indexing *x, const struct sb_file *f, struct sb_source *s,
    struct sblog_err *err)
{
	struct sblog_topic *t = x->topic;
	bool there = size_of(t, SB_NAME_KEYS, f) > 0;
	enum sb_keys_state state;
	int rc;

	if (t->config.index_keys == SB_INDEX_KEYS_NO ||
	    (rc = sb_keys_check(t, s, &state, err)) == SBLOG_EDAMAGE)
		return 0;
	if (rc < 0)
		return rc;
	if (state == SB_KEYS_GOOD) {
		x->done->good += there;
		return 0;
	}
	if (state == SB_KEYS_MISSING)
		x->done->missing++;
	else
		x->done->stale++;
	if (x->mode == SBLOG_INDEX_CHECK)
		return 0;
	if (!x->dry_run && (rc = sb_keys_build(t, f, err)) < 0)
		return rc;
	x->done->built++;
	return 0;
}

static int
index_segment(struct indexing *x, const struct sb_file *f, struct sb_source *s,
    struct sblog_err *err)
{
	struct sblog_topic *t = x->topic;
	struct sb_buf entries = SB_BUF_INIT;
	struct sb_index ix = SB_INDEX_INIT;
	struct sblog_err why;
	bool good;
	int rc, opened;

	if ((rc = collect(s, 0, f->next, &entries, err)) < 0)
		goto out;
	opened =
	    sb_index_open(&ix, t->dirfd, f, t->manifest.topic, &t->cpu, &why);
	good = opened == 0 && same(&ix, &entries);
	if (good)
		x->done->good++;
	else if (opened == SBLOG_ENOENT)
		x->done->missing++;
	else
		x->done->stale++;
	if (good || x->mode == SBLOG_INDEX_CHECK)
		goto out;
	if (!x->dry_run &&
	    (rc = sb_index_save(t->dirfd, f, t->manifest.topic,
		 (const struct sb_index_entry *)(const void *)entries.data,
		 entries.len / sizeof(struct sb_index_entry), &t->cpu, err)) <
		0)
		goto out;
	x->done->built++;
out:
	sb_index_close(&ix);
	sb_buf_release(&entries);
	return rc;
}

static int
index_wal(struct indexing *x, const struct sb_file *f, struct sb_source *s,
    struct sblog_err *err)
{
	bool active = f->kind == SBLOG_FILE_WAL_ACTIVE;
	struct sb_buf entries = SB_BUF_INIT;
	int rc = 0;

	if (windex_good(s, f, x->topic->dirfd)) {
		x->done->good++;
		return 0;
	}
	if (size_of(x->topic, SB_NAME_WINDEX, f) == 0)
		x->done->missing++;
	else
		x->done->stale++;
	if (x->mode == SBLOG_INDEX_CHECK)
		return 0;
	if (!x->dry_run) {
		rc = collect(s, SB_WINDEX_STEP, active ? x->pub.end : f->next,
		    &entries, err);
		if (rc == 0)
			rc = save_windex(x, f, &entries, err);
	}
	if (rc == 0)
		x->done->built++;
	sb_buf_release(&entries);
	return rc;
}

static int
index_file(struct indexing *x, const struct sb_file *f, struct sblog_err *err)
{
	bool segment = f->kind == SBLOG_FILE_SEGMENT;
	enum sb_name_kind kind = segment ? SB_NAME_INDEX : SB_NAME_WINDEX;
	struct sb_source s = SB_SOURCE_INIT;
	int rc;

	if (x->mode == SBLOG_INDEX_DROP) {
		rc = drop(x, f, segment ? SB_NAME_KEYS : SB_NAME_KEYTAB, err);
		return rc < 0 ? rc : drop(x, f, kind, err);
	}
	rc = sb_source_open(&s, x->topic->dirfd, f, x->topic->manifest.topic,
	    x->pub.pos, err);
	if (rc == SBLOG_ENOENT)
		return sb_err_damage(err, s.name, UINT64_MAX, f->base,
		    segment ? f->next : x->pub.end, "file is missing");
	if (rc < 0)
		return rc;
	rc = segment ? index_segment(x, f, &s, err) : index_wal(x, f, &s, err);
	if (rc == 0 && segment)
		rc = index_keys(x, f, &s, err);
	if (rc == SBLOG_EDAMAGE && err->offset == SBLOG_NO_OFFSET) {
		err->offset = f->base;
		err->end = segment ? f->next : x->pub.end;
	}
	sb_source_close(&s);
	x->done->bytes += size_of(x->topic, kind, f) +
	    (segment ? size_of(x->topic, SB_NAME_KEYS, f) : 0);
	return rc;
}

static int
index_locked(struct indexing *x, struct sblog_err *err)
{
	struct sblog_topic *t = x->topic;
	int rc;

	if ((rc = sb_topic_peek(t, &x->pub, err)) < 0)
		return rc;
	for (size_t i = 0; i < t->manifest.file_count && rc == 0; i++)
		rc = index_file(x, &t->manifest.files[i], err);
	return rc;
}

int
sblog_index(struct sblog_topic *t, enum sblog_index_mode mode, bool dry_run,
    struct sblog_indexed *done, struct sblog_err *err)
{
	struct indexing x = {
		.topic = t,
		.mode = mode,
		.dry_run = dry_run,
		.done = done,
	};
	bool lock = !dry_run && mode != SBLOG_INDEX_CHECK;
	bool held = false;
	int rc;

	*done = (struct sblog_indexed){ 0 };
	if (lock && t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	if (lock && (rc = sb_topic_lock_maint(t, err)) < 0)
		return rc;
	/* The index of the active WAL belongs to the appenders: their
	 * handles must open the new one, so they are kept out meanwhile. */
	rc = lock ? sb_topic_lock_append(t, err) : 0;
	if (lock && rc == 0) {
		held = true;
		rc = sb_topic_validate(t, err);
	}
	if (rc == 0)
		rc = index_locked(&x, err);
	if (held && rc == 0 && mode == SBLOG_INDEX_BUILD)
		sb_keys_refresh(t);
	if (held) {
		struct sb_manifest same_files = SB_MANIFEST_INIT;

		/* A new generation makes every handle look again. */
		if (rc == 0 && done->built + done->dropped > 0 &&
		    sb_manifest_copy(&same_files, &t->manifest) == 0) {
			sb_wal_close(&t->wal);
			sb_keytab_close(&t->keytab);
			t->pub.indexed = 0;
			rc = sb_topic_replace_manifest(t, &same_files, err);
			sb_manifest_release(&same_files);
		}
		sb_topic_unlock_append(t);
	}
	if (lock)
		sb_topic_unlock_maint(t);
	return rc;
}
