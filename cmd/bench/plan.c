/*
 * plan.c - which scenarios a command line asks for, and with what options.
 */
#include "bench/plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/work.h"

enum { PROCESSES_MAX = 64, RATE_MAX = 100000000 };

bool
plan_check(const struct bench_options *o)
{
	uint64_t a, b;
	double zipf;

	if (o->size != NULL && !work_parse_size(o->size, &a, &b))
		report_fail("size %s: not bytes or MIN..MAX up to 1M", o->size);
	else if (o->keys != NULL && !work_parse_keys(o->keys, &a, &zipf))
		report_fail("keys %s: not N or N:EXPONENT up to 10000000",
		    o->keys);
	else if (o->producers > PROCESSES_MAX || o->consumers > PROCESSES_MAX)
		report_fail("at most %d producers and consumers",
		    PROCESSES_MAX);
	else if (o->rate > RATE_MAX || o->spike_rate > RATE_MAX)
		report_fail("at most %d messages a second", RATE_MAX);
	else if (o->duration_us > 0 && o->spike_us > o->duration_us)
		report_fail("the spike is longer than the run");
	else
		return true;
	return false;
}

/* Messages of a load carry what they are checked with. */
static bool
fits(const struct plan_item *item)
{
	const struct bench_options *o = &item->options;
	bool messages = strcmp(item->scenario.group, "load") == 0 ||
	    strcmp(item->scenario.group, "e2e") == 0;
	uint64_t least = WORK_MESSAGE_MIN, most;

	if (messages && o->size != NULL)
		(void)work_parse_size(o->size, &least, &most);
	if (least < WORK_MESSAGE_MIN)
		report_fail("size %s: messages of %s have at least %d bytes",
		    o->size, item->scenario.name, WORK_MESSAGE_MIN);
	return least >= WORK_MESSAGE_MIN;
}

static struct plan_item *
add(struct plan *p)
{
	p->items = mem_grow(p->items, p->count, sizeof(*p->items));
	memset(&p->items[p->count], 0, sizeof(*p->items));
	return &p->items[p->count++];
}

static bool
matches(const struct bench_scenario *s, const char *operand)
{
	return fnmatch(operand, s->name, 0) == 0 ||
	    strcmp(operand, s->group) == 0;
}

static bool
listed(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].scenario.name, name) == 0)
			return true;
	return false;
}

static bool
add_matching(struct plan *p, const struct bench_options *o, const char *operand,
    bool tour)
{
	bool found = false;

	for (const struct bench_scenario *s = bench_scenarios; s->name != NULL;
	     s++) {
		struct plan_item *item;

		if (operand == NULL ? tour && !s->tour : !matches(s, operand))
			continue;
		found = true;
		if (listed(p, s->name))
			continue;
		item = add(p);
		item->scenario = *s;
		item->options = *o;
		item->operand = mem_text(s->name);
	}
	return found;
}

static enum exit_status
add_operand(struct plan *p, const struct bench_options *o, const char *operand)
{
	struct plan_item *item;
	enum exit_status status;
	FILE *f;

	if (add_matching(p, o, operand, false))
		return EXIT_DONE;
	if ((f = fopen(operand, "re")) == NULL) {
		if (errno == ENOENT)
			report_fail("%s: no such scenario (see sblog bench "
				    "list)",
			    operand);
		else
			report_fail("%s: %s", operand, strerror(errno));
		return EXIT_USAGE;
	}
	item = add(p);
	item->options = *o;
	item->operand = mem_text(operand);
	status = plan_file(item, f, operand);
	(void)fclose(f);
	if (status == EXIT_DONE && !plan_check(&item->options))
		status = EXIT_USAGE;
	return status;
}

enum exit_status
plan_make(struct plan *p, const struct bench_options *o, char **operands,
    int count, bool tour)
{
	enum exit_status status = plan_check(o) ? EXIT_DONE : EXIT_USAGE;

	*p = (struct plan){ NULL, 0 };
	for (int i = 0; i < count && status == EXIT_DONE; i++)
		status = add_operand(p, o, operands[i]);
	if (count == 0 && status == EXIT_DONE)
		(void)add_matching(p, o, NULL, tour);
	for (size_t i = 0; i < p->count && status == EXIT_DONE; i++)
		if (!fits(&p->items[i]))
			status = EXIT_USAGE;
	return status;
}

void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct plan_item *item = &p->items[i];

		for (size_t k = 0; k < item->text_count; k++)
			free(item->texts[k]);
		free(item->texts);
		free(item->operand);
	}
	free(p->items);
}
