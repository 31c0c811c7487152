/*
 * rewrite.c - the records of segments that stay, as a new segment.
 */
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "codec/chain.h"
#include "log/blocks.h"
#include "log/compact.h"

enum { WORD_BITS = 64 };

struct rewrite {
	struct sb_compaction *c;
	struct sb_blocks *blocks;
	uint64_t fold; /* hash of the records that stay, for reading back */
	uint64_t count;
};

static bool
stays(const struct sb_compaction *c, size_t segment, uint64_t index)
{
	uint64_t bit = c->bit_base[segment] + index;

	return c->bits[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static bool
any_stays(const struct sb_compaction *c, size_t segment, uint64_t index,
    uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (stays(c, segment, index + i))
			return true;
	return false;
}

static int
keep_batch(struct rewrite *w, size_t segment, uint64_t index,
    const struct sb_view *v, struct sblog_err *err)
{
	struct sblog_record rec;
	struct sb_at at = { 0 };
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < v->head.count; i++) {
		sb_view_record(v, &at, &rec);
		if (!stays(w->c, segment, index + i))
			continue;
		w->fold = sb_chain_record(w->fold, &rec);
		w->count++;
		rc = sb_blocks_keep(w->blocks, &rec, v->head.delim,
		    v->head.delim_len, err);
	}
	return rc;
}

/* The chain behind a batch, as it was when it was whole: said by what follows. */
static int
chain_behind(struct sb_source *s, uint64_t pos, uint64_t *chainp,
    struct sblog_err *err)
{
	struct sb_batch after;
	int rc = sb_source_head(s, pos, &after, err);

	if (rc < 0)
		return rc;
	*chainp = rc == SBLOG_END ? s->file.end_chain : after.chain;
	return 0;
}

static int
copy_segment(struct rewrite *w, size_t segment, struct sblog_err *err)
{
	struct sb_compaction *c = w->c;
	const struct sb_file *f = &c->manifest.files[segment];
	struct sb_source s = SB_SOURCE_INIT;
	uint64_t pos, index = 0, chain = 0;
	struct sb_batch head;
	struct sb_view v;
	int rc;

	rc = sb_source_open(&s, c->topic->dirfd, f, c->manifest.topic, 0, err);
	for (pos = s.start; rc == 0;) {
		sb_source_pace(&s, pos);
		if ((rc = sb_source_head(&s, pos, &head, err)) != 0)
			break;
		if (any_stays(c, segment, index, head.count) &&
		    ((rc = sb_source_view(&s, pos, &head, SB_WANT_ALL, &v,
			  err)) < 0 ||
			(rc = keep_batch(w, segment, index, &v, err)) < 0))
			break;
		index += head.count;
		pos += head.total_size;
		if ((rc = chain_behind(&s, pos, &chain, err)) == 0)
			sb_blocks_pass(w->blocks, head.next, chain);
		sb_compact_pace(c, head.total_size);
	}
	sb_source_close(&s);
	return rc < 0 ? rc : 0;
}

/* The file on the device against what was put into it. */
static int
read_back(struct rewrite *w, const struct sb_segment_writer *writer,
    const struct sb_file *file, struct sblog_err *err)
{
	struct sb_source s = SB_SOURCE_INIT;
	uint64_t fold = 0, count = 0, pos, expected = file->base;
	struct sblog_record rec;
	struct sb_batch head;
	struct sb_view v;
	void *map = NULL;
	int rc = 0;

	sb_sys_forget(writer->file.fd, 0, file->size);
	if ((rc = sb_sys_map(writer->file.fd, file->size, false, &map)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, writer->file.name,
		    "cannot read back");
	s.file = *file;
	s.map = map;
	s.size = file->size;
	s.limit = file->size - SB_SEG_FOOT_SIZE;
	memcpy(s.name, writer->file.name, sizeof(s.name) - 1);
	for (pos = SB_SEG_HEAD_SIZE; rc == 0; pos += head.total_size) {
		struct sb_at at = { 0 };

		if ((rc = sb_source_head(&s, pos, &head, err)) != 0 ||
		    (rc = sb_source_view(&s, pos, &head, SB_WANT_ALL, &v,
			 err)) < 0)
			break;
		if (head.base != expected)
			break;
		expected = head.next;
		for (uint64_t i = 0; i < head.count; i++) {
			sb_view_record(&v, &at, &rec);
			fold = sb_chain_record(fold, &rec);
		}
		count += head.count;
		sb_compact_pace(w->c, head.total_size);
	}
	if (rc >= 0 &&
	    (fold != w->fold || count != w->count || expected != file->next))
		rc = sb_err_damage(err, writer->file.name, pos, file->base,
		    file->next, "read back, it is not what was written");
	sb_buf_release(&s.columns);
	sb_buf_release(&s.values);
	sb_sys_unmap(map, file->size);
	return rc < 0 ? rc : 0;
}

/* When the tombstones in the new segment were looked at: the last of them.  What
 * has none has no say, or tombstones beside it would never grow old. */
static int64_t
clean_time(const struct sb_compaction *c, size_t from, size_t to)
{
	int64_t latest = NO_TOMBSTONES;

	for (size_t i = from; i < to; i++) {
		if (c->tombs[i] == 0)
			continue;
		if (c->manifest.files[i].clean_time == 0)
			return c->now;
		if (c->manifest.files[i].clean_time > latest)
			latest = c->manifest.files[i].clean_time;
	}
	return latest;
}

static int
write_all(struct rewrite *w, struct sb_segment_writer *writer, size_t from,
    size_t to, struct sb_file *file, struct sblog_err *err)
{
	struct sb_compaction *c = w->c;
	const struct sb_file *f = c->manifest.files;
	unsigned workers = c->opts->threads;
	uint64_t ignored;
	int rc;

	if ((rc = sb_segment_create(writer, c->topic->dirfd, c->manifest.topic,
		 f[from].base, (uint32_t)c->manifest.generation + 1,
		 f[from].chain, err)) < 0 ||
	    (rc = sb_blocks_begin(&w->blocks, writer,
		 (enum sblog_codec)c->topic->config.compression,
		 workers > 1 ? workers : 0, f[from].chain, err)) < 0)
		return rc;
	for (size_t i = from; rc == 0 && i < to; i++)
		rc = copy_segment(w, i, err);
	if (rc == 0)
		rc = sb_blocks_end(w->blocks, &ignored, err);
	sb_blocks_free(w->blocks);
	if (rc < 0)
		return rc;
	return sb_segment_finish(writer, f[to - 1].next, f[to - 1].end_chain,
	    file, err);
}

int
sb_compact_rewrite(struct sb_compaction *c, size_t from, size_t to,
    struct sb_file *file, struct sblog_err *err)
{
	struct sb_segment_writer writer = SB_SEGMENT_WRITER_INIT;
	struct rewrite w = { .c = c };
	int rc = write_all(&w, &writer, from, to, file, err);

	if (rc == 0)
		rc = read_back(&w, &writer, file, err);
	if (rc == 0) {
		file->clean_time = clean_time(c, from, to);
		rc = sb_segment_commit(&writer, file, err);
	}
	sb_segment_release(&writer);
	return rc;
}
