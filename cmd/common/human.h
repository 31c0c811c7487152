/*
 * human.h - sizes, durations and times: text to numbers and back.
 */
#ifndef CMD_HUMAN_H
#define CMD_HUMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HUMAN_TIME_SIZE = 32 }; /* "2026-11-20T12:34:56.123456Z" and NUL */

/* Each: false if the text is not one, or over 64 bits; *np is set on true. */
bool human_number(const char *text, uint64_t *np);
bool human_size(const char *text, uint64_t *bytesp);  /* 10 64K 1M 2G 1T */
bool human_duration(const char *text, uint64_t *usp); /* 90s 1h30m 7d 5ms */

/* RFC 3339, YYYY-MM-DD (UTC), epoch seconds, milliseconds or microseconds by
 * number of digits, -DURATION, now. */
bool human_time(const char *text, int64_t *usp);

/* RFC 3339 in UTC with microseconds; returns its length. */
size_t human_format_time(int64_t us, char out[HUMAN_TIME_SIZE]);

/* "1.2 MB" and the like, for people. */
void human_format_size(uint64_t bytes, char out[16]);

#endif
