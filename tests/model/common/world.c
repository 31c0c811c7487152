/*
 * world.c - what was promised to whom, and whether it holds.
 */
#include "common/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 10 };

struct world world;
unsigned long world_violations;
char world_where[256];

void
world_bad(const char *fmt, ...)
{
	va_list ap;

	if (world_violations++ >= SHOWN)
		return;
	printf("# %s: ", world_where);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	(void)fflush(stdout);
}

void
world_result(const char *what, int rc, const struct sblog_err *err)
{
	if (rc >= 0 || (!world.exists && rc == SBLOG_ENOENT) ||
	    (world.loose &&
		(rc == SBLOG_ENOENT ||
		    (rc == SBLOG_EIO && err->sys == ENOENT))))
		return;
	world_bad("%s: %s: %s (%s)", what, sblog_code_name(err->code), err->msg,
	    err->file);
}

uint32_t
world_begin(uint32_t n, uint32_t len)
{
	uint32_t id = world.next_id ? world.next_id : 1;

	if (id + n >= WORLD_RECORDS) {
		printf("Bail out! too many records\n");
		abort();
	}
	for (uint32_t i = id; i < id + n; i++) {
		world.recs[i].first = id;
		world.recs[i].n = n;
		world.recs[i].len = 10 + i % 20 + len;
		world.recs[i].at = 0;
		world.recs[i].lost = false;
	}
	world.next_id = id + n;
	return id;
}

static void
make_value(uint32_t id, char *value)
{
	uint32_t len = world.recs[id].len;
	char head[16];

	memset(value, 'a' + (int)(id % 26), len);
	(void)snprintf(head, sizeof(head), "%08u:", id);
	memcpy(value, head, 9);
}

/* Some keys are longer than a sector: then a batch can be torn in the middle
 * of its columns, with all its values there. */
static size_t
make_key(uint32_t id, char key[WORLD_KEY_MAX])
{
	size_t len = (size_t)snprintf(key, WORLD_KEY_MAX, "key-%u", id % 7);

	if (id % 2 == 0)
		return len;
	memset(key + len, 'k', WORLD_KEY_MAX - 1 - len);
	return WORLD_KEY_MAX - 1;
}

void
world_record(uint32_t id, struct sblog_record *rec, char *value,
    char key[WORLD_KEY_MAX])
{
	*rec = (struct sblog_record){ .user_time_us = SBLOG_NO_TIME };
	make_value(id, value);
	rec->value.data = value;
	rec->value.len = world.recs[id].len;
	if (id % 3 != 0)
		return;
	rec->key.data = key;
	rec->key.len = make_key(id, key);
}

/* Is this offset known to hold another record, or this one another offset? */
static void
settle(uint32_t id, uint64_t offset)
{
	if (offset >= WORLD_RECORDS || world.loose)
		return;
	if (world.at[offset] != 0 && world.at[offset] != id)
		world_bad("offset %llu holds record %u, but held %u",
		    (unsigned long long)offset, id, world.at[offset]);
	if (world.recs[id].at != 0 && world.recs[id].at != offset + 1)
		world_bad("record %u is at %llu and at %llu", id,
		    (unsigned long long)offset,
		    (unsigned long long)world.recs[id].at - 1);
	if (world.recs[id].lost)
		world_bad("record %u at %llu is back", id,
		    (unsigned long long)offset);
	world.at[offset] = id;
	world.recs[id].at = offset + 1;
}

void
world_durable(uint64_t end)
{
	if (end > world.durable_end)
		world.durable_end = end;
}

void
world_acked(uint32_t id, uint64_t first, bool durable, uint64_t floor)
{
	uint32_t n = world.recs[id].n;

	for (uint32_t i = 0; i < n; i++)
		settle(id + i, first + i);
	world.exists = true;
	if (world.loose)
		return;
	if (first < floor)
		world_bad("record %u got offset %llu after %llu was given", id,
		    (unsigned long long)first, (unsigned long long)floor);
	if (first + n > world.acked_end)
		world.acked_end = first + n;
	if (durable)
		world_durable(first + n);
}

void
world_read_begin(struct world_reader *r, uint64_t from, bool durable)
{
	*r = (struct world_reader){ .next = from, .durable = durable };
	/* Who is stopped between the two stores of the durable end leaves none
	 * that is known, until it or the next sync goes on. */
	r->least = durable                     ? 0
	    : world.acked_end > world.seen_end ? world.acked_end
					       : world.seen_end;
}

/* The record that these bytes are, or 0. */
static uint32_t
id_of(const struct sblog_record *rec)
{
	static char want[WORLD_VALUE_MAX + 64];
	char text[9] = { 0 };
	uint32_t id;

	if (rec->value.data == NULL || rec->value.len < 9)
		return 0;
	memcpy(text, rec->value.data, 8);
	id = (uint32_t)strtoul(text, NULL, 10);
	if (id == 0 || id >= world.next_id ||
	    rec->value.len != world.recs[id].len ||
	    (rec->key.data != NULL) != (id % 3 == 0))
		return 0;
	if (rec->key.data != NULL &&
	    (rec->key.len != make_key(id, want) ||
		memcmp(want, rec->key.data, rec->key.len) != 0))
		return 0;
	make_value(id, want);
	return memcmp(want, rec->value.data, rec->value.len) == 0 ? id : 0;
}

void
world_see(struct world_reader *r, const struct sblog_record *rec)
{
	uint32_t id = id_of(rec);

	if (rec->offset != r->next)
		world_bad("offset %llu where %llu was due",
		    (unsigned long long)rec->offset,
		    (unsigned long long)r->next);
	r->next = rec->offset + 1;
	if (id == 0) {
		world_bad("offset %llu holds what nobody wrote",
		    (unsigned long long)rec->offset);
		return;
	}
	settle(id, rec->offset);
	/* Of a batch all, and in its order. */
	if (r->last != 0 && world.recs[id].first != id && r->last != id - 1)
		world_bad("record %u follows %u", id, r->last);
	if (r->last != 0 && world.recs[id].first == id &&
	    world.recs[r->last].first + world.recs[r->last].n - 1 != r->last)
		world_bad("batch of record %u ends early", r->last);
	r->last = id;
}

void
world_read_end(struct world_reader *r)
{
	if (r->last != 0 &&
	    world.recs[r->last].first + world.recs[r->last].n - 1 != r->last)
		world_bad("the end is inside the batch of record %u", r->last);
	if (world.loose)
		return;
	if (r->next < r->least)
		world_bad("the end is %llu, but %llu was there before%s",
		    (unsigned long long)r->next, (unsigned long long)r->least,
		    r->durable ? ", durable" : "");
	if (r->next > world.seen_end)
		world.seen_end = r->next;
	if (r->durable)
		world_durable(r->next);
}

/* What was not synced may be gone, and the numbers are given again. */
static void
group_after_cut(struct world_group *g)
{
	for (uint64_t i = g->durable + 1; i < WORLD_COUNTS; i++)
		g->given[i] = false;
	g->acked = g->durable;
}

void
world_after_cut(uint64_t end)
{
	if (!world.loose && end < world.durable_end)
		world_bad("%llu records are left of %llu durable ones",
		    (unsigned long long)end,
		    (unsigned long long)world.durable_end);
	for (uint64_t i = end; i < WORLD_RECORDS; i++)
		world.at[i] = 0;
	for (uint32_t id = 1; id < world.next_id; id++)
		if (world.recs[id].at == 0 || world.recs[id].at > end) {
			world.recs[id].lost = true;
			world.recs[id].at = 0;
		}
	world.acked_end = world.seen_end = end;
	group_after_cut(&world.group);
	group_after_cut(&world.leased);
}
