/*
 * keys.c - which records have a key: look it up in every file that matters.
 *
 * Of a file either its index is used, or its records are scanned once and kept
 * as a list; of the active WAL the table is used as far as it goes, and a list
 * for the rest.
 */
#include "log/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"

struct sb_keyfile {
	bool tried;  /* to open an index: none to be used if it is not open */
	bool broken; /* it turned out to be damaged */
	struct sb_keyindex index; /* of a segment */
	struct sb_keytab table;   /* of a WAL */
	struct sb_keytab_mark mark;
	struct sb_key_list list;     /* sorted */
	uint64_t list_from, list_to; /* byte positions that list covers */
};

/* The records of one hash in one file. */
struct hit {
	uint64_t count; /* in all three */
	struct sb_keyindex_entry entry;
	bool indexed;         /* entry is valid, and the base position known */
	uint32_t first_table; /* tables from here on hold some */
	struct {
		uint32_t count;
		struct sb_keytab_entry last;
	} tables[SB_KEYTAB_TABLES];
	uint64_t in_tables;
	size_t low, high; /* of the list */
};

void
sb_keyfile_free(struct sb_keyfile *k)
{
	if (k == NULL)
		return;
	sb_keyindex_close(&k->index);
	sb_keytab_close(&k->table);
	sb_key_list_free(&k->list);
	free(k);
}

/* ---- having a file's keys ---- */

/* Records from byte k->list_to to the end of what is known, into the list. */
static int
extend_list(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_keyfile *k, struct sblog_err *err)
{
	int rc =
	    sb_keys_scan(&r->files[i].source, t->manifest.topic, &k->list_to,
		sb_reader_end_of(r, i), true, 0, UINT64_MAX, &k->list, err);

	if (rc == 0 && sb_key_list_sort(&k->list) < 0)
		rc = sb_err_nomem(err);
	if (rc < 0) {
		sb_key_list_free(&k->list);
		k->list_to = k->list_from;
	}
	return rc;
}

static int
prepare_wal(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_keyfile *k, struct sblog_err *err)
{
	const struct sb_file *f = &r->manifest.files[i];
	struct sb_source *s = &r->files[i].source;
	struct sb_keytab_mark m;
	struct sblog_err ignored;

	/* It may come into being while we look. */
	if (k->table.fd < 0 && !k->broken &&
	    (!k->tried || k->list_to < s->limit)) {
		k->tried = true;
		if (sb_keytab_open(&k->table, t->dirfd, f, t->manifest.topic,
			t->boot, false, &ignored) == 0)
			k->list_from = k->list_to = 0;
		else
			k->table = SB_KEYTAB_INIT;
	}
	if (k->table.fd >= 0 && !sb_keytab_mark(&k->table, &m)) {
		sb_keytab_close(&k->table);
		sb_key_list_free(&k->list);
		k->list_from = k->list_to = 0;
	}
	if (k->table.fd >= 0 &&
	    (m.pos >= s->limit || k->list_from == 0 || m.pos >= k->list_to)) {
		sb_key_list_free(&k->list);
		k->mark = m;
		k->list_from = k->list_to = m.pos;
	}
	if (k->list_to == 0)
		k->list_from = k->list_to = s->start;
	return k->list_to < s->limit ? extend_list(t, r, i, k, err) : 0;
}

static int
prepare_segment(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_keyfile *k, struct sblog_err *err)
{
	struct sb_source *s = &r->files[i].source;
	struct sblog_err ignored;

	if (!k->tried) {
		k->tried = true;
		if (sb_keyindex_open(&k->index, t->dirfd, &r->manifest.files[i],
			t->manifest.topic, &ignored) < 0)
			k->index = SB_KEYINDEX_INIT;
	}
	if (k->index.map != NULL)
		return 0;
	if (k->list_to == 0)
		k->list_from = k->list_to = s->start;
	return k->list_to < s->limit ? extend_list(t, r, i, k, err) : 0;
}

static int
prepare(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sblog_err *err)
{
	struct sb_open_file *f = &r->files[i];
	int rc;

	if ((rc = sb_reader_open(t, r, i, err)) < 0)
		return rc;
	if (f->keys == NULL) {
		if ((f->keys = calloc(1, sizeof(*f->keys))) == NULL)
			return sb_err_nomem(err);
		f->keys->table = SB_KEYTAB_INIT;
		f->keys->index = SB_KEYINDEX_INIT;
	}
	if (r->manifest.files[i].kind == SBLOG_FILE_SEGMENT)
		return prepare_segment(t, r, i, f->keys, err);
	return prepare_wal(t, r, i, f->keys, err);
}

/* An index that turned out to be damaged: without it from now on. */
static void
abandon(struct sb_keyfile *k)
{
	sb_keyindex_close(&k->index);
	sb_keytab_close(&k->table);
	sb_key_list_free(&k->list);
	k->list_from = k->list_to = 0;
	k->broken = true;
}

/* ---- one hash in one file ---- */

static int
find_in_tables(struct sb_keyfile *k, struct sb_key key, struct hit *h)
{
	int rc;

	h->first_table = k->mark.tables;
	for (uint32_t n = k->mark.tables; n-- > 0;) {
		struct sb_keytab_entry *e = &h->tables[n].last;
		uint32_t i;

		rc = sb_keytab_find(&k->table, &k->mark, n, key.hash, &i, e);
		if (rc < 0)
			return rc;
		h->tables[n].count = rc == 0 ? e->ord + 1 : 0;
		h->in_tables += h->tables[n].count;
		if (rc == 0)
			h->first_table = n;
	}
	return 0;
}

/* More bits only where both have them: a table has none. */
static void
find_in_list(const struct sb_key_list *list, struct sb_key key, struct hit *h)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->refs[mid].key.hash < key.hash)
			low = mid + 1;
		else
			high = mid;
	}
	h->low = low;
	while (low < list->count && list->refs[low].key.hash == key.hash)
		low++;
	h->high = low;
}

static int
find_hit(struct sb_keyfile *k, struct sb_key key, struct hit *h)
{
	int rc;

	h->count = h->in_tables = 0;
	h->indexed = false;
	h->low = h->high = 0;
	if (k->index.map != NULL) {
		rc = sb_keyindex_find(&k->index, key, &h->entry);
		h->indexed = rc == 0;
		h->count = rc == 0 ? h->entry.count : 0;
		return rc < 0 ? rc : 0;
	}
	if (k->table.fd >= 0 && (rc = find_in_tables(k, key, h)) < 0)
		return rc;
	find_in_list(&k->list, key, h);
	h->count = h->in_tables + (h->high - h->low);
	return 0;
}

/* Records number n to n + count - 1 of a table's hash, from the last of them
 * backwards. */
static int
fill_from_table(struct sb_keyfile *k, uint32_t table, const struct hit *h,
    uint32_t n, size_t count, uint64_t base, struct sb_posting *out)
{
	struct sb_keytab_entry e = h->tables[table].last;
	int rc;

	rc = sb_keytab_back_to_ord(&k->table, table, n + (uint32_t)count - 1,
	    &e);
	for (size_t i = count; rc == 0 && i-- > 0;) {
		out[i] = (struct sb_posting){ base + e.rel, e.pos };
		if (i > 0)
			rc = e.prev == 0
			    ? SBLOG_EDAMAGE
			    : sb_keytab_at(&k->table, table, e.prev - 1, &e);
	}
	return rc;
}

/* Records number n, n + 1, ... of a hit: at most max. */
static int
fill(struct sb_keyfile *k, const struct hit *h, uint64_t n, uint64_t base,
    struct sb_posting *out, size_t max, size_t *np)
{
	size_t want = (size_t)sb_min_u64(max, h->count - n), got = 0;
	uint64_t before = 0;
	int rc = 0;

	for (uint32_t rel; h->indexed && rc == 0 && got < want; got++) {
		rc = sb_keyindex_posting(&k->index, &h->entry,
		    (uint32_t)(n + got), &rel);
		out[got] = (struct sb_posting){ base + rel, 0 };
	}
	for (uint32_t t = h->first_table; !h->indexed && h->in_tables > 0 &&
	     t < k->mark.tables && rc == 0 && got < want;
	     t++) {
		uint64_t first = n + got, count = h->tables[t].count;

		if (first < before + count) {
			size_t some = (size_t)sb_min_u64(want - got,
			    before + count - first);

			rc = fill_from_table(k, t, h,
			    (uint32_t)(first - before), some, base, out + got);
			got += some;
		}
		before += count;
	}
	for (; !h->indexed && rc == 0 && got < want; got++) {
		const struct sb_key_ref *ref =
		    &k->list.refs[h->low + (n + got - h->in_tables)];

		out[got] = (struct sb_posting){ base + ref->rel,
			ref->pos8 * SB_BATCH_ALIGN };
	}
	*np = got;
	return rc;
}

static int
lower_in_index(struct sb_keyfile *k, const struct hit *h, uint32_t rel,
    uint64_t *np)
{
	uint32_t low = 0, high = h->entry.count, got;
	int rc;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if ((rc = sb_keyindex_posting(&k->index, &h->entry, mid,
			 &got)) < 0)
			return rc;
		if (got < rel)
			low = mid + 1;
		else
			high = mid;
	}
	*np = low;
	return 0;
}

/* How many records of the hit have an offset below base + rel. */
static int
lower(struct sb_keyfile *k, const struct hit *h, uint64_t rel, uint64_t *np)
{
	uint32_t small = (uint32_t)sb_min_u64(rel, UINT32_MAX);
	size_t i = h->low;
	int rc;

	*np = 0;
	if (rel == 0)
		return 0;
	if (h->indexed)
		return lower_in_index(k, h, small, np);
	for (uint32_t t = h->first_table;
	     h->in_tables > 0 && t < k->mark.tables; t++) {
		struct sb_keytab_entry e = h->tables[t].last;

		if (h->tables[t].count == 0)
			continue;
		if (e.rel < small) {
			*np += h->tables[t].count;
			continue;
		}
		if ((rc = sb_keytab_back_to_rel(&k->table, t, small, &e)) < 0)
			return rc;
		*np += e.ord;
		return 0;
	}
	while (i < h->high && k->list.refs[i].rel < rel)
		i++;
	*np += i - h->low;
	return 0;
}

/* Have file i ready and look the key up; what is damaged is left out. */
static int
look_up(struct sblog_topic *t, struct sb_reader *r, size_t i, struct sb_key key,
    struct hit *h, struct sblog_err *err)
{
	int rc;

	for (int tries = 0;; tries++) {
		if ((rc = prepare(t, r, i, err)) < 0)
			return rc;
		rc = find_hit(r->files[i].keys, key, h);
		if (rc != SBLOG_EDAMAGE || tries > 0)
			return rc;
		abandon(r->files[i].keys);
	}
}

/* ---- over all files ---- */

static int
fetch_in_file(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_key key, uint64_t from, uint64_t to, bool before,
    struct sb_posting *out, size_t max, size_t *np, struct sblog_err *err)
{
	uint64_t base = r->manifest.files[i].base, n = 0;
	struct hit h;
	int rc;

	for (int tries = 0;; tries++) {
		*np = 0;
		if ((rc = look_up(t, r, i, key, &h, err)) < 0)
			return rc;
		if (h.count == 0)
			return 0;
		rc = from > base ? lower(r->files[i].keys, &h, from - base, &n)
				 : 0;
		if (rc == 0 && before && n > 0)
			n--;
		if (rc == 0 && n < h.count)
			rc = fill(r->files[i].keys, &h, n, base, out, max, np);
		if (rc != SBLOG_EDAMAGE || tries > 0)
			break;
		abandon(r->files[i].keys);
	}
	while (*np > 0 && out[*np - 1].offset >= to)
		(*np)--;
	return rc;
}

int
sb_keys_fetch(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t from, uint64_t to, bool before, struct sb_posting *out, size_t max,
    size_t *np, struct sblog_err *err)
{
	size_t got = 0;
	int rc = 0;

	*np = 0;
	for (size_t i = sb_reader_find(r, from);
	     rc == 0 && i < r->manifest.file_count && *np < max; i++) {
		if (r->manifest.files[i].base >= to)
			break;
		rc = fetch_in_file(t, r, i, key, from, to, before, out + *np,
		    max - *np, &got, err);
		*np += got;
	}
	return rc;
}

/* How many records of the key lie in the files before number i. */
int
sb_keys_count_before(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_key key, uint64_t *countp, struct sblog_err *err)
{
	struct hit h;
	int rc;

	*countp = 0;
	while (i-- > 0) {
		if ((rc = look_up(t, r, i, key, &h, err)) < 0)
			return rc;
		*countp += h.count;
		if (h.indexed) {
			*countp += h.entry.first_pos;
			break;
		}
	}
	return 0;
}

static int
first_pos(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_key key, const struct hit *h, uint64_t *posp,
    struct sblog_err *err)
{
	if (h->indexed) {
		*posp = h->entry.first_pos;
		return 0;
	}
	return sb_keys_count_before(t, r, i, key, posp, err);
}

/* The last record in file i below `to`; SBLOG_END: none. */
static int
last_in_file(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_key key, uint64_t to, struct sb_posting *out, uint64_t *rankp,
    struct sblog_err *err)
{
	struct hit h;
	size_t got;
	int rc;

	for (int tries = 0;; tries++) {
		if ((rc = look_up(t, r, i, key, &h, err)) < 0)
			return rc;
		rc = SBLOG_END;
		/* Newer ones than asked for are few. */
		for (uint64_t n = h.count; rc == SBLOG_END && n-- > 0;) {
			rc = fill(r->files[i].keys, &h, n,
			    r->manifest.files[i].base, out, 1, &got);
			if (rc == 0 && out->offset >= to)
				rc = SBLOG_END;
			else if (rc == 0 && rankp != NULL &&
			    (rc = first_pos(t, r, i, key, &h, rankp, err)) == 0)
				*rankp += n;
		}
		if (rc != SBLOG_EDAMAGE || tries > 0)
			return rc;
		abandon(r->files[i].keys);
	}
}

int
sb_keys_last(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t from, uint64_t to, struct sb_posting *out, uint64_t *rankp,
    struct sblog_err *err)
{
	int rc;

	if (to <= from)
		return SBLOG_END;
	for (size_t i = sb_reader_find(r, to - 1) + 1; i-- > 0;) {
		if (sb_reader_end_of(r, i) <= from)
			break;
		rc = last_in_file(t, r, i, key, to, out, rankp, err);
		if (rc == 0 && out->offset < from)
			break;
		if (rc != SBLOG_END)
			return rc;
	}
	return SBLOG_END;
}

int
sb_keys_rank(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t offset, uint64_t *rankp, struct sblog_err *err)
{
	size_t i = sb_reader_find(r, offset);
	uint64_t base = r->manifest.files[i].base, n = 0;
	struct hit h;
	int rc;

	for (int tries = 0;; tries++) {
		if ((rc = look_up(t, r, i, key, &h, err)) < 0 ||
		    (rc = first_pos(t, r, i, key, &h, rankp, err)) < 0)
			return rc;
		rc = offset > base
		    ? lower(r->files[i].keys, &h, offset - base, &n)
		    : 0;
		if (rc != SBLOG_EDAMAGE || tries > 0)
			break;
		abandon(r->files[i].keys);
	}
	*rankp += n;
	return rc;
}

/* The record of file i that has position rank, or its first one if that is
 * behind it; SBLOG_END: all have smaller positions, or there are none (then
 * *emptyp). */
static int
select_in_file(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_key key, uint64_t rank, struct sb_posting *out, bool *emptyp,
    uint64_t *firstp, struct sblog_err *err)
{
	struct hit h;
	size_t got;
	int rc;

	for (int tries = 0;; tries++) {
		if ((rc = look_up(t, r, i, key, &h, err)) < 0)
			return rc;
		*emptyp = h.count == 0;
		if (*emptyp)
			return SBLOG_END;
		if ((rc = first_pos(t, r, i, key, &h, firstp, err)) < 0)
			return rc;
		if (rank >= *firstp && rank - *firstp >= h.count)
			return SBLOG_END;
		rc = fill(r->files[i].keys, &h,
		    rank > *firstp ? rank - *firstp : 0,
		    r->manifest.files[i].base, out, 1, &got);
		if (rc != SBLOG_EDAMAGE || tries > 0)
			return rc;
		abandon(r->files[i].keys);
	}
}

int
sb_keys_select(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t *rankp, uint64_t to, uint64_t *offsetp, struct sblog_err *err)
{
	uint64_t rank = *rankp;
	int found = SBLOG_END;

	for (size_t i = r->manifest.file_count; i-- > 0;) {
		uint64_t first = 0;
		struct sb_posting p;
		bool empty;
		int rc =
		    select_in_file(t, r, i, key, rank, &p, &empty, &first, err);

		if (rc < 0)
			return rc;
		if (rc == SBLOG_END && empty)
			continue;
		if (rc == SBLOG_END)
			break; /* the one found before is the next */
		*offsetp = p.offset;
		*rankp = sb_max_u64(rank, first);
		found = p.offset < to ? 0 : SBLOG_END;
		if (rank >= first)
			break;
	}
	return found;
}
