/*
 * segment.h - sealed segments: write one, open one.
 */
#ifndef SB_STORE_SEGMENT_H
#define SB_STORE_SEGMENT_H

#include "base/buf.h"
#include "codec/batch.h"
#include "codec/filehead.h"
#include "codec/manifest.h"
#include "sblog.h"
#include "store/index.h"
#include "sys/tmp.h"

enum { SB_BLOCK_RAW = 96 << 10 }; /* bytes of values that make a full block */

/*
 * A segment being written.  Blocks are complete batches, encoded for byte
 * position w->pos; the writer puts them one behind the other.
 */
struct sb_segment_writer {
	struct sb_tmp file;
	struct sb_file_head head;
	uint64_t pos; /* where the next block goes */
	struct sb_seg_foot foot;
	struct sb_index_entry *entries; /* owned; foot.batches of them */
	uint64_t entries_size;
	uint64_t flushed; /* write-back was started up to here */
};

/* Create SEGMENT.tmp.* with its head written; a fresh random salt. */
int sb_segment_create(struct sb_segment_writer *w, int dirfd,
    const uint8_t topic[static SB_ID_SIZE], uint64_t base, uint64_t chain,
    struct sblog_err *err) SB_MUST_CHECK;

/* Write one encoded batch of head->total_size bytes at w->pos. */
int sb_segment_add(struct sb_segment_writer *w, const struct sb_batch *head,
    int64_t last_time, const void *bytes, struct sblog_err *err) SB_MUST_CHECK;

/* Foot and fsync; the file still has its temporary name.  Fills *file.  The
 * descriptor stays open in w->file for reading back. */
int sb_segment_finish(struct sb_segment_writer *w, uint64_t next,
    uint64_t end_chain, struct sb_file *file, struct sblog_err *err)
    SB_MUST_CHECK;

/* Rename into place (SB_TMP_NEW) and fsync the directory; write the index. */
int sb_segment_commit(struct sb_segment_writer *w, const struct sb_file *file,
    const uint8_t topic[static SB_ID_SIZE], struct sb_cpu *cpu,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_segment_discard(struct sb_segment_writer *w);

#endif
