/*
 * latest.c - which records are the newest of their keys.
 *
 * Every file has its keys in order of hash, from its index or from a list; all
 * of them are merged, and of each key the record in the last file counts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/keycursor.h"

enum { WORD_BITS = 64, TRIES = 5 };

/* One file's keys, in order. */
struct run {
	struct sb_keyindex index; /* or */
	struct sb_key_list list;
	bool indexed;
	uint64_t base, end; /* of the file, cut to what is wanted */
	uint64_t page;      /* of the index */
	uint32_t entry;
	size_t at; /* of the list */
	/* what it stands at */
	bool done;
	struct sb_key key;
	uint64_t offset;
};

void
sb_offsets_release(struct sb_offsets *set)
{
	free(set->bits);
	*set = (struct sb_offsets){ 0 };
}

uint64_t
sb_offsets_next(const struct sb_offsets *set, uint64_t offset)
{
	uint64_t i, word;

	if (offset < set->from)
		offset = set->from;
	if (offset >= set->to)
		return set->to;
	i = offset - set->from;
	word = set->bits[i / WORD_BITS] >> i % WORD_BITS;
	if (word != 0)
		return offset + (uint64_t)__builtin_ctzll(word);
	for (i = i / WORD_BITS + 1; i <= (set->to - set->from - 1) / WORD_BITS;
	     i++)
		if (set->bits[i] != 0)
			return set->from + i * WORD_BITS +
			    (uint64_t)__builtin_ctzll(set->bits[i]);
	return set->to;
}

/* The last record of an entry below the end. */
static int
last_posting(struct run *r, const struct sb_keyindex_entry *e, bool *anyp)
{
	uint32_t rel;
	int rc;

	*anyp = false;
	for (uint32_t i = e->count; i-- > 0 && !*anyp;) {
		if ((rc = sb_keyindex_posting(&r->index, e, i, &rel)) < 0)
			return rc;
		r->offset = r->base + rel;
		*anyp = r->offset < r->end;
	}
	return 0;
}

static int
step_index(struct run *r)
{
	struct sb_keyindex_entry e;
	bool any = false;
	int rc = 0;

	while (!any) {
		rc = r->page < r->index.pages
		    ? sb_keyindex_at(&r->index, r->page, r->entry, &e)
		    : SBLOG_END;
		if (rc == SBLOG_END && r->page + 1 < r->index.pages) {
			r->page++;
			r->entry = 0;
			continue;
		}
		if (rc != 0)
			break;
		r->entry++;
		if (e.key.more & 1) /* a category or a token */
			continue;
		r->key = e.key;
		if ((rc = last_posting(r, &e, &any)) < 0)
			break;
	}
	r->done = rc == SBLOG_END;
	return rc < 0 ? rc : 0;
}

static int
step(struct run *r)
{
	const struct sb_key_list *l = &r->list;

	if (r->indexed)
		return step_index(r);
	if (r->at == l->count) {
		r->done = true;
		return 0;
	}
	/* To the last of equal ones. */
	while (r->at + 1 < l->count &&
	    l->refs[r->at + 1].key.hash == l->refs[r->at].key.hash &&
	    l->refs[r->at + 1].key.more == l->refs[r->at].key.more)
		r->at++;
	r->key = l->refs[r->at].key;
	r->offset = r->base + l->refs[r->at++].rel;
	return 0;
}

static int
open_run(struct run *r, struct sblog_topic *t, struct sb_reader *reader,
    size_t i, uint64_t to, bool indexed, struct sblog_err *err)
{
	const struct sb_file *f = &reader->manifest.files[i];
	struct sb_source *s;
	struct sblog_err ignored;
	uint64_t pos;
	int rc;

	*r = (struct run){ .index = SB_KEYINDEX_INIT, .base = f->base };
	r->end = sb_min_u64(sb_reader_end_of(reader, i), to);
	if ((rc = sb_reader_open(t, reader, i, err)) < 0)
		return rc;
	s = &reader->files[i].source;
	if (f->kind == SBLOG_FILE_SEGMENT && indexed &&
	    sb_keyindex_open(&r->index, t->dirfd, f, t->manifest.topic,
		&ignored) == 0) {
		r->indexed = true;
		return step(r);
	}
	pos = s->start;
	rc = sb_keys_scan(s, t->manifest.topic, &pos, r->end, false, 0,
	    UINT64_MAX, &r->list, err);
	/* The last batch may go on behind the end. */
	for (size_t n = r->list.count; n > 0; n--) {
		if (r->base + r->list.refs[n - 1].rel < r->end)
			break;
		r->list.count = n - 1;
	}
	if (rc == 0 && sb_key_list_sort(&r->list) < 0)
		rc = sb_err_nomem(err);
	return rc < 0 ? rc : step(r);
}

static void
close_runs(struct run *runs, size_t n)
{
	for (size_t i = 0; runs != NULL && i < n; i++) {
		sb_keyindex_close(&runs[i].index);
		sb_key_list_free(&runs[i].list);
	}
	free(runs);
}

static bool
before(const struct sb_key *a, const struct sb_key *b)
{
	return a->hash != b->hash ? a->hash < b->hash : a->more < b->more;
}

/* Runs come in the order of their files, so of equal keys the last one wins. */
static int
merge(struct run *runs, size_t n, struct sb_offsets *set)
{
	for (;;) {
		struct run *low = NULL;
		struct sb_key key;
		uint64_t offset, i;

		for (size_t j = 0; j < n; j++)
			if (!runs[j].done &&
			    (low == NULL || !before(&low->key, &runs[j].key)))
				low = &runs[j];
		if (low == NULL)
			return 0;
		key = low->key;
		offset = low->offset;
		for (size_t j = 0; j < n; j++)
			if (!runs[j].done && !before(&key, &runs[j].key) &&
			    step(&runs[j]) < 0)
				return SBLOG_EDAMAGE;
		if (offset < set->from)
			continue;
		i = offset - set->from;
		set->bits[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
	}
}

static int
collect(struct sb_offsets *set, struct sblog_topic *t, struct sb_reader *reader,
    bool indexed, struct sblog_err *err)
{
	size_t n = 0, count = reader->manifest.file_count;
	struct run *runs = calloc(count + 1, sizeof(*runs));
	int rc = 0;

	if (runs == NULL)
		return sb_err_nomem(err);
	memset(set->bits, 0, ((set->to - set->from) / WORD_BITS + 1) * 8);
	for (; rc == 0 && n < count; n++) {
		if (reader->manifest.files[n].base >= set->to)
			break;
		rc = open_run(&runs[n], t, reader, n, set->to, indexed, err);
	}
	if (rc == 0)
		rc = merge(runs, n, set);
	close_runs(runs, count);
	return rc;
}

int
sb_offsets_latest(struct sb_offsets *set, struct sblog_topic *t, uint64_t from,
    uint64_t to, struct sblog_err *err)
{
	struct sb_reader *reader = NULL;
	bool indexed = true;
	int rc;

	*set = (struct sb_offsets){ .from = from };
	for (int tries = 0; tries < TRIES; tries++) {
		if ((rc = sb_reader_look(t, &reader, UINT64_MAX, err)) < 0)
			break;
		set->to = sb_max_u64(sb_min_u64(to, reader->pub.end), from);
		free(set->bits);
		set->bits = calloc((set->to - from) / WORD_BITS + 1, 8);
		if (set->bits == NULL) {
			rc = sb_err_nomem(err);
			break;
		}
		rc = collect(set, t, reader, indexed, err);
		if (rc == 0 || (rc == SBLOG_EDAMAGE && !indexed) ||
		    (rc != SBLOG_EDAMAGE && rc != SBLOG_ENOENT))
			break;
		/* A damaged index, or a file that was replaced meanwhile. */
		indexed = rc != SBLOG_EDAMAGE;
		sb_reader_free(reader);
		reader = NULL;
		if ((rc = sb_topic_reload(t, err)) < 0)
			break;
	}
	sb_reader_free(reader);
	return rc;
}
