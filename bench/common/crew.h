/*
 * crew.h - several writers at once, as threads or as processes.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

typedef void (*crew_fn)(void *arg, unsigned member);

enum crew_kind { CREW_THREADS, CREW_PROCESSES };

enum { CREW_MAX = 64 };

/*
 * Run prepare(arg, i) and then work(arg, i) in n members; all of them begin
 * work together.  Returns the seconds from there until the last has done.
 * prepare and work share state in static thread-local variables.
 */
double crew_run(enum crew_kind kind, unsigned n, crew_fn prepare, crew_fn work,
    void *arg);

#endif
