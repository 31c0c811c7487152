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

/* "NAME=VALUE" into its halves; the text is cut at the '='. */
static struct sblog_setting *
split(const struct cli *cli, const struct cli_list *list)
{
	struct sblog_setting *set = calloc(list->count + 1, sizeof(*set));

	for (size_t i = 0; set != NULL && i < list->count; i++) {
		char *text = strdup(list->items[i]);
		char *equals = text ? strchr(text, '=') : NULL;

		if (text != NULL && equals == NULL)
			cli_misuse(cli, "--config: \"%s\" is not NAME=VALUE",
			    list->items[i]);
		if (text == NULL)
			return NULL;
		*equals = '\0';
		set[i].name = text;
		set[i].value = equals + 1;
	}
	return set;
}

static enum exit_status
create(const struct cli *cli, const struct cli_list *config, bool dry_run)
{
	struct sblog_setting *set = split(cli, config);
	struct sblog_store *store = NULL;
	enum exit_status status;
	struct sblog_err err;
	int rc;

	if (set == NULL) {
		report_fail("out of memory");
		return EXIT_FAILED;
	}
	if (!sblog_name_ok(cli->operands[0])) {
		report_fail("%s: bad topic name", cli->operands[0]);
		return EXIT_USAGE;
	}
	status = (enum exit_status)cli_open_store(cli,
	    dry_run ? SBLOG_READ : SBLOG_CREATE, &store);
	if (dry_run && status == EXIT_ABSENT)
		return EXIT_DONE;
	if (status != EXIT_DONE)
		return status;
	rc = dry_run
	    ? sblog_setting_set(store, NULL, set, config->count, true, &err)
	    : sblog_topic_create(store, cli->operands[0], set, config->count,
		  &err);
	if (rc < 0)
		status = report_err(cli->operands[0], &err);
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

	cli_parse(&cli, argc, argv);
	if (cli.operand_count != 1)
		cli_misuse(&cli, "one topic is needed (try --help)");
	return report_finish(create(&cli, &config, dry_run));
}
