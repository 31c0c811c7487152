/*
 * keybuild.c - make the key index of a segment, keep up the key table of a WAL.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "log/keys.h"

enum {
	PASS_REFS = 3 << 20, /* keys of one pass: about 100 MB to sort */
	PER_PAGE = 75,       /* entries that a hash page is made for */
	AHEAD = 16,          /* buckets fetched before they are needed */
	PASSES_MAX = 1 << 12,
};

/* ---- segments ---- */

struct build {
	struct sblog_topic *topic;
	struct sb_reader *reader; /* for what lies before the segment */
	size_t file;
	struct sb_source source;
	struct sb_key_list list;
	struct sb_keyindex_writer writer;
	struct sb_buf rels; /* of one entry */
};

/* Keys of the whole segment: from which the number of passes follows. */
static int
count_keys(struct build *b, uint64_t *countp, struct sblog_err *err)
{
	uint64_t pos = b->source.start;
	struct sb_batch head;
	int rc;

	*countp = 0;
	while ((rc = sb_source_head(&b->source, pos, &head, err)) == 0) {
		if (sb_keys_possible(&head))
			*countp += head.count;
		pos += head.total_size;
	}
	return rc < 0 ? rc : 0;
}

/* One group of equal keys. */
static int
add_group(struct build *b, const struct sb_key_ref *refs, size_t n,
    struct sblog_err *err)
{
	const struct sb_file *f = &b->reader->manifest.files[b->file];
	struct sb_keyindex_entry e = { .key = refs[0].key,
		.count = (uint32_t)n };
	int rc;

	b->rels.len = 0;
	for (size_t i = 0; i < n; i++)
		if (sb_buf_add(&b->rels, &refs[i].rel, 4) < 0)
			return sb_err_nomem(err);
	if (f->base > 0 &&
	    (rc = sb_keys_count_before(b->topic, b->reader, b->file, e.key,
		 &e.first_pos, err)) < 0)
		return rc;
	return sb_keyindex_add(&b->writer, &e,
	    (const uint32_t *)(const void *)b->rels.data, err);
}

static int
add_list(struct build *b, struct sblog_err *err)
{
	const struct sb_key_ref *refs = b->list.refs;
	size_t n = b->list.count, i = 0, j;
	int rc = 0;

	for (; rc == 0 && i < n; i = j) {
		for (j = i + 1; j < n && refs[j].key.hash == refs[i].key.hash &&
		     refs[j].key.more == refs[i].key.more;
		     j++)
			;
		rc = add_group(b, refs + i, j - i, err);
	}
	return rc;
}

/* Range of hashes of pass number i of n. */
static void
range(uint64_t i, uint64_t n, uint64_t *lowp, uint64_t *highp)
{
	uint64_t width = UINT64_MAX / n;

	*lowp = i * width;
	*highp = i + 1 == n ? UINT64_MAX : *lowp + width - 1;
}

static int
scan_pass(struct build *b, uint64_t i, uint64_t n, struct sblog_err *err)
{
	uint64_t pos = b->source.start, low, high;
	int rc;

	range(i, n, &low, &high);
	b->list.count = 0;
	rc = sb_keys_scan(&b->source, b->topic->manifest.topic, &pos,
	    UINT64_MAX, true, low, high, &b->list, err);
	if (rc == 0 && sb_key_list_sort(&b->list) < 0)
		rc = sb_err_nomem(err);
	return rc;
}

/* How many different keys the list has. */
static uint64_t
distinct(const struct sb_key_list *list)
{
	uint64_t n = list->count > 0;

	for (size_t i = 1; i < list->count; i++)
		n += list->refs[i].key.hash != list->refs[i - 1].key.hash;
	return n;
}

static int
write_index(struct build *b, uint64_t passes, uint64_t pages,
    struct sblog_err *err)
{
	struct sblog_topic *t = b->topic;
	int rc = sb_keyindex_create(&b->writer, t->dirfd, &b->source.file,
	    t->manifest.topic, pages, err);

	for (uint64_t i = 0; rc == 0 && i < passes; i++) {
		if (i > 0) /* the first one was done to count */
			rc = scan_pass(b, i, passes, err);
		if (rc == 0)
			rc = add_list(b, err);
	}
	if (rc == 0)
		rc = sb_keyindex_commit(&b->writer, err);
	sb_keyindex_discard(&b->writer);
	return rc;
}

static int
build(struct build *b, struct sblog_err *err)
{
	uint64_t keys, passes, pages;
	int rc;

	if ((rc = count_keys(b, &keys, err)) < 0 || keys == 0)
		return rc;
	/* A record may have a category besides its key. */
	passes = sb_min_u64(2 * keys / PASS_REFS + 1, PASSES_MAX);
	if ((rc = scan_pass(b, 0, passes, err)) < 0)
		return rc;
	if (passes == 1 && b->list.count == 0)
		return 0; /* headers only */
	pages = distinct(&b->list) * passes / PER_PAGE + 1;
	for (;; pages *= 2) {
		rc = write_index(b, passes, pages, err);
		if (rc != SBLOG_ETOOBIG || pages > UINT32_MAX)
			return rc;
		if ((rc = scan_pass(b, 0, passes, err)) < 0)
			return rc;
	}
}

int
sb_keys_build(struct sblog_topic *t, const struct sb_file *file,
    struct sblog_err *err)
{
	struct build b = {
		.topic = t,
		.source = SB_SOURCE_INIT,
		.writer = SB_KEYINDEX_WRITER_INIT,
		.rels = SB_BUF_INIT,
	};
	int rc;

	if ((rc = sb_reader_look(t, &b.reader, UINT64_MAX, err)) < 0)
		goto out;
	b.file = sb_reader_find(b.reader, file->base);
	rc = sb_source_open(&b.source, t->dirfd, file, t->manifest.topic, 0,
	    err);
	if (rc == 0)
		rc = build(&b, err);
out:
	sb_source_close(&b.source);
	sb_key_list_free(&b.list);
	sb_buf_release(&b.rels);
	sb_reader_free(b.reader);
	return rc;
}

/* ---- the active WAL ---- */

static bool
has_keys(const struct sb_batch *h)
{
	return h->key_len_min > 0 || h->width[SB_COL_KEY_LEN] > 0;
}

void
sb_keys_drop(struct sblog_topic *t)
{
	const struct sb_file *active = sb_manifest_active(&t->manifest);
	struct sblog_err ignored;

	memset(t->recent, 0, sizeof(t->recent));
	if (active == NULL)
		return;
	if (t->keytab.fd < 0 &&
	    sb_keytab_open(&t->keytab, t->dirfd, active, t->manifest.topic,
		t->boot, true, &ignored) < 0)
		t->keytab = SB_KEYTAB_INIT;
	if (t->keytab.fd >= 0)
		sb_keytab_kill(&t->keytab);
	sb_keytab_close(&t->keytab);
}

static int
insert(struct sblog_topic *t, struct sb_key key, uint64_t offset, uint64_t pos)
{
	return sb_keytab_insert(&t->keytab, key.hash, offset, pos);
}

/* What the table does not cover yet: records below byte t->pub.pos. */
static int
catch_up(struct sblog_topic *t, const struct sb_keytab_mark *m)
{
	struct sb_source s = SB_SOURCE_INIT;
	struct sb_key_list list = { 0 };
	uint64_t pos = m->pos;
	struct sblog_err err;
	int rc;

	rc = sb_source_open(&s, t->dirfd, sb_manifest_active(&t->manifest),
	    t->manifest.topic, t->pub.pos, &err);
	/* In pieces, so that a long WAL needs no long list. */
	while (rc == 0 && pos < t->pub.pos) {
		struct sb_batch head;
		uint64_t to = t->pub.end;

		if (sb_source_head(&s, pos, &head, &err) != 0)
			break;
		to = sb_min_u64(to, head.next + (64 << 10));
		list.count = 0;
		rc = sb_keys_scan(&s, t->manifest.topic, &pos, to, true, 0,
		    UINT64_MAX, &list, &err);
		for (size_t i = 0; rc == 0 && i < list.count; i++)
			rc = insert(t, list.refs[i].key,
			    s.file.base + list.refs[i].rel,
			    list.refs[i].pos8 * SB_BATCH_ALIGN);
	}
	sb_key_list_free(&list);
	sb_source_close(&s);
	return rc == 0 && pos == t->pub.pos ? 0 : SBLOG_EDAMAGE;
}

/* Begin to change the table of the active WAL, which covers all before the batch
 * then. */
static int
begin(struct sblog_topic *t)
{
	const struct sb_file *active = sb_manifest_active(&t->manifest);
	struct sb_keytab_mark m;
	struct sblog_err ignored;

	if (t->keytab.fd >= 0 && !sb_keytab_is_of(&t->keytab, active))
		sb_keytab_close(&t->keytab);
	for (int tries = 0; tries < 3; tries++) {
		bool kept = t->keytab.fd >= 0;

		if (!kept &&
		    sb_keytab_open(&t->keytab, t->dirfd, active,
			t->manifest.topic, t->boot, true, &ignored) < 0 &&
		    sb_keytab_create(&t->keytab, t->dirfd, active,
			t->manifest.topic, t->boot, &ignored) < 0) {
			t->keytab = SB_KEYTAB_INIT;
			return SBLOG_EIO;
		}
		if (sb_keytab_begin(&t->keytab, &m) && m.pos <= t->pub.pos &&
		    (m.pos == t->pub.pos || catch_up(t, &m) == 0))
			return 0;
		/* Another one may be in its place already; if not, somebody
		 * died in it, or the WAL was rolled back. */
		if (!kept)
			sb_keytab_kill(&t->keytab);
		sb_keytab_close(&t->keytab);
		if (!kept && sb_keytab_remove(t->dirfd, active) < 0)
			return SBLOG_EIO;
	}
	return SBLOG_EIO;
}

static int
note_one(struct sblog_topic *t, struct sblog_bytes key, struct sb_key hash,
    struct sb_category_set *known, uint64_t offset, uint64_t pos)
{
	struct sblog_bytes category = sb_key_category(key);
	int rc = insert(t, hash, offset, pos);
	struct sb_key k;

	if (rc < 0 || category.len == key.len)
		return rc;
	k = sb_key_of_category(t->manifest.topic, category);
	return sb_category_is_new(known, k) ? insert(t, k, offset, pos) : 0;
}

static int
note_all(struct sblog_topic *t, const struct sb_batch *h,
    const struct sblog_record *recs, bool keep, uint64_t pos)
{
	struct sb_key hash[AHEAD] = { { 0 } };
	struct sb_category_set known = { { 0 } };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < h->count; i += AHEAD) {
		size_t n = h->count - i < AHEAD ? h->count - i : AHEAD;

		for (size_t j = 0; j < n; j++) {
			if (recs[i + j].key.data == NULL)
				continue;
			hash[j] = sb_key_of(t->manifest.topic, recs[i + j].key);
			sb_keytab_prefetch(&t->keytab, hash[j].hash);
		}
		for (size_t j = 0; j < n; j++)
			if (recs[i + j].key.data != NULL)
				sb_keytab_prefetch_entry(&t->keytab,
				    hash[j].hash);
		for (size_t j = 0; rc == 0 && j < n; j++)
			if (recs[i + j].key.data != NULL)
				rc = note_one(t, recs[i + j].key, hash[j],
				    &known,
				    keep ? recs[i + j].offset : h->base + i + j,
				    pos);
	}
	return rc;
}

static struct sb_recent_key *
recent(struct sblog_topic *t, struct sb_key hash)
{
	return &t->recent[hash.hash >> 32 & 31];
}

/* A writer asks for the key that it wrote last more than for any other. */
static void
remember(struct sblog_topic *t, struct sblog_bytes key, uint64_t offset)
{
	struct sb_key hash = sb_key_of(t->manifest.topic, key);
	struct sb_recent_key *r = recent(t, hash);

	if (key.data == NULL || key.len > sizeof(r->key))
		return;
	r->hash = hash.hash;
	r->next = offset + 1;
	r->len = (uint8_t)key.len;
	memcpy(r->key, key.data, key.len);
}

bool
sb_keys_recent(struct sblog_topic *t, struct sblog_bytes key,
    struct sb_key hash, uint64_t offset)
{
	const struct sb_recent_key *r = recent(t, hash);

	return r->hash == hash.hash && r->next == offset + 1 &&
	    r->len == key.len && memcmp(r->key, key.data, key.len) == 0;
}

void
sb_keys_note(struct sblog_topic *t, const struct sb_batch *h,
    const struct sblog_record *recs, bool keep, struct sblog_bytes token,
    uint64_t pos)
{
	int rc = 0;

	if (t->config.index_keys == SB_INDEX_KEYS_NO ||
	    (!has_keys(h) && token.data == NULL && t->keytab.fd < 0 &&
		t->config.index_keys == SB_INDEX_KEYS_AUTO))
		return;
	/* What cannot be indexed once is not tried with every batch. */
	if (t->keys_failed == t->pub.ordinal + 1)
		return;
	if (begin(t) < 0) {
		t->keys_failed = t->pub.ordinal + 1;
		return;
	}
	/* One that failed stays busy, and nobody uses it. */
	if (has_keys(h))
		rc = note_all(t, h, recs, keep, pos);
	if (rc == 0 && token.data != NULL)
		rc = insert(t, sb_key_of_token(t->manifest.topic, token),
		    keep ? recs[0].offset : h->base, pos);
	if (rc < 0) {
		sb_keytab_kill(&t->keytab);
		sb_keytab_close(&t->keytab);
		t->keys_failed = t->pub.ordinal + 1;
		return;
	}
	sb_keytab_end(&t->keytab, h->next, pos + h->total_size);
	if (h->count == 1 && has_keys(h))
		remember(t, recs[0].key, h->next - 1);
}

void
sb_keys_refresh(struct sblog_topic *t)
{
	struct sb_source s = SB_SOURCE_INIT;
	struct sb_batch all = { .next = t->pub.end };
	struct sblog_err ignored;
	bool any = false;

	if (sb_source_open(&s, t->dirfd, sb_manifest_active(&t->manifest),
		t->manifest.topic, t->pub.pos, &ignored) == 0 &&
	    sb_keys_any(&s, t->manifest.topic, &any, &ignored) == 0 && any) {
		/* As a batch of nothing behind the last one. */
		all.key_len_min = 1;
		sb_keys_note(t, &all, NULL, false,
		    (struct sblog_bytes){ NULL, 0 }, t->pub.pos);
	}
	sb_source_close(&s);
}
