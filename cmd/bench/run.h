/*
 * run.h - what the files that run scenarios share.
 */
#ifndef CMD_BENCH_RUN_H
#define CMD_BENCH_RUN_H

#include "bench/plan.h"

/* The folder of this program, where the commands under test are. */
char *run_folder(void);

/* A fresh directory for stores; NULL: there is none, and that was said. */
char *run_directory(const struct bench_options *o);
enum exit_status run_remove(const char *directory);

/* Runs of an item; of all, and the most of one. */
uint64_t run_count(const struct plan_item *item);
uint64_t run_steps(const struct plan *p, uint64_t *most);

/* Every run twice, by this build and by the other, taking turns; then they are
 * compared. */
enum exit_status run_against(const struct bench_options *o,
    const struct plan *p);

#endif
