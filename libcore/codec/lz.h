/*
 * lz.h - one LZ4 block, bounds checked.
 */
#ifndef SB_CODEC_LZ_H
#define SB_CODEC_LZ_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that len bytes can need at most; 0: len is over LZ4's limit. */
size_t sb_lz_bound(size_t len);

/* Bytes of working memory for sb_lz_pack. */
size_t sb_lz_state_size(void);

/*
 * Compress; returns the bytes written, or 0 if they would be more than size:
 * then the data is better stored as it is.
 */
size_t sb_lz_pack(void *state, const uint8_t *in, size_t len, uint8_t *out,
    size_t size);

/* Decompress to exactly raw_len bytes.  0, or -1: not such a block. */
int sb_lz_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t raw_len);

/* Only the first want bytes of raw_len; out has room for raw_len. */
int sb_lz_unpack_part(const uint8_t *in, size_t len, uint8_t *out, size_t want,
    size_t raw_len);

#endif
