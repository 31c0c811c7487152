/*
 * odometer.h - every way of answering a row of questions, one after the other.
 *
 * How many questions there are, and how many answers each has, may depend on
 * the answers before.
 */
#ifndef TESTS_MODEL_ODOMETER_H
#define TESTS_MODEL_ODOMETER_H

#include <stdbool.h>
#include <stdint.h>

enum { ODOMETER_DIGITS = 512 };

enum odometer_how {
	IN_TURN,
	ALL_BUT_ONE, /* the last answer everywhere, but the first at one place */
	AT_RANDOM,
};

/* Zero, but for seed: the first answers, to go on in turn. */
struct odometer {
	uint32_t digit[ODOMETER_DIGITS], limit[ODOMETER_DIGITS];
	uint32_t at;   /* questions answered; 0 to begin a new row */
	uint32_t used; /* digits that are set */
	enum odometer_how how;
	uint32_t but;   /* place, with ALL_BUT_ONE */
	uint64_t *seed; /* for AT_RANDOM, and for very long rows */
};

/* For cut_make: one of n answers; arg is the odometer. */
uint32_t odometer_choose(void *arg, uint32_t n);

/* The next row of answers, the last one first to change.  false: there is none
 * that was not given. */
bool odometer_turn(struct odometer *o);

#endif
