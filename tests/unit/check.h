/*
 * check.h - unit tests: each case runs in its own process and directory, and
 * a failed check prints both values.
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <inttypes.h>
#include <stddef.h>

struct check_case {
	const char *name; /* a sentence about behaviour */
	void (*run)(void);
};

/*
 * main() of a test program: all cases, or those whose number is in argv; TAP
 * on standard output.  A case ends at its first failed check.
 */
int check_main(int argc, char **argv, const struct check_case *cases, size_t n);

void check_true(int ok, const char *what, const char *file, int line);
void check_u64(uint64_t got, uint64_t want, const char *what, const char *file,
    int line);
void check_str(const char *got, const char *want, const char *what,
    const char *file, int line);
void check_bytes(const void *got, const void *want, size_t len,
    const char *what, const char *file, int line);

#define CHECK(cond) check_true((cond) != 0, #cond, __FILE__, __LINE__)
#define CHECK_U64(got, want) \
	check_u64((uint64_t)(got), (uint64_t)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, want, len) \
	check_bytes((got), (want), (len), #got, __FILE__, __LINE__)

#endif
