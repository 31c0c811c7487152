/*
 * compare.h - bench compare: a result beside a baseline.
 */
#ifndef CMD_BENCH_COMPARE_H
#define CMD_BENCH_COMPARE_H

#include <stdbool.h>

#include "bench/stat.h"
#include "common/cli.h"
#include "common/report.h"

struct compare_options {
	struct stat_limits limits;
	bool fail; /* a regression is status 8 */
	bool json;
	struct cli_list
	    match; /* BASENAME=NEWNAME, measures to set side by side */
};

/*
 * Print the comparison.  DONE; REGRESSION with fail and a measure that is
 * worse; COND, and nothing is compared, where the workloads differ or no
 * measure is in both; FAILED where a file cannot be read.
 */
enum exit_status bench_compare(const struct compare_options *o,
    const char *base, const char *next);

/* "3%" or "0.03": a share between 0 and 1; false if it is none. */
bool compare_share(const char *text, double *share);

#endif
