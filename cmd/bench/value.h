/*
 * value.h - a measured number as people write it.
 */
#ifndef CMD_BENCH_VALUE_H
#define CMD_BENCH_VALUE_H

enum { VALUE_SIZE = 48 };

/* "25.4 us", "2.05 kB", "1.09 M/s", "3.79 GiB/s": three digits, the unit scaled
 * where it is one that can be; a unit that is not known follows as it is. */
void value_format(double v, const char *unit, char out[VALUE_SIZE]);

#endif
