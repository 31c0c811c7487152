/*
 * keycursor.c - records of one key or category, from anywhere, by index.
 */
#include "log/keycursor.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/category.h"

enum { AHEAD = 64, TRIES = 5 };

/* Postings of one hash, some of them ahead. */
struct stream {
	struct sb_key key;
	struct sb_posting postings[AHEAD];
	size_t count, at;
	uint64_t upto; /* there are no others below it */
};

struct sb_keycursor {
	struct sb_category *category; /* NULL: of a key */
	uint8_t *bytes;
	struct sblog_bytes key;
	struct stream stream;
	uint64_t pos; /* of the record returned last */
	bool pos_known;
};

/* A new look, and again where a file went away in the middle. */
static int
look(struct sb_reader **slot, struct sblog_topic *t, int rc, int tries,
    struct sblog_err *err)
{
	if (rc != SBLOG_ENOENT || tries == TRIES)
		return rc;
	sb_reader_free(*slot);
	*slot = NULL;
	if ((rc = sb_topic_reload(t, err)) < 0)
		return rc;
	return SBLOG_END;
}

static int
select_pos(struct sb_keycursor *k, struct sblog_topic *t, uint64_t pos,
    uint64_t *fromp, uint64_t to, struct sblog_err *err)
{
	int rc;

	for (int tries = 0;; tries++) {
		uint64_t at = pos;

		if ((rc = sb_reader_look(t, &t->reader, UINT64_MAX, err)) < 0)
			return rc;
		rc = sb_keys_select(t, t->reader, k->stream.key, &at,
		    sb_min_u64(to, t->reader->pub.end), fromp, err);
		if (rc == SBLOG_END)
			*fromp = sb_min_u64(to, t->reader->pub.end);
		/* The first record is the one after this. */
		k->pos = at - 1;
		k->pos_known = rc == 0;
		if (rc >= 0)
			return 0;
		if ((rc = look(&t->reader, t, rc, tries, err)) < 0)
			return rc;
	}
}

int
sb_keycursor_open(struct sb_keycursor **kp, struct sblog_topic *t,
    const struct sblog_cursor_opts *opts, uint64_t *fromp, uint64_t to,
    struct sblog_err *err)
{
	struct sb_keycursor *k = calloc(1, sizeof(*k));
	int rc = 0;

	if (k == NULL)
		return sb_err_nomem(err);
	*kp = k;
	if ((k->bytes = malloc(opts->key.len + 1)) == NULL)
		return sb_err_nomem(err);
	if (opts->key.len > 0)
		memcpy(k->bytes, opts->key.data, opts->key.len);
	k->key = (struct sblog_bytes){ k->bytes, opts->key.len };
	k->stream.key = sb_key_of(t->manifest.topic, k->key);
	if (opts->category) {
		if ((k->category = malloc(sizeof(*k->category))) == NULL)
			return sb_err_nomem(err);
		sb_category_init(k->category, t, k->key);
	}
	if (opts->by_pos && opts->category)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "a category has no positions");
	if (opts->by_pos)
		rc = select_pos(k, t, opts->pos, fromp, to, err);
	return rc;
}

void
sb_keycursor_close(struct sb_keycursor *k)
{
	if (k == NULL)
		return;
	free(k->category);
	free(k->bytes);
	free(k);
}

uint64_t
sb_keycursor_pos(const struct sb_keycursor *k)
{
	return k->pos;
}

/* The stream's first posting at or behind offset, or none below limit. */
static int
advance(struct sblog_topic *t, struct stream *s, uint64_t offset,
    uint64_t limit, struct sblog_err *err)
{
	int rc;

	while (s->at < s->count && s->postings[s->at].offset < offset)
		s->at++;
	if (s->at < s->count || s->upto >= limit)
		return 0;
	for (int tries = 0;; tries++) {
		if ((rc = sb_reader_look(t, &t->reader, UINT64_MAX, err)) < 0)
			return rc;
		rc = sb_keys_fetch(t, t->reader, s->key,
		    sb_max_u64(offset, s->upto), limit, false, s->postings,
		    AHEAD, &s->count, err);
		if (rc >= 0)
			break;
		s->count = 0;
		if ((rc = look(&t->reader, t, rc, tries, err)) < 0)
			return rc;
	}
	s->at = 0;
	s->upto = s->count < AHEAD ? limit : s->postings[AHEAD - 1].offset + 1;
	return 0;
}

static bool
matches(struct sblog_bytes wanted, const struct sblog_record *rec)
{
	return rec->key.data != NULL && rec->key.len == wanted.len &&
	    (wanted.len == 0 ||
		memcmp(rec->key.data, wanted.data, wanted.len) == 0);
}

/* Positions go up by one; only where it is not known it is asked for. */
static int
count_pos(struct sb_keycursor *k, struct sblog_topic *t, uint64_t offset,
    struct sblog_err *err)
{
	int rc = 0;

	if (k->pos_known) {
		k->pos++;
		return 0;
	}
	if ((rc = sb_keys_rank(t, t->reader, k->stream.key, offset, &k->pos,
		 err)) == 0)
		k->pos_known = true;
	return rc;
}

int
sb_keycursor_next(struct sb_keycursor *k, struct sblog_topic *t,
    uint64_t *offsetp, uint64_t limit, struct sblog_record *rec,
    struct sblog_err *err)
{
	struct stream *s = &k->stream;
	int rc;

	if (k->category != NULL)
		return sb_category_next(k->category, t, offsetp, limit, rec,
		    err);
	for (;;) {
		const struct sb_posting *p;

		if ((rc = advance(t, s, *offsetp, limit, err)) < 0)
			return rc;
		if (s->at == s->count || s->postings[s->at].offset >= limit) {
			*offsetp = limit;
			return SBLOG_END;
		}
		p = &s->postings[s->at];
		*offsetp = p->offset;
		rc = count_pos(k, t, p->offset, err);
		if (rc == 0)
			rc = sb_reader_get(t, &t->reader, p->offset, p->pos,
			    rec, err);
		if (rc == 0 && matches(k->key, rec))
			return 0;
		/* Removed since, or another key with the same hash. */
		if (rc < 0 && rc != SBLOG_ENOENT) {
			k->pos_known = false;
			return rc;
		}
		*offsetp = p->offset + 1;
	}
}

/* The newest record of a key: its offset, and where they are not NULL its
 * position, and itself through the topic's reader. */
static int
newest(struct sblog_topic *t, struct sblog_bytes key, uint64_t *offsetp,
    uint64_t *rankp, struct sblog_record *rec, struct sblog_err *err)
{
	struct sb_key hash = sb_key_of(t->manifest.topic, key);
	struct sblog_record ignored;
	struct sb_posting p;
	uint64_t to = UINT64_MAX;
	int rc;

	if (rec == NULL)
		rec = &ignored;
	for (int tries = 0;;) {
		if ((rc = sb_reader_look(t, &t->reader, UINT64_MAX, err)) < 0)
			return rc;
		to = sb_min_u64(to, t->reader->pub.end);
		rc = sb_keys_last(t, t->reader, hash, t->reader->manifest.start,
		    to, &p, rankp, err);
		if (rc == SBLOG_END)
			return sb_err_set(err, SBLOG_ENOENT, "", "no such key");
		if (rc < 0) {
			rc = look(&t->reader, t, rc, tries++, err);
			if (rc < 0)
				return rc;
			continue;
		}
		*offsetp = p.offset;
		if (rec == &ignored && sb_keys_recent(t, key, hash, p.offset))
			return 0;
		rc = sb_reader_get(t, &t->reader, p.offset, p.pos, rec, err);
		if (rc == 0 && matches(key, rec))
			return 0;
		if (rc < 0 && rc != SBLOG_ENOENT)
			return rc;
		to = p.offset; /* another key with the same hash */
	}
}

int
sblog_get_key(struct sblog_topic *t, struct sblog_bytes key,
    struct sblog_record *rec, struct sblog_err *err)
{
	uint64_t offset;

	if (key.data == NULL || key.len > SBLOG_KEY_MAX)
		return sb_err_set(err, SBLOG_EINVAL, "", "not a key");
	return newest(t, key, &offset, NULL, rec, err);
}

int
sblog_key_find(struct sblog_topic *t, struct sblog_bytes key,
    struct sblog_key_info *info, struct sblog_err *err)
{
	int rc;

	if (key.data == NULL || key.len > SBLOG_KEY_MAX)
		return sb_err_set(err, SBLOG_EINVAL, "", "not a key");
	if ((rc = newest(t, key, &info->last, &info->next_pos, NULL, err)) < 0)
		return rc;
	info->next_pos++;
	return 0;
}

int
sblog_key_rank(struct sblog_topic *t, struct sblog_bytes key, uint64_t offset,
    uint64_t *posp, struct sblog_err *err)
{
	int rc;

	if (key.data == NULL || key.len > SBLOG_KEY_MAX)
		return sb_err_set(err, SBLOG_EINVAL, "", "not a key");
	for (int tries = 0;; tries++) {
		if ((rc = sb_reader_look(t, &t->reader, offset, err)) < 0)
			return rc;
		rc = sb_keys_rank(t, t->reader,
		    sb_key_of(t->manifest.topic, key), offset, posp, err);
		if (rc >= 0 || (rc = look(&t->reader, t, rc, tries, err)) < 0)
			return rc;
	}
}
