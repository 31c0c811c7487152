/*
 * category.c - the records of a category, batch by batch.
 */
#include "log/category.h"

#include <string.h>

#include "base/err.h"
#include "base/num.h"

enum { TRIES = 5 };

void
sb_category_init(struct sb_category *c, const struct sblog_topic *t,
    struct sblog_bytes name)
{
	memset(c, 0, sizeof(*c));
	c->name = name;
	c->streams[0].key = sb_key_of_category(t->manifest.topic, name);
	c->streams[1].key = sb_key_of(t->manifest.topic, name);
}

/* ---- the next batch ---- */

/* What is known of batches is of these files; other files, other batches. */
static void
forget(struct sb_category *c, uint64_t generation)
{
	for (size_t i = 0; i < 2; i++)
		c->streams[i].count = c->streams[i].at = c->streams[i].upto = 0;
	c->generation = generation;
	c->done = 0;
}

/* A posting is of no use if its batch was looked through, or ends before the
 * offset because another begins there. */
static void
drop(const struct sb_category *c, struct sb_category_stream *s, uint64_t offset)
{
	while (s->at < s->count &&
	    (s->postings[s->at].offset < c->done ||
		(s->at + 1 < s->count &&
		    s->postings[s->at + 1].offset <= offset)))
		s->at++;
}

/* Have the stream's first posting that may be of use, if there is one. */
static int
advance(struct sb_category *c, struct sblog_topic *t,
    struct sb_category_stream *s, uint64_t offset, uint64_t limit,
    struct sblog_err *err)
{
	bool first = s->upto == 0;
	int rc;

	drop(c, s, offset);
	if (s->at < s->count || (!first && s->upto >= limit))
		return 0;
	rc = sb_keys_fetch(t, t->reader, s->key, sb_max_u64(offset, s->upto),
	    limit, first, s->postings, SB_CATEGORY_AHEAD, &s->count, err);
	s->at = 0;
	if (rc < 0) {
		s->count = 0;
		return rc;
	}
	s->upto = s->count < SB_CATEGORY_AHEAD
	    ? limit
	    : s->postings[SB_CATEGORY_AHEAD - 1].offset + 1;
	drop(c, s, offset);
	return 0;
}

/* The first posting of both streams, NULL: none; 1: look again. */
static int
look(struct sb_category *c, struct sblog_topic *t, uint64_t offset,
    uint64_t limit, struct sb_category_stream **bestp, struct sblog_err *err)
{
	int rc;

	*bestp = NULL;
	if ((rc = sb_reader_look(t, &t->reader, UINT64_MAX, err)) < 0)
		return rc;
	if (c->generation != t->reader->manifest.generation)
		forget(c, t->reader->manifest.generation);
	for (size_t i = 0; i < 2; i++) {
		struct sb_category_stream *s = &c->streams[i];

		if ((rc = advance(c, t, s, offset, limit, err)) < 0)
			return rc;
		if (s->at < s->count && s->postings[s->at].offset < limit &&
		    (*bestp == NULL ||
			s->postings[s->at].offset <
			    (*bestp)->postings[(*bestp)->at].offset))
			*bestp = s;
	}
	return 0;
}

/* The same, and again where a file went away in the middle. */
static int
find(struct sb_category *c, struct sblog_topic *t, uint64_t offset,
    uint64_t limit, struct sb_category_stream **bestp, struct sblog_err *err)
{
	int rc;

	for (int tries = 0;; tries++) {
		rc = look(c, t, offset, limit, bestp, err);
		if (rc != SBLOG_ENOENT || tries == TRIES)
			return rc;
		sb_reader_free(t->reader);
		t->reader = NULL;
		forget(c, 0);
		if ((rc = sb_topic_reload(t, err)) < 0)
			return rc;
	}
}

/* Begin with the batch that a posting names, if it reaches the offset. */
static int
begin(struct sb_category *c, struct sblog_topic *t,
    struct sb_category_stream *s, uint64_t *offsetp, struct sblog_err *err)
{
	const struct sb_posting *p = &s->postings[s->at];
	const struct sb_view *v;
	int rc;

	if (p->offset >= *offsetp) {
		*offsetp = p->offset;
		c->next = p->offset + 1;
		c->pos = p->pos;
		return 0;
	}
	/* It may have been trimmed, but not what was asked for. */
	rc = sb_reader_view(t, &t->reader, *offsetp, p->pos, &v, err);
	if (rc == SBLOG_ENOENT || (rc == 0 && v->head.base > p->offset)) {
		s->at++;
		return 0;
	}
	if (rc < 0)
		return rc;
	c->next = v->head.next;
	c->pos = p->pos;
	return 0;
}

/* ---- in a batch ---- */

/* Put c->at on the first record at or behind the offset. */
static void
place(struct sb_category *c, const struct sb_view *v, uint64_t generation,
    uint64_t offset)
{
	uint64_t index = sb_view_find(v, offset);

	if (c->at_base != v->head.base || c->at_generation != generation ||
	    c->at.index > index)
		c->at = (struct sb_at){ 0 };
	c->at_base = v->head.base;
	c->at_generation = generation;
	sb_view_skip(v, &c->at, index);
}

/* Index of the first record from c->at on that belongs to it; count: none. */
static uint64_t
match(const struct sb_category *c, const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;
	uint8_t width = h->width[SB_COL_KEY_LEN];
	const uint8_t *name = c->name.data, *key = v->keys + c->at.key_pos;
	uint64_t i = c->at.index, n = c->name.len, len;

	if (n > 0 && memchr(name, '-', n) != NULL)
		return h->count;
	for (; i < h->count; i++) {
		len = h->key_len_min +
		    sb_column_get(v->col[SB_COL_KEY_LEN], width, i);
		if (len-- == 0)
			continue;
		if (len >= n && (len == n || key[n] == '-') &&
		    (n == 0 ||
			(key[n - 1] == name[n - 1] &&
			    memcmp(key, name, n) == 0)))
			break;
		key += len;
	}
	return i;
}

/* Look through the batch from *offsetp on: 0, or SBLOG_END behind it. */
static int
scan(struct sb_category *c, struct sblog_topic *t, uint64_t *offsetp,
    uint64_t limit, struct sblog_record *rec, struct sblog_err *err)
{
	const struct sb_view *v;
	uint64_t index;
	int rc;

	rc = sb_reader_view(t, &t->reader, *offsetp, c->pos, &v, err);
	if (rc == SBLOG_ENOENT) { /* removed since */
		*offsetp = c->done = c->next;
		return SBLOG_END;
	}
	if (rc < 0)
		return rc;
	c->next = v->head.next;
	place(c, v, t->reader->manifest.generation, *offsetp);
	index = match(c, v);
	if (index < v->head.count && sb_view_offset(v, index) < limit) {
		sb_view_skip(v, &c->at, index);
		sb_view_record(v, &c->at, rec);
		*offsetp = rec->offset;
		return 0;
	}
	*offsetp = sb_min_u64(v->head.next, limit);
	c->done = v->head.next;
	return SBLOG_END;
}

int
sb_category_next(struct sb_category *c, struct sblog_topic *t,
    uint64_t *offsetp, uint64_t limit, struct sblog_record *rec,
    struct sblog_err *err)
{
	struct sb_category_stream *s;
	int rc;

	while (*offsetp < limit) {
		if (*offsetp < c->next) {
			rc = scan(c, t, offsetp, limit, rec, err);
			if (rc != SBLOG_END)
				return rc;
			continue;
		}
		if ((rc = find(c, t, *offsetp, limit, &s, err)) < 0)
			return rc;
		if (s == NULL)
			*offsetp = limit;
		else if ((rc = begin(c, t, s, offsetp, err)) < 0)
			return rc;
	}
	return SBLOG_END;
}
