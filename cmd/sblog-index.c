/*
 * sblog-index.c - build, check or drop the indexes of topics.
 *
 * Manual: sblog-index(1).
 */
#include <sblog.h>

#include "common/cli.h"
#include "common/report.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-index [-n] [--check|--drop] [--json|--tsv] TOPIC...",
	"sblog-index [-n] [--check|--drop] [--json|--tsv] --all",
	NULL,
};

struct request {
	enum sblog_index_mode mode;
	bool dry_run;
};

static void
print_row(struct topics *t, const char *topic, const struct sblog_indexed *d)
{
	const uint64_t columns[] = { d->good, d->missing, d->stale, d->built,
		d->dropped, d->bytes };

	topics_text(t, topic);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		out_char(&t->out, '\t');
		out_u64(&t->out, columns[i]);
	}
	out_char(&t->out, '\n');
}

static void
print_text(struct topics *t, const char *topic, const struct sblog_indexed *d)
{
	topics_text(t, topic);
	out_text(&t->out, ": ");
	out_u64(&t->out, d->good);
	out_text(&t->out, " good, ");
	out_u64(&t->out, d->missing);
	out_text(&t->out, " missing, ");
	out_u64(&t->out, d->stale);
	out_text(&t->out, " stale, ");
	out_u64(&t->out, d->built);
	out_text(&t->out, " built, ");
	out_u64(&t->out, d->dropped);
	out_text(&t->out, " dropped, ");
	out_u64(&t->out, d->bytes);
	out_text(&t->out, " bytes\n");
}

static int
index_topic(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	const struct request *r = t->arg;
	struct sblog_indexed d;
	int rc = sblog_index(topic, r->mode, r->dry_run, &d, err);

	if (rc < 0)
		return rc;
	if (r->mode == SBLOG_INDEX_CHECK && d.stale > 0)
		*statusp = EXIT_DAMAGE;
	if (t->json) {
		json_u64(&t->doc, "good", d.good);
		json_u64(&t->doc, "missing", d.missing);
		json_u64(&t->doc, "stale", d.stale);
		json_u64(&t->doc, "built", d.built);
		json_u64(&t->doc, "dropped", d.dropped);
		json_u64(&t->doc, "bytes", d.bytes);
	} else if (t->tsv) {
		print_row(t, sblog_topic_name(topic), &d);
	} else {
		print_text(t, sblog_topic_name(topic), &d);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	bool dry_run = false, all = false, json = false, tsv = false;
	bool check = false, drop = false;
	const struct cli_opt opts[] = {
		{ 'n', "dry-run", CLI_FLAG, &dry_run, NULL,
		    "print what would be done, change nothing", NULL, NULL },
		{ 0, "all", CLI_FLAG, &all, NULL, "every topic of the store",
		    NULL, NULL },
		{ 0, "check", CLI_FLAG, &check, NULL,
		    "compare with the records, change nothing", NULL, NULL },
		{ 0, "drop", CLI_FLAG, &drop, NULL,
		    "remove them; reading goes on, slower", NULL, NULL },
		{ 0, "json", CLI_FLAG, &json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &tsv, NULL,
		    "report in tab-separated columns", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-index",
		.purpose = "Build what is missing or stale of the indexes.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	if (check && drop)
		cli_misuse(&cli, "--check and --drop exclude each other");

	struct request r = {
		.mode = check ? SBLOG_INDEX_CHECK
		    : drop    ? SBLOG_INDEX_DROP
			      : SBLOG_INDEX_BUILD,
		.dry_run = dry_run,
	};
	struct topics t = {
		.cli = &cli,
		.schema = "sblog.index/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.mode = check || dry_run ? SBLOG_READ : SBLOG_WRITE,
		.arg = &r,
	};
	return topics_run(&t, index_topic);
}
