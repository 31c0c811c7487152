/*
 * traffic.h - processes that append and processes that follow, and whether
 * everything arrived.
 *
 * Producers append messages at the times of a schedule, or as fast as they are
 * answered; followers read them as they come.  Each message says who sent it,
 * as which of his, when it was due and when it was really begun, so that every
 * reader can tell whether it has all of them, in order, as they were sent.
 */
#ifndef CMD_BENCH_TRAFFIC_H
#define CMD_BENCH_TRAFFIC_H

#include "bench/proc.h"
#include "bench/schedule.h"
#include "bench/work.h"
#include "bench/zipf.h"

enum { TRAFFIC_PROCESSES = 64, TRAFFIC_SERIES = 1000, TRAFFIC_WHY = 256 };

struct traffic {
	const char *dir; /* of the run */
	/* When messages are due; count 0: whenever the last one was
	 * acknowledged, for so many seconds. */
	struct schedule schedule;
	double warm_up; /* seconds at the beginning that are not measured */
	unsigned producers, consumers;
	unsigned scanners; /* that read everything, again and again */
	uint64_t size_min, size_max;
	uint64_t keys;  /* different ones; 0: messages have none */
	double zipf;    /* 0: all keys as often */
	bool durable;   /* appends, and what followers are shown */
	uint32_t batch; /* messages in one append: without a schedule exactly,
			 * else at most, of those that are due */
	uint64_t seed;
	bool commit; /* followers commit where they are */
	bool keep;   /* a process seals, and trims what everybody has read */
	/* What the schedule was made of, for the words of the workload. */
	double rate, spike_rate, spike_seconds, burst;
};

struct traffic_outcome {
	uint64_t asked;    /* messages due after the warm-up */
	uint64_t acked;    /* of them, those acknowledged in time */
	uint64_t sent;     /* all that were acknowledged */
	uint64_t received; /* by all followers together */
	uint64_t scanned, commits, sealed, trimmed;
	uint64_t bytes;         /* of values, acknowledged */
	double seconds;         /* until the last acknowledgement */
	double receive_seconds; /* until the last message was read */
	/* From when a message was due, and from when its append was begun, to
	 * its acknowledgement and to its arrival at a follower. */
	struct hist ack, ack_service, seen, seen_service;
	double interval; /* seconds; acknowledged in each: */
	size_t intervals;
	double series[TRAFFIC_SERIES];
	double elapsed; /* with the warm-up */
	struct proc_cost cost;
	uint64_t wrong; /* messages that are missing, or not as they were */
	char why[2 * TRAFFIC_WHY];
};

/*
 * Do it, in an empty directory.  What is wrong with the data is told in
 * out->why; what keeps a process from going on abandons the run.  stop_wanted()
 * ends it early.  The caller frees the outcome.
 */
struct traffic_outcome *traffic_run(const struct traffic *t);

#endif
