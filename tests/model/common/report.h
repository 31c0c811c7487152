/*
 * report.h - workers side by side, what they found, and how it is said.
 */
#ifndef TESTS_MODEL_REPORT_H
#define TESTS_MODEL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

enum { REPORT_WORKERS = 16, REPORT_COUNTS = 8 };

struct report {
	unsigned workers;
	uint64_t count[REPORT_WORKERS][REPORT_COUNTS];
	uint64_t violations[REPORT_WORKERS];
	char where[REPORT_WORKERS][256]; /* what it is at, should it crash */
};

/* Shared between this process and the workers. */
extern struct report *report;

void report_begin(unsigned workers);
/* work(worker) in as many processes; counts those that died as violations. */
void report_run(void (*work)(unsigned worker));
uint64_t report_sum(unsigned i);
uint64_t report_violations(void);

/* TAP, and the line for machines; title as printf. */
void report_ok(bool ok, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void report_line(const char *name, uint64_t count, uint64_t seed,
    double seconds);
double report_seconds(void); /* since report_begin */
int report_done(void);

#endif
