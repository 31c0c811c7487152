/*
 * segment.h - write a sealed segment.
 *
 * A segment is a file head, batches ("blocks") one behind the other, and a
 * foot; sblog-segment(5).  It appears under its name complete or not at all.
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

/*
 * Bytes of values that make a full block.  LZ4 finds 5 % more in 96 KiB than in
 * 64 KiB, as much as in 256 KiB, and a single record is still reached by
 * decompressing 48 KiB on the average.
 */
enum {
	SB_BLOCK_RAW = 96 << 10,
	/* With keys, which are read one by one.  A million of them in 4 KiB
	 * take 12 % more than in 8 KiB, and one is found in 2.9 us, not 3.8. */
	SB_BLOCK_RAW_KEYED = 4 << 10,
};

struct sb_segment_writer {
	struct sb_tmp file;
	uint8_t topic[SB_ID_SIZE];
	uint32_t revision;
	struct sb_file_head head;
	struct sb_seg_foot foot;
	uint64_t pos;      /* where the next block goes */
	struct sb_buf out; /* not written yet; it begins at out_pos */
	uint64_t out_pos;
	uint64_t flushed;      /* write-back was started up to here */
	struct sb_buf entries; /* struct sb_index_entry, one for each block */
	struct sb_cpu cpu;
};

#define SB_SEGMENT_WRITER_INIT \
	((struct sb_segment_writer){ .file = SB_TMP_INIT })

/* Create SEGMENT.tmp.* with its head written and a fresh random salt. */
int sb_segment_create(struct sb_segment_writer *w, int dirfd,
    const uint8_t topic[static SB_ID_SIZE], uint64_t base, uint32_t revision,
    uint64_t chain, struct sblog_err *err) SB_MUST_CHECK;

/*
 * Add a block: head is complete but for total size, hashes and durable_upto;
 * columns and values are as they will be stored.
 */
int sb_segment_add(struct sb_segment_writer *w, struct sb_batch *head,
    int64_t last_time, const void *columns, const void *values,
    struct sblog_err *err) SB_MUST_CHECK;

/* Foot and fsync; the file keeps its temporary name and stays open in
 * w->file.fd for reading back.  Fills *file. */
int sb_segment_finish(struct sb_segment_writer *w, uint64_t next,
    uint64_t end_chain, struct sb_file *file,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * Rename into place, fsync of the directory; then the index, whose failure
 * costs only speed.  A file of that name is one that no manifest names: a crash
 * left it, and the WAL it was made from is still there.
 */
int sb_segment_commit(struct sb_segment_writer *w, const struct sb_file *file,
    struct sblog_err *err) SB_MUST_CHECK;

/* Undo what was not committed, free the rest.  May be called always. */
void sb_segment_release(struct sb_segment_writer *w);

#endif
