/*
 * sc_load.h - scenarios: a load for some time, as published load tests ask for.
 */
#ifndef CMD_BENCH_SC_LOAD_H
#define CMD_BENCH_SC_LOAD_H

#include "bench/scenario.h"

/* The argument of a scenario whose run is load_run. */
struct load {
	double rate; /* messages a second; 0: as fast as it goes */
	unsigned producers, consumers;
	uint64_t size;
	double seconds;    /* without --duration */
	double spike_rate; /* for a tenth of the time; 0: none */
	double burst;      /* period, seconds; 0: none */
	unsigned scanners;
	bool keep, commit;
	bool latency;   /* it is held to the published times, */
	bool resources; /* and to the published share of a machine */
	unsigned cpus;  /* the machine it is meant for; fewer: no targets */
	double least;   /* messages a second that are expected; 0: the rate */
};

extern const struct load load_throughput, load_latency, load_stress, load_soak,
    load_spike, load_mixed, load_sustained, load_burst, load_small, load_medium,
    load_large, load_most, load_one;

void load_run(const struct bench_ctx *ctx, struct bench_result *result);

#endif
