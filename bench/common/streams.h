/*
 * streams.h - the records of the look-ups by key, the same for every store: a
 * million keys in ten categories, each written once, then some again.
 */
#ifndef BENCH_STREAMS_H
#define BENCH_STREAMS_H

#include <stdint.h>
#include <stdio.h>

enum {
	STREAMS = 1000000,  /* records with a key of their own */
	STREAM_PARTS = 11,  /* ten sealed, the last one not */
	STREAM_LONG = 5000, /* keys that get LONG_EACH records more */
	STREAM_EACH = 20,
	STREAM_BATCH = 1000,
	STREAM_KEY = 16, /* bytes with the NUL */
	STREAM_VALUE = 30,
	STREAM_CATEGORY = 100, /* records of a category that are read */
};

/* Key of record i: all of them in an order that looks random. */
static inline void
stream_key(uint64_t i, char key[static STREAM_KEY])
{
	uint64_t k = i * 7919 % STREAMS;

	(void)snprintf(key, STREAM_KEY, "acct%d-%06d", (int)(k % 10), (int)k);
}

#endif
