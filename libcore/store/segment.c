/*
 * segment.c - write a sealed segment.
 */
#include "store/segment.h"

#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "store/names.h"
#include "sys/sys.h"

enum {
	OUT_SIZE = 1 << 20, /* bytes gathered for a write */
	WRITE_BACK = 8 << 20,
};

int
sb_segment_create(struct sb_segment_writer *w, int dirfd,
    const uint8_t topic[static SB_ID_SIZE], uint64_t base, uint32_t revision,
    uint64_t chain, struct sblog_err *err)
{
	char name[SB_FILE_NAME_SIZE];
	int rc;

	*w = SB_SEGMENT_WRITER_INIT;
	memcpy(w->topic, topic, SB_ID_SIZE);
	w->head = (struct sb_file_head){
		.magic = SB_MAGIC_SEG,
		.base = base,
		.chain = chain,
		.created = sb_sys_time_us(),
		.head_size = SB_SEG_HEAD_SIZE,
	};
	memcpy(w->head.topic, topic, SB_ID_SIZE);
	w->revision = revision;
	w->foot.base = base;
	w->foot.chain = chain;
	if ((rc = sb_sys_random(w->head.salt, sizeof(w->head.salt))) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, "", "no random bytes");
	if (sb_buf_reserve(&w->out, OUT_SIZE) < 0)
		return sb_err_nomem(err);
	sb_name_format(name, SB_NAME_SEGMENT, base, revision);
	if ((rc = sb_tmp_create(&w->file, dirfd, name, err)) < 0)
		return rc;
	sb_file_head_encode(&w->head, w->out.data);
	w->out.len = w->pos = SB_SEG_HEAD_SIZE;
	return 0;
}

static int
flush(struct sb_segment_writer *w, struct sblog_err *err)
{
	int rc = sb_tmp_write(&w->file, sb_buf_bytes(&w->out), w->out_pos, err);

	if (rc < 0)
		return rc;
	w->out_pos += w->out.len;
	w->out.len = 0;
	if (w->out_pos - w->flushed >= WRITE_BACK) {
		sb_sys_writeback(w->file.fd, w->flushed,
		    w->out_pos - w->flushed);
		w->flushed = w->out_pos;
	}
	return 0;
}

/* Where the block is known, its hashes can be. */
static void
place(struct sb_segment_writer *w, struct sb_batch *h, const void *columns,
    const void *values, uint8_t out[static SB_BATCH_HEAD_SIZE])
{
	h->durable_upto = h->next;
	h->total_size = sb_align_up(sb_batch_used(h), SB_BATCH_ALIGN);
	h->columns_hash =
	    sb_batch_hash_columns(&w->cpu, h, w->head.salt, w->pos, columns);
	h->values_hash =
	    sb_batch_hash_values(&w->cpu, h, w->head.salt, w->pos, values);
	sb_batch_encode(h, w->head.salt, w->pos, out);
}

int
sb_segment_add(struct sb_segment_writer *w, struct sb_batch *h,
    int64_t last_time, const void *columns, const void *values,
    struct sblog_err *err)
{
	static const uint8_t zeros[SB_BATCH_ALIGN];
	const struct sb_index_entry e = { h->base, w->pos, h->base_time };
	uint8_t head[SB_BATCH_HEAD_SIZE];
	int rc;

	place(w, h, columns, values, head);
	if (w->out.len > 0 && w->out.len + h->total_size > OUT_SIZE &&
	    (rc = flush(w, err)) < 0)
		return rc;
	if (sb_buf_add(&w->out, head, sizeof(head)) < 0 ||
	    sb_buf_add(&w->out, columns, h->columns_stored) < 0 ||
	    sb_buf_add(&w->out, values, h->values_stored) < 0 ||
	    sb_buf_add(&w->out, zeros,
		(size_t)(h->total_size - sb_batch_used(h))) < 0 ||
	    sb_buf_add(&w->entries, &e, sizeof(e)) < 0)
		return sb_err_nomem(err);
	if (w->foot.batches == 0)
		w->foot.first_time = h->base_time;
	w->foot.last_time = last_time;
	w->foot.batches++;
	w->foot.count += h->count;
	w->foot.raw += h->values_raw;
	w->pos += h->total_size;
	return 0;
}

int
sb_segment_finish(struct sb_segment_writer *w, uint64_t next,
    uint64_t end_chain, struct sb_file *file, struct sblog_err *err)
{
	uint8_t foot[SB_SEG_FOOT_SIZE];
	int rc;

	w->foot.next = next;
	w->foot.end_chain = end_chain;
	w->foot.blocks_end = w->pos;
	sb_seg_foot_encode(&w->foot, w->head.salt, w->pos, foot);
	if (sb_buf_add(&w->out, foot, sizeof(foot)) < 0)
		return sb_err_nomem(err);
	if ((rc = flush(w, err)) < 0)
		return rc;
	if ((rc = sb_sys_fsync(w->file.fd)) < 0)
		return sb_err_sys(err, SBLOG_EIO, rc, w->file.name,
		    "cannot sync");
	*file = (struct sb_file){
		.kind = SBLOG_FILE_SEGMENT,
		.base = w->foot.base,
		.next = next,
		.count = w->foot.count,
		.size = w->pos + SB_SEG_FOOT_SIZE,
		.raw = w->foot.raw,
		.chain = w->foot.chain,
		.end_chain = end_chain,
		.first_time = w->foot.first_time,
		.last_time = w->foot.last_time,
		.revision = w->revision,
	};
	memcpy(file->salt, w->head.salt, SB_SALT_SIZE);
	return 0;
}

int
sb_segment_commit(struct sb_segment_writer *w, const struct sb_file *file,
    struct sblog_err *err)
{
	struct sblog_err ignored;
	int dirfd = w->file.dirfd;
	int rc = sb_tmp_commit(&w->file, SB_TMP_REPLACE, err);

	if (rc < 0)
		return rc;
	if (sb_index_save(dirfd, file, w->topic,
		(const struct sb_index_entry *)(const void *)w->entries.data,
		w->foot.batches, &w->cpu, &ignored) < 0)
		return 0; /* derivable: sblog index makes it */
	return 0;
}

void
sb_segment_release(struct sb_segment_writer *w)
{
	sb_tmp_discard(&w->file);
	sb_buf_release(&w->out);
	sb_buf_release(&w->entries);
}
