/*
 * work.h - what scenarios are made of: clock, random numbers, logs, records
 * that can be checked.
 */
#ifndef CMD_BENCH_WORK_H
#define CMD_BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sblog.h>

#include "bench/random.h"
#include "bench/scenario.h"

/* Nanoseconds, of no particular beginning; of this process and its threads. */
uint64_t work_now(void);
uint64_t work_cpu(void);
void work_sleep_until(uint64_t ns);

/* Say why, and abandon the run; work_need: if rc < 0. */
_Noreturn void work_fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
void work_need(int rc, const struct sblog_err *err, const char *what);

/* ---- a log ---- */

struct work_log {
	struct sblog_store *store;
	struct sblog_topic *topic;
	char *dir; /* of the store */
};

/* The topic of a store below the directory of the run, made if absent, with
 * these settings ("name=value", NULL ends them; NULL: none). */
void work_open(struct work_log *l, const char *dir, const char *topic,
    const char *const *settings);
void work_close(struct work_log *l);

/* Append n records of value_len bytes, so many in a batch, not synced. */
void work_fill(struct work_log *l, uint64_t n, size_t value_len, size_t batch);
/* A value of len bytes that looks like text, the same for the same number. */
void work_text(uint64_t number, char *out, size_t len);

/* Turn all of it into segments. */
void work_seal(struct work_log *l);

/* ---- a message: a value that says who sent it when, and can be checked ---- */

enum { WORK_MESSAGE_MIN = 28, WORK_MESSAGE_MAX = 1 << 20 };

struct work_message {
	uint32_t producer;
	uint64_t number;            /* 0, 1, ... of that producer */
	uint64_t intended, started; /* nanoseconds */
};

void work_encode(const struct work_message *m, uint8_t *out, size_t len);
/* false: not what was written. */
bool work_decode(struct work_message *m, const uint8_t *in, size_t len);

/* ---- options ---- */

enum { WORK_KEYS_MAX = 10000000 };

/* "100" or "200..500"; "1000" or "1000:1.1": so many keys, and the exponent of
 * Zipf's law, 0: all alike.  false: neither, or out of range. */
bool work_parse_size(const char *text, uint64_t *minp, uint64_t *maxp);
bool work_parse_keys(const char *text, uint64_t *np, double *zipfp);

#endif
