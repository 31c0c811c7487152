/*
 * traffic_check.c - what every message must be, and whether it is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/traffic_parts.h"
#include "codec/hash.h"

void
traffic_shape(const struct traffic *t, const struct zipf *z, uint32_t producer,
    uint64_t number, struct traffic_shape *shape)
{
	uint64_t state = t->seed ^ (uint64_t)producer << 48 ^ number, key;

	shape->len = (size_t)t->size_min;
	if (t->size_max > t->size_min)
		shape->len += (size_t)(work_random(&state) %
		    (t->size_max - t->size_min + 1));
	shape->key_len = 0;
	if (t->keys == 0)
		return;
	key =
	    t->zipf > 0 ? zipf_next(z, &state) : work_random(&state) % t->keys;
	shape->key_len = (size_t)snprintf(shape->key, sizeof(shape->key),
	    "key-%" PRIu64, key);
}

/* What a message says of itself has the hash of all the rest of it. */
uint64_t
traffic_chain(uint64_t before, const uint8_t *value)
{
	static struct sb_cpu cpu;

	return sb_hash64(&cpu, value, WORK_MESSAGE_MIN, before);
}

void
traffic_check_init(struct traffic_check *c, const struct traffic *t, bool whole)
{
	memset(c, 0, sizeof(*c));
	c->t = t;
	c->whole = whole;
	if (t->zipf > 0)
		zipf_init(&c->zipf, t->keys, t->zipf);
}

static bool
wrong(struct traffic_check *c, const struct sblog_record *rec, const char *what)
{
	(void)snprintf(c->why, sizeof(c->why), "offset %" PRIu64 ": %s",
	    rec->offset, what);
	return false;
}

static bool
has_shape(struct traffic_check *c, const struct sblog_record *rec,
    const struct work_message *m)
{
	struct traffic_shape shape;

	traffic_shape(c->t, &c->zipf, m->producer, m->number, &shape);
	return rec->value.len == shape.len && rec->key.len == shape.key_len &&
	    (shape.key_len == 0 ||
		memcmp(rec->key.data, shape.key, shape.key_len) == 0);
}

bool
traffic_check_record(struct traffic_check *c, const struct sblog_record *rec,
    struct work_message *m)
{
	if (!c->begun && !c->whole)
		c->offset = rec->offset;
	c->begun = true;
	if (rec->offset != c->offset) {
		(void)snprintf(c->why, sizeof(c->why),
		    "offset %" PRIu64 " came where %" PRIu64 " was expected",
		    rec->offset, c->offset);
		return false;
	}
	c->offset++;
	if (rec->value.data == NULL ||
	    !work_decode(m, rec->value.data, rec->value.len) ||
	    m->producer >= c->t->producers)
		return wrong(c, rec, "not a message that was sent");
	if (!c->whole && !c->of[m->producer].known)
		c->of[m->producer].next = m->number;
	c->of[m->producer].known = true;
	if (m->number != c->of[m->producer].next) {
		(void)snprintf(c->why, sizeof(c->why),
		    "offset %" PRIu64 ": message %" PRIu64
		    " of producer %u where %" PRIu64 " was expected",
		    rec->offset, m->number, m->producer,
		    c->of[m->producer].next);
		return false;
	}
	if (c->deep && !has_shape(c, rec, m))
		return wrong(c, rec, "not the key or size that was sent");
	c->of[m->producer].next++;
	c->of[m->producer].chain =
	    traffic_chain(c->of[m->producer].chain, rec->value.data);
	c->records++;
	return true;
}

uint64_t
traffic_check_end(struct traffic_check *c, const struct traffic_shared *shared)
{
	uint64_t missing = 0;
	bool other = false;

	for (unsigned i = 0; i < c->t->producers; i++) {
		const struct traffic_sender *s = &shared->senders[i];

		/* Trimmed away as a whole: there is nothing to compare. */
		if (!c->whole && !c->of[i].known)
			continue;
		if (c->of[i].next < s->sent)
			missing += s->sent - c->of[i].next;
		else
			other |= c->of[i].next > s->sent ||
			    (c->whole && c->of[i].chain != s->chain);
	}
	if (c->why[0] == '\0' && missing > 0)
		(void)snprintf(c->why, sizeof(c->why),
		    "%" PRIu64 " acknowledged messages are missing", missing);
	else if (c->why[0] == '\0' && other)
		(void)snprintf(c->why, sizeof(c->why),
		    "not the messages that were sent");
	return missing > 0 ? missing : c->why[0] != '\0';
}
