/*
 * get_part.c - one record out of a large batch of a WAL that was verified
 * before: only its lengths and the record itself are read.  A batch that is
 * asked again and again is kept in memory, as long as all of them are not much.
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
	OFTEN = 3,       /* times that a batch is asked for, then it is kept */
	VERY_OFTEN = 64, /* then others go for it */
	COPY_MAX = 1 << 20, /* bytes of a batch that is kept */
	COPIES = 8 << 20,   /* of all that are kept of a file */
};

struct sb_part {
	uint64_t pos; /* of the batch, 0: none */
	struct sb_batch head;
	uint32_t prefix; /* bytes of its columns before the keys */
	unsigned asked;
	uint8_t *copy; /* its sections, or NULL */
};

static struct sb_part *
slot(const struct sb_open_file *f, uint64_t pos)
{
	uint64_t mixed = pos / SB_BATCH_ALIGN * UINT64_C(0x9e3779b97f4a7c15);

	return &f->parts[mixed >> 32 & (SLOTS - 1)];
}

static size_t
copy_size(const struct sb_part *p)
{
	return (size_t)p->head.columns_stored + p->head.values_stored;
}

static void
drop_copy(struct sb_open_file *f, struct sb_part *p)
{
	if (p->copy != NULL)
		f->copied -= copy_size(p);
	free(p->copy);
	p->copy = NULL;
	p->asked = 0;
}

void
sb_part_free(struct sb_open_file *f)
{
	for (size_t i = 0; f->parts != NULL && i < SLOTS; i++)
		free(f->parts[i].copy);
	free(f->parts);
	f->parts = NULL;
	f->copied = 0;
}

void
sb_part_remember(struct sb_open_file *f, uint64_t pos, const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;
	size_t prefix = (size_t)(v->keys - v->col[0]);
	struct sb_part *p;

	if (h->total_size < SMALL || prefix > PREFIX ||
	    (h->flags & (SB_BATCH_COLUMNS_LZ4 | SB_BATCH_VALUES_LZ4)) != 0)
		return;
	if (f->parts == NULL)
		f->parts = calloc(SLOTS, sizeof(*f->parts));
	if (f->parts == NULL)
		return;
	p = slot(f, pos);
	drop_copy(f, p);
	*p = (struct sb_part){ .pos = pos,
		.head = *h,
		.prefix = (uint32_t)prefix };
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

/* Keep a batch, and let others go where that would be too much. */
static void
keep(struct sb_open_file *f, struct sb_part *p)
{
	size_t size = copy_size(p);

	for (size_t n = 0; f->copied + size > COPIES && n < SLOTS; n++)
		drop_copy(f, &f->parts[f->hand++ % SLOTS]);
	if (size > COPY_MAX || (p->copy = malloc(size + 8)) == NULL)
		return;
	f->copied += size;
	if (!read_at(&f->source, p->pos + SB_BATCH_HEAD_SIZE, p->copy, size))
		drop_copy(f, p);
}

/* Index of an offset in a view, with *at there; false: it is not in it. */
static bool
find(const struct sb_view *v, uint64_t offset, struct sb_at *at)
{
	*at = (struct sb_at){ 0 };
	sb_view_skip(v, at, sb_view_find(v, offset));
	return at->index < v->head.count &&
	    sb_view_offset(v, at->index) == offset;
}

/* The record out of the file: its lengths, then itself. */
static bool
get_read(struct sb_source *s, const struct sb_part *p, uint64_t offset,
    struct sblog_record *rec)
{
	struct sb_at at, end;
	struct sb_view v;

	s->viewed = 0;
	if (sb_buf_reserve(&s->columns, (size_t)p->prefix + 8) < 0 ||
	    !read_at(s, p->pos + SB_BATCH_HEAD_SIZE, s->columns.data,
		p->prefix))
		return false;
	/* Its values are not there: this only tells an empty one from none. */
	sb_view_reopen(&v, &p->head, s->columns.data, s->columns.data);
	if (!find(&v, offset, &at))
		return false;
	end = at;
	sb_view_record(&v, &end, rec);
	return read_record(s, p, &v, &at, &end, rec);
}

static bool
get_kept(const struct sb_part *p, uint64_t offset, struct sblog_record *rec)
{
	struct sb_view v;
	struct sb_at at;

	sb_view_reopen(&v, &p->head, p->copy, p->copy + p->head.columns_stored);
	if (!find(&v, offset, &at))
		return false;
	sb_view_record(&v, &at, rec);
	return true;
}

int
sb_part_get(struct sblog_topic *t, const struct sb_reader *r,
    struct sb_open_file *f, uint64_t offset, uint64_t pos,
    struct sblog_record *rec)
{
	struct sb_part *p = f->parts != NULL ? slot(f, pos) : NULL;

	if (p == NULL || p->pos != pos || offset < p->head.base ||
	    offset >= p->head.next)
		return SBLOG_END;
	if (p->copy == NULL && ++p->asked >= OFTEN &&
	    (f->copied + copy_size(p) <= COPIES || p->asked >= VERY_OFTEN))
		keep(f, p);
	if (!(p->copy != NULL ? get_kept(p, offset, rec)
			      : get_read(&f->source, p, offset, rec)))
		return SBLOG_END;
	if (unchanged(t, r, &f->source, p))
		return 0;
	drop_copy(f, p);
	p->pos = 0;
	return SBLOG_END;
}
