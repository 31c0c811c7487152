/*
 * keyindex.c - the keys of a segment: which of its records have a key.
 */
#include "store/keyindex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/le.h"
#include "store/names.h"
#include "sys/sys.h"

enum {
	PAGE = 4096,
	HEAD2_AT = 128,
	HEAD2_SIZE = 16,
	N_AT = 8,
	ENTRIES_AT = 16,
	ENTRY = 32,
	NEAR = 4, /* entries that a guess is off */
	PER_PAGE = (PAGE - ENTRIES_AT) / ENTRY,
	POSTS_AT = 8,
	POSTS = (PAGE - POSTS_AT) / 4,
};

static uint64_t
page_of(uint64_t hash, uint64_t pages)
{
	__extension__ typedef unsigned __int128 wide;

	return (uint64_t)((wide)hash * pages >> 64);
}

static uint64_t
posting_pages(uint64_t postings)
{
	return postings / POSTS + (postings % POSTS != 0);
}

static int
damaged(struct sblog_err *err, const char *name, const char *why)
{
	return sb_err_damage(err, name, 0, SBLOG_NO_OFFSET, SBLOG_NO_OFFSET,
	    "%s", why);
}

/* ---- reading ---- */

static const char *
check_head(struct sb_keyindex *x, const struct sb_file *segment,
    const uint8_t *topic)
{
	const uint8_t *more = x->map + HEAD2_AT;
	struct sb_file_head h;
	const char *why;

	if (sb_file_head_decode(&h, SB_MAGIC_KDX, x->map, &why) < 0)
		return why;
	if (memcmp(h.salt, segment->salt, SB_SALT_SIZE) != 0 ||
	    memcmp(h.topic, topic, SB_ID_SIZE) != 0 ||
	    h.base != segment->base || h.of_size != segment->size)
		return "not the key index of this segment";
	if (sb_hash64(&x->cpu, more, HEAD2_SIZE,
		sb_seed(h.salt, HEAD2_AT, h.base)) !=
	    sb_get_u64(more + HEAD2_SIZE))
		return "key index checksum differs";
	x->pages = sb_get_u64(more);
	x->postings = sb_get_u64(more + 8);
	x->entries = h.count;
	x->base = h.base;
	memcpy(x->salt, h.salt, SB_SALT_SIZE);
	if (x->pages == 0 || x->pages > x->size / PAGE ||
	    x->postings > x->size / 4 ||
	    x->size != PAGE * (1 + x->pages + posting_pages(x->postings)))
		return "key index is not as long as it says";
	return NULL;
}

int
sb_keyindex_open(struct sb_keyindex *x, int dirfd,
    const struct sb_file *segment, const uint8_t topic[static SB_ID_SIZE],
    struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];
	const char *why = NULL;
	struct sb_stat st;
	void *map = NULL;
	int fd, rc;

	*x = SB_KEYINDEX_INIT;
	sb_name_format(name, SB_NAME_KEYS, segment->base, segment->revision);
	fd = sb_sys_open(dirfd, name, SB_OPEN_READ);
	if (fd < 0)
		return sb_err_sys(err, fd == -ENOENT ? SBLOG_ENOENT : SBLOG_EIO,
		    fd, name, "cannot open");
	if ((rc = sb_sys_fstat(fd, &st)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot stat");
	else if (st.size < PAGE)
		rc = damaged(err, name, "key index is shorter than its head");
	else if ((rc = sb_sys_map(fd, st.size, false, &map)) < 0)
		rc = sb_err_sys(err, SBLOG_EIO, rc, name, "cannot map");
	(void)sb_sys_close(&fd); /* only read from */
	if (rc < 0)
		return rc;
	x->map = map;
	x->size = st.size;
	if ((why = check_head(x, segment, topic)) != NULL)
		rc = damaged(err, name, why);
	else if ((x->seen = calloc(x->size / PAGE / 8 + 1, 1)) == NULL)
		rc = sb_err_nomem(err);
	if (rc < 0)
		sb_keyindex_close(x);
	return rc;
}

void
sb_keyindex_close(struct sb_keyindex *x)
{
	if (x->map != NULL)
		sb_sys_unmap(x->map, x->size);
	free(x->seen);
	*x = SB_KEYINDEX_INIT;
}

/* Page number i behind the head, verified; NULL: damaged. */
static const uint8_t *
page(struct sb_keyindex *x, uint64_t i)
{
	uint64_t pos = PAGE * (i + 1);
	const uint8_t *at = x->map + pos;

	if (x->seen[i / 8] >> (i % 8) & 1)
		return at;
	if (sb_hash64(&x->cpu, at + 8, PAGE - 8,
		sb_seed(x->salt, pos, x->base)) != sb_get_u64(at))
		return NULL;
	x->seen[i / 8] = (uint8_t)(x->seen[i / 8] | 1u << i % 8);
	return at;
}

static uint32_t
entries_of(const uint8_t *p)
{
	uint32_t n = sb_get_u32(p + N_AT);

	return n <= PER_PAGE ? n : PER_PAGE;
}

static void
decode_entry(const uint8_t *at, struct sb_keyindex_entry *e)
{
	*e = (struct sb_keyindex_entry){
		.key.hash = sb_get_u64(at),
		.key.more = sb_get_u32(at + 16),
		.first_pos = sb_get_u64(at + 8),
		.count = sb_get_u32(at + 20),
		.post = sb_get_u32(at + 24),
	};
}

static bool
is_before(const uint8_t *p, uint32_t i, struct sb_key key)
{
	const uint8_t *at = p + ENTRIES_AT + (size_t)ENTRY * i;
	uint64_t hash = sb_get_u64(at);

	return hash < key.hash ||
	    (hash == key.hash && sb_get_u32(at + 16) < key.more);
}

/* The range of entries that the first one not before key is in (or behind it):
 * hashes are spread evenly, so it is near where its share of the page says. */
static void
narrow(const uint8_t *p, struct sb_key key, uint64_t pages, uint32_t *lowp,
    uint32_t *highp)
{
	uint32_t n = *highp, step = NEAR, at;

	at = (uint32_t)((key.hash * pages >> 32) * n >> 32);
	if (n > 0 && is_before(p, at, key)) {
		*lowp = at + 1;
		while ((at += step) < n && is_before(p, at, key)) {
			*lowp = at + 1;
			step *= 2;
		}
		*highp = at < n ? at : n;
		return;
	}
	*highp = at;
	while (at > 0) {
		at = at > step ? at - step : 0;
		if (is_before(p, at, key)) {
			*lowp = at + 1;
			return;
		}
		*highp = at;
		step *= 2;
	}
}

int
sb_keyindex_find(struct sb_keyindex *x, struct sb_key key,
    struct sb_keyindex_entry *e)
{
	const uint8_t *p = page(x, page_of(key.hash, x->pages));
	uint32_t low = 0, high;

	if (p == NULL)
		return SBLOG_EDAMAGE;
	high = entries_of(p);
	narrow(p, key, x->pages, &low, &high);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (is_before(p, mid, key))
			low = mid + 1;
		else
			high = mid;
	}
	if (low == entries_of(p))
		return SBLOG_END;
	decode_entry(p + ENTRIES_AT + (size_t)ENTRY * low, e);
	return e->key.hash == key.hash && e->key.more == key.more ? 0
								  : SBLOG_END;
}

int
sb_keyindex_at(struct sb_keyindex *x, uint64_t p, uint32_t i,
    struct sb_keyindex_entry *e)
{
	const uint8_t *at = page(x, p);

	if (at == NULL)
		return SBLOG_EDAMAGE;
	if (i >= entries_of(at))
		return SBLOG_END;
	decode_entry(at + ENTRIES_AT + (size_t)ENTRY * i, e);
	return 0;
}

int
sb_keyindex_posting(struct sb_keyindex *x, const struct sb_keyindex_entry *e,
    uint32_t i, uint32_t *relp)
{
	uint64_t n = (uint64_t)e->post + i;
	const uint8_t *at;

	if (e->count == 1) {
		*relp = e->post;
		return 0;
	}
	if (n >= x->postings || (at = page(x, x->pages + n / POSTS)) == NULL)
		return SBLOG_EDAMAGE;
	*relp = sb_get_u32(at + POSTS_AT + 4 * (n % POSTS));
	return 0;
}

/* ---- writing ---- */

int
sb_keyindex_create(struct sb_keyindex_writer *w, int dirfd,
    const struct sb_file *segment, const uint8_t topic[static SB_ID_SIZE],
    uint64_t pages, struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];

	*w = SB_KEYINDEX_WRITER_INIT;
	memcpy(w->salt, segment->salt, SB_SALT_SIZE);
	memcpy(w->topic, topic, SB_ID_SIZE);
	w->base = segment->base;
	w->chain = segment->chain;
	w->of_size = segment->size;
	w->pages = pages > 0 ? pages : 1;
	sb_name_format(name, SB_NAME_KEYS, segment->base, segment->revision);
	return sb_tmp_create(&w->file, dirfd, name, err);
}

static int
put_page(struct sb_keyindex_writer *w, uint8_t *p, uint64_t number,
    struct sblog_err *err)
{
	uint64_t pos = PAGE * (number + 1);
	struct sblog_bytes bytes = { p, PAGE };
	int rc;

	sb_put_u64(p,
	    sb_hash64(&w->cpu, p + 8, PAGE - 8,
		sb_seed(w->salt, pos, w->base)));
	rc = sb_tmp_write(&w->file, bytes, pos, err);
	memset(p, 0, PAGE);
	return rc;
}

/* Hash pages up to the one that is wanted, empty ones too. */
static int
turn_to(struct sb_keyindex_writer *w, uint64_t wanted, struct sblog_err *err)
{
	int rc = 0;

	while (rc == 0 && w->page < wanted)
		rc = put_page(w, w->hash_page, w->page++, err);
	return rc;
}

static int
add_posting(struct sb_keyindex_writer *w, uint32_t rel, struct sblog_err *err)
{
	uint64_t i = w->postings++;

	sb_put_u32(w->post_page + POSTS_AT + 4 * (i % POSTS), rel);
	if (w->postings % POSTS != 0)
		return 0;
	return put_page(w, w->post_page, w->pages + i / POSTS, err);
}

int
sb_keyindex_add(struct sb_keyindex_writer *w, const struct sb_keyindex_entry *e,
    const uint32_t *rels, struct sblog_err *err)
{
	uint32_t n, post = e->count == 1 ? rels[0] : (uint32_t)w->postings;
	uint8_t *at;
	int rc;

	if (w->postings > UINT32_MAX - e->count)
		return sb_err_set(err, SBLOG_ENOMEM, "",
		    "too many records for one key index");
	if ((rc = turn_to(w, page_of(e->key.hash, w->pages), err)) < 0)
		return rc;
	n = sb_get_u32(w->hash_page + N_AT);
	if (n == PER_PAGE)
		return sb_err_set(err, SBLOG_ETOOBIG, "", "page is full");
	at = w->hash_page + ENTRIES_AT + (size_t)ENTRY * n;
	sb_put_u64(at, e->key.hash);
	sb_put_u64(at + 8, e->first_pos);
	sb_put_u32(at + 16, e->key.more);
	sb_put_u32(at + 20, e->count);
	sb_put_u32(at + 24, post);
	sb_put_u32(w->hash_page + N_AT, n + 1);
	w->entries++;
	for (uint32_t i = 0; rc == 0 && e->count > 1 && i < e->count; i++)
		rc = add_posting(w, rels[i], err);
	return rc;
}

int
sb_keyindex_commit(struct sb_keyindex_writer *w, struct sblog_err *err)
{
	struct sb_file_head h = {
		.magic = SB_MAGIC_KDX,
		.base = w->base,
		.chain = w->chain,
		.created = sb_sys_time_us(),
		.head_size = PAGE,
		.count = w->entries,
		.of_size = w->of_size,
	};
	uint8_t head[PAGE] = { 0 };
	struct sblog_bytes bytes = { head, sizeof(head) };
	int rc = turn_to(w, w->pages, err);

	if (rc == 0 && w->postings % POSTS != 0)
		rc = put_page(w, w->post_page, w->pages + w->postings / POSTS,
		    err);
	if (rc < 0)
		return rc;
	memcpy(h.salt, w->salt, SB_SALT_SIZE);
	memcpy(h.topic, w->topic, SB_ID_SIZE);
	h.body_size = PAGE * (w->pages + posting_pages(w->postings));
	sb_file_head_encode(&h, head);
	sb_put_u64(head + HEAD2_AT, w->pages);
	sb_put_u64(head + HEAD2_AT + 8, w->postings);
	sb_put_u64(head + HEAD2_AT + HEAD2_SIZE,
	    sb_hash64(&w->cpu, head + HEAD2_AT, HEAD2_SIZE,
		sb_seed(w->salt, HEAD2_AT, w->base)));
	if ((rc = sb_tmp_write(&w->file, bytes, 0, err)) < 0)
		return rc;
	return sb_tmp_commit(&w->file, SB_TMP_REPLACE, err);
}

void
sb_keyindex_discard(struct sb_keyindex_writer *w)
{
	sb_tmp_discard(&w->file);
}
