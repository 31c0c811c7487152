/*
 * sblog-seal.c - close the write-ahead log of topics and compress it.
 *
 * Manual: sblog-seal(1).  All work is sblog_seal(); this file turns a command
 * line into calls and their results into lines and an exit status.
 */
#include <stdio.h>
#include <string.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/hook.h"
#include "common/report.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-seal [-n] [--older DUR] [--larger SIZE] [--json|--tsv] TOPIC...",
	"sblog-seal [-n] [--older DUR] [--larger SIZE] [--json|--tsv] --all",
	NULL,
};

/* The setting hook.seal for each segment. */
static enum exit_status
run_hook(struct topics *t, struct sblog_topic *topic,
    const struct sblog_sealed *s)
{
	enum sblog_setting_origin origin;
	struct sblog_setting setting;
	struct sblog_err err;
	char command[256] = "";

	for (size_t i = 0;
	     sblog_setting_at(t->store, topic, i, &setting, &origin, &err) == 0;
	     i++)
		if (strcmp(setting.name, "hook.seal") == 0)
			(void)snprintf(command, sizeof(command), "%s",
			    setting.value);
	return hook_run(command, t->cli->store_dir, topic, s);
}

static int
seal_topic(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err)
{
	const struct sblog_seal_opts *opts = t->arg;
	struct sblog_sealed s;
	int rc = sblog_seal(topic, opts, &s, err);

	if (rc < 0 && s.segments == 0)
		return rc;
	report_progress_end();
	if (s.segments > 0 && !opts->dry_run)
		*statusp = report_worse(*statusp, run_hook(t, topic, &s));
	if (t->json) {
		json_u64(&t->doc, "first", s.first);
		json_u64(&t->doc, "next", s.next);
		json_u64(&t->doc, "records", s.records);
		json_u64(&t->doc, "segments", s.segments);
		json_u64(&t->doc, "bytes_before", s.bytes_before);
		json_u64(&t->doc, "bytes_after", s.bytes_after);
		json_bool(&t->doc, "dry_run", opts->dry_run);
	} else if (s.segments == 0) {
		report_note("%s: nothing to seal", sblog_topic_name(topic));
	} else {
		topics_text(t, sblog_topic_name(topic));
		out_char(&t->out, '\t');
		out_u64(&t->out, s.first);
		out_char(&t->out, '\t');
		out_u64(&t->out, s.next);
		out_char(&t->out, '\t');
		out_u64(&t->out, s.bytes_before);
		out_char(&t->out, '\t');
		out_u64(&t->out, s.bytes_after);
		out_char(&t->out, '\n');
	}
	return rc < 0 ? rc : 0;
}

int
main(int argc, char **argv)
{
	bool dry_run = false, all = false, json = false, tsv = false;
	uint64_t older_us = 0, larger = 0, jobs = 0;
	const struct cli_opt opts[] = {
		{ 'n', "dry-run", CLI_FLAG, &dry_run, NULL,
		    "print what would be sealed, change nothing", NULL, NULL },
		{ 0, "all", CLI_FLAG, &all, NULL, "every topic of the store",
		    NULL, NULL },
		{ 0, "older", CLI_DURATION, &older_us, "DUR",
		    "only if the first record is older than DUR", NULL, NULL },
		{ 0, "larger", CLI_SIZE, &larger, "SIZE",
		    "only if it has more bytes than SIZE", NULL, NULL },
		{ 'j', "jobs", CLI_NUMBER, &jobs, "N",
		    "use N threads (default: one per processor)", NULL, NULL },
		{ 0, "json", CLI_FLAG, &json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &tsv, NULL,
		    "report in tab-separated columns (as without)", NULL,
		    NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-seal",
		.purpose = "Close the write-ahead log and compress it.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);

	struct sblog_seal_opts seal = {
		.older_us = older_us,
		.larger = larger,
		.dry_run = dry_run,
		.threads = jobs > 8 ? 8 : (unsigned)jobs,
		.progress = report_progress,
	};
	struct topics t = {
		.cli = &cli,
		.schema = "sblog.seal/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.mode = dry_run ? SBLOG_READ : SBLOG_WRITE,
		.arg = &seal,
	};
	return topics_run(&t, seal_topic);
}
