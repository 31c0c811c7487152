/*
 * get.c - one record from anywhere, by offset or by time.
 *
 * What is opened stays open, and a batch whose hashes were verified once is not
 * hashed again by the same handle.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "codec/lz.h"
#include "log/keys.h"
#include "log/reader.h"

enum { SMALL_READ = 4 << 10 }; /* bytes, where the place is known */

static void
close_files(struct sb_reader *r)
{
	for (size_t i = 0; i < r->manifest.file_count && r->files; i++) {
		sb_source_close(&r->files[i].source);
		free(r->files[i].seen);
		sb_part_free(&r->files[i]);
		sb_keyfile_free(r->files[i].keys);
	}
	free(r->files);
	r->files = NULL;
	sb_manifest_release(&r->manifest);
}

void
sb_reader_free(struct sb_reader *r)
{
	if (r == NULL)
		return;
	close_files(r);
	free(r);
}

static int
renew(struct sblog_topic *t, struct sb_reader *r, struct sblog_err *err)
{
	int rc;

	r->seq = sb_state_seq(&t->state);
	if ((rc = sb_topic_peek(t, &r->pub, err)) < 0)
		return rc;
	if (r->files != NULL &&
	    r->manifest.generation == t->manifest.generation) {
		struct sb_open_file *last =
		    &r->files[r->manifest.file_count - 1];

		if (last->source.fd >= 0 && last->source.limit != r->pub.pos) {
			last->source.limit = r->pub.pos;
			last->source.window.end = r->pub.pos;
			sb_window_reset(&last->source.window);
			last->source.viewed = 0;
		}
		return 0;
	}
	close_files(r);
	if (sb_manifest_copy(&r->manifest, &t->manifest) < 0 ||
	    (r->files = calloc(r->manifest.file_count + 1,
		 sizeof(*r->files))) == NULL)
		return sb_err_nomem(err);
	for (size_t i = 0; i < r->manifest.file_count; i++)
		r->files[i].source = SB_SOURCE_INIT;
	r->hint = 0;
	return 0;
}

int
sb_reader_look(struct sblog_topic *t, struct sb_reader **slot, uint64_t offset,
    struct sblog_err *err)
{
	struct sb_reader *r = *slot;

	if (r == NULL) {
		if ((r = calloc(1, sizeof(*r))) == NULL)
			return sb_err_nomem(err);
		r->manifest = SB_MANIFEST_INIT;
		*slot = r;
	}
	if (r->files != NULL && offset < r->pub.end)
		return 0;
	return renew(t, r, err);
}

static bool
file_has(const struct sb_reader *r, size_t i, uint64_t offset)
{
	const struct sb_file *f = &r->manifest.files[i];

	return offset >= f->base &&
	    (f->kind == SBLOG_FILE_WAL_ACTIVE || offset < f->next);
}

size_t
sb_reader_find(struct sb_reader *r, uint64_t offset)
{
	size_t low = 0, high = r->manifest.file_count;

	if (r->hint < high && file_has(r, r->hint, offset))
		return r->hint;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->manifest.files[mid].base <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return r->hint = low > 0 ? low - 1 : 0;
}

int
sb_reader_open(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sblog_err *err)
{
	if (r->files[i].source.fd >= 0)
		return 0;
	return sb_source_open(&r->files[i].source, t->dirfd,
	    &r->manifest.files[i], r->manifest.topic, r->pub.pos, err);
}

/* A file is gone.  1: so is the manifest that named it, look again; else it is
 * damage. */
static int
look_again(struct sblog_topic *t, struct sb_reader *r, size_t i,
    uint64_t offset, struct sblog_err *err)
{
	uint64_t generation = r->manifest.generation;
	char name[sizeof(r->files[i].source.name)];
	int rc;

	memcpy(name, r->files[i].source.name, sizeof(name));
	close_files(r);
	if ((rc = sb_topic_reload(t, err)) < 0)
		return rc;
	if (t->manifest.generation != generation)
		return 1;
	return sb_err_damage(err, name, UINT64_MAX, offset, offset + 1,
	    "file is missing");
}

/* Number and place of the batch by the segment's index; false: no index. */
static bool
by_index(struct sb_open_file *f, uint64_t offset, uint64_t *ip,
    struct sb_index_entry *e)
{
	struct sb_source *s = &f->source;

	if (s->index.map == NULL)
		return false;
	*ip = sb_index_find(&s->index, offset);
	if (*ip >= s->index.count)
		return false;
	*e = sb_index_at(&s->index, *ip);
	return e->pos >= s->start && e->pos % SB_BATCH_ALIGN == 0 &&
	    e->pos < s->limit;
}

static bool
was_seen(struct sb_open_file *f, uint64_t i)
{
	if (f->seen == NULL)
		f->seen = calloc(f->source.index.count / 8 + 1, 1);
	return f->seen != NULL && (f->seen[i / 8] >> (i % 8) & 1) != 0;
}

/* A verified batch of a mapped segment: no hash, and of compressed values only
 * as much as is needed. */
static bool
view_again(struct sb_open_file *f, uint64_t pos, struct sb_view *v)
{
	struct sb_source *s = &f->source;
	const uint8_t *at = s->map + pos;
	const uint8_t *columns = at + SB_BATCH_HEAD_SIZE;
	struct sb_batch head;

	s->viewed = 0;
	sb_batch_load(&head, at);
	if (head.flags & SB_BATCH_COLUMNS_LZ4) {
		if (sb_buf_reserve(&s->columns, (size_t)head.columns_raw + 8) <
			0 ||
		    sb_lz_unpack(columns, head.columns_stored, s->columns.data,
			head.columns_raw) < 0)
			return false;
		columns = s->columns.data;
	}
	sb_view_reopen(v, &head, columns,
	    at + SB_BATCH_HEAD_SIZE + head.columns_stored);
	return true;
}

/* Decompress so far that the bytes of the record are there. */
static int
unpack_upto(struct sb_source *s, struct sb_view *v, uint64_t upto,
    struct sblog_err *err)
{
	if (sb_buf_reserve(&s->values, (size_t)v->head.values_raw + 8) < 0)
		return sb_err_nomem(err);
	if (sb_lz_unpack_part(v->values, v->head.values_stored, s->values.data,
		(size_t)upto, v->head.values_raw) < 0)
		return sb_err_damage(err, s->name, UINT64_MAX, v->head.base,
		    v->head.next, "batch does not decompress");
	v->values = s->values.data;
	return 0;
}

static int
no_such(uint64_t offset, struct sblog_err *err)
{
	(void)sb_err_set(err, SBLOG_ENOENT, "", "no such offset");
	err->offset = offset;
	return SBLOG_ENOENT;
}

/* The record with this offset out of a view. */
static int
pick(struct sb_source *s, struct sb_view *v, bool packed, uint64_t offset,
    struct sblog_record *rec, struct sblog_err *err)
{
	struct sb_at at = { 0 }, end;
	int rc;

	sb_view_skip(v, &at, sb_view_find(v, offset));
	if (at.index == v->head.count || sb_view_offset(v, at.index) != offset)
		return no_such(offset, err);
	if (packed) {
		end = at;
		sb_view_skip(v, &end, at.index + 1);
		if ((rc = unpack_upto(s, v, end.value_pos, err)) < 0)
			return rc;
	}
	sb_view_record(v, &at, rec);
	return 0;
}

static int
get_seen(struct sb_open_file *f, uint64_t pos, uint64_t offset,
    struct sblog_record *rec, struct sblog_err *err)
{
	struct sb_view v;

	if (!view_again(f, pos, &v))
		return SBLOG_END;
	if (offset < v.head.base || offset >= v.head.next)
		return SBLOG_END;
	return pick(&f->source, &v, v.head.flags & SB_BATCH_VALUES_LZ4, offset,
	    rec, err);
}

/* The place that somebody remembered, if the batch is there still. */
static bool
at_hint(struct sb_source *s, uint64_t offset, uint64_t pos)
{
	struct sblog_err ignored;
	struct sb_batch head;

	return pos >= s->start && pos % SB_BATCH_ALIGN == 0 &&
	    sb_source_head(s, pos, &head, &ignored) == 0 &&
	    head.base <= offset && offset < head.next;
}

/* Find, verify, decode; remember what was verified. */
static int
load_view(struct sb_open_file *f, uint64_t offset, uint64_t hint,
    struct sblog_err *err)
{
	struct sb_source *s = &f->source;
	struct sb_index_entry e;
	uint64_t pos, expected, i;
	struct sb_batch head;
	int rc;

	s->window.step = hint != 0 ? SMALL_READ : 0;
	if (hint != 0 && at_hint(s, offset, hint))
		pos = hint;
	else if ((rc = sb_source_seek(s, offset, false, &pos, &expected, err)) <
	    0)
		return rc;
	f->last_pos = 0;
	if ((rc = sb_source_head(s, pos, &head, err)) == 0)
		rc = sb_source_view(s, pos, &head, SB_WANT_ALL, &f->view, err);
	if (rc == SBLOG_EDAMAGE) {
		err->offset = offset;
		err->end = offset + 1;
	}
	if (rc == SBLOG_END || (rc == 0 && head.base > offset))
		return sb_err_damage(err, s->name, pos, offset, offset + 1,
		    "no batch has this offset");
	if (rc < 0)
		return rc;
	f->last_pos = pos;
	if (s->map == NULL)
		sb_part_remember(f, pos, &f->view);
	if (s->map != NULL && by_index(f, offset, &i, &e) && e.pos == pos &&
	    f->seen != NULL)
		f->seen[i / 8] = (uint8_t)(f->seen[i / 8] | 1u << i % 8);
	return 0;
}

/* Does the batch that was looked at last hold the offset, and is it in memory
 * still?  What is not sealed may be rolled back: then somebody has published. */
static bool
in_view(const struct sb_reader *r, const struct sblog_topic *t,
    const struct sb_open_file *f, uint64_t offset)
{
	return f->last_pos != 0 && f->source.viewed == f->last_pos &&
	    offset >= f->view.head.base && offset < f->view.head.next &&
	    (f->source.map != NULL ||
		(r->seq != 0 && r->seq == sb_state_seq(&t->state)));
}

/* The open file that has an offset. */
static int
find_open(struct sblog_topic *t, struct sb_reader **slot, uint64_t offset,
    struct sb_open_file **fp, struct sblog_err *err)
{
	struct sb_reader *r;
	int rc;

	do {
		size_t n;

		if ((rc = sb_reader_look(t, slot, offset, err)) < 0)
			return rc;
		r = *slot;
		if (offset >= r->pub.end || offset < r->manifest.start)
			return no_such(offset, err);
		n = sb_reader_find(r, offset);
		*fp = &r->files[n];
		rc = sb_reader_open(t, r, n, err);
		/* Sealed or compacted since? */
		if (rc == SBLOG_ENOENT)
			rc = look_again(t, r, n, offset, err);
	} while (rc > 0);
	return rc;
}

static bool
unpack_all(struct sb_open_file *f)
{
	const struct sb_batch *h = &f->view.head;
	struct sb_buf *to = &f->source.values;

	if (sb_buf_reserve(to, (size_t)h->values_raw + 8) < 0 ||
	    sb_lz_unpack(f->view.values, h->values_stored, to->data,
		h->values_raw) < 0)
		return false;
	f->view.values = to->data;
	return true;
}

/* A verified batch of a mapped segment as a whole; false: not in this way. */
static bool
view_seen(struct sb_open_file *f, uint64_t offset)
{
	struct sb_source *s = &f->source;
	struct sb_index_entry e;
	uint64_t i;

	if (!by_index(f, offset, &i, &e) || !was_seen(f, i))
		return false;
	f->last_pos = 0;
	if (!view_again(f, e.pos, &f->view) || offset < f->view.head.base ||
	    offset >= f->view.head.next ||
	    ((f->view.head.flags & SB_BATCH_VALUES_LZ4) && !unpack_all(f)))
		return false;
	f->last_pos = s->viewed = e.pos;
	return true;
}

int
sb_reader_view(struct sblog_topic *t, struct sb_reader **slot, uint64_t offset,
    uint64_t pos, const struct sb_view **vp, struct sblog_err *err)
{
	struct sb_open_file *f = NULL;
	int rc;

	if ((rc = find_open(t, slot, offset, &f, err)) < 0)
		return rc;
	if (!in_view(*slot, t, f, offset) && !view_seen(f, offset) &&
	    (rc = load_view(f, offset, pos, err)) < 0)
		return rc;
	*vp = &f->view;
	return 0;
}

int
sb_reader_get(struct sblog_topic *t, struct sb_reader **slot, uint64_t offset,
    uint64_t pos, struct sblog_record *rec, struct sblog_err *err)
{
	struct sb_open_file *f = NULL;
	struct sb_index_entry e;
	uint64_t i;
	int rc;

	if ((rc = find_open(t, slot, offset, &f, err)) < 0)
		return rc;
	if (in_view(*slot, t, f, offset))
		return pick(&f->source, &f->view, false, offset, rec, err);
	/* The second time in the same batch it pays to have all of it. */
	if (by_index(f, offset, &i, &e) && was_seen(f, i) &&
	    e.pos != f->part_pos) {
		f->part_pos = e.pos;
		if ((rc = get_seen(f, e.pos, offset, rec, err)) <= 0)
			return rc;
	}
	if (f->source.map == NULL && pos != 0 &&
	    sb_part_get(t, *slot, f, offset, pos, rec) == 0)
		return 0;
	if ((rc = load_view(f, offset, pos, err)) < 0)
		return rc;
	return pick(&f->source, &f->view, false, offset, rec, err);
}

int
sblog_get(struct sblog_topic *t, uint64_t offset, struct sblog_record *rec,
    struct sblog_err *err)
{
	return sb_reader_get(t, &t->reader, offset, 0, rec, err);
}

int
sblog_locate(struct sblog_topic *t, uint64_t offset, struct sblog_place *place,
    struct sblog_err *err)
{
	struct sb_index_entry e, after;
	uint64_t i, pos, expected;
	struct sb_batch head;
	struct sb_reader *r;
	int rc;

	do {
		/* As of now: the file is a number for sblog_topic_file. */
		if ((rc = sb_reader_look(t, &t->reader, SBLOG_NO_OFFSET, err)) <
		    0)
			return rc;
		r = t->reader;
		if (offset >= r->pub.end || offset < r->manifest.start)
			return no_such(offset, err);
		place->file = sb_reader_find(r, offset);
		rc = sb_reader_open(t, r, place->file, err);
		if (rc == SBLOG_ENOENT)
			rc = look_again(t, r, place->file, offset, err);
	} while (rc > 0);
	if (rc < 0)
		return rc;
	if (by_index(&r->files[place->file], offset, &i, &e)) {
		const struct sb_index *ix = &r->files[place->file].source.index;

		place->pos = e.pos;
		place->first = e.offset;
		place->next = r->manifest.files[place->file].next;
		if (i + 1 < ix->count) {
			after = sb_index_at(ix, i + 1);
			place->next = after.offset;
		}
		return 0;
	}
	if ((rc = sb_source_seek(&r->files[place->file].source, offset, false,
		 &pos, &expected, err)) < 0 ||
	    (rc = sb_source_head(&r->files[place->file].source, pos, &head,
		 err)) < 0)
		return rc;
	place->pos = pos;
	place->first = rc == 0 ? head.base : expected;
	place->next = rc == 0 ? head.next : r->pub.end;
	return 0;
}

/* First offset in this file with an append time >= time_us; SBLOG_END: none. */
static int
find_in_file(struct sb_source *s, int64_t time_us, uint64_t *offsetp,
    struct sblog_err *err)
{
	uint64_t pos, expected, index;
	struct sb_batch head;
	struct sb_view v;
	int rc;

	if ((rc = sb_source_seek(s, (uint64_t)time_us, true, &pos, &expected,
		 err)) < 0)
		return rc;
	while ((rc = sb_source_head(s, pos, &head, err)) == 0) {
		if ((rc = sb_source_view(s, pos, &head, SB_WANT_COLUMNS, &v,
			 err)) < 0)
			return rc;
		index = sb_view_find_time(&v, time_us);
		if (index < head.count) {
			*offsetp = sb_view_offset(&v, index);
			return 0;
		}
		pos += head.total_size;
	}
	return rc;
}

/* 1: the manifest has changed, begin again. */
static int
find_time(struct sblog_topic *t, struct sb_reader *r, int64_t time_us,
    uint64_t *offsetp, struct sblog_err *err)
{
	int rc;

	for (size_t i = 0; i < r->manifest.file_count; i++) {
		const struct sb_file *f = &r->manifest.files[i];
		bool active = f->kind == SBLOG_FILE_WAL_ACTIVE;
		int64_t last = active ? r->pub.last_time : f->last_time;

		if (last < time_us || (active && r->pub.wal_count == 0))
			continue;
		rc = sb_reader_open(t, r, i, err);
		if (rc == SBLOG_ENOENT)
			return look_again(t, r, i, f->base, err);
		if (rc < 0)
			return rc;
		rc = find_in_file(&r->files[i].source, time_us, offsetp, err);
		if (rc == 0 && *offsetp < r->manifest.start)
			*offsetp = r->manifest.start;
		if (rc != SBLOG_END)
			return rc;
	}
	*offsetp = r->pub.end;
	return 0;
}

int
sblog_find_time(struct sblog_topic *t, int64_t time_us, uint64_t *offsetp,
    struct sblog_err *err)
{
	int rc;

	if (time_us < 0)
		time_us = 0;
	do {
		/* UINT64_MAX: always look at what is published now. */
		if ((rc = sb_reader_look(t, &t->reader, UINT64_MAX, err)) < 0)
			return rc;
		rc = find_time(t, t->reader, time_us, offsetp, err);
	} while (rc > 0);
	return rc;
}
