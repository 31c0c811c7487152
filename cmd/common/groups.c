/*
 * groups.c - how a consumer group stands in its topic, and one way to print it.
 */
#include "common/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/human.h"

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Append time of the first record at or after offset; 0: none, or it cannot be
 * read. */
static int64_t
time_at(struct sblog_topic *topic, uint64_t offset)
{
	struct sblog_cursor_opts opts = { .from = offset };
	struct sblog_cursor *cur;
	struct sblog_record rec;
	struct sblog_err ignored;
	int64_t us = 0;

	if (sblog_cursor_open(&cur, topic, &opts, &ignored) < 0)
		return 0;
	if (sblog_cursor_next(cur, &rec, &ignored) == 0)
		us = rec.time_us;
	sblog_cursor_close(cur);
	return us;
}

int
group_row(struct group_row *row, struct sblog_topic *topic,
    const struct sblog_info *info, struct sblog_err *err)
{
	uint64_t next = row->g.committed;
	int64_t then = 0;
	int rc;

	row->start = info->start;
	row->end = info->end;
	row->trimmed = next < info->start ? info->start - next : 0;
	next = next < info->start ? info->start : next;
	row->lag = next < info->end ? info->end - next : 0;
	if (row->lag > 0)
		then = time_at(topic, next);
	row->age_us = then != 0 ? now_us() - then : 0;
	if (row->age_us < 0)
		row->age_us = 0;
	rc = sblog_group_check(topic, &row->g, err);
	row->diverged = rc == SBLOG_EDAMAGE &&
	    (err->file[0] == '\0' || row->g.committed > info->end);
	return rc == SBLOG_EDAMAGE ? 0 : rc;
}

static const char *
state_of(const struct group_row *row)
{
	if (row->damaged)
		return "damaged";
	if (row->diverged)
		return "diverged";
	return row->g.parked ? "parked" : "ok";
}

static void
number(struct topics *t, uint64_t n)
{
	out_char(&t->out, '\t');
	out_u64(&t->out, n);
}

/* Names of groups are harmless, notes need not be. */
static void
print_columns(struct topics *t, const struct group_row *row)
{
	char when[HUMAN_TIME_SIZE];

	number(t, row->g.committed);
	number(t, row->start);
	number(t, row->end);
	number(t, row->lag);
	number(t, row->trimmed);
	number(t, (uint64_t)row->age_us);
	(void)human_format_time(row->g.time_us, when);
	out_char(&t->out, '\t');
	out_text(&t->out, when);
	number(t, row->g.shards);
}

static void
print_json(struct topics *t, const struct group_row *row)
{
	struct json *j = &t->doc;

	json_text(j, "group", row->g.name);
	json_text(j, "state", state_of(row));
	if (row->damaged)
		return;
	json_u64(j, "committed", row->g.committed);
	json_u64(j, "start", row->start);
	json_u64(j, "end", row->end);
	json_u64(j, "lag", row->lag);
	json_u64(j, "trimmed", row->trimmed);
	json_i64(j, "age_us", row->age_us);
	json_i64(j, "ts", row->g.time_us);
	json_bool(j, "parked", row->g.parked);
	json_bool(j, "holds", row->holds);
	json_bool(j, "durable", !row->g.undurable);
	json_u64(j, "shards", row->g.shards);
	json_bytes(j, "note",
	    (struct sblog_bytes){ row->g.note_len ? row->g.note : NULL,
		row->g.note_len });
}

void
group_print_line(struct topics *t, const struct group_row *row)
{
	if (t->json) {
		json_object(&t->doc, NULL);
		print_json(t, row);
		json_end(&t->doc, '}');
		return;
	}
	out_text(&t->out, row->g.name);
	if (row->damaged)
		out_text(&t->out, "\t-\t-\t-\t-\t-\t-\t-\t-");
	else
		print_columns(t, row);
	out_char(&t->out, '\t');
	out_text(&t->out, state_of(row));
	out_text(&t->out, row->holds ? "\tholds\n" : "\t-\n");
}

/* ---- everything ---- */

static void
fact(struct topics *t, const char *name, const char *value)
{
	out_text(&t->out, "  ");
	out_text(&t->out, name);
	for (size_t n = strlen(name); n < 16; n++)
		out_char(&t->out, ' ');
	topics_text(t, value);
	out_char(&t->out, '\n');
}

static void
fact_number(struct topics *t, const char *name, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	fact(t, name, text);
}

static void
print_facts(struct topics *t, const struct group_row *row)
{
	char when[HUMAN_TIME_SIZE], age[32];

	fact_number(t, "committed", row->g.committed);
	fact_number(t, "start", row->start);
	fact_number(t, "end", row->end);
	fact_number(t, "lag", row->lag);
	fact_number(t, "trimmed", row->trimmed);
	(void)snprintf(age, sizeof(age), "%" PRId64 ".%03d s",
	    row->age_us / 1000000, (int)(row->age_us / 1000 % 1000));
	fact(t, "age", age);
	(void)human_format_time(row->g.time_us, when);
	fact(t, "ts", when);
	fact(t, "state", state_of(row));
	fact(t, "holds", row->holds ? "yes" : "no");
	fact(t, "durable", row->g.undurable ? "no" : "yes");
	if (row->g.note_len > 0)
		fact(t, "note", row->g.note);
	fact_number(t, "shards", row->g.shards);
}

static int
print_shards(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, struct sblog_err *err)
{
	struct sblog_group g;
	char text[128];
	int rc;

	for (uint32_t i = 0; i < row->g.shards; i++) {
		rc = sblog_group_shard(topic, row->g.name, i, &g, err);
		if (rc < 0)
			return rc;
		if (t->json) {
			json_object(&t->doc, NULL);
			json_u64(&t->doc, "shard", i);
			json_u64(&t->doc, "committed", g.committed);
			json_u64(&t->doc, "leases", g.epoch);
			json_i64(&t->doc, "ts", g.time_us);
			json_end(&t->doc, '}');
			continue;
		}
		(void)snprintf(text, sizeof(text),
		    "%" PRIu32 " of %" PRIu32 " committed %" PRIu64
		    " under lease %" PRIu64,
		    i, row->g.shards, g.committed, g.epoch);
		fact(t, "shard", text);
	}
	return 0;
}

int
group_print_all(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, struct sblog_err *err)
{
	int rc;

	if (t->tsv) {
		group_print_line(t, row);
		return 0;
	}
	if (!t->json) {
		out_text(&t->out, row->g.name);
		out_text(&t->out, ":\n");
		if (row->damaged) {
			fact(t, "state", state_of(row));
			return 0;
		}
		print_facts(t, row);
		return print_shards(t, topic, row, err);
	}
	json_object(&t->doc, NULL);
	print_json(t, row);
	json_array(&t->doc, "shard");
	rc = row->damaged ? 0 : print_shards(t, topic, row, err);
	json_end(&t->doc, ']');
	json_end(&t->doc, '}');
	return rc;
}

enum exit_status
group_warn(const char *topic, const struct group_row *row)
{
	enum exit_status status = EXIT_DONE;

	if (row->g.one_slot_damaged) {
		report_fail("%s: group %s: one of its last two commits is "
			    "damaged (file groups/%s, byte %" PRIu64 ")",
		    topic, row->g.name, row->g.damaged_file,
		    row->g.damaged_pos);
		status = EXIT_NOTICE;
	}
	if (row->diverged) {
		report_fail("%s: group %s: log diverged: what it has read is "
			    "not what is there (offset %" PRIu64 ")",
		    topic, row->g.name, row->g.committed);
		status = EXIT_DAMAGE;
	}
	return status;
}

/* ---- all of them ---- */

/* The group that holds back most. */
static int
find_holder(struct sblog_topic *topic, char name[SBLOG_NAME_MAX + 1],
    struct sblog_err *err)
{
	uint64_t lowest = SBLOG_NO_OFFSET;
	struct sblog_group g;
	int rc;

	name[0] = '\0';
	for (size_t i = 0; (rc = sblog_group_at(topic, i, &g, err)) == 0 ||
	     rc == SBLOG_EDAMAGE;
	     i++) {
		if (rc == SBLOG_EDAMAGE || g.parked || g.committed >= lowest)
			continue;
		lowest = g.committed;
		memcpy(name, g.name, sizeof(g.name));
	}
	return rc == SBLOG_END ? 0 : rc;
}

int
group_each(struct topics *t, struct sblog_topic *topic, char **names, int n,
    group_fn fn, enum exit_status *statusp, struct sblog_err *err)
{
	char holder[SBLOG_NAME_MAX + 1];
	struct sblog_info info;
	int rc;

	if ((rc = sblog_topic_info(topic, &info, err)) < 0 ||
	    (rc = find_holder(topic, holder, err)) < 0)
		return rc;
	for (int i = 0; n == 0 || i < n; i++) {
		struct group_row row = { .damaged = false };
		enum exit_status warned = EXIT_DONE;

		rc = n > 0 ? sblog_group_get(topic, names[i], &row.g, err)
			   : sblog_group_at(topic, (size_t)i, &row.g, err);
		if (rc == SBLOG_END)
			break;
		if (rc == SBLOG_EDAMAGE) {
			if (n > 0)
				(void)snprintf(row.g.name, sizeof(row.g.name),
				    "%s", names[i]);
			row.damaged = true;
			warned = report_err(sblog_topic_name(topic), err);
		} else if (rc < 0) {
			return rc;
		} else {
			if ((rc = group_row(&row, topic, &info, err)) < 0)
				return rc;
			row.holds = strcmp(row.g.name, holder) == 0;
			warned = group_warn(sblog_topic_name(topic), &row);
		}
		*statusp = report_worse(*statusp, warned);
		if ((rc = fn(t, topic, &row, statusp, err)) < 0)
			return rc;
	}
	return 0;
}
