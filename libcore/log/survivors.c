/*
 * survivors.c - which records compaction keeps: the latest of each key.
 *
 * A table from key to its last record is filled over all segments; keys are 128
 * bits of XXH3 seeded with the topic's identity, so that two keys are never
 * taken for one.  Where the keys do not fit into the memory allowed, the hashes
 * are divided into ranges, and each range is a pass over the columns.
 *
 * A record with the token of an append stays for dedup.window: without it a
 * retry would append a second copy.  As long as it does, the tombstone of its key
 * stays too: or the value would come back.
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/err.h"
#include "base/le.h"
#include "base/num.h"
#include "codec/headers.h"
#include "log/compact.h"

enum { WORD_BITS = 64, TABLE_MIN = 1 << 12, AHEAD = 16 };

/* In struct slot, beside an offset: a record of the key stays for its token. */
static const uint64_t GUARDED = UINT64_C(1) << 63;

/* last 0: free. */
struct slot {
	uint64_t high, low;
	uint64_t last; /* offset of its last record + 1, and GUARDED */
};

struct table {
	struct slot *slots;
	uint64_t mask, used, limit;
	uint64_t from, to; /* range of high that this pass is for */
};

static XXH128_hash_t
hash(const uint8_t *topic, struct sblog_bytes key)
{
	return XXH3_128bits_withSeed(key.data, key.len, sb_get_u64(topic + 8));
}

static struct slot *
find(const struct table *t, XXH128_hash_t h)
{
	uint64_t i = h.low64 & t->mask;

	while (t->slots[i].last != 0 &&
	    (t->slots[i].high != h.high64 || t->slots[i].low != h.low64))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

/* Free a slot; what was pushed behind it moves up, so that no way is broken. */
static void
remove_slot(struct table *t, uint64_t i)
{
	for (uint64_t j = (i + 1) & t->mask; t->slots[j].last != 0;
	     j = (j + 1) & t->mask) {
		uint64_t home = t->slots[j].low & t->mask;

		/* Is its own place behind i, up to j?  Then it stays. */
		if (((j - home) & t->mask) < ((j - i) & t->mask))
			continue;
		t->slots[i] = t->slots[j];
		i = j;
	}
	t->slots[i].last = 0;
	t->used--;
}

/* Too many keys: the upper half of the range waits for another pass. */
static void
shrink_range(struct table *t)
{
	t->to = t->from + (t->to - t->from) / 2;
	for (uint64_t i = 0; i <= t->mask; i++)
		while (t->slots[i].last != 0 && t->slots[i].high > t->to)
			remove_slot(t, i);
}

static void
put(struct table *t, XXH128_hash_t h, uint64_t offset, bool guarded)
{
	struct slot *s = find(t, h);

	if (s->last == 0) {
		*s = (struct slot){ h.high64, h.low64, 0 };
		t->used++;
	}
	s->last = (s->last & GUARDED) | (guarded ? GUARDED : 0) | (offset + 1);
	while (t->used > t->limit)
		shrink_range(t);
}

/* What one record is, as far as compaction cares. */
struct item {
	uint64_t index, offset;
	struct sblog_bytes key; /* data NULL: none */
	XXH128_hash_t hash;     /* of it */
	bool null;
	bool token;   /* of an append, */
	int64_t time; /* at this time */
};

struct pass {
	struct sb_compaction *c;
	struct table table;
};

typedef void (
    *item_fn)(struct pass *p, size_t segment, const struct item *item);

/* Some records ahead of where the table is asked: their slots are fetched
 * meanwhile, because every one of them is somewhere else. */
static void
each_item(const struct sb_view *v, size_t segment, uint64_t index, item_fn fn,
    struct pass *p)
{
	const struct sb_batch *h = &v->head;
	const uint8_t *at = v->keys, *headers = v->headers;
	struct item items[AHEAD];

	for (uint64_t i = 0; i < h->count; i++) {
		struct item *item = &items[i % AHEAD];
		uint64_t key = h->key_len_min +
		    sb_column_get(v->col[SB_COL_KEY_LEN],
			h->width[SB_COL_KEY_LEN], i);
		uint64_t value = h->value_len_min +
		    sb_column_get(v->col[SB_COL_VALUE_LEN],
			h->width[SB_COL_VALUE_LEN], i);

		if (i >= AHEAD)
			fn(p, segment, item);
		*item = (struct item){
			.index = index + i,
			.offset = sb_view_offset(v, i),
			.null = value == 0,
		};
		if (key > 0) {
			item->key = (struct sblog_bytes){ at, key - 1 };
			item->hash = hash(p->c->manifest.topic, item->key);
			__builtin_prefetch(
			    &p->table.slots[item->hash.low64 & p->table.mask]);
			at += key - 1;
		}
		if (v->headers_len > 0) {
			struct sblog_bytes run = { headers,
				h->header_len_min +
				    sb_column_get(v->col[SB_COL_HEADER_LEN],
					h->width[SB_COL_HEADER_LEN], i) };

			item->token =
			    run.len > 0 && sb_headers_once(run).data != NULL;
			item->time = sb_view_time(v, i);
			headers += run.len;
		}
	}
	for (uint64_t i = h->count > AHEAD ? h->count - AHEAD : 0; i < h->count;
	     i++)
		fn(p, segment, &items[i % AHEAD]);
}

/* Every record of a segment, from its columns. */
static int
scan(struct sb_compaction *c, size_t segment, item_fn fn, struct pass *p,
    struct sblog_err *err)
{
	const struct sb_file *f = &c->manifest.files[segment];
	struct sb_source s = SB_SOURCE_INIT;
	uint64_t pos, index = 0, expected = f->base;
	struct sb_batch head;
	struct sb_view v;
	int rc;

	rc = sb_source_open(&s, c->topic->dirfd, f, c->manifest.topic, 0, err);
	if (rc == SBLOG_ENOENT)
		return sb_err_damage(err, s.name, UINT64_MAX, f->base, f->next,
		    "file is missing");
	for (pos = s.start; rc == 0; pos += head.total_size) {
		sb_source_pace(&s, pos);
		if ((rc = sb_source_head(&s, pos, &head, err)) != 0)
			break;
		rc = sb_source_view(&s, pos, &head, SB_WANT_COLUMNS, &v, err);
		if (rc < 0)
			break;
		each_item(&v, segment, index, fn, p);
		index += head.count;
		expected = head.next;
		sb_compact_pace(c,
		    SB_BATCH_HEAD_SIZE + (uint64_t)head.columns_stored);
	}
	/* Nothing is thrown away because of what could not be read. */
	if (rc == SBLOG_EDAMAGE ||
	    (rc == SBLOG_END && (index != f->count || expected != f->next))) {
		if (rc == SBLOG_END)
			(void)sb_err_damage(err, s.name, pos, expected, f->next,
			    "file ends before its records do");
		err->offset = expected;
		err->end = f->next;
		rc = SBLOG_EDAMAGE;
	}
	sb_source_close(&s);
	return rc < 0 ? rc : 0;
}

/* May a retry of its append come still? */
static bool
guards(const struct sb_compaction *c, const struct item *item)
{
	uint64_t window = c->topic->config.dedup_window;

	return item->token &&
	    (window == SB_SETTING_NONE || c->now <= item->time ||
		(uint64_t)(c->now - item->time) <= window);
}

static void
note_last(struct pass *p, size_t segment, const struct item *item)
{
	XXH128_hash_t h = item->hash;

	(void)segment;
	if (item->key.data == NULL || item->offset < p->c->start)
		return;
	if (h.high64 >= p->table.from && h.high64 <= p->table.to)
		put(&p->table, h, item->offset, guards(p->c, item));
}

static void
keep(struct sb_compaction *c, size_t segment, uint64_t index)
{
	uint64_t bit = c->bit_base[segment] + index;

	c->bits[bit / WORD_BITS] |= UINT64_C(1) << bit % WORD_BITS;
	c->kept[segment]++;
}

void
sb_compact_keep_last(struct sb_compaction *c)
{
	keep(c, c->last - 1, c->manifest.files[c->last - 1].count - 1);
}

/* A tombstone that every reader has had time to see. */
static bool
expired(const struct sb_compaction *c, size_t segment)
{
	const struct sb_file *f = &c->manifest.files[segment];

	return f->clean_time != 0 && c->opts->grace_us != SBLOG_NO_LIMIT &&
	    c->now > f->clean_time &&
	    (uint64_t)(c->now - f->clean_time) > c->opts->grace_us;
}

static void
mark(struct pass *p, size_t segment, const struct item *item)
{
	XXH128_hash_t h = item->hash;
	bool latest, stays;
	uint64_t last;

	if (item->offset < p->c->start)
		return;
	if (item->key.data == NULL) {
		/* Decided on once, in the first pass. */
		if (p->table.from == 0 &&
		    (!p->c->topic->config.compact_unkeyed ||
			guards(p->c, item)))
			keep(p->c, segment, item->index);
		return;
	}
	if (h.high64 < p->table.from || h.high64 > p->table.to)
		return;
	last = find(&p->table, h)->last;
	latest = (last & ~GUARDED) == item->offset + 1;
	if (latest && item->null && expired(p->c, segment))
		stays = (last & GUARDED) != 0 || p->c->guarded_before;
	else
		stays = latest || guards(p->c, item);
	if (!stays)
		return;
	p->c->guarded = p->c->guarded || !latest;
	keep(p->c, segment, item->index);
	p->c->tombs[segment] += item->null;
}

static int
run_pass(struct pass *p, struct sblog_err *err)
{
	struct sb_compaction *c = p->c;
	int rc = 0;

	/* Older segments than the first cannot hold a later record. */
	for (size_t i = c->first; rc == 0 && i < c->segments; i++)
		rc = scan(c, i, note_last, p, err);
	for (size_t i = c->first; rc == 0 && i < c->last; i++)
		rc = scan(c, i, mark, p, err);
	return rc;
}

int
sb_compact_decide(struct sb_compaction *c, struct sblog_err *err)
{
	uint64_t size = TABLE_MIN, records = 0;
	struct pass p = { .c = c };
	int rc = 0;

	/* Earlier windows are not in the table. */
	c->guarded_before = c->guarded;
	for (size_t i = c->first; i < c->segments; i++)
		records += c->manifest.files[i].count;
	/* At most three quarters of the memory, and three quarters full. */
	while (size * 2 * sizeof(struct slot) <= c->opts->memory / 4 * 3 &&
	    size / 4 * 3 < records)
		size *= 2;
	p.table.slots = malloc(size * sizeof(struct slot));
	if (p.table.slots == NULL)
		return sb_err_nomem(err);
	p.table.mask = size - 1;
	p.table.limit = size / 4 * 3;
	for (uint64_t from = 0; rc == 0;) {
		memset(p.table.slots, 0, size * sizeof(struct slot));
		p.table.used = 0;
		p.table.from = from;
		p.table.to = UINT64_MAX;
		rc = run_pass(&p, err);
		c->done->passes++;
		if (p.table.to == UINT64_MAX)
			break;
		from = p.table.to + 1;
	}
	free(p.table.slots);
	return rc;
}
