/*
 * work.h - the records that all benchmarks write and read.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

enum {
	WORK_LINE = 100, /* bytes of a line of W100, newline included */
	WORK_1K = 1024,  /* bytes of a line of W1k, newline included */
	WORK_KEY = 10,   /* W40: bytes of the key */
	WORK_VALUE = 30, /* and of the value */
};

/* A stream of records; the same seed gives the same bytes everywhere. */
struct work {
	uint64_t random;
	uint64_t time_ms; /* of the next line, since 1970 */
	uint64_t second;  /* that stamp[] was made for */
	char stamp[32];
};

void work_init(struct work *w, uint64_t seed);

/* The next 64 random bits (splitmix64). */
uint64_t work_random(struct work *w);

/* The next line of W100, with its newline. */
void work_line(struct work *w, char out[static WORK_LINE]);

/* The next line of W1k, with its newline: a log line and a stack of frames. */
void work_1k(struct work *w, char out[static WORK_1K]);

/* The next record of W40; key_pos makes the keys distinct and ascending. */
void work_40(struct work *w, uint64_t key_pos, char key[static WORK_KEY],
    char value[static WORK_VALUE]);

#endif
