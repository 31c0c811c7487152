/*
 * traffic_parts.h - what the processes of traffic.h share.
 */
#ifndef CMD_BENCH_TRAFFIC_PARTS_H
#define CMD_BENCH_TRAFFIC_PARTS_H

#include <stdatomic.h>

#include "bench/traffic.h"

#define TRAFFIC_TOPIC "t"

/* ---- a message, as its number says ---- */

struct traffic_shape {
	size_t len; /* of the value */
	char key[24];
	size_t key_len; /* 0: none */
};

/* Sender and receivers find the same. */
void traffic_shape(const struct traffic *t, const struct zipf *z,
    uint32_t producer, uint64_t number, struct traffic_shape *shape);
/* The hash of a sender's messages up to one more. */
uint64_t traffic_chain(uint64_t before, const uint8_t *value);

/* ---- shared memory ---- */

struct traffic_sender {
	uint64_t sent; /* acknowledged; they are numbered 0, 1, ... */
	uint64_t measured, asked;
	uint64_t chain, bytes;
	uint64_t last_ns; /* the last acknowledgement */
	struct hist ack, service;
	struct hist unsent; /* what was due and never sent, until it gave up */
};

struct traffic_reader {
	uint64_t received, scanned, commits, sealed, trimmed;
	uint64_t last_ns;
	_Atomic uint64_t position; /* what it has read up to */
	char why[TRAFFIC_WHY];
	struct hist seen, service;
};

struct traffic_shared {
	_Atomic uint32_t ready;
	_Atomic uint64_t begin_ns; /* 0: not yet */
	_Atomic uint64_t end;      /* of the log; UINT64_MAX: not known yet */
	_Atomic bool stop, failed; /* failed: somebody has said why */
	_Atomic uint64_t series[TRAFFIC_SERIES];
	struct traffic_sender senders[TRAFFIC_PROCESSES];
	struct traffic_reader readers[2 * TRAFFIC_PROCESSES + 1];
};

/* One process of a kind. */
struct traffic_process {
	const struct traffic *t;
	struct traffic_shared *shared;
	unsigned index; /* of senders or readers */
};

/* Say that all is prepared, and wait for the others; when it begins. */
uint64_t traffic_begin(struct traffic_shared *shared);
/* As work_need(); where a full disk stops all at once, one of them says so. */
void traffic_need(struct traffic_shared *shared, int rc,
    const struct sblog_err *err, const char *what);
/* Seconds of a point of the series. */
double traffic_interval(const struct traffic *t);

void traffic_produce(void *process);
void traffic_follow(void *process);
void traffic_scan(void *process);
void traffic_keep(void *process);

/* ---- what was received ---- */

struct traffic_check {
	const struct traffic *t;
	struct zipf zipf;
	bool whole; /* every message from the first one is expected */
	bool deep;  /* also keys are compared */
	bool begun;
	uint64_t offset; /* expected */
	uint64_t records;
	struct {
		uint64_t next, chain;
		bool known; /* how far he is */
	} of[TRAFFIC_PROCESSES];
	char why[TRAFFIC_WHY];
};

void traffic_check_init(struct traffic_check *c, const struct traffic *t,
    bool whole);
/* Is it the message that must come next?  It is put into *m. */
bool traffic_check_record(struct traffic_check *c,
    const struct sblog_record *rec, struct work_message *m);
/* Has everything come that was sent?  How many have not. */
uint64_t traffic_check_end(struct traffic_check *c,
    const struct traffic_shared *shared);

#endif
