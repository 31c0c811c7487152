/*
 * seal.c - turn finished WALs into segments.
 *
 * The order is the proof (sblog-internals(7), "Sealing"): the segment is
 * written under a temporary name and synced; read back from the device and
 * compared with what the WAL's appenders knew; renamed, the directory synced;
 * then the manifest; and only then the WAL is unlinked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/blocks.h"
#include "log/keys.h"
#include "log/topic.h"
#include "store/names.h"
#include "sys/tmp.h"

enum { WORKERS_MAX = 8 };

struct sealing {
	struct sblog_topic *topic;
	const struct sblog_seal_opts *opts;
	struct sblog_sealed *sealed;
	unsigned workers;
	uint64_t total, done; /* bytes, for progress */
};

static void
tell(struct sealing *s, uint64_t bytes)
{
	s->done += bytes;
	if (s->opts->progress != NULL)
		s->opts->progress(s->opts->arg, s->done, s->total);
}

/* ---- reading back ---- */

/* A range of blocks that one thread looks at. */
struct part {
	struct sb_source source;
	const struct sb_index_entry *entries;
	uint64_t from, to, count; /* blocks [from, to) of count */
	uint64_t end, end_chain;  /* of the whole segment */
	uint64_t records;
	struct sblog_err err;
	int rc;
};

static void
check_part(void *arg)
{
	struct part *p = arg;
	struct sb_batch head, after;
	struct sb_view view;

	for (uint64_t i = p->from; p->rc == 0 && i < p->to; i++) {
		uint64_t pos = p->entries[i].pos;

		p->rc = sb_source_head(&p->source, pos, &head, &p->err);
		if (p->rc == 0)
			p->rc = sb_source_view(&p->source, pos, &head,
			    SB_WANT_ALL, &view, &p->err);
		if (p->rc != 0)
			break;
		p->records += head.count;
		after =
		    (struct sb_batch){ .base = p->end, .chain = p->end_chain };
		if (i + 1 < p->count)
			p->rc = sb_source_head(&p->source,
			    p->entries[i + 1].pos, &after, &p->err);
		if (p->rc == 0 &&
		    (head.next != after.base ||
			sb_view_chain(&view) != after.chain))
			p->rc = sb_err_damage(&p->err, p->source.name, pos,
			    head.base, head.next,
			    "read back, it is not what was written");
	}
	if (p->rc == SBLOG_END)
		p->rc = sb_err_damage(&p->err, p->source.name, UINT64_MAX,
		    SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
		    "read back, it is too short");
}

static int
open_part(struct part *p, const struct sb_segment_writer *w,
    const struct sb_file *file, struct sblog_err *err)
{
	void *map = NULL;
	int rc = sb_sys_map(w->file.fd, file->size, false, &map);

	if (rc < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, w->file.name,
		    "cannot read back");
	p->source = SB_SOURCE_INIT;
	p->source.file = *file;
	p->source.map = map;
	p->source.size = file->size;
	p->source.limit = file->size - SB_SEG_FOOT_SIZE;
	p->source.start = SB_SEG_HEAD_SIZE;
	(void)snprintf(p->source.name, sizeof(p->source.name), "%.63s",
	    w->file.name);
	return 0;
}

static void
close_part(struct part *p)
{
	if (p->source.map != NULL)
		sb_sys_unmap(p->source.map, p->source.size);
	sb_buf_release(&p->source.columns);
	sb_buf_release(&p->source.values);
}

/* The segment on the device against what the WAL says it must hold. */
static int
read_back(struct sealing *s, const struct sb_segment_writer *w,
    const struct sb_file *file, struct sblog_err *err)
{
	struct part parts[WORKERS_MAX] = { 0 };
	struct sb_thread threads[WORKERS_MAX];
	bool running[WORKERS_MAX] = { false };
	unsigned n = s->workers > 1 && w->foot.batches > 64 ? s->workers : 1;
	uint64_t records = 0;
	int rc = 0;

	sb_sys_forget(w->file.fd, 0, file->size);
	for (unsigned i = 0; i < n && rc == 0; i++) {
		struct part *p = &parts[i];

		if ((rc = open_part(p, w, file, err)) < 0)
			break;
		p->entries = (const struct sb_index_entry *)(const void *)
				 w->entries.data;
		p->count = w->foot.batches;
		p->from = p->count * i / n;
		p->to = p->count * (i + 1) / n;
		p->end = file->next;
		p->end_chain = file->end_chain;
		if (i + 1 < n && sb_sys_spawn(&threads[i], check_part, p) == 0)
			running[i] = true;
		else
			check_part(p);
	}
	for (unsigned i = 0; i < n; i++) {
		if (running[i])
			sb_sys_join(&threads[i]);
		if (rc == 0 && parts[i].rc < 0) {
			rc = parts[i].rc;
			*err = parts[i].err;
		}
		records += parts[i].records;
		close_part(&parts[i]);
	}
	if (rc == 0 && records != file->count)
		return sb_err_damage(err, w->file.name, UINT64_MAX, file->base,
		    file->next,
		    "read back, it holds another number of records");
	return rc;
}

/* ---- one WAL ---- */

static int
damage_at(struct sb_source *src, uint64_t pos, uint64_t first, uint64_t next,
    const char *why, struct sblog_err *err)
{
	return sb_err_damage(err, src->name, pos, first, next, "%s", why);
}

/* Every batch of the WAL into blocks, verified on the way. */
static int
feed_blocks(struct sealing *s, struct sb_source *src, struct sb_blocks *b,
    struct sblog_err *err)
{
	uint64_t pos = src->start, expected = src->file.base;
	struct sb_batch head;
	struct sb_view view;
	int rc;

	while (expected < src->file.next) {
		rc = sb_source_head(src, pos, &head, err);
		if (rc == SBLOG_END)
			return damage_at(src, pos, expected, src->file.next,
			    "file ends before its records do", err);
		if (rc == 0 && head.base != expected)
			return damage_at(src, pos, expected, head.base,
			    "batch does not follow the one before", err);
		if (rc == 0)
			rc = sb_source_view(src, pos, &head, SB_WANT_ALL, &view,
			    err);
		if (rc == SBLOG_EDAMAGE) {
			err->offset = expected;
			err->end = src->file.next;
		}
		if (rc < 0 || (rc = sb_blocks_add(b, &view, err)) < 0)
			return rc;
		pos += head.total_size;
		expected = head.next;
		tell(s, head.total_size);
	}
	return 0;
}

static int
write_segment(struct sealing *s, struct sb_source *src,
    struct sb_segment_writer *w, struct sb_file *file, struct sblog_err *err)
{
	struct sblog_topic *t = s->topic;
	struct sb_blocks *b = NULL;
	uint64_t chain = 0;
	int rc;

	if ((rc = sb_segment_create(w, t->dirfd, t->manifest.topic,
		 src->file.base, 0, src->file.chain, err)) < 0 ||
	    (rc = sb_blocks_begin(&b, w,
		 (enum sblog_codec)t->config.compression,
		 s->workers > 1 ? s->workers : 0, src->file.chain, err)) < 0)
		return rc;
	if ((rc = feed_blocks(s, src, b, err)) == 0)
		rc = sb_blocks_end(b, &chain, err);
	sb_blocks_free(b);
	if (rc < 0)
		return rc;
	if (chain != src->file.end_chain || w->foot.count != src->file.count)
		return damage_at(src, UINT64_MAX, src->file.base,
		    src->file.next,
		    "chain at the end differs from the manifest", err);
	if ((rc = sb_segment_finish(w, src->file.next, chain, file, err)) < 0)
		return rc;
	return read_back(s, w, file, err);
}

/* The manifest with the segment in the WAL's place. */
static int
swap_in(struct sblog_topic *t, const struct sb_file *file,
    struct sblog_err *err)
{
	struct sb_manifest m = SB_MANIFEST_INIT;
	int rc;

	if ((rc = sb_topic_lock_append(t, err)) < 0)
		return rc;
	if ((rc = sb_topic_validate(t, err)) == 0 &&
	    sb_manifest_copy(&m, &t->manifest) < 0)
		rc = sb_err_nomem(err);
	if (rc == 0) {
		size_t i = 0;

		while (i < m.file_count && m.files[i].base != file->base)
			i++;
		if (i == m.file_count || m.files[i].kind != SBLOG_FILE_WAL)
			rc = sb_err_set(err, SBLOG_EUNKNOWN, "manifest",
			    "the WAL that was sealed is gone");
		else
			m.files[i] = *file;
	}
	if (rc == 0)
		rc = sb_topic_replace_manifest(t, &m, err);
	sb_topic_unlock_append(t);
	sb_manifest_release(&m);
	return rc;
}

static int
seal_wal(struct sealing *s, const struct sb_file *wal, struct sblog_err *err)
{
	struct sblog_topic *t = s->topic;
	struct sb_segment_writer w = SB_SEGMENT_WRITER_INIT;
	struct sb_source src = SB_SOURCE_INIT;
	struct sblog_err ignored;
	struct sb_file file;
	int rc;

	rc = sb_source_open(&src, t->dirfd, wal, t->manifest.topic, 0, err);
	if (rc == SBLOG_ENOENT)
		rc = sb_err_damage(err, src.name, UINT64_MAX, wal->base,
		    wal->next, "file is missing");
	if (rc == 0)
		rc = write_segment(s, &src, &w, &file, err);
	if (rc == 0)
		rc = sb_segment_commit(&w, &file, err);
	if (rc == 0)
		rc = swap_in(t, &file, err);
	sb_segment_release(&w);
	sb_source_close(&src);
	if (rc < 0)
		return rc;
	/* Without it look-ups by key are slower, and sblog index makes it. */
	if (t->config.index_keys != SB_INDEX_KEYS_NO)
		rc = sb_keys_build(t, &file, &ignored);
	sb_topic_unlink(t, wal);
	if (s->sealed->segments++ == 0)
		s->sealed->first = file.base;
	s->sealed->next = file.next;
	s->sealed->records += file.count;
	s->sealed->bytes_before += wal->size;
	s->sealed->bytes_after += file.size;
	return 0;
}

/* ---- all of them ---- */

static bool
wanted(const struct sblog_seal_opts *o, int64_t first_time, uint64_t bytes)
{
	int64_t age = sb_sys_time_us() - first_time;

	return (o->older_us == 0 || (age > 0 && (uint64_t)age > o->older_us)) &&
	    bytes > o->larger;
}

/* Under both locks: finish the active WAL if that is asked for. */
static int
finish_active(struct sealing *s, struct sblog_err *err)
{
	struct sblog_topic *t = s->topic;
	int rc;

	if ((rc = sb_topic_lock_append(t, err)) < 0)
		return rc;
	if ((rc = sb_topic_validate(t, err)) == 0) {
		sb_topic_sweep(t);
		if (t->pub.wal_count > 0 &&
		    wanted(s->opts, t->pub.wal_time, t->pub.pos))
			rc = sb_topic_rotate(t, err);
	}
	sb_topic_unlock_append(t);
	return rc;
}

static int
seal_all(struct sealing *s, struct sblog_err *err)
{
	struct sblog_topic *t = s->topic;
	struct sb_manifest m = SB_MANIFEST_INIT;
	struct sblog_err one;
	int rc = 0, worst = 0;

	/* A copy: the topic's own changes with every WAL. */
	if (sb_manifest_copy(&m, &t->manifest) < 0)
		return sb_err_nomem(err);
	for (size_t i = 0; i < m.file_count; i++)
		if (m.files[i].kind == SBLOG_FILE_WAL)
			s->total += m.files[i].size;
	for (size_t i = 0; i < m.file_count && rc == 0; i++) {
		const struct sb_file *f = &m.files[i];

		if (f->kind != SBLOG_FILE_WAL || f->count == 0 ||
		    !wanted(s->opts, f->first_time, f->size))
			continue;
		rc = seal_wal(s, f, &one);
		if (rc < 0)
			*err = one;
		/* A damaged one stays as it is; the others go on. */
		if (rc == SBLOG_EDAMAGE) {
			worst = rc;
			rc = 0;
		}
	}
	sb_manifest_release(&m);
	return rc < 0 ? rc : worst;
}

/* What would be sealed. */
static int
preview(struct sealing *s, struct sblog_err *err)
{
	struct sblog_topic *t = s->topic;
	struct sblog_sealed *d = s->sealed;
	struct sb_published p;
	int rc;

	if ((rc = sb_topic_peek(t, &p, err)) < 0)
		return rc;
	for (size_t i = 0; i < t->manifest.file_count; i++) {
		const struct sb_file *f = &t->manifest.files[i];
		bool active = f->kind == SBLOG_FILE_WAL_ACTIVE;
		uint64_t count = active ? p.wal_count : f->count;

		if (f->kind == SBLOG_FILE_SEGMENT || count == 0 ||
		    !wanted(s->opts, active ? p.wal_time : f->first_time,
			active ? p.pos : f->size))
			continue;
		if (d->segments++ == 0)
			d->first = f->base;
		d->next = active ? p.end : f->next;
		d->records += count;
		d->bytes_before += active ? p.pos : f->size;
	}
	return d->segments > 0 ? 0 : SBLOG_END;
}

int
sblog_seal(struct sblog_topic *t, const struct sblog_seal_opts *opts,
    struct sblog_sealed *sealed, struct sblog_err *err)
{
	static const struct sblog_seal_opts none;
	struct sealing s = {
		.topic = t,
		.opts = opts ? opts : &none,
		.sealed = sealed,
	};
	int rc;

	*sealed = (struct sblog_sealed){ 0 };
	if (s.opts->dry_run)
		return preview(&s, err);
	if (t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	s.workers = s.opts->threads ? s.opts->threads : sb_sys_processors();
	if (s.workers > WORKERS_MAX)
		s.workers = WORKERS_MAX;
	if ((rc = sb_topic_lock_maint(t, err)) < 0)
		return rc;
	if ((rc = finish_active(&s, err)) == 0)
		rc = seal_all(&s, err);
	sb_topic_unlock_maint(t);
	if (rc < 0)
		return rc;
	return sealed->segments > 0 ? 0 : SBLOG_END;
}
