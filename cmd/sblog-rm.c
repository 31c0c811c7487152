/*
 * sblog-rm.c - remove topics, finally.
 *
 * Manual: sblog-rm(1).
 */
#include <inttypes.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/report.h"

static const char *const synopsis[] = {
	"sblog-rm --yes TOPIC...",
	"sblog-rm -n TOPIC...",
	NULL,
};

static enum exit_status
preview(struct sblog_store *store, const char *name)
{
	struct sblog_topic *topic = NULL;
	enum exit_status status = EXIT_DONE;
	struct sblog_info info;
	struct sblog_err err;
	int rc = sblog_topic_open(&topic, store, name, SBLOG_READ, &err);

	if (rc == 0)
		rc = sblog_topic_info(topic, &info, &err);
	if (rc < 0)
		status = report_err(name, &err);
	else
		report_note("%s: would remove %" PRIu64 " records, %" PRIu64
			    " bytes",
		    name, info.records, info.bytes_stored);
	sblog_topic_close(topic);
	return status;
}

int
main(int argc, char **argv)
{
	bool yes = false, dry_run = false;
	const struct cli_opt opts[] = {
		{ 0, "yes", CLI_FLAG, &yes, NULL,
		    "really: nothing brings the records back", NULL, NULL },
		{ 'n', "dry-run", CLI_FLAG, &dry_run, NULL,
		    "say what would be removed, change nothing", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-rm",
		.purpose = "Remove topics and all their records.",
		.synopsis = synopsis,
		.opts = opts,
	};
	struct sblog_store *store = NULL;
	enum exit_status status;
	struct sblog_err err;

	cli_parse(&cli, argc, argv);
	if (cli.operand_count == 0)
		cli_misuse(&cli, "no topic given (try --help)");
	if (!yes && !dry_run)
		cli_misuse(&cli, "--yes is needed: records are gone for good");
	status = (enum exit_status)cli_open_store(&cli,
	    dry_run ? SBLOG_READ : SBLOG_WRITE, &store);
	for (int i = 0; store != NULL && i < cli.operand_count; i++) {
		enum exit_status one = EXIT_DONE;

		if (dry_run)
			one = preview(store, cli.operands[i]);
		else if (sblog_topic_remove(store, cli.operands[i], &err) < 0)
			one = report_err(cli.operands[i], &err);
		status = report_worse(status, one);
	}
	sblog_store_close(store);
	return report_finish(status);
}
