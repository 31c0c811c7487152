/*
 * scan.h - find where delimited values end.
 */
#ifndef SB_CODEC_SCAN_H
#define SB_CODEC_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "codec/hash.h"

/*
 * Find up to max delimiters in data[0..len-1], len < 4 GiB.  ends[i] becomes
 * the position of the i-th delimiter's first byte.  Returns how many.
 */
size_t sb_scan(struct sb_cpu *cpu, const uint8_t *data, size_t len,
    const uint8_t *delim, size_t delim_len, uint32_t *ends, size_t max);

/* For one byte, with AVX2: compare 64 bytes at a time, then take the bits. */
size_t sb_scan_avx2(const uint8_t *data, size_t len, uint8_t delim,
    uint32_t *ends, size_t max);

#endif
