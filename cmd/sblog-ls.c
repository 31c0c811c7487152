/*
 * sblog-ls.c - list topics, or the streams of one.
 *
 * Manual: sblog-ls(1).
 */
#include <fnmatch.h>
#include <string.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/encode.h"
#include "common/human.h"
#include "common/report.h"
#include "common/streams.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-ls [-l] [--json|--tsv] [GLOB]...",
	"sblog-ls --streams|--categories [--prefix STR] [-l] [--json|--tsv] "
	"TOPIC",
	NULL,
};

struct request {
	struct topics t; /* for its store, out and doc */
	bool details;
	bool streams, categories;
	const char *prefix;
};

static bool
wanted(const struct cli *cli, const char *name)
{
	for (int i = 0; i < cli->operand_count; i++)
		if (fnmatch(cli->operands[i], name, 0) == 0)
			return true;
	return cli->operand_count == 0;
}

static void
print_json(struct json *j, const struct sblog_info *info)
{
	json_u64(j, "start", info->start);
	json_u64(j, "end", info->end);
	json_u64(j, "records", info->records);
	json_u64(j, "bytes", info->bytes_stored);
	json_i64(j, "last_ts", info->last_time_us);
}

static void
print_columns(struct topics *t, const struct sblog_info *info)
{
	char when[HUMAN_TIME_SIZE] = "-";
	const uint64_t columns[] = { info->start, info->end, info->records,
		info->bytes_stored };

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		out_char(&t->out, '\t');
		out_u64(&t->out, columns[i]);
	}
	if (info->last_time_us != 0)
		(void)human_format_time(info->last_time_us, when);
	out_char(&t->out, '\t');
	out_text(&t->out, when);
}

static int
get_info(struct topics *t, const char *name, struct sblog_info *info,
    struct sblog_err *err)
{
	struct sblog_topic *topic = NULL;
	int rc = sblog_topic_open(&topic, t->store, name, SBLOG_READ, err);

	if (rc == 0)
		rc = sblog_topic_info(topic, info, err);
	sblog_topic_close(topic);
	return rc;
}

static enum exit_status
list_one(struct request *r, const char *name)
{
	bool details = r->details || r->t.json || r->t.tsv;
	struct topics *t = &r->t;
	struct sblog_info info;
	struct sblog_err err;
	int rc = 0;

	if (details)
		rc = get_info(t, name, &info, &err);
	/* Removed since it was listed. */
	if (rc == SBLOG_ENOENT)
		return EXIT_DONE;
	if (t->json) {
		json_object(&t->doc, NULL);
		json_text(&t->doc, "topic", name);
		if (rc == 0)
			print_json(&t->doc, &info);
		else
			json_error(&t->doc, &err);
		json_end(&t->doc, '}');
	} else {
		topics_text(t, name);
		if (details && rc == 0)
			print_columns(t, &info);
		out_char(&t->out, '\n');
	}
	return rc < 0 ? report_err(name, &err) : EXIT_DONE;
}

static void
print_stream(struct request *r, const struct stream_row *row)
{
	struct topics *t = &r->t;
	char when[HUMAN_TIME_SIZE];

	if (t->json) {
		json_object(&t->doc, NULL);
		json_bytes(&t->doc, "name", row->name);
		json_u64(&t->doc, "last", row->last);
		json_i64(&t->doc, "last_ts", row->last_time_us);
		json_end(&t->doc, '}');
		return;
	}
	if (t->out.tty)
		encode_visible(&t->out, row->name);
	else
		out_bytes(&t->out, row->name.data, row->name.len);
	if (r->details || t->tsv) {
		out_char(&t->out, '\t');
		out_u64(&t->out, row->last);
		out_char(&t->out, '\t');
		(void)human_format_time(row->last_time_us, when);
		out_text(&t->out, when);
	}
	out_char(&t->out, '\n');
}

/* Streams or categories of a topic, by the newest record of each key. */
static enum exit_status
list_streams(struct request *r)
{
	const char *name = r->t.cli->operands[0];
	struct sblog_topic *topic = NULL;
	struct streams s = { 0 };
	struct sblog_err err;
	int rc = sblog_topic_open(&topic, r->t.store, name, SBLOG_READ, &err);

	if (rc == 0)
		rc = streams_collect(&s, topic,
		    r->streams ? STREAMS_BY_STREAM : STREAMS_BY_CATEGORY,
		    r->prefix, true, &err);
	for (size_t i = 0; rc == 0 && i < s.n; i++)
		print_stream(r, s.rows[i]);
	streams_free(&s);
	sblog_topic_close(topic);
	return rc < 0 ? report_err(name, &err) : EXIT_DONE;
}

static enum exit_status
list(struct request *r)
{
	enum exit_status status = EXIT_DONE;
	struct sblog_err err;
	char **names;
	size_t n;

	if (sblog_store_list(r->t.store, &names, &n, &err) < 0)
		return report_err(r->t.cli->store_dir, &err);
	for (size_t i = 0; i < n; i++)
		if (wanted(r->t.cli, names[i]))
			status = report_worse(status, list_one(r, names[i]));
	sblog_names_free(names);
	return status;
}

int
main(int argc, char **argv)
{
	struct request r = { .details = false };
	const struct cli_opt opts[] = {
		{ 'l', "long", CLI_FLAG, &r.details, NULL,
		    "also start, end, records, bytes, time of the last record",
		    NULL, NULL },
		{ 0, "streams", CLI_FLAG, &r.streams, NULL,
		    "the keys of a topic", NULL, NULL },
		{ 0, "categories", CLI_FLAG, &r.categories, NULL,
		    "what comes before the first '-' of the keys of a topic",
		    NULL, NULL },
		{ 0, "prefix", CLI_STRING, &r.prefix, "STR",
		    "only those that begin with STR", NULL, NULL },
		{ 0, "json", CLI_FLAG, &r.t.json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &r.t.tsv, NULL,
		    "the columns of -l, separated by tabs", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-ls",
		.purpose =
		    "List topics, or the streams of one, sorted bytewise.",
		.synopsis = synopsis,
		.opts = opts,
	};
	enum exit_status status;
	int error;

	cli_parse(&cli, argc, argv);
	r.t.cli = &cli;
	if (r.t.json && r.t.tsv)
		cli_misuse(&cli, "--json and --tsv exclude each other");
	if (r.streams && r.categories)
		cli_misuse(&cli,
		    "--streams and --categories exclude each other");
	if ((r.streams || r.categories) && cli.operand_count != 1)
		cli_misuse(&cli, "--streams and --categories take one topic");
	if (r.prefix != NULL && !r.streams && !r.categories)
		cli_misuse(&cli,
		    "--prefix goes with --streams or --categories only");
	out_init(&r.t.out, 1);
	if (r.t.json) {
		json_begin(&r.t.doc, &r.t.out, "sblog.ls/1");
		json_array(&r.t.doc,
		    r.streams          ? "streams"
			: r.categories ? "categories"
				       : "topics");
	}
	status = (enum exit_status)cli_open_store(&cli, SBLOG_READ, &r.t.store);
	if (status == EXIT_DONE)
		status =
		    r.streams || r.categories ? list_streams(&r) : list(&r);
	if (r.t.json) {
		json_end(&r.t.doc, ']');
		json_u64(&r.t.doc, "status", status);
		json_finish(&r.t.doc);
	}
	(void)out_flush(&r.t.out); /* the error sticks */
	error = r.t.out.error;
	out_free(&r.t.out);
	sblog_store_close(r.t.store);
	return report_finish_write(status, error);
}
