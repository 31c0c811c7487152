/*
 * keylist.c - the keys of records as a list, collected by scanning columns.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "log/keys.h"

enum { DIGIT_BITS = 11, DIGITS = 3 }; /* 33 bits of the hash by counting */

void
sb_key_list_free(struct sb_key_list *list)
{
	free(list->refs);
	*list = (struct sb_key_list){ 0 };
}

static int
add(struct sb_key_list *list, struct sb_key key, uint64_t rel, uint64_t pos,
    struct sblog_err *err)
{
	if (rel > UINT32_MAX)
		return sb_err_set(err, SBLOG_ETOOBIG, "",
		    "a file spans too many offsets for a key index");
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 1024;
		struct sb_key_ref *refs =
		    realloc(list->refs, size * sizeof(*refs));

		if (refs == NULL)
			return sb_err_nomem(err);
		list->refs = refs;
		list->size = size;
	}
	list->refs[list->count++] =
	    (struct sb_key_ref){ key, (uint32_t)rel, pos / SB_BATCH_ALIGN };
	return 0;
}

/* What one pass looks for, and where it puts it. */
struct pass {
	struct sb_source *source;
	const uint8_t *topic;
	bool categories;
	uint64_t low, high;
	struct sb_key_list *list;
};

static int
add_wanted(const struct pass *p, struct sb_key key, uint64_t rel, uint64_t pos,
    struct sblog_err *err)
{
	if (key.hash < p->low || key.hash > p->high)
		return 0;
	return add(p->list, key, rel, pos, err);
}

/* Tokens, in the headers of first records of batches. */
static int
scan_tokens(const struct pass *p, const struct sb_view *v, uint64_t pos,
    struct sblog_err *err)
{
	const struct sb_batch *h = &v->head;
	const uint8_t *at = v->headers;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < h->count; i++) {
		uint64_t len = h->header_len_min +
		    sb_column_get(v->col[SB_COL_HEADER_LEN],
			h->width[SB_COL_HEADER_LEN], i);
		struct sblog_bytes run = { at, (size_t)len }, value;

		at += len;
		value = sb_headers_once(run);
		if (value.data == NULL ||
		    (value = sb_once_token(value)).len == 0)
			continue;
		rc = add_wanted(p, sb_key_of_token(p->topic, value),
		    sb_view_offset(v, i) - p->source->file.base, pos, err);
	}
	return rc;
}

static int
scan_view(const struct pass *p, const struct sb_view *v, uint64_t pos,
    struct sblog_err *err)
{
	const struct sb_batch *h = &v->head;
	const uint8_t *at = v->keys;
	struct sb_category_set known = { { 0 } };
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < h->count; i++) {
		uint64_t len = h->key_len_min +
		    sb_column_get(v->col[SB_COL_KEY_LEN],
			h->width[SB_COL_KEY_LEN], i);
		struct sblog_bytes key = { at, (size_t)len - 1 }, category;
		uint64_t rel;

		if (len == 0)
			continue;
		rel = sb_view_offset(v, i) - p->source->file.base;
		rc = add_wanted(p, sb_key_of(p->topic, key), rel, pos, err);
		category = sb_key_category(key);
		if (rc == 0 && p->categories && category.len < key.len) {
			struct sb_key k =
			    sb_key_of_category(p->topic, category);

			if (sb_category_is_new(&known, k))
				rc = add_wanted(p, k, rel, pos, err);
		}
		at += key.len;
	}
	return rc;
}

int
sb_keys_scan(struct sb_source *s, const uint8_t topic[static SB_ID_SIZE],
    uint64_t *posp, uint64_t end, bool categories, uint64_t low, uint64_t high,
    struct sb_key_list *list, struct sblog_err *err)
{
	const struct pass p = { s, topic, categories, low, high, list };
	struct sb_batch head = { .base = s->file.base };
	struct sb_view v;
	int rc;

	while ((rc = sb_source_head(s, *posp, &head, err)) == 0 &&
	    head.base < end) {
		if (sb_keys_possible(&head)) {
			if ((rc = sb_source_view(s, *posp, &head,
				 SB_WANT_COLUMNS, &v, err)) < 0 ||
			    (rc = scan_view(&p, &v, *posp, err)) < 0 ||
			    (p.categories &&
				(rc = scan_tokens(&p, &v, *posp, err)) < 0))
				break;
		}
		*posp += head.total_size;
	}
	if (rc == SBLOG_EDAMAGE) {
		err->offset = head.base;
		err->end = head.next > head.base ? head.next : end;
	}
	return rc < 0 ? rc : 0;
}

static bool
before(const struct sb_key_ref *a, const struct sb_key_ref *b)
{
	if (a->key.hash != b->key.hash)
		return a->key.hash < b->key.hash;
	if (a->key.more != b->key.more)
		return a->key.more < b->key.more;
	return a->rel < b->rel;
}

static unsigned
digit(const struct sb_key_ref *r, int d)
{
	return (unsigned)(r->key.hash >> (64 - DIGIT_BITS * (DIGITS - d))) &
	    ((1u << DIGIT_BITS) - 1);
}

/* Counting sort by the front of the hash, which is as good as random; what is
 * equal there is put in order afterwards. */
int
sb_key_list_sort(struct sb_key_list *list)
{
	struct sb_key_ref *from = list->refs, *to;
	size_t n = list->count;

	if (n < 2)
		return 0;
	if ((to = malloc(list->size * sizeof(*to))) == NULL)
		return SBLOG_ENOMEM;
	for (int d = 0; d < DIGITS; d++) {
		size_t start[1 << DIGIT_BITS] = { 0 }, sum = 0;
		struct sb_key_ref *other = from;

		for (size_t i = 0; i < n; i++)
			start[digit(&from[i], d)]++;
		for (size_t i = 0; i < 1 << DIGIT_BITS; i++) {
			size_t count = start[i];

			start[i] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[start[digit(&from[i], d)]++] = from[i];
		from = to;
		to = other;
	}
	free(to);
	list->refs = from;
	for (size_t i = 1; i < n; i++) {
		struct sb_key_ref r = from[i];
		size_t j = i;

		for (; j > 0 && before(&r, &from[j - 1]); j--)
			from[j] = from[j - 1];
		from[j] = r;
	}
	return 0;
}
