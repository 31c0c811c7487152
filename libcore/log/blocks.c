/*
 * blocks.c - batches in, blocks of a segment out.
 *
 * The calling thread fills slots of a ring and writes them out in order; the
 * workers compress what lies between.  All memory is allocated at the begin
 * and used again, but for records larger than a block.
 */
#include "log/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "codec/chain.h"
#include "codec/lz.h"

enum {
	WORKERS_MAX = 8,
	SLOTS_EACH = 4,
	RECORDS_MAX = 8192,     /* merged into one block */
	TAIL_MAX = 64 << 10,    /* bytes of keys and headers merged */
	MERGE_BELOW = 32 << 10, /* batches from here on are only cut */
};

enum stage { FREE, FILLED, TAKEN, PACKED };

struct slot {
	enum stage stage;
	struct sb_batch head;
	int64_t last_time;
	struct sb_buf columns, values;         /* raw */
	struct sb_buf packed;                  /* columns, then values */
	const uint8_t *columns_at, *values_at; /* as they will be stored */
};

struct sb_blocks {
	struct sb_segment_writer *writer;
	enum sblog_codec codec;
	uint64_t chain;
	uint64_t tile; /* where the next block's [base, next) begins */

	struct slot *slots;
	unsigned slot_count;
	uint64_t filled, written; /* blocks so far */

	/* the block that small batches are merged into */
	struct sblog_record *recs;
	size_t rec_count;
	struct sb_buf merged, tail;
	struct sb_batch merge_head; /* delimiter, and next of the last batch */
	size_t rec_room;
	bool keyed;            /* some of them have keys */
	bool sparse;           /* records are left out */
	bool passed;           /* nothing was kept since the last pass */
	uint64_t passed_chain; /* then: of everything before merge_head.next */

	struct sb_monitor *monitor;
	struct sb_thread threads[WORKERS_MAX];
	unsigned workers;
	bool stopping;
	uint64_t taken;
	void *lz_state;
};

static int
reserve_slot(struct slot *s, size_t columns, size_t values,
    struct sblog_err *err)
{
	if (sb_buf_reserve(&s->columns, columns + 8) < 0 ||
	    sb_buf_reserve(&s->values, values + 8) < 0 ||
	    sb_buf_reserve(&s->packed, columns + values + 16) < 0)
		return sb_err_nomem(err);
	s->columns.len = columns;
	s->values.len = values;
	return 0;
}

/* Compress one section unless it saves less than about 3 %. */
static bool
pack_section(void *state, const uint8_t *raw, size_t len, uint8_t *out,
    uint32_t *storedp)
{
	size_t n = sb_lz_pack(state, raw, len, out, len - len / 32);

	if (n == 0)
		return false;
	*storedp = (uint32_t)n;
	return true;
}

static void
pack(struct slot *s, enum sblog_codec codec, void *state)
{
	struct sb_batch *h = &s->head;

	s->columns_at = s->columns.data;
	s->values_at = s->values.data;
	if (codec == SBLOG_CODEC_NONE)
		return;
	if (h->columns_raw >= 64 &&
	    pack_section(state, s->columns.data, h->columns_raw, s->packed.data,
		&h->columns_stored)) {
		h->flags |= SB_BATCH_COLUMNS_LZ4;
		s->columns_at = s->packed.data;
	}
	if (h->values_raw >= 64 &&
	    pack_section(state, s->values.data, h->values_raw,
		s->packed.data + h->columns_raw, &h->values_stored)) {
		h->flags |= SB_BATCH_VALUES_LZ4;
		s->values_at = s->packed.data + h->columns_raw;
	}
}

static void
work(void *arg)
{
	struct sb_blocks *b = arg;
	void *state = malloc(sb_lz_state_size());

	sb_monitor_enter(b->monitor);
	for (;;) {
		struct slot *s;

		while (b->taken == b->filled && !b->stopping)
			sb_monitor_await(b->monitor);
		if (b->taken == b->filled)
			break;
		s = &b->slots[b->taken++ % b->slot_count];
		s->stage = TAKEN;
		sb_monitor_leave(b->monitor);
		/* Without memory blocks stay as they are. */
		pack(s, state ? b->codec : SBLOG_CODEC_NONE, state);
		sb_monitor_enter(b->monitor);
		s->stage = PACKED;
		sb_monitor_notify(b->monitor);
	}
	sb_monitor_leave(b->monitor);
	free(state);
}

/* Write the oldest block, when its worker is done. */
static int
write_oldest(struct sb_blocks *b, struct sblog_err *err)
{
	struct slot *s = &b->slots[b->written % b->slot_count];
	int rc;

	if (b->workers > 0) {
		sb_monitor_enter(b->monitor);
		while (s->stage != PACKED)
			sb_monitor_await(b->monitor);
		sb_monitor_leave(b->monitor);
	}
	rc = sb_segment_add(b->writer, &s->head, s->last_time, s->columns_at,
	    s->values_at, err);
	s->stage = FREE;
	b->written++;
	return rc;
}

/* A free slot to fill. */
static int
take_slot(struct sb_blocks *b, struct slot **sp, struct sblog_err *err)
{
	int rc;

	if (b->filled - b->written == b->slot_count &&
	    (rc = write_oldest(b, err)) < 0)
		return rc;
	*sp = &b->slots[b->filled % b->slot_count];
	return 0;
}

/* The slot holds a complete block. */
static int
submit(struct sb_blocks *b, struct slot *s, struct sblog_err *err)
{
	struct sb_view view;
	const char *why;

	s->head.chain = b->chain;
	/* What was put together must be a batch, and says the next chain. */
	if (sb_view_open(&view, &s->head, s->columns.data, s->values.data,
		&why) < 0)
		return sb_err_damage(err, "", UINT64_MAX, s->head.base,
		    s->head.next, "%s", why);
	b->chain = b->sparse ? b->passed_chain : sb_view_chain(&view);
	b->tile = s->head.next;
	if (b->workers == 0) {
		pack(s, b->codec, b->lz_state);
		b->filled++;
		return write_oldest(b, err);
	}
	sb_monitor_enter(b->monitor);
	s->stage = FILLED;
	b->filled++;
	sb_monitor_notify(b->monitor);
	sb_monitor_leave(b->monitor);
	return 0;
}

/* Records merged so far become a block. */
static int
flush_merged(struct sb_blocks *b, struct sblog_err *err)
{
	struct slot *s;
	size_t bad;
	int rc;

	if (b->rec_count == 0)
		return 0;
	if ((rc = take_slot(b, &s, err)) < 0)
		return rc;
	s->head = b->merge_head;
	s->head.base = b->tile;
	if (sb_plan_until(&s->head, b->recs, b->rec_count, b->merge_head.next,
		SBLOG_VALUE_MAX, &bad) < 0)
		return sb_err_set(err, SBLOG_ETOOBIG, "", "block too large");
	if ((rc = reserve_slot(s, s->head.columns_raw, s->head.values_raw,
		 err)) < 0)
		return rc;
	sb_plan_columns(&s->head, b->recs, s->columns.data);
	memcpy(s->values.data, b->merged.data, b->merged.len);
	s->last_time = b->recs[b->rec_count - 1].time_us;
	b->rec_count = 0;
	b->keyed = false;
	b->merged.len = b->tail.len = 0;
	return submit(b, s, err);
}

/* Bytes of values in a block. */
static uint64_t
block_raw(bool keyed)
{
	return keyed ? SB_BLOCK_RAW_KEYED : SB_BLOCK_RAW;
}

static bool
has_keys(const struct sb_batch *h)
{
	return h->key_len_min > 0 || h->width[SB_COL_KEY_LEN] > 0;
}

static bool
can_merge(const struct sb_blocks *b, const struct sb_view *v)
{
	const struct sb_batch *h = &v->head;

	return h->values_raw < MERGE_BELOW &&
	    b->merged.len + h->values_raw <=
	    block_raw(b->keyed || has_keys(h)) &&
	    b->tail.len + v->keys_len + v->headers_len <= TAIL_MAX &&
	    b->rec_count + h->count <= RECORDS_MAX &&
	    (b->rec_count == 0 ||
		(h->delim_len == b->merge_head.delim_len &&
		    memcmp(h->delim, b->merge_head.delim, sizeof(h->delim)) ==
			0));
}

/* A copy that stays: the buffers were reserved for their largest size. */
static struct sblog_bytes
keep(struct sb_buf *buf, struct sblog_bytes bytes)
{
	struct sblog_bytes kept = { buf->data + buf->len, bytes.len };

	if (bytes.data == NULL)
		return bytes;
	if (bytes.len > 0)
		memcpy(buf->data + buf->len, bytes.data, bytes.len);
	buf->len += bytes.len;
	return kept;
}

static void
merge(struct sb_blocks *b, const struct sb_view *v)
{
	struct sb_at at = { 0 };

	b->merge_head.delim_len = v->head.delim_len;
	memcpy(b->merge_head.delim, v->head.delim, sizeof(v->head.delim));
	b->merge_head.next = v->head.next;
	b->keyed = b->keyed || has_keys(&v->head);
	while (at.index < v->head.count) {
		struct sblog_record *r = &b->recs[b->rec_count++];

		sb_view_record(v, &at, r);
		r->key = keep(&b->tail, r->key);
		r->headers = keep(&b->tail, r->headers);
	}
	memcpy(b->merged.data + b->merged.len, v->values, v->head.values_raw);
	b->merged.len += v->head.values_raw;
}

/* How far from at a block goes: at least one record. */
static uint64_t
block_end(const struct sb_view *v, const struct sb_at *at)
{
	const struct sb_batch *h = &v->head;
	uint64_t left = h->values_raw - at->value_pos;
	uint64_t n = h->count - at->index, low, high;
	uint64_t raw = block_raw(has_keys(h));
	struct sb_at end = *at;

	if (left <= raw + raw / 4)
		return h->count;
	if (h->width[SB_COL_VALUE_LEN] == 0) {
		uint64_t each = left / n;

		return at->index + sb_max_u64(1, raw / sb_max_u64(each, 1));
	}
	/* By halves: each step adds up a part of the length column. */
	low = at->index;
	high = h->count;
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		struct sb_at probe = end;

		sb_view_skip(v, &probe, mid);
		if (probe.value_pos - at->value_pos <= raw) {
			low = mid;
			end = probe;
		} else {
			high = mid;
		}
	}
	return sb_max_u64(low, at->index + 1);
}

/* Entries [from, to) of a column, less by minus. */
static uint8_t *
cut_column(uint8_t *out, const struct sb_view *v, enum sb_column c,
    uint64_t from, uint64_t to, uint64_t minus)
{
	uint8_t width = v->head.width[c];
	uint64_t n = to - from;

	if (width == 0)
		return out;
	if (minus == 0)
		memcpy(out, v->col[c] + from * width, n * width);
	for (uint64_t i = 0; minus != 0 && i < n; i++)
		sb_column_put(out, width, i,
		    sb_column_get(v->col[c], width, from + i) - minus);
	return out + n * width;
}

/* Records [from->index, to->index) of a view as a block of their own. */
static int
cut(struct sb_blocks *b, const struct sb_view *v, const struct sb_at *from,
    const struct sb_at *to, struct sblog_err *err)
{
	uint64_t i = from->index, j = to->index, entry = 0;
	uint64_t keys = to->key_pos - from->key_pos;
	uint64_t headers = to->header_pos - from->header_pos;
	int64_t time = sb_view_time(v, i);
	struct slot *s;
	uint8_t *out;
	int rc;

	if ((rc = take_slot(b, &s, err)) < 0)
		return rc;
	s->head = v->head;
	s->head.flags &= SB_BATCH_USER_TIME;
	s->head.count = (uint32_t)(j - i);
	s->head.base = b->tile;
	s->head.next =
	    j == v->head.count ? v->head.next : sb_view_offset(v, j - 1) + 1;
	s->head.base_time = time;
	for (int c = 0; c < SB_COLS; c++)
		entry += v->head.width[c];
	s->head.columns_raw = s->head.columns_stored =
	    (uint32_t)(entry * (j - i) + keys + headers);
	s->head.values_raw = s->head.values_stored =
	    (uint32_t)(to->value_pos - from->value_pos);
	if ((rc = reserve_slot(s, s->head.columns_raw, s->head.values_raw,
		 err)) < 0)
		return rc;
	out = s->columns.data;
	out = cut_column(out, v, SB_COL_VALUE_LEN, i, j, 0);
	out = cut_column(out, v, SB_COL_KEY_LEN, i, j, 0);
	out = cut_column(out, v, SB_COL_HEADER_LEN, i, j, 0);
	out = cut_column(out, v, SB_COL_TIME, i, j,
	    (uint64_t)(time - v->head.base_time));
	out = cut_column(out, v, SB_COL_OFFSET, i, j, b->tile - v->head.base);
	out = cut_column(out, v, SB_COL_USER_TIME, i, j, 0);
	if (keys > 0)
		memcpy(out, v->keys + from->key_pos, keys);
	if (headers > 0)
		memcpy(out + keys, v->headers + from->header_pos, headers);
	memcpy(s->values.data, v->values + from->value_pos, s->head.values_raw);
	s->last_time = sb_view_time(v, j - 1);
	return submit(b, s, err);
}

int
sb_blocks_add(struct sb_blocks *b, const struct sb_view *v,
    struct sblog_err *err)
{
	struct sb_at at = { 0 }, end;
	int rc = 0;

	if (!can_merge(b, v) && (rc = flush_merged(b, err)) < 0)
		return rc;
	if (can_merge(b, v)) {
		merge(b, v);
		return 0;
	}
	while (rc == 0 && at.index < v->head.count) {
		end = at;
		sb_view_skip(v, &end, block_end(v, &at));
		rc = cut(b, v, &at, &end, err);
		at = end;
	}
	return rc;
}

/* Bytes behind those of a buffer, which may move: offsets are fixed later. */
static int
keep_bytes(struct sb_buf *buf, struct sblog_bytes bytes, size_t *atp)
{
	*atp = buf->len;
	return bytes.len > 0 ? sb_buf_add(buf, bytes.data, bytes.len) : 0;
}

static int
room_for_record(struct sb_blocks *b)
{
	struct sblog_record *grown;

	if (b->rec_count < b->rec_room)
		return 0;
	grown = realloc(b->recs, 2 * b->rec_room * sizeof(*grown));
	if (grown == NULL)
		return SBLOG_ENOMEM;
	b->recs = grown;
	b->rec_room *= 2;
	return 0;
}

static int
flush_kept(struct sb_blocks *b, struct sblog_err *err)
{
	for (size_t i = 0; i < b->rec_count; i++) {
		struct sblog_record *r = &b->recs[i];

		if (r->key.data != NULL)
			r->key.data =
			    b->tail.data + ((uintptr_t)r->key.data - 1);
		if (r->headers.len > 0)
			r->headers.data =
			    b->tail.data + ((uintptr_t)r->headers.data - 1);
	}
	return flush_merged(b, err);
}

int
sb_blocks_keep(struct sb_blocks *b, const struct sblog_record *rec,
    const uint8_t *delim, uint8_t delim_len, struct sblog_err *err)
{
	size_t value_at, key_at, headers_at;
	struct sblog_record *r;
	int rc;

	/* Only between batches, and only when another record follows: so the
	 * last block covers all that is passed behind it. */
	if (b->passed && b->rec_count > 0 &&
	    (b->merged.len + b->tail.len >= block_raw(b->keyed) ||
		b->rec_count >= RECORDS_MAX ||
		b->merge_head.delim_len != delim_len ||
		memcmp(b->merge_head.delim, delim, SBLOG_DELIM_MAX) != 0) &&
	    (rc = flush_kept(b, err)) < 0)
		return rc;
	b->passed = false;
	b->sparse = true;
	if (b->rec_count == 0) {
		b->merge_head.delim_len = delim_len;
		memcpy(b->merge_head.delim, delim, SBLOG_DELIM_MAX);
	}
	sb_assert(b->merge_head.delim_len == delim_len);
	if (room_for_record(b) < 0 ||
	    keep_bytes(&b->merged, rec->value, &value_at) < 0 ||
	    sb_buf_add(&b->merged, delim, delim_len) < 0 ||
	    keep_bytes(&b->tail, rec->key, &key_at) < 0 ||
	    keep_bytes(&b->tail, rec->headers, &headers_at) < 0)
		return sb_err_nomem(err);
	/* Where the bytes lie is known when all of them are there. */
	b->keyed = b->keyed || rec->key.data != NULL;
	r = &b->recs[b->rec_count++];
	*r = *rec;
	if (rec->key.data != NULL)
		r->key.data = (const void *)(key_at + 1);
	if (rec->headers.len > 0)
		r->headers.data = (const void *)(headers_at + 1);
	if (rec->value.data != NULL)
		r->value.data = (const void *)(value_at + 1);
	return 0;
}

void
sb_blocks_pass(struct sb_blocks *b, uint64_t next, uint64_t chain)
{
	b->sparse = b->passed = true;
	b->merge_head.next = next;
	b->passed_chain = chain;
}

static int
start_workers(struct sb_blocks *b, unsigned workers, struct sblog_err *err)
{
	if (workers > WORKERS_MAX)
		workers = WORKERS_MAX;
	if (workers == 0)
		return 0;
	if ((b->monitor = sb_monitor_new()) == NULL)
		return sb_err_nomem(err);
	/* One that cannot be started is one less. */
	while (b->workers < workers &&
	    sb_sys_spawn(&b->threads[b->workers], work, b) == 0)
		b->workers++;
	return 0;
}

int
sb_blocks_begin(struct sb_blocks **bp, struct sb_segment_writer *w,
    enum sblog_codec codec, unsigned workers, uint64_t chain,
    struct sblog_err *err)
{
	struct sb_blocks *b = calloc(1, sizeof(*b));
	int rc = SBLOG_ENOMEM;

	if (b == NULL)
		return sb_err_nomem(err);
	b->writer = w;
	b->codec = codec;
	b->chain = chain;
	b->tile = w->head.base;
	b->slot_count =
	    (workers > WORKERS_MAX ? WORKERS_MAX : workers) * SLOTS_EACH + 1;
	b->slots = calloc(b->slot_count, sizeof(*b->slots));
	b->rec_room = RECORDS_MAX;
	b->recs = malloc(b->rec_room * sizeof(*b->recs));
	b->lz_state = malloc(sb_lz_state_size());
	if (b->slots == NULL || b->recs == NULL || b->lz_state == NULL ||
	    sb_buf_reserve(&b->merged, SB_BLOCK_RAW) < 0 ||
	    sb_buf_reserve(&b->tail, TAIL_MAX) < 0)
		(void)sb_err_nomem(err);
	else
		rc = start_workers(b, workers, err);
	if (rc < 0) {
		sb_blocks_free(b);
		return rc;
	}
	*bp = b;
	return 0;
}

int
sb_blocks_end(struct sb_blocks *b, uint64_t *chainp, struct sblog_err *err)
{
	int rc = b->sparse ? flush_kept(b, err) : flush_merged(b, err);

	while (rc == 0 && b->written < b->filled)
		rc = write_oldest(b, err);
	*chainp = b->chain;
	return rc;
}

void
sb_blocks_free(struct sb_blocks *b)
{
	if (b == NULL)
		return;
	if (b->monitor != NULL) {
		sb_monitor_enter(b->monitor);
		b->stopping = true;
		sb_monitor_notify(b->monitor);
		sb_monitor_leave(b->monitor);
		for (unsigned i = 0; i < b->workers; i++)
			sb_sys_join(&b->threads[i]);
		sb_monitor_free(b->monitor);
	}
	for (unsigned i = 0; b->slots != NULL && i < b->slot_count; i++) {
		sb_buf_release(&b->slots[i].columns);
		sb_buf_release(&b->slots[i].values);
		sb_buf_release(&b->slots[i].packed);
	}
	free(b->slots);
	free(b->recs);
	free(b->lz_state);
	sb_buf_release(&b->merged);
	sb_buf_release(&b->tail);
	free(b);
}
