/*
 * warm.h - free memory that costs nothing extra to use.
 */
#ifndef BENCH_WARM_H
#define BENCH_WARM_H

#include <stdint.h>

/*
 * Make sure that the next so many bytes of page cache that the kernel hands
 * out are backed by real memory, by writing a file and removing it until that
 * is as fast as it ever was here.  To be called right before the clock starts, on
 * both sides.
 */
void warm_memory(const char *dir, uint64_t bytes);

#endif
