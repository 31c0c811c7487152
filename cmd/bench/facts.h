/*
 * facts.h - the machine a result was found on.
 */
#ifndef CMD_BENCH_FACTS_H
#define CMD_BENCH_FACTS_H

#include "bench/result.h"

/* Version, host, processor, kernel, file system of dir, governor, compiler,
 * processors, memory and time; what cannot be found out is "unknown" or 0. */
void facts_fill(struct bench_result *r, const char *dir);

#endif
