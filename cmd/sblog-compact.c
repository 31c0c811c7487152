/*
 * sblog-compact.c - apply the cleanup policy of topics: the one line for cron.
 *
 * Manual: sblog-compact(1).  Seals what is old enough, drops what retention
 * says, keeps the latest record of each key.
 */
#include <stdlib.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/hook.h"
#include "common/report.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-compact [-n] [--auto] [--seal] [--ignore-groups] "
	"[--min-dirty RATIO] [--grace DUR] [--memory SIZE] [--rate SIZE] "
	"[--json|--tsv] TOPIC...|--all",
	NULL,
};

struct request {
	bool automatic, seal, ignore_groups, dry_run;
	bool dirty_given, grace_given;
	const char *min_dirty;
	struct sblog_maintain_opts opts;
};

static void
print_json(struct topics *t, const struct sblog_maintained *o, bool dry_run)
{
	struct json *j = &t->doc;

	json_u64(j, "sealed_records", o->seal.records);
	json_u64(j, "sealed_segments", o->seal.segments);
	json_u64(j, "trimmed_records", o->trim.records);
	json_u64(j, "trimmed_files", o->trim.files);
	json_u64(j, "trimmed_bytes", o->trim.bytes);
	json_text(j, "held_by_group", o->trim.group);
	json_u64(j, "records_before", o->compact.records_before);
	json_u64(j, "records_after", o->compact.records_after);
	json_u64(j, "bytes_before", o->compact.bytes_before);
	json_u64(j, "bytes_after", o->compact.bytes_after);
	json_u64(j, "segments_before", o->compact.segments_before);
	json_u64(j, "segments_after", o->compact.segments_after);
	json_u64(j, "rewritten", o->compact.rewritten);
	json_u64(j, "passes", o->compact.passes);
	json_u64(j, "groups_removed", o->groups);
	json_bool(j, "dry_run", dry_run);
}

static void
print_line(struct topics *t, const char *name, const struct sblog_maintained *o)
{
	const uint64_t columns[] = { o->seal.records, o->trim.records,
		o->compact.records_before, o->compact.records_after,
		o->compact.bytes_before, o->compact.bytes_after };

	topics_text(t, name);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		out_char(&t->out, '\t');
		out_u64(&t->out, columns[i]);
	}
	out_char(&t->out, '\n');
}

static int
compact_topic(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	const struct sblog_maintain_opts *opts = t->arg;
	const char *name = sblog_topic_name(topic);
	struct sblog_maintained done;
	int rc = sblog_maintain(topic, opts, &done, err);

	report_progress_end();
	if (done.sealed && !opts->dry_run)
		*statusp = report_worse(*statusp,
		    hook_run(done.hook, t->cli->store_dir, topic, &done.seal));
	if (rc < 0)
		return rc;
	if (done.trim.group[0] != '\0')
		report_note("%s: group %s holds records back", name,
		    done.trim.group);
	if (t->json)
		print_json(t, &done, opts->dry_run);
	else if (rc == 0)
		print_line(t, name, &done);
	else if (!opts->automatic)
		report_note("%s: nothing to do", name);
	return 0;
}

/* "0.25": in millionths. */
static bool
parse_ratio(const char *text, uint64_t *np)
{
	char *end;
	double x;

	if (*text < '0' || *text > '9')
		return false;
	x = strtod(text, &end);
	if (*end != '\0' || !(x >= 0 && x <= 1))
		return false;
	*np = (uint64_t)(x * 1e6 + 0.5);
	return true;
}

int
main(int argc, char **argv)
{
	struct request r = { .automatic = false };
	bool all = false, json = false, tsv = false;
	const struct cli_opt opts[] = {
		{ 0, "auto", CLI_FLAG, &r.automatic, NULL,
		    "also seal by segment.ms, and pass idle topics by", NULL,
		    NULL },
		{ 0, "seal", CLI_FLAG, &r.seal, NULL,
		    "seal first, so that nothing is left out", NULL, NULL },
		{ 0, "ignore-groups", CLI_FLAG, &r.ignore_groups, NULL,
		    "drop also what groups have not read", NULL, NULL },
		{ 0, "min-dirty", CLI_STRING, &r.min_dirty, "RATIO",
		    "compact from this part of new bytes on, 0 to 1", NULL,
		    &r.dirty_given },
		{ 0, "grace", CLI_DURATION, &r.opts.grace_us, "DUR",
		    "keep tombstones so long", NULL, &r.grace_given },
		{ 0, "memory", CLI_SIZE, &r.opts.memory, "SIZE",
		    "use so much for keys (128M)", NULL, NULL },
		{ 0, "rate", CLI_SIZE, &r.opts.rate, "SIZE",
		    "read and write no more bytes per second", NULL, NULL },
		{ 'n', "dry-run", CLI_FLAG, &r.dry_run, NULL,
		    "print what would be done, change nothing", NULL, NULL },
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
		.command = "sblog-compact",
		.purpose = "Apply the cleanup policy of topics.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	if (r.dirty_given && !parse_ratio(r.min_dirty, &r.opts.min_dirty))
		cli_misuse(&cli, "--min-dirty: not from 0 to 1: %s",
		    r.min_dirty);

	r.opts.automatic = r.automatic;
	r.opts.seal = r.seal;
	r.opts.ignore_groups = r.ignore_groups;
	r.opts.dry_run = r.dry_run;
	r.opts.min_dirty_given = r.dirty_given;
	r.opts.grace_given = r.grace_given;
	r.opts.progress = report_progress;

	struct topics t = {
		.cli = &cli,
		.schema = "sblog.compact/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.mode = r.dry_run ? SBLOG_READ : SBLOG_WRITE,
		.arg = &r.opts,
	};
	return topics_run(&t, compact_topic);
}
