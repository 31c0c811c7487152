/*
 * fuzz.h - what every fuzz target shares.
 *
 * A target takes any bytes.  It may refuse them; what it accepts must have the
 * property that its first comment names.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold is a finding, whatever the build. */
#define MUST(cond) ((cond) ? (void)0 : __builtin_trap())

static const uint8_t fuzz_salt[16] = "0123456789abcde";

#endif
