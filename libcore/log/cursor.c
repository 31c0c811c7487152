/*
 * cursor.c - read records in order, without any lock.
 *
 * A cursor looks at a copy of the manifest.  When it has read all that its copy
 * knows, or a file of it is gone, it takes a new copy and goes on at the same
 * offset: what is sealed or compacted meanwhile changes nothing for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/cursor.h"

enum { JUMP_FAR = 4096 }; /* offsets: then the index finds the way */

int
sb_cursor_refresh(struct sblog_cursor *c, struct sblog_err *err)
{
	struct sblog_topic *t = c->topic;
	uint64_t generation = c->manifest.generation;
	uint64_t base = c->pub.wal_base;
	int rc;

	if ((rc = sb_topic_peek(t, &c->pub, err)) < 0)
		return rc;
	if (generation != t->manifest.generation || c->manifest.files == NULL) {
		sb_manifest_release(&c->manifest);
		if (sb_manifest_copy(&c->manifest, &t->manifest) < 0)
			return sb_err_nomem(err);
	}
	/* The file we read from may be another one now.  What is left of the
	 * open batch lies in its memory: it is read again, from c->next on. */
	if (base != c->pub.wal_base) {
		c->open = false;
		c->plain_end = 0;
		sb_source_close(&c->source);
	} else if (c->source.fd >= 0 &&
	    c->source.file.kind == SBLOG_FILE_WAL_ACTIVE &&
	    c->source.limit != c->pub.pos) {
		c->source.limit = c->source.window.end = c->pub.pos;
		sb_window_reset(&c->source.window);
	}
	return 0;
}

uint64_t
sb_cursor_end(const struct sblog_cursor *c)
{
	uint64_t end = c->pub.end;

	if (c->opts.durable) {
		uint64_t durable =
		    sb_state_durable(&c->topic->state, c->manifest.topic);

		end = sb_min_u64(end, sb_max_u64(durable, c->pub.wal_base));
	}
	return sb_min_u64(end, c->to);
}

int
sblog_cursor_open(struct sblog_cursor **curp, struct sblog_topic *topic,
    const struct sblog_cursor_opts *opts, struct sblog_err *err)
{
	static const struct sblog_cursor_opts none;
	struct sblog_cursor *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return sb_err_nomem(err);
	c->topic = topic;
	c->opts = opts ? *opts : none;
	c->manifest = SB_MANIFEST_INIT;
	c->source = SB_SOURCE_INIT;
	c->state = SB_STATE_INIT;
	if ((rc = sb_cursor_check_opts(&c->opts, err)) < 0 ||
	    (rc = sb_cursor_refresh(c, err)) < 0)
		goto fail;
	c->to = c->opts.to == 0 ? c->pub.end : c->opts.to;
	c->next = sb_max_u64(c->opts.from, c->manifest.start);
	if (c->next > c->pub.end && c->opts.to != SBLOG_NO_OFFSET) {
		rc = sb_err_set(err, SBLOG_ENOENT, "",
		    "no such offset; the end is %llu",
		    (unsigned long long)c->pub.end);
		err->offset = c->next;
		goto fail;
	}
	if (c->opts.key.data != NULL &&
	    (rc = sb_keycursor_open(&c->keyed, topic, opts, &c->next, c->to,
		 err)) < 0)
		goto fail;
	if (c->opts.latest && c->keyed != NULL) {
		struct sblog_key_info newest;

		rc = sblog_key_find(topic, opts->key, &newest, err);
		if (rc < 0 && rc != SBLOG_ENOENT)
			goto fail;
		c->next = sb_max_u64(c->next, rc == 0 ? newest.last : c->to);
	}
	if (c->opts.latest && c->keyed == NULL &&
	    (rc = sb_offsets_latest(&c->latest, topic, c->next, c->to, err)) <
		0)
		goto fail;
	*curp = c;
	return 0;
fail:
	sblog_cursor_close(c);
	return rc;
}

void
sblog_cursor_close(struct sblog_cursor *c)
{
	if (c == NULL)
		return;
	sb_keycursor_close(c->keyed);
	sb_offsets_release(&c->latest);
	sb_source_close(&c->source);
	sb_state_close(&c->state);
	sb_manifest_release(&c->manifest);
	free(c);
}

uint64_t
sblog_cursor_offset(const struct sblog_cursor *c)
{
	/* The next offset of a shard may be further than what there is. */
	if (c->opts.shards != 0 && c->limit != 0)
		return sb_min_u64(c->next, c->limit);
	return c->next;
}

/* [from, to) cannot be read; to and the position behind it are remembered. */
static int
lost(struct sblog_cursor *c, uint64_t to, uint64_t pos, struct sblog_err *err)
{
	err->offset = c->next;
	err->end = sb_min_u64(to, c->to);
	c->damaged = true;
	c->skip_to = to;
	c->skip_pos = pos;
	return SBLOG_EDAMAGE;
}

static const struct sb_file *
find_file(const struct sb_manifest *m, uint64_t offset)
{
	size_t low = 0, high = m->file_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->files[mid].kind != SBLOG_FILE_WAL_ACTIVE &&
		    m->files[mid].next <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low < m->file_count ? &m->files[low] : NULL;
}

static uint64_t
file_end(const struct sblog_cursor *c, const struct sb_file *f)
{
	return f->kind == SBLOG_FILE_WAL_ACTIVE ? c->pub.end : f->next;
}

/* Open the file that holds c->next and go there. */
static int
open_source(struct sblog_cursor *c, struct sblog_err *err)
{
	const struct sb_file *f = find_file(&c->manifest, c->next);
	int rc;

	if (f == NULL) {
		(void)sb_err_damage(err, "manifest", UINT64_MAX, c->next,
		    c->pub.end, "names no file with this offset");
		return lost(c, c->pub.end, 0, err);
	}
	if (f->base > c->next) {
		(void)sb_err_damage(err, "manifest", UINT64_MAX, c->next,
		    f->base, "names no file with this offset");
		return lost(c, f->base, 0, err);
	}
	rc = sb_source_open(&c->source, c->topic->dirfd, f, c->manifest.topic,
	    c->pub.pos, err);
	if (rc == SBLOG_ENOENT) {
		uint64_t generation = c->manifest.generation;

		/* Replaced while we looked?  Then go on at the same offset. */
		if ((rc = sb_topic_reload(c->topic, err)) < 0)
			return rc;
		if (c->topic->manifest.generation != generation) {
			if ((rc = sb_cursor_refresh(c, err)) < 0)
				return rc;
			return 0;
		}
		(void)sb_err_damage(err, c->source.name, UINT64_MAX, c->next,
		    file_end(c, f), "file is missing");
		return lost(c, file_end(c, f), 0, err);
	}
	if (rc < 0)
		return rc;
	return sb_source_seek(&c->source, c->next, false, &c->pos, &c->expected,
	    err);
}

/* The head at c->pos is bad: where do good ones go on? */
static int
bad_head(struct sblog_cursor *c, struct sblog_err *err)
{
	struct sblog_err again;
	uint64_t found = UINT64_MAX, pos = c->pos + SB_BATCH_ALIGN;
	struct sb_batch head;
	int rc;

	for (;;) {
		rc = sb_source_resync(&c->source, pos, &found, &head, &again);
		if (rc < 0) {
			*err = again;
			return rc;
		}
		if (found == UINT64_MAX)
			return lost(c, file_end(c, &c->source.file), 0, err);
		if (head.next > c->next && head.base >= c->expected)
			break;
		pos = found + head.total_size;
	}
	if (head.magic == SB_TRAILER_MAGIC)
		return lost(c, file_end(c, &c->source.file), 0, err);
	return lost(c, sb_max_u64(head.base, c->next + 1), found, err);
}

/* Batches of this file end at c->pos. */
static int
end_of_file(struct sblog_cursor *c, struct sblog_err *err)
{
	uint64_t end = file_end(c, &c->source.file);

	if (c->next < end && c->expected < end) {
		(void)sb_err_damage(err, c->source.name, c->pos, c->next, end,
		    "file ends before its records do");
		return lost(c, end, 0, err);
	}
	sb_source_close(&c->source);
	c->next = sb_max_u64(c->next, end);
	return 0;
}

/* One step towards a batch that holds c->next: 0 and c->open, or go on. */
static int
step(struct sblog_cursor *c, struct sblog_err *err)
{
	struct sb_batch head;
	uint64_t pos = c->pos;
	int rc;

	if (c->source.fd < 0)
		return open_source(c, err);
	sb_source_pace(&c->source, pos);
	rc = sb_source_head(&c->source, pos, &head, err);
	if (rc == SBLOG_END)
		return end_of_file(c, err);
	if (rc == SBLOG_EDAMAGE)
		return bad_head(c, err);
	if (rc < 0)
		return rc;
	if (head.base > c->expected && head.base > c->next) {
		(void)sb_err_damage(err, c->source.name, pos, c->next,
		    head.base, "batch does not follow the one before");
		c->expected = head.base;
		return lost(c, head.base, pos, err);
	}
	c->expected = head.next;
	c->pos = pos + head.total_size;
	if (head.next <= c->next || sb_cursor_skips(c, &head))
		return 0;
	rc = sb_source_view(&c->source, pos, &head, SB_WANT_ALL, &c->view, err);
	if (rc == SBLOG_EDAMAGE)
		return lost(c, head.next, c->pos, err);
	if (rc < 0)
		return rc;
	c->view_pos = pos;
	c->at = (struct sb_at){ 0 };
	sb_view_skip(&c->view, &c->at, sb_view_find(&c->view, c->next));
	c->open = true;
	sb_cursor_own(c);
	return 0;
}

/* May c->next be shown?  Looks again at what is published if not. */
static int
within(struct sblog_cursor *c, struct sblog_err *err)
{
	int rc;

	if (c->next < c->limit)
		return 0;
	if (c->next >= c->to)
		return SBLOG_END;
	if ((rc = sb_cursor_refresh(c, err)) < 0)
		return rc;
	c->limit = sb_cursor_end(c);
	return c->next < c->limit ? 0 : SBLOG_END;
}

/* Records that the cursor would have come to are removed. */
static int
gap(struct sblog_cursor *c, struct sblog_err *err)
{
	uint64_t start = sb_min_u64(c->manifest.start, c->to);

	(void)sb_err_set(err, (enum sblog_code)SBLOG_GAP, "",
	    "removed by retention");
	err->offset = c->next;
	err->end = start;
	c->next = start;
	c->open = false;
	c->plain_end = 0;
	sb_source_close(&c->source);
	return SBLOG_GAP;
}

/* Have a batch open that holds the next record. */
static int
load(struct sblog_cursor *c, struct sblog_err *err)
{
	int rc;

	/* The batch was kept for its reader until now. */
	sb_cursor_own(c);
	for (;;) {
		if ((rc = within(c, err)) != 0 || c->open)
			return rc;
		if (c->next < c->manifest.start)
			return gap(c, err);
		c->damaged = false;
		if ((rc = step(c, err)) < 0)
			return rc;
	}
}

/* Bare values at one time with dense offsets need no more than their length:
 * up to which index of the open batch is that so, and may be shown? */
static void
set_plain(struct sblog_cursor *c)
{
	const struct sb_batch *h = &c->view.head;

	c->plain_end = 0;
	if (h->width[SB_COL_OFFSET] != 0 || h->width[SB_COL_TIME] != 0 ||
	    h->width[SB_COL_KEY_LEN] != 0 || h->key_len_min != 0 ||
	    h->width[SB_COL_HEADER_LEN] != 0 || h->header_len_min != 0 ||
	    (h->flags & SB_BATCH_USER_TIME) || h->value_len_min == 0)
		return;
	c->plain_end = sb_min_u64(h->count,
	    sb_min_u64(c->limit, sb_cursor_run_end(c)) - h->base);
	c->plain = (struct sblog_record){
		.time_us = h->base_time,
		.user_time_us = SBLOG_NO_TIME,
	};
}

static inline void
next_plain(struct sblog_cursor *c, struct sblog_record *rec)
{
	const struct sb_batch *h = &c->view.head;

	*rec = c->plain;
	rec->offset = h->base + c->at.index;
	rec->value.data = c->view.values + c->at.value_pos;
	rec->value.len = h->value_len_min - 1 +
	    sb_column_get(c->view.col[SB_COL_VALUE_LEN],
		h->width[SB_COL_VALUE_LEN], c->at.index);
	c->at.value_pos += rec->value.len + h->delim_len;
	c->at.index++;
	c->next = rec->offset + 1;
}

/* The next record of the key. */
static int
next_keyed(struct sblog_cursor *c, struct sblog_record *rec,
    struct sblog_err *err)
{
	int rc;

	do {
		if ((rc = within(c, err)) != 0)
			return rc;
		if (c->next < c->manifest.start)
			return gap(c, err);
		c->damaged = false;
		rc = sb_keycursor_next(c->keyed, c->topic, &c->next, c->limit,
		    rec, err);
		/* Behind the end there may be more by now. */
	} while (rc == SBLOG_END && c->next < c->to);
	if (rc == SBLOG_EDAMAGE)
		return lost(c,
		    err->end != SBLOG_NO_OFFSET && err->end > c->next
			? err->end
			: c->next + 1,
		    0, err);
	if (rc == 0)
		c->next++;
	return rc;
}

/* To an offset further on: in the open batch, or by the index. */
static void
jump(struct sblog_cursor *c, uint64_t offset)
{
	c->next = offset;
	c->plain_end = 0;
	if (c->open && offset < c->view.head.next) {
		sb_view_skip(&c->view, &c->at, sb_view_find(&c->view, offset));
		return;
	}
	c->open = false;
	if (c->source.fd >= 0 && offset >= c->expected + JUMP_FAR)
		sb_source_close(&c->source);
}

/* The next one of those in c->latest. */
static int
next_latest(struct sblog_cursor *c, struct sblog_record *rec,
    struct sblog_err *err)
{
	uint64_t offset = c->next;
	int rc;

	if (c->open && c->at.index < c->view.head.count)
		offset = sb_view_offset(&c->view, c->at.index);
	offset = sb_offsets_next(&c->latest, offset);
	if (offset >= c->latest.to) {
		c->next = c->latest.to;
		c->open = false;
		return SBLOG_END;
	}
	jump(c, offset);
	if ((rc = load(c, err)) != 0)
		return rc;
	sb_view_record(&c->view, &c->at, rec);
	c->next = rec->offset + 1;
	return 0;
}

uint64_t
sblog_cursor_pos(const struct sblog_cursor *c)
{
	return c->keyed != NULL ? sb_keycursor_pos(c->keyed) : 0;
}

int
sblog_cursor_next(struct sblog_cursor *c, struct sblog_record *rec,
    struct sblog_err *err)
{
	int rc;

	if (c->at.index < c->plain_end) {
		next_plain(c, rec);
		return 0;
	}
	if (c->keyed != NULL)
		return next_keyed(c, rec, err);
	if (c->latest.bits != NULL)
		return next_latest(c, rec, err);
	do {
		if ((rc = load(c, err)) != 0)
			return rc;
		sb_view_record(&c->view, &c->at, rec);
		c->next = rec->offset + 1;
	} while (sblog_shard_of(rec, c->opts.shards) != c->opts.shard);
	set_plain(c);
	return 0;
}

static void
fill(struct sblog_cursor *c, struct sblog_batch *b, uint64_t count,
    const struct sb_at *end)
{
	const struct sb_view *v = &c->view;
	const struct sb_batch *h = &v->head;
	uint64_t values = sb_batch_values_pos(h, c->view_pos);

	*b = (struct sblog_batch){
		.first = sb_view_offset(v, c->at.index),
		.next = sb_view_offset(v, end->index - 1) + 1,
		.count = count,
		.time_us = sb_view_time(v, c->at.index),
		.values.data = v->values + c->at.value_pos,
		.values.len = end->value_pos - c->at.value_pos,
		.delim_len = h->delim_len,
		.fd = -1,
		.keys = h->key_len_min > 0 || h->width[SB_COL_KEY_LEN] > 0,
		.headers =
		    h->header_len_min > 0 || h->width[SB_COL_HEADER_LEN] > 0,
		.nulls = v->nulls,
		.user_times = (h->flags & SB_BATCH_USER_TIME) != 0,
	};
	memcpy(b->delim, h->delim, sizeof(b->delim));
	if (!c->opts.copy && !(h->flags & SB_BATCH_VALUES_LZ4)) {
		b->fd = c->source.fd;
		b->fd_pos = values + c->at.value_pos;
	}
	b->priv.view = v;
	b->priv.index = c->at.index;
	b->priv.end = end->index;
	b->priv.value_pos = c->at.value_pos;
	b->priv.key_pos = c->at.key_pos;
	b->priv.header_pos = c->at.header_pos;
}

int
sblog_cursor_batch(struct sblog_cursor *c, struct sblog_batch *batch,
    struct sblog_err *err)
{
	struct sb_at end;
	uint64_t stop;
	int rc;

	if (c->keyed != NULL || c->latest.bits != NULL)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "a cursor with a key has no batches");
	if ((rc = load(c, err)) != 0)
		return rc;
	end = c->at;
	stop =
	    sb_view_find(&c->view, sb_min_u64(c->limit, sb_cursor_run_end(c)));
	sb_assert(stop > c->at.index);
	sb_view_skip(&c->view, &end, stop);
	fill(c, batch, stop - c->at.index, &end);
	c->at = end;
	c->plain_end = 0;
	c->next = batch->next = sb_cursor_behind(c, batch->next);
	return 0;
}

int
sblog_batch_next(struct sblog_batch *b, struct sblog_record *rec)
{
	struct sb_at at = {
		.index = b->priv.index,
		.value_pos = b->priv.value_pos,
		.key_pos = b->priv.key_pos,
		.header_pos = b->priv.header_pos,
	};

	if (at.index >= b->priv.end)
		return SBLOG_END;
	sb_view_record(b->priv.view, &at, rec);
	b->priv.index = at.index;
	b->priv.value_pos = at.value_pos;
	b->priv.key_pos = at.key_pos;
	b->priv.header_pos = at.header_pos;
	return 0;
}

int
sblog_cursor_skip(struct sblog_cursor *c, struct sblog_err *err)
{
	if (!c->damaged)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "there is no damage to step over");
	c->damaged = false;
	c->open = false;
	c->plain_end = 0;
	c->next = sb_max_u64(c->next, c->skip_to);
	if (c->skip_pos != 0 && c->source.fd >= 0) {
		c->pos = c->skip_pos;
		c->expected = c->skip_to;
	} else {
		sb_source_close(&c->source);
	}
	return 0;
}
