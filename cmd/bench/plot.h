/*
 * plot.h - lines over an axis, drawn by gnuplot as SVG or set as a table.
 */
#ifndef CMD_BENCH_PLOT_H
#define CMD_BENCH_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench/result.h"

struct plot_line {
	char *name;
	double *x, *y;
	size_t count;
};

enum plot_axis {
	PLOT_LINEAR,
	PLOT_LOG,
	PLOT_PERCENT, /* 50 90 99 99.9 ...: equal steps for each nine */
};

struct plot {
	char *title, *x_label, *unit;
	enum plot_axis x_axis;
	bool log_y, bytes_x;
	struct plot_line *lines;
	size_t count;
};

/* What can be drawn of a result; *np of them; free with plot_free_all. */
struct plot *plot_all(const struct bench_result *r, size_t *np);
void plot_free_all(struct plot *plots, size_t n);

/* "<svg ...>...</svg>" with ids that begin with name; NULL where gnuplot is
 * missing or fails; caller frees. */
char *plot_svg(const struct plot *p, const char *name);

#endif
