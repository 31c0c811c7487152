/*
 * print.h - measures as a table for people.
 */
#ifndef CMD_BENCH_PRINT_H
#define CMD_BENCH_PRINT_H

#include "bench/result.h"

void print_heading(void);

/* A line, or none where every run failed. */
void print_measure(const struct bench_measure *m);

/* What failed, on standard error. */
void print_failures(const struct bench_result *r);

#endif
