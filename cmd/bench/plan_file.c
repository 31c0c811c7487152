/*
 * plan_file.c - a file that names a scenario and its options.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mem.h"
#include "bench/plan.h"
#include "common/human.h"

enum kind { NUMBER, SIZE, DURATION, TEXT, SYNC };

struct word {
	const char *name;
	enum kind kind;
	size_t at; /* in struct bench_options */
};

#define AT(field) offsetof(struct bench_options, field)

static const struct word words[] = {
	{ "consumers", NUMBER, AT(consumers) },
	{ "duration", DURATION, AT(duration_us) },
	{ "keys", TEXT, AT(keys) },
	{ "producers", NUMBER, AT(producers) },
	{ "rate", NUMBER, AT(rate) },
	{ "remark", TEXT, AT(remark) },
	{ "runs", NUMBER, AT(runs) },
	{ "seed", NUMBER, AT(seed) },
	{ "size", TEXT, AT(size) },
	{ "spike-duration", DURATION, AT(spike_us) },
	{ "spike-rate", NUMBER, AT(spike_rate) },
	{ "sync", SYNC, AT(sync) },
};

/* The string stays as long as the item. */
static char *
own(struct plan_item *item, const char *text)
{
	item->texts = mem_grow(item->texts, item->text_count, sizeof(char *));
	item->texts[item->text_count] = mem_text(text);
	return item->texts[item->text_count++];
}

static bool
set_sync(int *sync, const char *value)
{
	int found = strcmp(value, "batch") == 0 ? BENCH_SYNC_BATCH
	    : strcmp(value, "none") == 0        ? BENCH_SYNC_NONE
						: BENCH_SYNC_DEFAULT;

	if (*sync == BENCH_SYNC_DEFAULT)
		*sync = found;
	return found != BENCH_SYNC_DEFAULT;
}

/* What the command line has said stays. */
static bool
set(struct plan_item *item, const struct word *w, const char *value)
{
	char *field = (char *)&item->options + w->at;
	const char **text = (const char **)(void *)field;
	uint64_t *number = (uint64_t *)(void *)field, n = 0;
	bool ok;

	switch (w->kind) {
	case SYNC:
		return set_sync((int *)(void *)field, value);
	case TEXT:
		if (*text == NULL)
			*text = own(item, value);
		return true;
	case SIZE:
		ok = human_size(value, &n);
		break;
	case DURATION:
		ok = human_duration(value, &n);
		break;
	default:
		ok = human_number(value, &n);
		break;
	}
	if (ok && *number == 0)
		*number = n;
	return ok && n > 0;
}

static bool
set_scenario(struct plan_item *item, const char *name)
{
	for (const struct bench_scenario *s = bench_scenarios; s->name != NULL;
	     s++)
		if (strcmp(s->name, name) == 0) {
			item->scenario = *s;
			return true;
		}
	return false;
}

static char *
trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* NULL, or what is wrong with the line. */
static const char *
take_line(struct plan_item *item, char *line)
{
	char *name = trim(line), *value = strchr(name, '=');

	if (*name == '\0' || *name == '#')
		return NULL;
	if (value == NULL)
		return "not \"name = value\"";
	*value = '\0';
	value = trim(value + 1);
	name = trim(name);
	if (strcmp(name, "scenario") == 0)
		return set_scenario(item, value) ? NULL : "no such scenario";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(name, words[i].name) == 0)
			return set(item, &words[i], value) ? NULL : "bad value";
	return "unknown name";
}

/* Measures are called as the file: "spike.conf" has "spike/rate". */
static void
name_item(struct plan_item *item, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = own(item, slash == NULL ? path : slash + 1);
	char *dot = strrchr(name, '.');

	if (dot != NULL && dot != name)
		*dot = '\0';
	item->scenario.name = name;
}

enum exit_status
plan_file(struct plan_item *item, FILE *f, const char *path)
{
	enum exit_status status = EXIT_DONE;
	unsigned long number = 0;
	size_t size = 0;
	char *line = NULL;

	while (status == EXIT_DONE && getline(&line, &size, f) >= 0) {
		const char *wrong = take_line(item, line);

		number++;
		if (wrong != NULL) {
			report_fail("%s:%lu: %s", path, number, wrong);
			status = EXIT_USAGE;
		}
	}
	free(line);
	if (ferror(f)) {
		report_fail("%s: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	if (status == EXIT_DONE && item->scenario.name == NULL) {
		report_fail("%s: it does not say which scenario", path);
		status = EXIT_USAGE;
	}
	if (status == EXIT_DONE)
		name_item(item, path);
	return status;
}
