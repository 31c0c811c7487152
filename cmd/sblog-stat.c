/*
 * sblog-stat.c - show how topics stand.
 *
 * Manual: sblog-stat(1).
 */
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/groups.h"
#include "common/human.h"
#include "common/report.h"
#include "common/streams.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-stat [--segments] [--groups] [--at POS] [--max-lag N] "
	"[--max-age DUR] [--min-free SIZE] [--json|--tsv|--metrics] TOPIC...",
	"sblog-stat --by stream|category|type [--json|--tsv] TOPIC...",
	"sblog-stat [OPTION...] --all",
	NULL,
};

struct request {
	bool segments, groups, metrics;
	bool at_given, lag_given, age_given, free_given;
	struct position at;
	uint64_t max_lag, max_age_us, min_free;
	int by; /* enum streams_by */
	bool by_given;
};

static const char *const by_words[] = { "stream", "category", "type", NULL };

/* One fact, printed in whatever form is asked for. */
static void
fact_text(struct topics *t, const char *name, const char *value)
{
	if (t->json) {
		json_text(&t->doc, name, value);
		return;
	}
	if (t->tsv) {
		out_char(&t->out, '\t');
		out_text(&t->out, value);
		return;
	}
	out_text(&t->out, "  ");
	out_text(&t->out, name);
	for (size_t n = strlen(name); n < 16; n++)
		out_char(&t->out, ' ');
	out_text(&t->out, value);
	out_char(&t->out, '\n');
}

static void
fact(struct topics *t, const char *name, uint64_t n)
{
	char text[24];
	char *at = text + sizeof(text);

	if (t->json) {
		json_u64(&t->doc, name, n);
		return;
	}
	*--at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	fact_text(t, name, at);
}

static void
fact_time(struct topics *t, const char *name, int64_t us)
{
	char text[HUMAN_TIME_SIZE] = "-";

	if (t->json) {
		json_i64(&t->doc, name, us);
		return;
	}
	if (us != 0)
		(void)human_format_time(us, text);
	fact_text(t, name, text);
}

static void
print_info(struct topics *t, const struct sblog_info *i)
{
	char chain[17];

	for (int d = 0; d < 16; d++)
		chain[d] = "0123456789abcdef"[i->chain >> (60 - 4 * d) & 15];
	chain[16] = '\0';
	fact(t, "start", i->start);
	fact(t, "end", i->end);
	fact(t, "durable_end", i->durable_end);
	fact(t, "records", i->records);
	fact(t, "bytes", i->bytes_stored);
	fact(t, "bytes_raw", i->bytes_raw);
	fact(t, "bytes_unsealed", i->bytes_unsealed);
	fact(t, "segments", i->segments);
	fact(t, "wals", i->wals);
	fact(t, "lost_ranges", i->lost_ranges);
	fact_time(t, "first_ts", i->first_time_us);
	fact_time(t, "last_ts", i->last_time_us);
	fact(t, "generation", i->generation);
	fact_text(t, "chain", chain);
	fact_text(t, "id", i->id);
	fact_text(t, "durability", i->volatile_fs ? "none" : "yes");
}

static const char *
kind_name(enum sblog_file_kind kind)
{
	switch (kind) {
	case SBLOG_FILE_SEGMENT:
		return "segment";
	case SBLOG_FILE_WAL:
		return "wal";
	case SBLOG_FILE_WAL_ACTIVE:
		return "active";
	}
	return "file";
}

static void
print_file(struct topics *t, const char *topic, const struct sblog_file *f)
{
	const uint64_t columns[] = { f->first, f->next, f->records, f->bytes,
		f->bytes_raw };

	if (t->json) {
		json_object(&t->doc, NULL);
		json_text(&t->doc, "file", f->name);
		json_text(&t->doc, "kind", kind_name(f->kind));
		json_u64(&t->doc, "first", f->first);
		json_u64(&t->doc, "next", f->next);
		json_u64(&t->doc, "records", f->records);
		json_u64(&t->doc, "bytes", f->bytes);
		json_u64(&t->doc, "bytes_raw", f->bytes_raw);
		json_i64(&t->doc, "first_ts", f->first_time_us);
		json_i64(&t->doc, "last_ts", f->last_time_us);
		json_bool(&t->doc, "indexed", f->indexed);
		json_end(&t->doc, '}');
		return;
	}
	if (t->tsv)
		topics_text(t, topic);
	out_text(&t->out, t->tsv ? "\t" : "  ");
	out_text(&t->out, f->name);
	out_char(&t->out, '\t');
	out_text(&t->out, kind_name(f->kind));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		out_char(&t->out, '\t');
		out_u64(&t->out, columns[i]);
	}
	out_text(&t->out, f->indexed ? "\tindexed\n" : "\t-\n");
}

static int
print_files(struct topics *t, struct sblog_topic *topic, struct sblog_err *err)
{
	struct sblog_file f;
	int rc;

	if (t->json)
		json_array(&t->doc, "files");
	for (size_t i = 0; (rc = sblog_topic_file(topic, i, &f, err)) == 0; i++)
		print_file(t, sblog_topic_name(topic), &f);
	if (t->json)
		json_end(&t->doc, ']');
	return rc < 0 ? rc : 0;
}

/* Prometheus text format 0.0.4. */
static void
print_metrics(struct topics *t, const char *topic, const struct sblog_info *i)
{
	const struct {
		const char *name;
		uint64_t value;
	} list[] = {
		{ "sblog_topic_start_offset", i->start },
		{ "sblog_topic_end_offset", i->end },
		{ "sblog_topic_durable_end_offset", i->durable_end },
		{ "sblog_topic_records", i->records },
		{ "sblog_topic_stored_bytes", i->bytes_stored },
		{ "sblog_topic_raw_bytes", i->bytes_raw },
		{ "sblog_topic_unsealed_bytes", i->bytes_unsealed },
		{ "sblog_topic_segments", i->segments },
		{ "sblog_topic_lost_ranges", i->lost_ranges },
		{ "sblog_topic_last_append_microseconds",
		    (uint64_t)i->last_time_us },
	};

	for (size_t m = 0; m < sizeof(list) / sizeof(list[0]); m++) {
		out_text(&t->out, list[m].name);
		out_text(&t->out, "{topic=\"");
		out_text(&t->out, topic);
		out_text(&t->out, "\"} ");
		out_u64(&t->out, list[m].value);
		out_char(&t->out, '\n');
	}
}

static int
print_place(struct topics *t, struct sblog_topic *topic,
    const struct position *at, struct sblog_err *err)
{
	struct sblog_place place;
	struct sblog_file file;
	uint64_t offset;
	int rc;

	if ((rc = position_resolve(at, topic, &offset, err)) < 0 ||
	    (rc = sblog_locate(topic, offset, &place, err)) < 0 ||
	    (rc = sblog_topic_file(topic, place.file, &file, err)) < 0)
		return rc;
	if (t->json)
		json_object(&t->doc, "at");
	else if (t->tsv)
		topics_text(t, sblog_topic_name(topic));
	fact(t, "offset", offset);
	fact_text(t, "file", file.name);
	fact(t, "pos", place.pos);
	fact(t, "batch_first", place.first);
	fact(t, "batch_next", place.next);
	if (t->json)
		json_end(&t->doc, '}');
	else if (t->tsv)
		out_char(&t->out, '\n');
	return 0;
}

/* Thresholds: a line each on standard error, and status 7. */
static void
check_limits(const struct request *r, struct topics *t, const char *topic,
    const struct sblog_info *i, enum exit_status *statusp)
{
	struct statvfs fs;
	struct timespec now;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 -
	    i->last_time_us;
	if (r->age_given &&
	    (i->last_time_us == 0 || age > (int64_t)r->max_age_us)) {
		report_fail("%s: the last record is older than --max-age",
		    topic);
		*statusp = EXIT_NOTICE;
	}
	if (r->free_given && statvfs(t->cli->store_dir, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < r->min_free) {
		report_fail("%s: less space is free than --min-free", topic);
		*statusp = EXIT_NOTICE;
	}
}

static void
group_metric(struct topics *t, const char *topic, const char *group,
    const char *name, uint64_t value)
{
	out_text(&t->out, name);
	out_text(&t->out, "{topic=\"");
	out_text(&t->out, topic);
	out_text(&t->out, "\",group=\"");
	out_text(&t->out, group);
	out_text(&t->out, "\"} ");
	out_u64(&t->out, value);
	out_char(&t->out, '\n');
}

static int
print_group(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, enum exit_status *statusp,
    struct sblog_err *err)
{
	const struct request *r = t->arg;
	const char *name = sblog_topic_name(topic), *group = row->g.name;

	(void)err;
	/* A parked group is one that is known not to keep up. */
	if (!row->damaged && !row->g.parked && r->lag_given &&
	    row->lag > r->max_lag) {
		report_fail("%s: group %s is further behind than --max-lag",
		    name, group);
		*statusp = report_worse(*statusp, EXIT_NOTICE);
	}
	if (r->metrics) {
		group_metric(t, name, group, "sblog_group_damaged",
		    row->damaged || row->diverged);
		if (row->damaged)
			return 0;
		group_metric(t, name, group, "sblog_group_committed_offset",
		    row->g.committed);
		group_metric(t, name, group, "sblog_group_lag", row->lag);
		group_metric(t, name, group, "sblog_group_trimmed",
		    row->trimmed);
		group_metric(t, name, group, "sblog_group_age_microseconds",
		    (uint64_t)row->age_us);
		group_metric(t, name, group, "sblog_group_parked",
		    row->g.parked);
		group_metric(t, name, group, "sblog_group_holds", row->holds);
		return 0;
	}
	if (!r->groups)
		return 0;
	if (t->tsv) {
		topics_text(t, name);
		out_char(&t->out, '\t');
	} else if (!t->json) {
		out_text(&t->out, "  ");
	}
	group_print_line(t, row);
	return 0;
}

static int
print_groups(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	const struct request *r = t->arg;
	int rc;

	if (!r->groups && !r->lag_given && !r->metrics)
		return 0;
	if (t->json && r->groups)
		json_array(&t->doc, "groups");
	rc = group_each(t, topic, NULL, 0, print_group, statusp, err);
	if (t->json && r->groups)
		json_end(&t->doc, ']');
	return rc;
}

/* --by: what there is of each stream, category or type. */
static int
print_by(struct topics *t, struct sblog_topic *topic, enum streams_by by,
    struct sblog_err *err)
{
	struct streams s;
	int rc = streams_collect(&s, topic, by, NULL, false, err);

	if (rc == 0 && t->json)
		json_array(&t->doc, by_words[by]);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		streams_print(t, &s, s.rows[i]);
	if (rc == 0 && t->json)
		json_end(&t->doc, ']');
	streams_free(&s);
	return rc;
}

static int
stat_topic(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	const struct request *r = t->arg;
	const char *name = sblog_topic_name(topic);
	struct sblog_info info;
	int rc = sblog_topic_info(topic, &info, err);

	if (rc < 0)
		return rc;
	check_limits(r, t, name, &info, statusp);
	if (r->metrics) {
		print_metrics(t, name, &info);
		return print_groups(t, topic, statusp, err);
	}
	if (r->by_given)
		return print_by(t, topic, (enum streams_by)r->by, err);
	if (r->at_given && !t->json)
		return print_place(t, topic, &r->at, err);
	if (!((r->segments || r->groups) && t->tsv)) {
		if (!t->json)
			topics_text(t, name);
		if (!t->json && !t->tsv)
			out_text(&t->out, ":\n");
		print_info(t, &info);
		if (t->tsv)
			out_char(&t->out, '\n');
	}
	if (r->segments && (rc = print_files(t, topic, err)) < 0)
		return rc;
	if ((rc = print_groups(t, topic, statusp, err)) < 0)
		return rc;
	return r->at_given ? print_place(t, topic, &r->at, err) : 0;
}

int
main(int argc, char **argv)
{
	bool all = false, json = false, tsv = false;
	struct request r = { .segments = false };
	const struct cli_opt opts[] = {
		{ 0, "all", CLI_FLAG, &all, NULL, "every topic of the store",
		    NULL, NULL },
		{ 0, "segments", CLI_FLAG, &r.segments, NULL,
		    "also each file of records", NULL, NULL },
		{ 0, "groups", CLI_FLAG, &r.groups, NULL,
		    "also each consumer group", NULL, NULL },
		{ 0, "at", CLI_POSITION, &r.at, "POS",
		    "where the record at POS lies", NULL, &r.at_given },
		{ 0, "by", CLI_CHOICE, &r.by, "WHAT",
		    "records of each stream, category or type", by_words,
		    &r.by_given },
		{ 0, "metrics", CLI_FLAG, &r.metrics, NULL,
		    "Prometheus text format", NULL, NULL },
		{ 0, "max-lag", CLI_NUMBER, &r.max_lag, "N",
		    "status 7 if a group that is not parked has more to read",
		    NULL, &r.lag_given },
		{ 0, "max-age", CLI_DURATION, &r.max_age_us, "DUR",
		    "status 7 if the last record is older", NULL,
		    &r.age_given },
		{ 0, "min-free", CLI_SIZE, &r.min_free, "SIZE",
		    "status 7 if less space is free", NULL, &r.free_given },
		{ 0, "json", CLI_FLAG, &json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &tsv, NULL,
		    "report in tab-separated columns", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-stat",
		.purpose = "Show how topics stand.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	if (r.by_given && (r.segments || r.at_given || r.metrics))
		cli_misuse(&cli, "--by is a report of its own");
	if (r.metrics && (json || tsv))
		cli_misuse(&cli, "--metrics is a format of its own");

	struct topics t = {
		.cli = &cli,
		.schema = "sblog.stat/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.mode = SBLOG_READ,
		.arg = &r,
	};
	return topics_run(&t, stat_topic);
}
