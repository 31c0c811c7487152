/*
 * blocks.h - batches of any size in, blocks of a segment out, compressed by
 * worker threads in between.
 */
#ifndef SB_LOG_BLOCKS_H
#define SB_LOG_BLOCKS_H

#include "codec/batch.h"
#include "store/segment.h"
#include "sys/sys.h"

struct sb_blocks;

/*
 * A pipeline into w (borrowed) with so many workers; 0: compress in the calling
 * thread.  codec SBLOG_CODEC_NONE: store as it is.  chain: of everything before
 * the first record.
 */
int sb_blocks_begin(struct sb_blocks **bp, struct sb_segment_writer *w,
    enum sblog_codec codec, unsigned workers, uint64_t chain,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * Take over the records of a batch; its bytes are copied.  Large batches are
 * cut, small ones with the same delimiter merged; [base, next) of the blocks
 * tile as those of the batches do.
 */
int sb_blocks_add(struct sb_blocks *b, const struct sb_view *view,
    struct sblog_err *err) SB_MUST_CHECK;

/*
 * Instead of sb_blocks_add, where records are left out: keep some records, then
 * pass the batch that they were part of, of which delim is.  chain is that of
 * everything before next, as it was when nothing had been left out.
 */
int sb_blocks_keep(struct sb_blocks *b, const struct sblog_record *rec,
    const uint8_t *delim, uint8_t delim_len,
    struct sblog_err *err) SB_MUST_CHECK;
void sb_blocks_pass(struct sb_blocks *b, uint64_t next, uint64_t chain);

/* All is written to w; *chainp: of everything up to the last record. */
int sb_blocks_end(struct sb_blocks *b, uint64_t *chainp,
    struct sblog_err *err) SB_MUST_CHECK;

void sb_blocks_free(struct sb_blocks *b);

#endif
