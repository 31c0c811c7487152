/*
 * schedule.c - when each message of an open loop is due.
 */
#include "bench/schedule.h"

#include <math.h>

void
schedule_steady(struct schedule *s, double rate, double seconds)
{
	*s = (struct schedule){ .pieces = { { seconds, rate } },
		.count = 1,
		.seconds = seconds };
}

void
schedule_spike(struct schedule *s, double rate, double seconds,
    double spike_rate, double spike_seconds)
{
	double spike = fmin(spike_seconds, seconds);
	double calm = (seconds - spike) / 2;

	*s = (struct schedule){
		.pieces = { { calm, rate }, { spike, spike_rate },
		    { calm, rate } },
		.count = 3,
		.seconds = seconds,
	};
}

void
schedule_burst(struct schedule *s, double rate, double seconds, double period)
{
	*s = (struct schedule){
		.pieces = { { period / 4, rate * 4 }, { period * 3 / 4, 0 } },
		.count = 2,
		.seconds = seconds,
	};
}

void
schedule_warm_up(struct schedule *s, double rate, double seconds)
{
	for (size_t i = s->count; i > 0; i--)
		s->pieces[i] = s->pieces[i - 1];
	s->pieces[0] = (struct schedule_piece){ seconds, rate };
	s->count++;
	s->again++;
	s->seconds += seconds;
}

/* Sums of the pieces [from, count). */
static struct schedule_piece
sum(const struct schedule *s, size_t from, size_t count)
{
	struct schedule_piece all = { 0, 0 }; /* rate: messages */

	for (size_t i = from; i < count; i++) {
		all.seconds += s->pieces[i].seconds;
		all.rate += s->pieces[i].seconds * s->pieces[i].rate;
	}
	return all;
}

/* Messages due in the first so many seconds of the pieces [from, count). */
static double
messages(const struct schedule *s, size_t from, double seconds)
{
	double n = 0;

	for (size_t i = from; i < s->count && seconds > 0; i++) {
		const struct schedule_piece *p = &s->pieces[i];

		n += fmin(seconds, p->seconds) * p->rate;
		seconds -= p->seconds;
	}
	return n;
}

uint64_t
schedule_total(const struct schedule *s)
{
	struct schedule_piece once = sum(s, 0, s->again);
	struct schedule_piece round = sum(s, s->again, s->count);
	double rest = s->seconds - once.seconds, rounds;

	if (round.seconds <= 0)
		return 0;
	rounds = floor(rest / round.seconds + 1e-9);
	rest = fmax(0, rest - rounds * round.seconds);
	/* A sum of doubles may be a hair below the whole number it means. */
	return (uint64_t)(once.rate + rounds * round.rate +
	    messages(s, s->again, rest) + 1e-6);
}

uint64_t
schedule_due(const struct schedule *s, uint64_t n)
{
	struct schedule_piece once = sum(s, 0, s->again);
	double left = (double)n, seconds = 0;
	size_t i = 0;

	if (left >= once.rate) {
		struct schedule_piece round = sum(s, s->again, s->count);
		double rounds = floor((left - once.rate) / round.rate + 1e-12);

		left = fmax(0, left - once.rate - rounds * round.rate);
		seconds = once.seconds + rounds * round.seconds;
		i = s->again;
	}
	while (i + 1 < s->count &&
	    left >= s->pieces[i].seconds * s->pieces[i].rate) {
		left -= s->pieces[i].seconds * s->pieces[i].rate;
		seconds += s->pieces[i++].seconds;
	}
	if (s->pieces[i].rate > 0)
		seconds += left / s->pieces[i].rate;
	return (uint64_t)(seconds * 1e9);
}
