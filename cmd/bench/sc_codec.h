/*
 * sc_codec.h - scenarios: encoding, hashes, compression, indexes.
 */
#ifndef CMD_BENCH_SC_CODEC_H
#define CMD_BENCH_SC_CODEC_H

#include "bench/micro.h"

/* Each with the checks that belong to it. */
extern const struct micro micro_encode_1, micro_encode_100, micro_decode_1,
    micro_decode_100, micro_frame_encode, micro_frame_decode, micro_hash_40,
    micro_hash_4k, micro_hash_64k, micro_lz4_pack, micro_lz4_unpack,
    micro_index_add, micro_index_find;

#endif
