/*
 * work.c - what scenarios are made of: clock, random numbers, logs, records
 * that can be checked.
 */
#include "bench/work.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/le.h"
#include "bench/mem.h"
#include "codec/hash.h"
#include "common/human.h"

enum { SETTINGS_MAX = 8, PRODUCER_SHIFT = 48 };

static uint64_t
read_clock(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t
work_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
work_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void
work_sleep_until(uint64_t ns)
{
	const struct timespec t = { .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };

	while (
	    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

void
work_fail(const char *fmt, ...)
{
	char text[BENCH_WHY_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_fail("%s", text);
	bench_abandon(EXIT_FAILED);
}

void
work_need(int rc, const struct sblog_err *err, const char *what)
{
	if (rc < 0)
		bench_abandon(report_err(what, err));
}

/* -- a log ----------------------------------------------------------------- */

/* "name=value" to a setting, whose strings are in text. */
static struct sblog_setting
split(const char *pair, char text[static 64])
{
	char *value;

	(void)snprintf(text, 64, "%s", pair);
	value = strchr(text, '=');
	*value = '\0';
	return (struct sblog_setting){ text, value + 1 };
}

void
work_open(struct work_log *l, const char *dir, const char *topic,
    const char *const *settings)
{
	const struct sblog_store_opts opts = { .mode = SBLOG_CREATE,
		.lock_timeout_ms = UINT32_MAX };
	struct sblog_setting set[SETTINGS_MAX];
	char text[SETTINGS_MAX][64];
	struct sblog_err err;
	size_t n = 0;
	int rc;

	l->dir = mem_format("%s/store", dir);
	work_need(sblog_store_open(&l->store, l->dir, &opts, &err), &err,
	    l->dir);
	for (; settings != NULL && settings[n] != NULL; n++)
		set[n] = split(settings[n], text[n]);
	if (n > 0) {
		rc = sblog_topic_create(l->store, topic, set, n, &err);
		if (rc != SBLOG_ECOND)
			work_need(rc, &err, topic);
	}
	work_need(sblog_topic_open(&l->topic, l->store, topic, SBLOG_CREATE,
		      &err),
	    &err, topic);
}

void
work_close(struct work_log *l)
{
	sblog_topic_close(l->topic);
	sblog_store_close(l->store);
	free(l->dir);
}

/* Words of a log, so that it can be compressed as one. */
void
work_text(uint64_t number, char *out, size_t len)
{
	static const char words[8][8] = { "request", "account", "opened ",
		"payment", "refused", "user=17", "page=99", "timeout" };
	uint64_t state = number;
	size_t at = 0;

	while (at < len) {
		uint64_t r = work_random(&state);
		char piece[17];
		size_t n;

		(void)snprintf(piece, sizeof(piece), "%.7s %08x", words[r & 7],
		    (unsigned)(r >> 32));
		n = len - at < 16 ? len - at : 16;
		memcpy(out + at, piece, n);
		at += n;
	}
}

void
work_fill(struct work_log *l, uint64_t n, size_t value_len, size_t batch)
{
	const struct sblog_append_opts opts = { .sync = SBLOG_SYNC_NONE };
	struct sblog_record *recs = mem_new(batch, sizeof(*recs));
	char *values = mem_new(batch, value_len);
	struct sblog_err err;
	uint64_t first;

	for (uint64_t i = 0; i < n; i += batch) {
		size_t count = n - i < batch ? (size_t)(n - i) : batch;

		for (size_t k = 0; k < count; k++) {
			work_text(i + k, values + k * value_len, value_len);
			recs[k] = (struct sblog_record){
				.user_time_us = SBLOG_NO_TIME,
				.value = { values + k * value_len, value_len },
			};
		}
		work_need(sblog_append(l->topic, recs, count, &opts, &first,
			      &err),
		    &err, "append");
	}
	free(values);
	free(recs);
}

void
work_seal(struct work_log *l)
{
	struct sblog_sealed sealed;
	struct sblog_err err;

	work_need(sblog_seal(l->topic, NULL, &sealed, &err), &err, "seal");
}

/* -- messages -------------------------------------------------------------- */

/* Bytes behind the times: a sequence that the number begins. */
static void
filler(uint64_t id, uint8_t *out, size_t len)
{
	uint64_t state = id, r;

	for (; len >= 8; len -= 8, out += 8) {
		r = work_random(&state);
		memcpy(out, &r, 8);
	}
	r = work_random(&state);
	memcpy(out, &r, len);
}

/* Of everything but the four bytes where it stands. */
static uint32_t
message_hash(const uint8_t *in, size_t len)
{
	static struct sb_cpu cpu;

	return (uint32_t)sb_hash64(&cpu, in + WORK_MESSAGE_MIN,
	    len - WORK_MESSAGE_MIN, sb_hash_key(in, WORK_MESSAGE_MIN - 4));
}

void
work_encode(const struct work_message *m, uint8_t *out, size_t len)
{
	uint64_t id = (uint64_t)m->producer << PRODUCER_SHIFT | m->number;

	sb_put_u64(out, id);
	sb_put_u64(out + 8, m->intended);
	sb_put_u64(out + 16, m->started);
	filler(id, out + WORK_MESSAGE_MIN, len - WORK_MESSAGE_MIN);
	sb_put_u32(out + 24, message_hash(out, len));
}

bool
work_decode(struct work_message *m, const uint8_t *in, size_t len)
{
	uint64_t id;

	if (len < WORK_MESSAGE_MIN ||
	    sb_get_u32(in + 24) != message_hash(in, len))
		return false;
	id = sb_get_u64(in);
	m->producer = (uint32_t)(id >> PRODUCER_SHIFT);
	m->number = id & ((UINT64_C(1) << PRODUCER_SHIFT) - 1);
	m->intended = sb_get_u64(in + 8);
	m->started = sb_get_u64(in + 16);
	return true;
}

/* -- options --------------------------------------------------------------- */

bool
work_parse_size(const char *text, uint64_t *minp, uint64_t *maxp)
{
	const char *dots = strstr(text, "..");
	char first[32];
	bool ok;

	if (dots == NULL) {
		ok = human_size(text, minp);
		*maxp = *minp;
	} else {
		(void)snprintf(first, sizeof(first), "%.*s", (int)(dots - text),
		    text);
		ok = human_size(first, minp) && human_size(dots + 2, maxp);
	}
	return ok && *minp <= *maxp && *maxp <= WORK_MESSAGE_MAX;
}

bool
work_parse_keys(const char *text, uint64_t *np, double *zipfp)
{
	const char *colon = strchr(text, ':');
	char number[32], *end;

	(void)snprintf(number, sizeof(number), "%.*s",
	    colon == NULL ? 31 : (int)(colon - text), text);
	*zipfp = 0;
	if (!human_number(number, np) || *np < 1 || *np > WORK_KEYS_MAX)
		return false;
	if (colon == NULL)
		return true;
	*zipfp = strtod(colon + 1, &end);
	return end != colon + 1 && *end == '\0' && isfinite(*zipfp) &&
	    *zipfp > 0 && *zipfp <= 10;
}
