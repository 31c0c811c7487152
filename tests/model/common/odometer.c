/*
 * odometer.c - every way of answering a row of questions, one after the other.
 */
#include "common/odometer.h"

#include "common/sched.h"

uint32_t
odometer_choose(void *arg, uint32_t n)
{
	struct odometer *o = arg;
	uint32_t i = o->at++;

	if (o->how == ALL_BUT_ONE)
		return i == o->but ? 0 : n - 1;
	if (o->how == AT_RANDOM || i >= ODOMETER_DIGITS)
		return (uint32_t)(sim_random(o->seed) % n);
	if (i == o->used) {
		o->digit[i] = 0;
		o->used++;
	}
	o->limit[i] = n;
	return o->digit[i];
}

bool
odometer_turn(struct odometer *o)
{
	o->used = o->at < ODOMETER_DIGITS ? o->at : ODOMETER_DIGITS;
	while (
	    o->used > 0 && o->digit[o->used - 1] + 1 == o->limit[o->used - 1])
		o->used--;
	if (o->used == 0)
		return false;
	o->digit[o->used - 1]++;
	return true;
}
