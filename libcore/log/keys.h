/*
 * keys.h - which records have a key: from the key indexes of segments and the
 * key tables of WALs, and where there is none to be used from the records.
 *
 * What is found has the right hash; the caller compares the key itself.
 * Positions count the records of a key from 0, over all files.
 */
#ifndef SB_LOG_KEYS_H
#define SB_LOG_KEYS_H

#include "codec/headers.h"
#include "codec/key.h"
#include "log/reader.h"
#include "store/keyindex.h"
#include "store/keytab.h"

void sb_keyfile_free(struct sb_keyfile *k);

struct sb_posting {
	uint64_t offset;
	uint64_t pos; /* byte position of its batch, 0: not known */
};

/*
 * The first of the records with this hash in [from, to), in order: at most max
 * of them; with `before` beginning with the last one in front of `from` in the
 * same file.  r was looked at up to `to` before.  SBLOG_ENOENT: a file is gone,
 * look again.
 */
int sb_keys_fetch(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t from, uint64_t to, bool before, struct sb_posting *out, size_t max,
    size_t *np, struct sblog_err *err) SB_MUST_CHECK;

/* The last one in [from, to), and its position if rankp is not NULL; SBLOG_END:
 * none. */
int sb_keys_last(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t from, uint64_t to, struct sb_posting *out, uint64_t *rankp,
    struct sblog_err *err) SB_MUST_CHECK;

/* The position that a record of the key at `offset` has or would have: how
 * many come before. */
int sb_keys_rank(struct sblog_topic *t, struct sb_reader *r, struct sb_key key,
    uint64_t offset, uint64_t *rankp, struct sblog_err *err) SB_MUST_CHECK;

/* How many there are in the files before number i. */
int sb_keys_count_before(struct sblog_topic *t, struct sb_reader *r, size_t i,
    struct sb_key key, uint64_t *countp, struct sblog_err *err) SB_MUST_CHECK;

/* Offset of the record at position *rankp, or of the first one there is behind
 * it: that one's position then; SBLOG_END: none below `to`. */
int sb_keys_select(struct sblog_topic *t, struct sb_reader *r,
    struct sb_key key, uint64_t *rankp, uint64_t to, uint64_t *offsetp,
    struct sblog_err *err) SB_MUST_CHECK;

/* ---- lists, for building and for passes over all keys ---- */

struct sb_key_ref {
	struct sb_key key;
	uint32_t rel;  /* offset - base of the file */
	uint64_t pos8; /* byte position of its batch / 8 */
};

/* Growing array of sb_key_ref. */
struct sb_key_list {
	struct sb_key_ref *refs;
	size_t count, size;
};

/*
 * Add the keys, and with categories also tokens and, once for each batch,
 * categories, of all records of a file from byte pos to the one before `end`,
 * whose hash is in [low, high].  *posp: how far it got.
 */
int sb_keys_scan(struct sb_source *s, const uint8_t topic[static SB_ID_SIZE],
    uint64_t *posp, uint64_t end, bool categories, uint64_t low, uint64_t high,
    struct sb_key_list *list, struct sblog_err *err) SB_MUST_CHECK;

/* Can a batch hold anything that is indexed: keys, or tokens in headers? */
static inline bool
sb_keys_possible(const struct sb_batch *h)
{
	return h->key_len_min > 0 || h->width[SB_COL_KEY_LEN] > 0 ||
	    h->header_len_min > 0 || h->width[SB_COL_HEADER_LEN] > 0;
}

/*
 * The categories that were seen in a batch: it forgets some, so that one may
 * be new twice, but the same ones in the same order every time.
 */
struct sb_category_set {
	uint64_t hash[64];
};

static inline bool
sb_category_is_new(struct sb_category_set *set, struct sb_key category)
{
	uint64_t *known = &set->hash[category.hash & 63];

	if (*known == category.hash && category.hash != 0)
		return false;
	*known = category.hash;
	return true;
}

/* By hash, more, rel.  SBLOG_ENOMEM. */
int sb_key_list_sort(struct sb_key_list *list) SB_MUST_CHECK;
void sb_key_list_free(struct sb_key_list *list);

/* ---- keeping them up ---- */

/* Make the key index of segment number i of the manifest; one that is there is
 * replaced.  Memory is bounded. */
int sb_keys_build(struct sblog_topic *t, const struct sb_file *file,
    struct sblog_err *err) SB_MUST_CHECK;

enum sb_keys_state {
	SB_KEYS_GOOD, /* or none is needed */
	SB_KEYS_MISSING,
	SB_KEYS_STALE, /* damaged, or not what the records say */
};

/* Does any record of a file have a key, or a token? */
int sb_keys_any(struct sb_source *s, const uint8_t topic[static SB_ID_SIZE],
    bool *anyp, struct sblog_err *err) SB_MUST_CHECK;

/* The key index of a segment against its records. */
int sb_keys_check(struct sblog_topic *t, struct sb_source *s,
    enum sb_keys_state *statep, struct sblog_err *err) SB_MUST_CHECK;

/*
 * lock.append is held, a batch was written at pos, t->pub is still the one
 * before: take its keys into the table of the active WAL; with keep at the
 * offsets of recs, else at those from head->base on; token: of the first, if any.  Never fails: a table that
 * cannot be kept up is not used.
 */
void sb_keys_note(struct sblog_topic *t, const struct sb_batch *head,
    const struct sblog_record *recs, bool keep, struct sblog_bytes token,
    uint64_t pos);

/* Did this handle append a record with this key at this offset?  False: not
 * known, it must be read. */
bool sb_keys_recent(struct sblog_topic *t, struct sblog_bytes key,
    struct sb_key hash, uint64_t offset);

/* Let the table of the active WAL cover all that is published, if any of it has
 * a key; lock.append is held. */
void sb_keys_refresh(struct sblog_topic *t);

/* The active WAL is about to be rolled back: its table is void. */
void sb_keys_drop(struct sblog_topic *t);

#endif
