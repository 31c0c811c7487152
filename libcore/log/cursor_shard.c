/*
 * cursor_shard.c - a cursor that sees one shard of a topic.
 *
 * Where no record of a batch has a key, its offset says which shard it is of:
 * batches and parts of them that belong to others are stepped over.
 */
#include "base/err.h"
#include "base/num.h"
#include "log/cursor.h"

int
sb_cursor_check_opts(struct sblog_cursor_opts *o, struct sblog_err *err)
{
	if (o->shards < 2) {
		o->shards = o->shard = 0;
		return 0;
	}
	if (o->shards > SBLOG_SHARDS_MAX || o->shard >= o->shards)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "there is no shard %u of %u", o->shard, o->shards);
	if (o->key.data != NULL || o->latest)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "a shard is not read by key");
	return 0;
}

enum { LARGE = 64 << 10 }; /* bytes of a batch */

static bool
by_offset(const struct sblog_cursor *c, const struct sb_batch *h)
{
	return c->opts.shards != 0 && h->key_len_min == 0 &&
	    h->width[SB_COL_KEY_LEN] == 0;
}

/* The shard's first offset that is not before this one. */
static uint64_t
own_from(const struct sblog_cursor *c, uint64_t offset)
{
	uint64_t run = offset / SBLOG_SHARD_RUN;
	uint64_t ahead =
	    (c->opts.shard + c->opts.shards - run % c->opts.shards) %
	    c->opts.shards;

	return ahead == 0 ? offset : (run + ahead) * SBLOG_SHARD_RUN;
}

bool
sb_cursor_skips(struct sblog_cursor *c, const struct sb_batch *head)
{
	uint64_t own;

	if (!by_offset(c, head))
		return false;
	own = own_from(c, c->next > head->base ? c->next : head->base);
	c->next = sb_min_u64(own, head->next);
	/* What is stepped over need not be read, if it is much. */
	c->source.window.step =
	    head->total_size >= LARGE && own_from(c, head->next) != head->next
	    ? SB_BATCH_HEAD_SIZE
	    : 0;
	return own >= head->next;
}

void
sb_cursor_own(struct sblog_cursor *c)
{
	const struct sb_batch *h = &c->view.head;
	uint64_t own;

	while (c->open && c->at.index < h->count) {
		c->next = sb_view_offset(&c->view, c->at.index);
		if (!by_offset(c, h) || (own = own_from(c, c->next)) == c->next)
			return;
		sb_view_skip(&c->view, &c->at, sb_view_find(&c->view, own));
	}
	if (!c->open)
		return;
	c->open = false;
	c->plain_end = 0;
	c->next = h->next;
}

uint64_t
sb_cursor_run_end(const struct sblog_cursor *c)
{
	if (!by_offset(c, &c->view.head))
		return SBLOG_NO_OFFSET;
	return (c->next / SBLOG_SHARD_RUN + 1) * SBLOG_SHARD_RUN;
}

uint64_t
sb_cursor_behind(const struct sblog_cursor *c, uint64_t next)
{
	if (!by_offset(c, &c->view.head))
		return next;
	next = sb_min_u64(own_from(c, next), c->view.head.next);
	return sb_min_u64(next, c->limit);
}
