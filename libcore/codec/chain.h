/*
 * chain.h - one number that stands for every record before an offset.
 *
 * It depends on the records alone, not on how they are batched, compressed,
 * sealed or compacted: two topics with the same chain at the same offset hold
 * the same records up to there.  Folding is one XXH3 and one multiplication
 * per record.
 */
#ifndef SB_CODEC_CHAIN_H
#define SB_CODEC_CHAIN_H

#include "sblog.h"

/* The chain of an empty topic. */
#define SB_CHAIN_START UINT64_C(0x73626c6f67000001)

/*
 * chain' = (chain ^ (h + offset * P1 + time_us * P2)) * P3, modulo 2^64, with
 * P1 = 0x9e3779b97f4a7c15, P2 = 0xc2b2ae3d27d4eb4f, P3 = 0x9fb21c651e98df25.
 *
 * h is XXH3-64 of the value, or 0x6e756c6c00000000 where it is null.  Where the
 * record has a key, headers or a user time, h is XXH3-64 of 40 bytes instead:
 * that number; 1 where there is a key, plus 2 where there is a user time;
 * XXH3-64 of the key, or 0; XXH3-64 of the encoded headers, or 0 where there
 * are none; the user time, or 0 (each 8 bytes, little-endian).
 */
uint64_t sb_chain_record(uint64_t chain, const struct sblog_record *rec);

/*
 * The same for n bare values at one time: value i is data from the end of
 * value i - 1 and its delimiter to ends[i]; the first begins at data.
 */
uint64_t sb_chain_run(uint64_t chain, const uint8_t *data, const uint32_t *ends,
    size_t n, size_t delim_len, uint64_t offset, int64_t time_us);

/* The same for n values of one length, stride bytes apart. */
uint64_t sb_chain_even(uint64_t chain, const uint8_t *data, size_t len,
    size_t stride, size_t n, uint64_t offset, int64_t time_us);

#endif
