/*
 * sc_codec.c - scenarios: encoding, hashes, compression, indexes; no files but
 * that of an index.
 */
#include "bench/sc_codec.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/mem.h"
#include "bench/work.h"
#include "codec/batch.h"
#include "codec/lz.h"
#include "common/frame.h"
#include "store/index.h"

enum { SECTION = 64 << 10, POS = 4096, SPARE = 64 };

/* The compiler must believe that somebody looks at it. */
static void
keep(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* -- batches ---------------------------------------------------------------- */

struct batch_state {
	struct sblog_record *recs;
	size_t n;
	struct sb_batch head;
	uint8_t salt[SB_SALT_SIZE];
	struct sb_cpu cpu;
	uint8_t raw[SB_BATCH_HEAD_SIZE];
	uint8_t *columns, *values;
	uint64_t bad; /* records that were not what they should be */
	uint64_t seen;
};

static void
encode(void *arg, uint64_t count)
{
	struct batch_state *s = arg;
	struct sb_batch *h = &s->head;
	size_t bad;

	for (uint64_t i = 0; i < count; i++) {
		*h = (struct sb_batch){ .magic = SB_BATCH_MAGIC };
		if (sb_plan(h, s->recs, s->n, SBLOG_VALUE_MAX, &bad) < 0)
			work_fail("a batch cannot be encoded");
		sb_plan_columns(h, s->recs, s->columns);
		sb_plan_values(h, s->recs, s->values);
		h->columns_stored = h->columns_raw;
		h->values_stored = h->values_raw;
		h->total_size = (sb_batch_used(h) + 7) / 8 * 8;
		h->columns_hash =
		    sb_batch_hash_columns(&s->cpu, h, s->salt, POS, s->columns);
		h->values_hash =
		    sb_batch_hash_values(&s->cpu, h, s->salt, POS, s->values);
		sb_batch_encode(h, s->salt, POS, s->raw);
		keep(s);
	}
}

static void
decode(void *arg, uint64_t count)
{
	struct batch_state *s = arg;
	struct sblog_record rec;
	struct sb_batch h;
	struct sb_view v;
	const char *why;

	for (uint64_t i = 0; i < count; i++) {
		struct sb_at at = { 0, 0, 0, 0 };

		if (sb_batch_decode(&h, s->salt, POS, s->raw, &why) < 0 ||
		    sb_batch_hash_columns(&s->cpu, &h, s->salt, POS,
			s->columns) != h.columns_hash ||
		    sb_batch_hash_values(&s->cpu, &h, s->salt, POS,
			s->values) != h.values_hash ||
		    sb_view_open(&v, &h, s->columns, s->values, &why) < 0)
			work_fail("a batch cannot be decoded");
		for (size_t k = 0; k < s->n; k++) {
			sb_view_record(&v, &at, &rec);
			s->bad += rec.offset != k || rec.value.len != 5;
			keep(&rec);
		}
		s->seen += s->n;
	}
}

static void *
batch_open(const struct bench_ctx *ctx, const struct micro *m)
{
	struct batch_state *s = mem_new(1, sizeof(*s));

	(void)ctx;
	s->n = (size_t)m->n;
	s->recs = mem_new(s->n, sizeof(*s->recs));
	s->columns = mem_new(s->n * 64 + SPARE, 1);
	s->values = mem_new(s->n * 8 + SPARE, 1);
	for (size_t i = 0; i < s->n; i++)
		s->recs[i] = (struct sblog_record){ .offset = i,
			.time_us = (int64_t)i,
			.user_time_us = SBLOG_NO_TIME,
			.key = { "key", 3 },
			.value = { "value", 5 } };
	encode(s, 1);
	return s;
}

static void
batch_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct batch_state *s = arg;

	decode(s, 1); /* also what encode made last */
	if (s->bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "records are not those that were encoded");
	free(s->recs);
	free(s->columns);
	free(s->values);
	free(s);
}

const struct micro micro_encode_1 = { batch_open, encode, batch_close,
	"records=1 key=3 value=5", 1, 0, 0, 0 };
const struct micro micro_encode_100 = { batch_open, encode, batch_close,
	"records=100 key=3 value=5", 100, 0, 0, 0 };
const struct micro micro_decode_1 = { batch_open, decode, batch_close,
	"records=1 key=3 value=5", 1, 0, 0, 0 };
const struct micro micro_decode_100 = { batch_open, decode, batch_close,
	"records=100 key=3 value=5", 100, 0, 0, 0 };

/* -- frames ----------------------------------------------------------------- */

struct frame_state {
	struct out out;
	struct sblog_record rec;
	uint64_t bad;
};

static void
frame_encode(void *arg, uint64_t count)
{
	struct frame_state *s = arg;

	for (uint64_t i = 0; i < count; i++) {
		s->out.len = 0;
		frame_write(&s->out, &s->rec);
		keep(s->out.buf);
	}
}

static void
frame_decode(void *arg, uint64_t count)
{
	struct frame_state *s = arg;
	const unsigned char *in = (const unsigned char *)s->out.buf;
	struct sblog_record rec;
	const char *why = NULL;

	for (uint64_t i = 0; i < count; i++) {
		size_t size = frame_size(in, s->out.len, &why);

		if (size != s->out.len || frame_read(in, size, &rec) != NULL)
			work_fail("a frame cannot be decoded");
		s->bad += rec.value.len != 5 || rec.offset != 7;
		keep(&rec);
	}
}

static void *
frame_open(const struct bench_ctx *ctx, const struct micro *m)
{
	struct frame_state *s = mem_new(1, sizeof(*s));

	(void)ctx;
	(void)m;
	s->rec = (struct sblog_record){ .offset = 7,
		.time_us = 1,
		.user_time_us = SBLOG_NO_TIME,
		.key = { "key", 3 },
		.value = { "value", 5 } };
	out_init_memory(&s->out);
	frame_encode(s, 1);
	return s;
}

static void
frame_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct frame_state *s = arg;

	frame_decode(s, 1);
	if (s->bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "a frame is not what was encoded");
	out_free(&s->out);
	free(s);
}

const struct micro micro_frame_encode = { frame_open, frame_encode, frame_close,
	"key=3 value=5", 1, 0, 0, 0 };
const struct micro micro_frame_decode = { frame_open, frame_decode, frame_close,
	"key=3 value=5", 1, 0, 0, 0 };

/* -- hash and compression ---------------------------------------------------- */

struct section_state {
	struct sb_cpu cpu;
	uint8_t *text, *packed, *unpacked;
	size_t len, packed_len;
	void *lz;
	uint64_t hash;
	bool differs;
};

static void
hash(void *arg, uint64_t count)
{
	struct section_state *s = arg;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t h = sb_hash64(&s->cpu, s->text, s->len, 1);

		s->differs |= s->hash != 0 && s->hash != h;
		s->hash = h;
		keep(s);
	}
}

static void
pack(void *arg, uint64_t count)
{
	struct section_state *s = arg;

	for (uint64_t i = 0; i < count; i++)
		s->packed_len =
		    sb_lz_pack(s->lz, s->text, s->len, s->packed, s->len);
}

static void
unpack(void *arg, uint64_t count)
{
	struct section_state *s = arg;

	for (uint64_t i = 0; i < count; i++)
		if (sb_lz_unpack(s->packed, s->packed_len, s->unpacked,
			s->len) < 0)
			work_fail("an LZ4 block cannot be decompressed");
}

static void *
section_open(const struct bench_ctx *ctx, const struct micro *m)
{
	struct section_state *s = mem_new(1, sizeof(*s));

	(void)ctx;
	s->len = (size_t)m->bytes;
	s->text = mem_new(s->len, 1);
	s->packed = mem_new(s->len, 1);
	s->unpacked = mem_new(s->len, 1);
	s->lz = mem_new(sb_lz_state_size(), 1);
	for (size_t i = 0; i < s->len; i += 100)
		work_text(i, (char *)s->text + i,
		    s->len - i < 100 ? s->len - i : 100);
	if (s->len >= SECTION)
		pack(s, 1);
	return s;
}

static void
section_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct section_state *s = arg;

	if (s->packed_len > 0) {
		unpack(s, 1);
		s->differs |= memcmp(s->text, s->unpacked, s->len) != 0;
	}
	if (s->differs)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "the same bytes gave another result");
	free(s->text);
	free(s->packed);
	free(s->unpacked);
	free(s->lz);
	free(s);
}

const struct micro micro_hash_40 = { section_open, hash, section_close,
	"size=40", 1, 0, 0, 40 };
const struct micro micro_hash_4k = { section_open, hash, section_close,
	"size=4096", 1, 0, 0, 4096 };
const struct micro micro_hash_64k = { section_open, hash, section_close,
	"size=65536", 1, 0, 0, SECTION };
const struct micro micro_lz4_pack = { section_open, pack, section_close,
	"size=65536", 1, 0, 0, SECTION };
const struct micro micro_lz4_unpack = { section_open, unpack, section_close,
	"size=65536", 1, 0, 0, SECTION };

/* -- indexes ----------------------------------------------------------------- */

struct index_state {
	struct sb_file file;
	uint8_t topic[SB_ID_SIZE];
	struct sb_index index;
	struct sb_cpu cpu;
	uint8_t *entries; /* of a WAL index */
	uint64_t n, at, bad;
	int dirfd;
};

/* What an appender does for each entry of a WAL index, but for the write. */
static void
index_add(void *arg, uint64_t count)
{
	struct index_state *s = arg;

	for (uint64_t i = 0; i < count; i++) {
		struct sb_index_entry e = { s->at, s->at * 256, 1 };

		sb_windex_encode(&e, s->at, s->file.salt,
		    s->entries + s->at * SB_WINDEX_ENTRY_SIZE);
		s->at = s->at + 1 == s->n ? 0 : s->at + 1;
		keep(s->entries);
	}
}

static void
index_find(void *arg, uint64_t count)
{
	struct index_state *s = arg;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t offset = s->at % (s->n * 100);

		s->bad += sb_index_find(&s->index, offset) != offset / 100;
		s->at += 7919;
	}
}

static void *
index_open(const struct bench_ctx *ctx, const struct micro *m)
{
	struct index_state *s = mem_new(1, sizeof(*s));
	struct sb_index_entry *e;
	struct sblog_err err;

	s->n = m->n;
	s->file = (struct sb_file){ .kind = SBLOG_FILE_SEGMENT,
		.next = s->n * 100,
		.size = s->n * 4096 };
	s->entries = mem_new(s->n, SB_WINDEX_ENTRY_SIZE);
	e = mem_new(s->n, sizeof(*e));
	for (uint64_t i = 0; i < s->n; i++)
		e[i] = (struct sb_index_entry){ i * 100, i * 4096, 1 };
	s->dirfd = open(ctx->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	work_need(sb_index_save(s->dirfd, &s->file, s->topic, e, s->n, &s->cpu,
		      &err),
	    &err, "index");
	work_need(sb_index_open(&s->index, s->dirfd, &s->file, s->topic,
		      &s->cpu, &err),
	    &err, "index");
	free(e);
	return s;
}

static void
index_close(void *arg, char why[BENCH_WHY_SIZE])
{
	struct index_state *s = arg;

	if (s->bad != 0)
		(void)snprintf(why, BENCH_WHY_SIZE,
		    "%llu batches were not found where they are",
		    (unsigned long long)s->bad);
	sb_index_close(&s->index);
	(void)close(s->dirfd);
	free(s->entries);
	free(s);
}

const struct micro micro_index_add = { index_open, index_add, index_close,
	"entries=10000", 10000, 0, 0, 0 };
const struct micro micro_index_find = { index_open, index_find, index_close,
	"entries=10000", 10000, 0, 0, 0 };
