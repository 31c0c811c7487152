/*
 * sblog-trim.c - remove the oldest records of topics.
 *
 * Manual: sblog-trim(1).  All work is sblog_trim().
 */
#include <sblog.h>

#include "common/cli.h"
#include "common/position.h"
#include "common/report.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-trim [-n] [--ignore-groups] [--json|--tsv] --before POS|"
	"--keep-age DUR|--keep-bytes SIZE|--keep-records N TOPIC...",
	NULL,
};

struct request {
	struct sblog_trim_opts opts;
	struct position before;
	bool before_given;
};

static void
print(struct topics *t, const char *name, const struct sblog_trimmed *d,
    bool dry_run)
{
	const uint64_t columns[] = { d->start, d->records, d->files, d->bytes };

	if (t->json) {
		json_u64(&t->doc, "start", d->start);
		json_u64(&t->doc, "records", d->records);
		json_u64(&t->doc, "files", d->files);
		json_u64(&t->doc, "bytes", d->bytes);
		json_bool(&t->doc, "dry_run", dry_run);
		return;
	}
	topics_text(t, name);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		out_char(&t->out, '\t');
		out_u64(&t->out, columns[i]);
	}
	out_char(&t->out, '\n');
}

static int
trim_topic(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	const struct request *r = t->arg;
	struct sblog_trim_opts opts = r->opts;
	struct sblog_trimmed done;
	struct sblog_info info;
	int rc = 0;

	(void)statusp;
	if (r->before_given)
		rc = position_resolve(&r->before, topic, &opts.before, err);
	if (rc == 0)
		rc = sblog_trim(topic, &opts, &done, err);
	if (rc < 0)
		return rc;
	if (rc == SBLOG_END) {
		if ((rc = sblog_topic_info(topic, &info, err)) < 0)
			return rc;
		done.start = info.start;
		if (!t->json) {
			report_note("%s: nothing to remove",
			    sblog_topic_name(topic));
			return 0;
		}
	}
	print(t, sblog_topic_name(topic), &done, opts.dry_run);
	return 0;
}

int
main(int argc, char **argv)
{
	struct request r = { .before_given = false };
	bool dry_run = false, all = false, json = false, tsv = false;
	bool ignore_groups = false, age = false, bytes = false, records = false;
	const struct cli_opt opts[] = {
		{ 0, "before", CLI_POSITION, &r.before, "POS",
		    "records before this position", NULL, &r.before_given },
		{ 0, "keep-age", CLI_DURATION, &r.opts.keep_age_us, "DUR",
		    "records that are older than DUR", NULL, &age },
		{ 0, "keep-bytes", CLI_SIZE, &r.opts.keep_bytes, "SIZE",
		    "oldest files of records, so that SIZE is left", NULL,
		    &bytes },
		{ 0, "keep-records", CLI_NUMBER, &r.opts.keep_records, "N",
		    "oldest records, so that N are left", NULL, &records },
		{ 0, "ignore-groups", CLI_FLAG, &ignore_groups, NULL,
		    "also what groups have not read", NULL, NULL },
		{ 'n', "dry-run", CLI_FLAG, &dry_run, NULL,
		    "print what would be removed, change nothing", NULL, NULL },
		{ 0, "all", CLI_FLAG, &all, NULL, "every topic of the store",
		    NULL, NULL },
		{ 0, "json", CLI_FLAG, &json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &tsv, NULL,
		    "report in tab-separated columns (as without)", NULL,
		    NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-trim",
		.purpose = "Remove the oldest records.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	if (r.before_given + age + bytes + records != 1)
		cli_misuse(&cli,
		    "one of --before, --keep-age, --keep-bytes, "
		    "--keep-records is needed");
	if ((age && r.opts.keep_age_us == 0) ||
	    (bytes && r.opts.keep_bytes == 0) ||
	    (records && r.opts.keep_records == 0))
		cli_misuse(&cli, "to keep nothing, trim --before end");
	r.opts.ignore_groups = ignore_groups;
	r.opts.dry_run = dry_run;

	struct topics t = {
		.cli = &cli,
		.schema = "sblog.trim/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.mode = dry_run ? SBLOG_READ : SBLOG_WRITE,
		.arg = &r,
	};
	return topics_run(&t, trim_topic);
}
