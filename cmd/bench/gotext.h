/*
 * gotext.h - the text that "go test -bench" prints, as a result.
 */
#ifndef CMD_BENCH_GOTEXT_H
#define CMD_BENCH_GOTEXT_H

#include <stdbool.h>

#include "bench/result.h"

/* Is there a line in it that begins with "Benchmark" and holds a number? */
bool gotext_is(const char *text);

/*
 * Each benchmark gives one measure for each unit, "NAME UNIT"; lines of the
 * same name are its runs.  A line that begins as a benchmark and does not go on
 * as one (it was cut, or the test failed) is refused.  NULL with the line in
 * why.
 */
struct bench_result *gotext_parse(const char *text, char why[BENCH_WHY_SIZE]);

#endif
