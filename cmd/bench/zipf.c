/*
 * zipf.c - numbers that follow Zipf's law, by rejection and inversion.
 *
 * Hoermann and Derflinger, "Rejection-inversion to generate variates from
 * monotone discrete distributions", 1996: exact, without a table, and with
 * little more than one try for each number whatever n and s are.
 */
#include "bench/zipf.h"

#include <math.h>

#include "bench/random.h"

/* (exp(x) - 1) / x and log(1 + x) / x, also near 0. */
static double
grow(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2 * (1 + x / 3);
}

static double
shrink(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x * (0.5 - x / 3);
}

/* The density x^-s, its integral, and the way back. */
static double
density(const struct zipf *z, double x)
{
	return exp(-z->s * log(x));
}

static double
integral(const struct zipf *z, double x)
{
	double l = log(x);

	return grow((1 - z->s) * l) * l;
}

static double
inverse(const struct zipf *z, double y)
{
	/* Rounding may carry it over the edge. */
	double t = fmax(-1, y * (1 - z->s));

	return exp(shrink(t) * y);
}

void
zipf_init(struct zipf *z, uint64_t n, double s)
{
	*z = (struct zipf){ .n = (double)n, .s = s };
	z->h_first = integral(z, 1.5) - 1;
	z->h_last = integral(z, z->n + 0.5);
	z->shift = 2 - inverse(z, integral(z, 2.5) - density(z, 2));
}

uint64_t
zipf_next(const struct zipf *z, uint64_t *state)
{
	for (;;) {
		double part = (double)(work_random(state) >> 11) * 0x1p-53;
		double y = z->h_last + part * (z->h_first - z->h_last);
		double x = inverse(z, y), k = floor(x + 0.5);

		k = fmin(fmax(k, 1), z->n);
		if (k - x <= z->shift ||
		    y >= integral(z, k + 0.5) - density(z, k))
			return (uint64_t)k - 1;
	}
}
