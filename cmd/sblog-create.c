/*
 * sblog-create.c - create a topic.
 *
 * Manual: sblog-create(1).
 */
#include <stdlib.h>
#include <string.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/report.h"

static const char *const synopsis[] = {
	"sblog-create [-n] [--config NAME=VALUE]... TOPIC",
	NULL,
};

/* "NAME=VALUE" into its halves; the words of argv are cut at the '='. */
static struct sblog_setting *
split(const struct cli *cli, const struct cli_list *list)
{
	struct sblog_setting *set = calloc(list->count + 1, sizeof(*set));

	for (size_t i = 0; set != NULL && i < list->count; i++) {
		char *text = (char *)(uintptr_t)list->items[i];
		char *equals = strchr(text, '=');

		if (equals == NULL)
			cli_misuse(cli, "--config: \"%s\" is not NAME=VALUE",
			    text);
		*equals = '\0';
		set[i].name = text;
		set[i].value = equals + 1;
	}
	return set;
}

static enum exit_status
create(const struct cli *cli, const struct sblog_setting *set, size_t n,
    bool dry_run)
{
	const char *name = cli->operands[0];
	struct sblog_store *store = NULL;
	enum exit_status status;
	struct sblog_err err;
	int rc;

	if (!sblog_name_ok(name)) {
		report_fail("%s: bad topic name", name);
		return EXIT_USAGE;
	}
	status = (enum exit_status)cli_open_store(cli,
	    dry_run ? SBLOG_READ : SBLOG_CREATE, &store);
	if (dry_run && status == EXIT_ABSENT)
		return EXIT_DONE;
	if (status != EXIT_DONE)
		return status;
	rc = dry_run ? sblog_setting_set(store, NULL, set, n, true, &err)
		     : sblog_topic_create(store, name, set, n, &err);
	if (rc < 0)
		status = report_err(name, &err);
	sblog_store_close(store);
	return status;
}

int
main(int argc, char **argv)
{
	struct cli_list config = { 0 };
	bool dry_run = false;
	const struct cli_opt opts[] = {
		{ 'n', "dry-run", CLI_FLAG, &dry_run, NULL,
		    "check name and settings, create nothing", NULL, NULL },
		{ 0, "config", CLI_LIST, &config, "NAME=VALUE",
		    "a setting of the topic, see sblog-config(5)", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-create",
		.purpose = "Create a topic.",
		.synopsis = synopsis,
		.opts = opts,
	};
	struct sblog_setting *set;
	enum exit_status status;

	cli_parse(&cli, argc, argv);
	if (cli.operand_count != 1)
		cli_misuse(&cli, "one topic is needed (try --help)");
	set = split(&cli, &config);
	if (set == NULL) {
		report_fail("out of memory");
		return report_finish(EXIT_FAILED);
	}
	status = create(&cli, set, config.count, dry_run);
	free(set);
	free(config.items);
	return report_finish(status);
}
