/*
 * append.c - put records at the end of the log.
 *
 * The batch is laid out before the lock is taken; under it only what depends on
 * the place is left: time, offsets, chain, hashes, one pwritev, the publication.
 * Waiting for the disk happens after the lock is gone (sync.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "codec/chain.h"
#include "codec/headers.h"
#include "codec/lz.h"
#include "log/append.h"
#include "log/condition.h"
#include "log/keys.h"
#include "log/topic.h"
#include "store/index.h"

enum {
	GATHER_MAX = 64 << 10, /* a single larger value is not copied */
	ZERO_AHEAD = 64 << 10, /* small durable appends write zeros so far */
	ZERO_PIECE = 16 << 10,
	WRITE_BACK = 8 << 20, /* bulk appends start write-back each so often */
	SPACE_STEP = 1 << 20, /* min.free.bytes is asked each so often */
	SMALL_SIZE = 2 << 10, /* batches up to here are put together */
	PACK_FROM = 256,      /* smaller columns are not worth compressing */
};

static const uint8_t zeros[ZERO_PIECE];

int
sb_append_allowed(struct sblog_topic *t, struct sblog_err *err)
{
	if (t->mode == SBLOG_READ)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "topic is open for reading only");
	if (t->config.readonly)
		return sb_err_set(err, SBLOG_ECOND, "",
		    "topic is set to readonly");
	return 0;
}

static int
check_space(struct sblog_topic *t, struct sblog_err *err)
{
	uint64_t free_bytes;
	enum sb_fs fs;
	int rc;

	if (t->config.min_free_bytes == 0 ||
	    (t->space_checked != 0 &&
		t->pub.pos - t->space_checked < SPACE_STEP))
		return 0;
	if ((rc = sb_sys_fs(t->dirfd, &fs, &free_bytes)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "",
		    "cannot ask for space");
	if (free_bytes < t->config.min_free_bytes)
		return sb_err_set(err, SBLOG_EIO, "",
		    "only %" PRIu64
		    " bytes are free, min.free.bytes is %" PRIu64,
		    free_bytes, t->config.min_free_bytes);
	t->space_checked = t->pub.pos;
	return 0;
}

int
sb_draft_pack(struct sblog_topic *t, struct sb_draft *d, struct sblog_err *err)
{
	struct sb_batch *h = &d->head;
	size_t n;

	if (t->lz_state == NULL &&
	    (t->lz_state = malloc(sb_lz_state_size())) == NULL)
		return sb_err_nomem(err);
	if (sb_buf_reserve(&t->packed,
		(size_t)h->columns_raw + h->values_raw + 16) < 0)
		return sb_err_nomem(err);
	if (h->columns_raw >= PACK_FROM &&
	    (n = sb_lz_pack(t->lz_state, d->columns, h->columns_raw,
		 t->packed.data, h->columns_raw - 1)) > 0) {
		d->columns = t->packed.data;
		h->columns_stored = (uint32_t)n;
		h->flags |= SB_BATCH_COLUMNS_LZ4;
	}
	if (h->values_raw > 0 &&
	    (n = sb_lz_pack(t->lz_state, d->values, h->values_raw,
		 t->packed.data + h->columns_raw, h->values_raw - 1)) > 0) {
		d->values = t->packed.data + h->columns_raw;
		h->values_stored = (uint32_t)n;
		h->flags |= SB_BATCH_VALUES_LZ4;
	}
	return 0;
}

static uint64_t
fold_chain(const struct sb_draft *d)
{
	uint64_t chain = d->head.chain;
	struct sblog_record rec;

	if (d->run != NULL)
		return sb_chain_run(chain, d->run, d->ends, d->head.count,
		    d->head.delim_len, d->head.base, d->head.base_time);
	for (size_t i = 0; i < d->head.count; i++) {
		rec = d->recs[i];
		if (!d->keep) {
			rec.offset = d->head.base + i;
			rec.time_us = d->head.base_time;
		}
		chain = sb_chain_record(chain, &rec);
	}
	return chain;
}

/* Bytes on disk for a batch at pos: bulk ones fill whole pages. */
static uint64_t
total_size(const struct sb_batch *h, uint64_t pos)
{
	uint64_t end = pos + sb_batch_used(h);

	return sb_align_up(end,
		   sb_batch_used(h) >= SB_BATCH_BULK ? SB_BATCH_BULK_ALIGN
						     : SB_BATCH_ALIGN) -
	    pos;
}

/* Nothing of a failed write may stay where the next batch goes. */
static int
undo_write(struct sblog_topic *t, int rc, struct sblog_err *err)
{
	if (sb_sys_truncate(t->wal.fd, t->pub.pos) < 0)
		return sb_err_sys(err, SBLOG_EUNKNOWN, rc, t->wal.name,
		    "cannot write, and cannot undo it");
	t->pub.zero_end = t->pub.pos;
	sb_state_publish(&t->state, &t->pub);
	sb_state_set_dirty(&t->state, false);
	return sb_err_sys(err, SBLOG_EIO, rc, t->wal.name, "cannot write");
}

/* A small batch in one piece: cheaper for the kernel than four. */
static int
write_small(struct sblog_topic *t, const struct sb_draft *d,
    const uint8_t head[static SB_BATCH_HEAD_SIZE])
{
	const struct sb_batch *h = &d->head;
	uint8_t all[SMALL_SIZE];
	uint8_t *at = all;

	memcpy(at, head, SB_BATCH_HEAD_SIZE);
	at += SB_BATCH_HEAD_SIZE;
	if (h->columns_stored > 0)
		memcpy(at, d->columns, h->columns_stored);
	at += h->columns_stored;
	if (h->values_stored > 0)
		memcpy(at, d->values, h->values_stored);
	at += h->values_stored;
	memset(at, 0, (size_t)(h->total_size - sb_batch_used(h)));
	return sb_sys_pwrite(t->wal.fd, all, (size_t)h->total_size, t->pub.pos);
}

/* Head, columns, values, padding; for small durable batches zeros ahead, so
 * that the syncs after this one go over written space. */
static int
write_batch(struct sblog_topic *t, const struct sb_draft *d,
    uint64_t *zero_endp)
{
	const struct sb_batch *h = &d->head;
	uint64_t pos = t->pub.pos, end = pos + h->total_size;
	uint64_t pad = h->total_size - sb_batch_used(h);
	uint8_t head[SB_BATCH_HEAD_SIZE];
	struct iovec iov[8];
	int n = 0;

	sb_batch_encode(h, t->wal.head.salt, pos, head);
	*zero_endp = sb_max_u64(t->pub.zero_end, end);
	if (d->sync && end > t->pub.zero_end && h->total_size < ZERO_AHEAD) {
		*zero_endp = sb_align_up(end, ZERO_PIECE) + ZERO_AHEAD;
		pad += *zero_endp - end;
	}
	if (*zero_endp <= sb_max_u64(t->pub.zero_end, end) &&
	    h->total_size <= SMALL_SIZE)
		return write_small(t, d, head);
	iov[n++] = (struct iovec){ head, sizeof(head) };
	if (h->columns_stored > 0)
		iov[n++] = (struct iovec){ (void *)(uintptr_t)d->columns,
			h->columns_stored };
	if (h->values_stored > 0)
		iov[n++] = (struct iovec){ (void *)(uintptr_t)d->values,
			h->values_stored };
	for (size_t piece; pad > 0; pad -= piece) {
		piece = pad < ZERO_PIECE ? (size_t)pad : ZERO_PIECE;
		sb_assert(n < 8);
		iov[n++] = (struct iovec){ (void *)(uintptr_t)zeros, piece };
	}
	return sb_sys_pwritev(t->wal.fd, iov, n, pos);
}

/* An entry in the WAL index now and then; without it reads are only slower. */
static void
index_batch(struct sblog_topic *t, const struct sb_batch *h, uint64_t pos)
{
	const struct sb_index_entry e = {
		.offset = h->base,
		.pos = pos,
		.time = h->base_time,
	};
	uint8_t bytes[SB_WINDEX_ENTRY_SIZE];
	struct sb_stat st;
	uint64_t i;

	if (t->wal.index_fd < 0 || pos - t->pub.indexed < SB_WINDEX_STEP ||
	    sb_sys_fstat(t->wal.index_fd, &st) < 0 ||
	    st.size < SB_FILE_HEAD_SIZE)
		return;
	i = (st.size - SB_FILE_HEAD_SIZE) / SB_WINDEX_ENTRY_SIZE;
	sb_windex_encode(&e, i, t->wal.head.salt, bytes);
	if (sb_sys_pwrite(t->wal.index_fd, bytes, sizeof(bytes),
		SB_FILE_HEAD_SIZE + i * SB_WINDEX_ENTRY_SIZE) == 0)
		t->pub.indexed = pos;
}

static void
publish(struct sblog_topic *t, const struct sb_draft *d, int64_t last_time,
    uint64_t chain, uint64_t zero_end)
{
	const struct sb_published before = t->pub;
	const struct sb_batch *h = &d->head;

	if (t->pub.wal_count == 0)
		t->pub.wal_time = h->base_time;
	t->pub.end = h->next;
	t->pub.pos += h->total_size;
	t->pub.chain = chain;
	t->pub.last_time = last_time;
	t->pub.zero_end = zero_end;
	t->pub.wal_count += h->count;
	t->pub.wal_raw += h->values_raw;
	index_batch(t, h, before.pos);
	sb_state_publish(&t->state, &t->pub);
	sb_state_set_dirty(&t->state, false);
	sb_state_wake(&t->state);
	sb_topic_own(t, &before, !d->sync && !d->sync_later);
}

int
sb_draft_too_big(struct sblog_topic *t, size_t bad, size_t n,
    struct sblog_err *err)
{
	int rc = bad < n
	    ? sb_err_set(err, SBLOG_ETOOBIG, "",
		  "record %zu is over max.message.bytes (%" PRIu64 ")", bad,
		  t->config.max_message_bytes)
	    : sb_err_set(err, SBLOG_ETOOBIG, "",
		  "batch is over %" PRIu64 " bytes", SB_BATCH_SECTION_MAX);

	err->offset = bad;
	return rc;
}

/* Lay the records out in t->scratch, unless one large value can stay where it
 * is. */
static int
gather(struct sblog_topic *t, struct sb_draft *d, struct sblog_err *err)
{
	struct sb_batch *h = &d->head;
	bool copy = h->count > 1 || h->values_raw < GATHER_MAX;

	if (sb_buf_reserve(&t->scratch,
		(size_t)h->columns_raw + (copy ? h->values_raw : 0) + 8) < 0)
		return sb_err_nomem(err);
	sb_plan_columns(h, d->recs, t->scratch.data);
	d->columns = t->scratch.data;
	d->values = t->scratch.data + h->columns_raw;
	if (copy)
		sb_plan_values(h, d->recs, t->scratch.data + h->columns_raw);
	else
		d->values = d->recs[0].value.data;
	return 0;
}

/* Everything that does not depend on the place, or with offsets to keep all
 * of it: a hole before the first record belongs to its batch. */
static int
lay_out(struct sblog_topic *t, struct sb_draft *d, size_t n, uint64_t base,
    struct sblog_err *err)
{
	size_t bad = 0;
	int rc;

	d->head.base = base;
	if (sb_plan(&d->head, d->recs, n, t->config.max_message_bytes, &bad) <
	    0)
		return sb_draft_too_big(t, bad, n, err);
	if ((rc = gather(t, d, err)) < 0)
		return rc;
	return d->compress ? sb_draft_pack(t, d, err) : 0;
}

/* Offsets and times, now that the place is known. */
static int
stamp(struct sblog_topic *t, struct sb_draft *d, int64_t *last_timep,
    struct sblog_err *err)
{
	struct sb_batch *h = &d->head;
	int64_t now = sb_sys_time_us();

	if (d->keep) {
		const struct sblog_record *last = &d->recs[h->count - 1];

		if (d->recs[0].offset < t->pub.end ||
		    d->recs[0].time_us < t->pub.last_time)
			return sb_err_set(err, SBLOG_ECOND, "",
			    "end is %" PRIu64 ", record has offset %" PRIu64
			    " or an older time",
			    t->pub.end, d->recs[0].offset);
		*last_timep = last->time_us;
		return lay_out(t, d, h->count, t->pub.end, err);
	}
	if (t->pub.end > SB_OFFSET_MAX - h->count)
		return sb_err_set(err, SBLOG_EIO, "", "topic is full");
	h->base = t->pub.end;
	h->next = h->base + h->count;
	h->base_time = now > t->pub.last_time ? now : t->pub.last_time;
	if (h->base_time < 0)
		h->base_time = 0;
	*last_timep = h->base_time;
	return 0;
}

static int
put_locked(struct sblog_topic *t, struct sb_draft *d, struct sblog_err *err)
{
	struct sb_batch *h = &d->head;
	uint64_t zero_end, chain;
	int64_t last_time = 0;
	int rc;

	if ((rc = sb_topic_validate(t, err)) < 0 ||
	    (d->opts->once.data != NULL &&
		(rc = sb_once_find(t, d->opts->once, &err->offset, &err->end,
		     err)) != 0) ||
	    (rc = sb_conditions_hold(t, t->pub.end, d->opts->expect,
		 d->opts->expect_count, err)) < 0 ||
	    (rc = check_space(t, err)) < 0)
		return rc;
	if (t->pub.wal_count > 0 &&
	    t->pub.pos + total_size(h, t->pub.pos) > t->config.segment_bytes &&
	    (rc = sb_topic_rotate(t, err)) < 0)
		return rc;
	if ((rc = stamp(t, d, &last_time, err)) < 0)
		return rc;
	h->durable_upto = sb_state_durable(&t->state, t->manifest.topic);
	h->chain = t->pub.chain;
	h->total_size = total_size(h, t->pub.pos);
	h->columns_hash = sb_batch_hash_columns(&t->cpu, h, t->wal.head.salt,
	    t->pub.pos, d->columns);
	h->values_hash = sb_batch_hash_values(&t->cpu, h, t->wal.head.salt,
	    t->pub.pos, d->values);
	chain = fold_chain(d);
	sb_state_set_dirty(&t->state, true);
	if ((rc = write_batch(t, d, &zero_end)) < 0)
		return undo_write(t, rc, err);
	sb_keys_note(t, h, d->recs, d->keep, d->opts->once, t->pub.pos);
	publish(t, d, last_time, chain, zero_end);
	return 0;
}

int
sb_draft_put(struct sblog_topic *t, struct sb_draft *d, struct sblog_err *err)
{
	int rc;

	if ((rc = sb_topic_lock_append(t, err)) < 0)
		return rc;
	/* Whoever appended it may not have synced yet, or died before. */
	if ((rc = put_locked(t, d, err)) == SBLOG_REPLAYED &&
	    sb_state_durable(&t->state, t->manifest.topic) < err->end)
		sb_topic_answer_for(t, err->end);
	sb_topic_unlock_append(t);
	if (rc == SBLOG_REPLAYED && d->sync) {
		struct sblog_err failed;

		if (sblog_sync(t, &failed) < 0) {
			*err = failed;
			return failed.code;
		}
	}
	if (rc != 0)
		return rc;
	if (d->sync)
		return sblog_sync(t, err);
	if (d->sync_later && t->pub.pos - t->written_back >= WRITE_BACK) {
		sb_sys_writeback(t->wal.fd, t->written_back,
		    t->pub.pos - t->written_back);
		t->written_back = t->pub.pos;
	}
	return 0;
}

bool
sb_draft_syncs(const struct sblog_topic *t,
    const struct sblog_append_opts *opts)
{
	if (opts->sync == SBLOG_SYNC_DEFAULT)
		return t->config.sync != SB_SYNC_NONE;
	return opts->sync == SBLOG_SYNC_BATCH;
}

/* Copies of the records that plan and chain can look at: with the offsets and
 * times to keep, or with none yet. */
static int
copy_records(struct sblog_topic *t, const struct sblog_record *recs, size_t n,
    bool keep, struct sblog_err *err)
{
	struct sblog_record *copy;

	if (sb_buf_reserve(&t->stamped, n * sizeof(*recs)) < 0)
		return sb_err_nomem(err);
	copy = (struct sblog_record *)(void *)t->stamped.data;
	for (size_t i = 0; i < n; i++) {
		if (recs[i].headers.len > 0 && !sb_headers_ok(recs[i].headers))
			return sb_err_set(err, SBLOG_EINVAL, "",
			    "record %zu: headers are not encoded", i);
		copy[i] = recs[i];
		if (!keep) {
			copy[i].offset = i;
			copy[i].time_us = 0;
			continue;
		}
		if (recs[i].offset >= SB_OFFSET_MAX || recs[i].time_us < 0 ||
		    (i > 0 &&
			(recs[i].offset <= recs[i - 1].offset ||
			    recs[i].time_us < recs[i - 1].time_us)))
			return sb_err_set(err, SBLOG_ECOND, "",
			    "record %zu: offset %" PRIu64
			    " does not follow the one before",
			    i, recs[i].offset);
	}
	return 0;
}

int
sblog_append(struct sblog_topic *t, const struct sblog_record *recs, size_t n,
    const struct sblog_append_opts *opts, uint64_t *firstp,
    struct sblog_err *err)
{
	static const struct sblog_append_opts none;
	struct sb_draft d = { .head.delim_len = 1, .head.delim = "\n" };
	int rc;

	opts = opts ? opts : &none;
	if (n == 0 || n > SBLOG_BATCH_RECORDS_MAX)
		return sb_err_set(err, SBLOG_EINVAL, "",
		    "a batch has 1 to %d records", SBLOG_BATCH_RECORDS_MAX);
	if ((rc = sb_append_allowed(t, err)) < 0 ||
	    (rc = copy_records(t, recs, n, opts->keep_offsets, err)) < 0)
		return rc;
	d.opts = opts;
	d.recs = (const struct sblog_record *)(const void *)t->stamped.data;
	if (opts->once.data != NULL &&
	    (rc = sb_once_header(t, opts->once, n,
		 &((struct sblog_record *)(void *)t->stamped.data)->headers,
		 err)) < 0)
		return rc;
	d.keep = opts->keep_offsets;
	d.sync = sb_draft_syncs(t, opts);
	d.sync_later = opts->sync_later;
	if (n == 1 && recs[0].value.len >= GATHER_MAX) {
		d.head.delim_len = 0;
		d.head.delim[0] = 0;
	}
	d.compress = opts->codec == SBLOG_CODEC_LZ4;
	if ((rc = lay_out(t, &d, n, d.recs[0].offset, err)) < 0)
		return rc;
	if ((rc = sb_draft_put(t, &d, err)) != 0) {
		*firstp = rc > 0 ? err->offset : 0;
		return rc;
	}
	*firstp = d.keep ? d.recs[0].offset : d.head.base;
	return 0;
}
