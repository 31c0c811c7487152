/*
 * schedule.h - when each message of an open loop is due.
 *
 * A load whose senders wait for answers before they send the next message
 * measures nothing while the system stands still.  Here every message has the
 * time at which it was meant to be sent, whatever became of those before it.
 */
#ifndef CMD_BENCH_SCHEDULE_H
#define CMD_BENCH_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

enum { SCHEDULE_PIECES = 4 };

/* So many seconds at so many messages a second; 0: a pause. */
struct schedule_piece {
	double seconds, rate;
};

/* The pieces from `again` on are repeated until the end. */
struct schedule {
	struct schedule_piece pieces[SCHEDULE_PIECES];
	size_t count, again;
	double seconds; /* of all */
};

/* One rate all the time. */
void schedule_steady(struct schedule *s, double rate, double seconds);
/* A spike in the middle of a steady rate, no longer than the whole. */
void schedule_spike(struct schedule *s, double rate, double seconds,
    double spike_rate, double spike_seconds);
/* Again and again: a quarter of the period at four times the rate, then
 * nothing. */
void schedule_burst(struct schedule *s, double rate, double seconds,
    double period);
/* So many seconds more before it, at this rate. */
void schedule_warm_up(struct schedule *s, double rate, double seconds);

/* Messages of the whole schedule. */
uint64_t schedule_total(const struct schedule *s);
/* Nanoseconds from the beginning at which message n is due, n below the
 * total. */
uint64_t schedule_due(const struct schedule *s, uint64_t n);

#endif
