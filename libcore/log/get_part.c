/*
 * get_part.c - one record out of a large batch of a WAL that was verified
 * before: only its lengths and the record itself are read.
 *
 * A batch may be rolled back and its place be used again.  Whoever does that
 * publishes first, and writes a batch from its head on: so if nobody has
 * published since the reader looked, or the head is the same one afterwards,
 * what was read in between belongs to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/reader.h"
#include "sys/sys.h"

enum {
	SLOTS = 2048,       /* batches that are remembered; a power of 2 */
	SMALL = 16 << 10,   /* bytes of a batch that is better read whole */
	PREFIX = 256 << 10, /* bytes of lengths that are too many */
};

struct sb_part {
	uint64_t pos; /* of the batch, 0: none */
	struct sb_batch head;
	uint32_t prefix; /* bytes of its columns before the keys */
};

static struct sb_part *
slot(const struct sb_open_file *f, uint64_t pos)
{
	uint64_t mixed = pos / SB_BATCH_ALIGN * UINT64_C(0x9e3779b97f4a7c15);

	return &f->parts[mixed >> 32 & (SLOTS - 1)];
}

void
sb_part_remember(struct sb_open_file *f, uint64_t pos, const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;
	size_t prefix = (size_t)(v->keys - v->col[0]);

	if (h->total_size < SMALL || prefix > PREFIX ||
	    (h->flags & (SB_BATCH_COLUMNS_LZ4 | SB_BATCH_VALUES_LZ4)) != 0)
		return;
	if (f->parts == NULL)
		f->parts = calloc(SLOTS, sizeof(*f->parts));
	if (f->parts != NULL)
		*slot(f, pos) = (struct sb_part){ pos, *h, (uint32_t)prefix };
}

/* len bytes at pos; false: not to be had. */
static bool
read_at(const struct sb_source *s, uint64_t pos, void *to, uint64_t len)
{
	return len == 0 ||
	    sb_sys_pread(s->fd, to, (size_t)len, pos) == (int64_t)len;
}

/* The bytes of the record between at and end, one behind the other. */
static bool
read_record(struct sb_source *s, const struct sb_part *p,
    const struct sb_view *v, const struct sb_at *at, const struct sb_at *end,
    struct sblog_record *rec)
{
	uint64_t keys = p->pos + SB_BATCH_HEAD_SIZE + p->prefix;
	uint64_t key_len = end->key_pos - at->key_pos;
	uint64_t header_len = end->header_pos - at->header_pos;
	uint64_t value_len = end->value_pos - at->value_pos;
	uint8_t *to;

	if (sb_buf_reserve(&s->values,
		(size_t)(key_len + header_len + value_len) + 8) < 0)
		return false;
	to = s->values.data;
	if (!read_at(s, keys + at->key_pos, to, key_len) ||
	    !read_at(s, keys + v->keys_len + at->header_pos, to + key_len,
		header_len) ||
	    !read_at(s, sb_batch_values_pos(&v->head, p->pos) + at->value_pos,
		to + key_len + header_len, value_len))
		return false;
	if (rec->key.data != NULL)
		rec->key.data = to;
	if (rec->headers.data != NULL)
		rec->headers.data = to + key_len;
	if (rec->value.data != NULL)
		rec->value.data = to + key_len + header_len;
	return true;
}

/* Is the batch in the file still the one that was verified? */
static bool
unchanged(const struct sblog_topic *t, const struct sb_reader *r,
    const struct sb_source *s, const struct sb_part *p)
{
	uint8_t bytes[SB_BATCH_HEAD_SIZE];
	struct sb_batch now;
	const char *why;

	if (r->seq != 0 && r->seq == sb_state_seq(&t->state) &&
	    p->pos < s->limit)
		return true;
	return read_at(s, p->pos, bytes, sizeof(bytes)) &&
	    sb_batch_decode(&now, s->file.salt, p->pos, bytes, &why) == 0 &&
	    now.base == p->head.base && now.chain == p->head.chain &&
	    now.columns_hash == p->head.columns_hash &&
	    now.values_hash == p->head.values_hash;
}

int
sb_part_get(struct sblog_topic *t, const struct sb_reader *r,
    struct sb_open_file *f, uint64_t offset, uint64_t pos,
    struct sblog_record *rec)
{
	const struct sb_part *p = f->parts != NULL ? slot(f, pos) : NULL;
	struct sb_source *s = &f->source;
	struct sb_at at = { 0 }, end;
	struct sb_view v;

	if (p == NULL || p->pos != pos || offset < p->head.base ||
	    offset >= p->head.next)
		return SBLOG_END;
	s->viewed = 0;
	if (sb_buf_reserve(&s->columns, (size_t)p->prefix + 8) < 0 ||
	    !read_at(s, pos + SB_BATCH_HEAD_SIZE, s->columns.data, p->prefix))
		return SBLOG_END;
	/* Its values are not there: this only tells an empty one from none. */
	sb_view_reopen(&v, &p->head, s->columns.data, s->columns.data);
	sb_view_skip(&v, &at, sb_view_find(&v, offset));
	if (at.index == v.head.count || sb_view_offset(&v, at.index) != offset)
		return SBLOG_END;
	end = at;
	sb_view_record(&v, &end, rec);
	if (!read_record(s, p, &v, &at, &end, rec) || !unchanged(t, r, s, p))
		return SBLOG_END;
	return 0;
}
