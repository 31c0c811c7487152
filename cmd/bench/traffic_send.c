/*
 * traffic_send.c - a process that appends messages when they are due.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "bench/mem.h"
#include "bench/traffic_parts.h"

enum {
	NAP = 50000000,   /* ns; so often a sleeping process looks up */
	BEHIND = 50,      /* percent of the time by which it may be late, */
	BEHIND_LEAST = 1, /* and so many seconds */
};

struct producer {
	const struct traffic *t;
	struct traffic_shared *shared;
	struct traffic_sender *slot;
	struct work_log log;
	struct zipf zipf;
	unsigned index;
	uint64_t begin, measured; /* when, ns */
	uint64_t total;           /* of the schedule; of all producers */
	uint64_t deadline;        /* when it gives up */
	double interval;
	struct sblog_record *recs;
	struct work_message *messages;
	char (*keys)[24];
	uint8_t *values;
	size_t n; /* messages of the batch */
	uint64_t chain;
};

static void
open_log(struct producer *p, const struct traffic_process *process)
{
	const struct traffic *t = process->t;

	p->t = t;
	p->shared = process->shared;
	p->index = process->index;
	p->slot = &process->shared->senders[process->index];
	p->interval = traffic_interval(t) * 1e9;
	p->recs = mem_new(t->batch, sizeof(*p->recs));
	p->messages = mem_new(t->batch, sizeof(*p->messages));
	p->keys = mem_new(t->batch, sizeof(*p->keys));
	p->values = mem_new(t->batch, t->size_max);
	if (t->zipf > 0)
		zipf_init(&p->zipf, t->keys, t->zipf);
	/* A sleep of 50 us more is not what is to be measured. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	work_open(&p->log, t->dir, TRAFFIC_TOPIC, NULL);
}

/* Message number `number` of this process at the end of the batch. */
static void
add_message(struct producer *p, uint64_t intended, uint64_t started)
{
	struct work_message *m = &p->messages[p->n];
	uint8_t *value = p->values + p->n * p->t->size_max;
	struct traffic_shape shape;

	*m = (struct work_message){ p->index, p->slot->sent + p->n, intended,
		started };
	traffic_shape(p->t, &p->zipf, p->index, m->number, &shape);
	work_encode(m, value, shape.len);
	p->recs[p->n] = (struct sblog_record){
		.user_time_us = SBLOG_NO_TIME,
		.value = { value, shape.len },
	};
	if (shape.key_len > 0) {
		memcpy(p->keys[p->n], shape.key, shape.key_len);
		p->recs[p->n].key =
		    (struct sblog_bytes){ p->keys[p->n], shape.key_len };
	}
	p->chain = traffic_chain(p->chain, value);
	p->n++;
}

static uint64_t
due(const struct producer *p, uint64_t i)
{
	uint64_t n = (p->slot->sent + i) * p->t->producers + p->index;

	return n < p->total ? p->begin + schedule_due(&p->t->schedule, n)
			    : UINT64_MAX;
}

/* All that is due, of which there is some; false: there is no more. */
static bool
collect_due(struct producer *p)
{
	uint64_t when = due(p, 0), now = work_now();

	if (when == UINT64_MAX || now > p->deadline)
		return false;
	while (when > now) {
		work_sleep_until(when - now > NAP ? now + NAP : when);
		now = work_now();
		if (atomic_load(&p->shared->stop))
			return false;
	}
	do {
		add_message(p, when, now);
		when = due(p, p->n);
	} while (when <= now && p->n < p->t->batch);
	return true;
}

static bool
collect(struct producer *p)
{
	uint64_t now;

	p->n = 0;
	if (atomic_load(&p->shared->stop))
		return false;
	if (p->t->schedule.count > 0)
		return collect_due(p);
	now = work_now();
	if (now >= p->deadline)
		return false;
	while (p->n < p->t->batch)
		add_message(p, now, now);
	return true;
}

static void
append(struct producer *p)
{
	const struct sblog_append_opts opts = {
		.sync = p->t->durable ? SBLOG_SYNC_BATCH : SBLOG_SYNC_NONE,
	};
	struct traffic_sender *slot = p->slot;
	uint64_t first, now, point, measured = 0;
	struct sblog_err err;

	traffic_need(p->shared,
	    sblog_append(p->log.topic, p->recs, p->n, &opts, &first, &err),
	    &err, "append");
	now = work_now();
	for (size_t i = 0; i < p->n; i++) {
		const struct work_message *m = &p->messages[i];

		slot->bytes += p->recs[i].value.len;
		if (m->intended < p->measured)
			continue;
		measured++;
		hist_add(&slot->ack, now - m->intended, 1);
		hist_add(&slot->service, now - m->started, 1);
	}
	slot->sent += p->n;
	slot->measured += measured;
	slot->asked += measured;
	slot->chain = p->chain;
	slot->last_ns = now;
	if (now < p->measured)
		return;
	point = (uint64_t)((double)(now - p->measured) / p->interval);
	if (point < TRAFFIC_SERIES)
		(void)atomic_fetch_add(&p->shared->series[point], measured);
}

/* It was late beyond all hope: what was not sent counts as late as it is. */
static void
give_up(struct producer *p)
{
	uint64_t now = work_now(), when;

	if (atomic_load(&p->shared->stop) || p->t->schedule.count == 0)
		return;
	for (uint64_t i = 0; (when = due(p, i)) != UINT64_MAX; i++) {
		hist_add(&p->slot->unsent, now - when, 1);
		p->slot->asked++;
	}
}

void
traffic_produce(void *process)
{
	static struct producer p;
	double seconds;

	open_log(&p, process);
	seconds = p.t->schedule.seconds;
	p.begin = traffic_begin(p.shared);
	p.measured = p.begin + (uint64_t)(p.t->warm_up * 1e9);
	p.deadline = p.begin + (uint64_t)(seconds * 1e9);
	if (p.t->schedule.count > 0) {
		p.total = schedule_total(&p.t->schedule);
		p.deadline += (uint64_t)(seconds * BEHIND * 1e7) +
		    BEHIND_LEAST * 1000000000u;
	}
	while (collect(&p))
		append(&p);
	give_up(&p);
	work_close(&p.log);
}
