/*
 * encode.h - bytes as hexadecimal, base64, JSON strings, fixed-width numbers
 * and as text that is safe on a terminal; and back.
 */
#ifndef CMD_ENCODE_H
#define CMD_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sblog.h>

#include "common/out.h"

/* Bytes of the UTF-8 character at s[0..len-1], len > 0; 0: not one. */
size_t encode_utf8(const unsigned char *s, size_t len);
bool encode_is_utf8(struct sblog_bytes b);

void encode_hex(struct out *o, struct sblog_bytes b);
void encode_base64(struct out *o, struct sblog_bytes b);

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void encode_json(struct out *o, struct sblog_bytes b);

/*
 * As it is, but what could steer a terminal is spelt out: control characters,
 * also those of two bytes, and bytes that are not UTF-8 become \xNN.
 */
void encode_visible(struct out *o, struct sblog_bytes b);

/* The low width bytes of n. */
void encode_int(struct out *o, uint64_t n, unsigned width, bool big);
uint64_t decode_int(const unsigned char *in, unsigned width, bool big);

/*
 * Text to bytes; buf has len / 2, or len / 4 * 3, bytes.  false: it is not
 * hexadecimal, or not padded base64 (RFC 4648).
 */
bool decode_hex(const char *text, size_t len, unsigned char *buf, size_t *np);
bool decode_base64(const char *text, size_t len, unsigned char *buf,
    size_t *np);

/* Value of a hexadecimal digit, or -1. */
int decode_hex_digit(char c);

/*
 * Take the backslash escape at *sp (behind the backslash) and move *sp behind
 * it: \n \t \r \0 \\ \xNN.  false: there is no such escape.
 */
bool decode_escape(const char **sp, char *cp);

#endif
