/*
 * traffic_rows.h - what came of a load, as measures with their targets.
 */
#ifndef CMD_BENCH_TRAFFIC_ROWS_H
#define CMD_BENCH_TRAFFIC_ROWS_H

#include "bench/traffic.h"

/* What the published documents expect of such a load. */
struct traffic_goals {
	double rate;    /* messages a second, at least; 0: none */
	bool keep_up;   /* 99 % of what is due are acknowledged in time */
	bool latency;   /* half, 95 %, 99 %, 99.9 % within 5, 20, 50, 100 ms */
	bool local;     /* half within 1 ms */
	bool resources; /* a core and 500 MB for 10,000 a second */
	double delivered; /* messages a second to all followers; 0: none */
	bool brief;       /* a point of a curve: few measures */
	bool plain;       /* the scenario's figures are not those of the rate */
	const char *rate_text; /* NULL: what is published of the scenario */
	const char *ack_rows, *ack_text, *ack_hides; /* NULL: none */
};

/*
 * One run more of NAME/rate, NAME/ack, NAME/seen and what belongs to them, with
 * name "" or such as "4/", the words of the workload, and a failure for each
 * target that was missed.  If data was wrong there is NAME/lost and no other,
 * for no figure of such a run counts.
 */
void traffic_rows(const struct bench_ctx *ctx, struct bench_result *result,
    const char *name, const struct traffic *t, const struct traffic_goals *g,
    const struct traffic_outcome *out);

/* Options of the command line over those of the scenario. */
void traffic_options(struct traffic *t, const struct bench_options *o);

#endif
