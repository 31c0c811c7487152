/*
 * value.c - a measured number as people write it.
 */
#include "bench/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One unit can be written as a multiple with another name. */
struct step {
	double size;
	const char *name;
};

static const struct step times[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" },
	{ 1, "ns" } };
static const struct step bytes[] = { { 1e9, "GB" }, { 1e6, "MB" },
	{ 1e3, "kB" }, { 1, "B" } };
static const struct step rates[] = { { 1e9, "G/s" }, { 1e6, "M/s" },
	{ 1e3, "k/s" }, { 1, "/s" } };
static const struct step flows[] = { { 1024, "GiB/s" }, { 1, "MiB/s" },
	{ 1.0 / 1024, "KiB/s" } };

static const struct {
	const char *unit;
	const struct step *steps;
	size_t count;
	double scale; /* to the smallest step of times, bytes, rates */
} units[] = {
	{ "ns/op", times, 4, 1 },
	{ "ns", times, 4, 1 },
	{ "us", times, 4, 1e3 },
	{ "ms", times, 4, 1e6 },
	{ "s", times, 4, 1e9 },
	{ "B/op", bytes, 4, 1 },
	{ "B", bytes, 4, 1 },
	{ "bytes", bytes, 4, 1 },
	{ "ops/s", rates, 4, 1 },
	{ "records/s", rates, 4, 1 },
	{ "msg/s", rates, 4, 1 },
	{ "MiB/s", flows, 3, 1 },
};

/* Three digits, without an exponent up to a million. */
static void
digits(double v, char *out, size_t size)
{
	double a = fabs(v);

	if (a != 0 && (a < 0.001 || a >= 1e6))
		(void)snprintf(out, size, "%.3g", v);
	else
		(void)snprintf(out, size, "%.*f",
		    a == 0 || a >= 99.95 ? 0
			: a >= 9.995     ? 1
			: a >= 0.9995    ? 2
					 : 4,
		    v);
}

void
value_format(double v, const char *unit, char out[VALUE_SIZE])
{
	char number[24];

	if (!isfinite(v)) {
		(void)snprintf(out, VALUE_SIZE, "-");
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const struct step *step = units[i].steps;

		if (strcmp(units[i].unit, unit) != 0)
			continue;
		v *= units[i].scale;
		/* 999.6 ns are 1.00 us */
		while (step < units[i].steps + units[i].count - 1 &&
		    fabs(v) < step->size * 0.9995)
			step++;
		digits(v / step->size, number, sizeof(number));
		(void)snprintf(out, VALUE_SIZE, "%s %s", number, step->name);
		return;
	}
	digits(v, number, sizeof(number));
	(void)snprintf(out, VALUE_SIZE, "%s %.20s", number, unit);
}
