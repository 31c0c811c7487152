/*
 * chain.c - the chain at any offset: what a consumer's commit is tied to.
 *
 * A head has the chain of everything before its batch; within a batch it is
 * folded from there.
 */
#include "base/err.h"
#include "log/reader.h"

enum { HOPS = 64 }; /* as long as one search in the index */

/* Chain behind the last batch of a file. */
static uint64_t
end_chain(const struct sb_reader *r, const struct sb_source *s)
{
	return s->file.kind == SBLOG_FILE_WAL_ACTIVE ? r->pub.chain
						     : s->file.end_chain;
}

/* Within a batch; where it has holes, records may have been removed, and then
 * what is left does not lead to the chain behind it. */
static int
chain_within(const struct sb_reader *r, struct sb_source *s, uint64_t pos,
    const struct sb_batch *head, uint64_t offset, uint64_t *chainp,
    struct sblog_err *err)
{
	uint64_t behind, expected;
	struct sb_batch after;
	struct sb_view v;
	int rc;

	if ((rc = sb_source_view(s, pos, head, SB_WANT_ALL, &v, err)) < 0)
		return rc;
	*chainp = sb_view_chain_at(&v, sb_view_find(&v, offset));
	if (head->count == head->next - head->base)
		return 0;
	behind = sb_view_chain(&v);
	rc = sb_source_head(s, pos + head->total_size, &after, err);
	if (rc < 0)
		return rc;
	expected = rc == 0 ? after.chain : end_chain(r, s);
	return behind == expected ? 0 : SBLOG_END;
}

/* The batch that holds offset, or would; SBLOG_END: none does in this file.
 * Consumers go forwards, so the one that was asked for last is mostly near. */
static int
find_batch(struct sb_open_file *f, uint64_t offset, uint64_t *posp,
    struct sb_batch *head, struct sblog_err *err)
{
	uint64_t pos = f->chain_pos, expected;
	size_t step = f->source.window.step;
	int rc;

	f->source.window.step = SB_BATCH_HEAD_SIZE; /* no more than that */
	for (int i = 0; i < HOPS && pos != 0 && f->chain_base <= offset; i++) {
		if (sb_source_head(&f->source, pos, head, err) != 0)
			break;
		if (head->next > offset)
			goto found;
		pos += head->total_size;
	}
	f->source.window.step = step;
	rc = sb_source_seek(&f->source, offset, false, &pos, &expected, err);
	if (rc == 0)
		rc = sb_source_head(&f->source, pos, head, err);
	if (rc != 0)
		return rc;
found:
	f->source.window.step = step;
	f->chain_pos = pos;
	f->chain_base = head->base;
	*posp = pos;
	return 0;
}

static int
in_file(struct sb_reader *r, struct sb_open_file *f, uint64_t offset,
    uint64_t *chainp, struct sblog_err *err)
{
	struct sb_source *s = &f->source;
	struct sb_batch head;
	uint64_t pos;
	int rc;

	rc = find_batch(f, offset, &pos, &head, err);
	/* Only offsets that are known to be lost have no batch. */
	if (rc == SBLOG_END && s->file.kind != SBLOG_FILE_WAL_ACTIVE) {
		*chainp = end_chain(r, s);
		return 0;
	}
	if (rc == SBLOG_END || (rc == 0 && head.next <= offset))
		return sb_err_damage(err, s->name, UINT64_MAX, offset,
		    offset + 1, "no batch has this offset");
	if (rc == 0) {
		*chainp = head.chain;
		if (offset > head.base)
			rc =
			    chain_within(r, s, pos, &head, offset, chainp, err);
	}
	if (rc == SBLOG_EDAMAGE) {
		err->offset = offset;
		err->end = offset + 1;
	}
	return rc;
}

int
sblog_chain_at(struct sblog_topic *t, uint64_t offset, uint64_t *chainp,
    struct sblog_err *err)
{
	struct sb_published p;
	int rc;

	if ((rc = sb_topic_peek(t, &p, err)) < 0)
		return rc;
	if (offset == p.end) {
		*chainp = p.chain;
		return 0;
	}
	for (int tries = 0; tries < 3; tries++) {
		struct sb_reader *r;
		size_t n;

		if ((rc = sb_reader_look(t, &t->reader, offset, err)) < 0)
			return rc;
		r = t->reader;
		if (offset >= r->pub.end || offset < r->manifest.start) {
			(void)sb_err_set(err, SBLOG_ENOENT, "",
			    "no such offset");
			err->offset = offset;
			return SBLOG_ENOENT;
		}
		n = sb_reader_find(r, offset);
		if ((rc = sb_reader_open(t, r, n, err)) == 0)
			return in_file(r, &r->files[n], offset, chainp, err);
		if (rc != SBLOG_ENOENT)
			return rc;
		/* Sealed or compacted since: with the new manifest again. */
		sb_reader_free(r);
		t->reader = NULL;
		if ((rc = sb_topic_reload(t, err)) < 0)
			return rc;
	}
	return sb_err_damage(err, "", UINT64_MAX, offset, offset + 1,
	    "file is missing");
}
