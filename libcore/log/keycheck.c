/*
 * keycheck.c - compare the key index of a segment with its records.
 */
#include <string.h>

#include "base/err.h"
#include "log/keys.h"

enum { PASS_KEYS = 2 << 20 };

/* Every group of records must have its entry, and there must be no others. */
struct check {
	struct sb_keyindex index;
	uint64_t entries; /* groups so far */
	bool good;
};

static bool
same_group(struct check *c, const struct sb_key_ref *refs, size_t n)
{
	struct sb_keyindex_entry e;
	uint32_t rel;

	if (sb_keyindex_find(&c->index, refs[0].key, &e) != 0 || e.count != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (sb_keyindex_posting(&c->index, &e, (uint32_t)i, &rel) < 0 ||
		    rel != refs[i].rel)
			return false;
	return true;
}

static void
compare(struct check *c, const struct sb_key_list *list)
{
	size_t i = 0, j;

	for (; c->good && i < list->count; i = j) {
		for (j = i + 1; j < list->count &&
		     list->refs[j].key.hash == list->refs[i].key.hash &&
		     list->refs[j].key.more == list->refs[i].key.more;
		     j++)
			;
		c->good = same_group(c, list->refs + i, j - i);
		c->entries++;
	}
}

static int
check_all(struct sblog_topic *t, struct sb_source *s, struct check *c,
    struct sblog_err *err)
{
	uint64_t passes = 2 * s->file.count / PASS_KEYS + 1;
	uint64_t width = UINT64_MAX / passes;
	struct sb_key_list list = { 0 };
	int rc = 0;

	c->good = true;
	for (uint64_t i = 0; rc == 0 && c->good && i < passes; i++) {
		uint64_t pos = s->start;

		list.count = 0;
		rc = sb_keys_scan(s, t->manifest.topic, &pos, UINT64_MAX, true,
		    i * width,
		    i + 1 == passes ? UINT64_MAX : (i + 1) * width - 1, &list,
		    err);
		if (rc == 0 && sb_key_list_sort(&list) < 0)
			rc = sb_err_nomem(err);
		if (rc == 0)
			compare(c, &list);
	}
	c->good = c->good && c->entries == c->index.entries;
	sb_key_list_free(&list);
	return rc;
}

int
sb_keys_any(struct sb_source *s, const uint8_t topic[static SB_ID_SIZE],
    bool *anyp, struct sblog_err *err)
{
	uint64_t pos = s->start;
	struct sb_key_list list = { 0 };
	struct sb_batch head;
	int rc = 0;

	*anyp = false;
	while (rc == 0 && !*anyp &&
	    (rc = sb_source_head(s, pos, &head, err)) == 0) {
		uint64_t at = pos;

		*anyp = head.key_len_min > 0 || head.width[SB_COL_KEY_LEN] > 0;
		/* Headers alone mean a token at most. */
		if (!*anyp && sb_keys_possible(&head)) {
			rc = sb_keys_scan(s, topic, &at, head.next, true, 0,
			    UINT64_MAX, &list, err);
			*anyp = rc == 0 && list.count > 0;
		}
		pos += head.total_size;
	}
	sb_key_list_free(&list);
	return !*anyp && rc < 0 ? rc : 0;
}

int
sb_keys_check(struct sblog_topic *t, struct sb_source *s,
    enum sb_keys_state *statep, struct sblog_err *err)
{
	struct check c = { .index = SB_KEYINDEX_INIT };
	struct sblog_err why;
	bool any;
	int rc;

	*statep = SB_KEYS_GOOD;
	rc = sb_keyindex_open(&c.index, t->dirfd, &s->file, t->manifest.topic,
	    &why);
	if (rc == SBLOG_ENOENT) {
		rc = sb_keys_any(s, t->manifest.topic, &any, err);
		if (rc == 0 && any)
			*statep = SB_KEYS_MISSING;
		return rc;
	}
	if (rc == SBLOG_EDAMAGE) {
		*statep = SB_KEYS_STALE;
		return 0;
	}
	if (rc < 0) {
		*err = why;
		return rc;
	}
	rc = check_all(t, s, &c, err);
	if (rc == 0 && !c.good)
		*statep = SB_KEYS_STALE;
	sb_keyindex_close(&c.index);
	return rc;
}
