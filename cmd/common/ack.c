/*
 * ack.c - what --ack prints.
 */
#include <stdlib.h>

#include "common/ack.h"
#include "common/template_out.h"

enum {
	RANGES_FIRST = 64,
};

void
ack_init(struct ack *a, const struct template *t, const char *topic,
    struct out *out)
{
	*a = (struct ack){ .template = t, .topic = topic, .out = out };
	for (size_t i = 0; t != NULL && i < t->n; i++)
		a->times = a->times || t->parts[i].what == TEMPLATE_TIME;
}

void
ack_free(struct ack *a)
{
	free(a->ranges);
	a->ranges = NULL;
	a->n = a->size = 0;
}

int
ack_add(struct ack *a, uint64_t first, uint64_t next, int64_t time_us)
{
	size_t size = a->size == 0 ? RANGES_FIRST : 2 * a->size;
	struct ack_range *last = a->n > 0 ? &a->ranges[a->n - 1] : NULL;
	struct ack_range *ranges;

	if (last != NULL && last->next == first && last->time_us == time_us) {
		last->next = next;
		return 0;
	}
	if (a->n == a->size) {
		ranges = realloc(a->ranges, size * sizeof(*ranges));
		if (ranges == NULL)
			return -1;
		a->ranges = ranges;
		a->size = size;
	}
	a->ranges[a->n++] = (struct ack_range){ first, next, time_us };
	return 0;
}

static void
print_range(struct ack *a, const struct ack_range *r)
{
	struct record_context c = { .topic = a->topic };
	struct sblog_record rec = { .user_time_us = SBLOG_NO_TIME };

	for (uint64_t offset = r->first; offset < r->next; offset++) {
		if (a->template == NULL) {
			out_u64(a->out, offset);
			out_char(a->out, '\n');
			continue;
		}
		rec.offset = offset;
		rec.time_us = r->time_us;
		c.index = a->index++;
		template_write(a->template, &c, &rec, a->out);
	}
}

int
ack_print(struct ack *a)
{
	for (size_t i = 0; i < a->n && a->out->error == 0; i++)
		print_range(a, &a->ranges[i]);
	a->n = 0;
	return out_flush(a->out);
}
