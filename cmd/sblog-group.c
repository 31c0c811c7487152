/*
 * sblog-group.c - consumer groups: look at them, commit, reset, park, remove.
 *
 * Manual: sblog-group(1).
 */
#include <inttypes.h>
#include <string.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/groups.h"
#include "common/human.h"
#include "common/report.h"
#include "common/topics.h"

static const char *const synopsis[] = {
	"sblog-group ls [--all] [--json|--tsv] [TOPIC]...",
	"sblog-group show [--max-lag N] [--max-age DUR] [--json|--tsv] TOPIC "
	"[GROUP]...",
	"sblog-group commit [-n] [--if N|none] [--meta TEXT] [--sync MODE] "
	"[--undurable] [--park|--unpark] TOPIC GROUP POS",
	"sblog-group reset [-n] --to POS|--shift N [--if N|none] [--meta TEXT] "
	"[--park|--unpark] TOPIC GROUP...",
	"sblog-group park [-n] [--unpark] TOPIC GROUP...",
	"sblog-group rm [-n] TOPIC GROUP...",
	NULL,
};

static const char *const sync_words[] = { "default", "batch", "none", NULL };

struct request {
	const struct cli *cli;
	const char *verb;
	char **groups;
	int count;
	struct position at; /* of commit and reset */
	bool to_given, shift_given, lag_given, age_given;
	int64_t shift;
	uint64_t max_lag, max_age_us;
	int sync;
	bool dry_run, undurable, park, unpark;
	const char *note;
	bool if_given;
	uint64_t if_offset;
};

/* ---- looking ---- */

static int
list_one(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, enum exit_status *statusp,
    struct sblog_err *err)
{
	(void)statusp;
	(void)err;
	if (!t->json) {
		topics_text(t, sblog_topic_name(topic));
		out_char(&t->out, '\t');
	}
	group_print_line(t, row);
	return 0;
}

static int
show_one(struct topics *t, struct sblog_topic *topic,
    const struct group_row *row, enum exit_status *statusp,
    struct sblog_err *err)
{
	const struct request *r = t->arg;
	const char *name = sblog_topic_name(topic);

	if (!row->damaged && r->lag_given && row->lag > r->max_lag) {
		report_fail("%s: group %s: lag %" PRIu64
			    " is more than --max-lag",
		    name, row->g.name, row->lag);
		*statusp = report_worse(*statusp, EXIT_NOTICE);
	}
	if (!row->damaged && r->age_given &&
	    (uint64_t)row->age_us > r->max_age_us) {
		report_fail("%s: group %s: the next record is older than "
			    "--max-age",
		    name, row->g.name);
		*statusp = report_worse(*statusp, EXIT_NOTICE);
	}
	if (!t->json) {
		topics_text(t, name);
		out_text(&t->out, t->tsv ? "\t" : ": ");
	}
	return group_print_all(t, topic, row, err);
}

static int
look(struct topics *t, struct sblog_topic *topic, enum exit_status *statusp,
    struct sblog_err *err)
{
	const struct request *r = t->arg;
	int rc;

	if (t->json)
		json_array(&t->doc, "groups");
	rc = group_each(t, topic, r->groups, r->count,
	    strcmp(r->verb, "ls") == 0 ? list_one : show_one, statusp, err);
	if (t->json)
		json_end(&t->doc, ']');
	return rc;
}

/* ---- changing ---- */

/* From what is committed now, never out of the log. */
static int
shifted(const struct request *r, struct sblog_topic *topic, const char *group,
    uint64_t *offsetp, struct sblog_err *err)
{
	struct sblog_info info;
	struct sblog_group g;
	uint64_t by =
	    r->shift < 0 ? 0 - (uint64_t)r->shift : (uint64_t)r->shift;
	int rc;

	if ((rc = sblog_group_get(topic, group, &g, err)) < 0 ||
	    (rc = sblog_topic_info(topic, &info, err)) < 0)
		return rc;
	*offsetp = g.committed;
	if (r->shift < 0)
		*offsetp -= by < *offsetp ? by : *offsetp;
	else if (__builtin_add_overflow(*offsetp, by, offsetp))
		*offsetp = info.end;
	if (*offsetp < info.start)
		*offsetp = info.start;
	if (*offsetp > info.end)
		*offsetp = info.end;
	return 0;
}

static int
commit(const struct request *r, struct sblog_topic *topic, const char *group,
    struct sblog_err *err)
{
	bool reset = strcmp(r->verb, "reset") == 0;
	struct sblog_commit_opts opts = {
		.sync = (enum sblog_sync)r->sync,
		.note = r->note,
		.keep_note = reset && r->note == NULL,
		.if_set = r->if_given,
		.if_offset = r->if_offset,
		.undurable = reset || r->undurable,
		.reset = reset,
		.park = r->park,
		.unpark = r->unpark,
		.dry_run = r->dry_run,
	};
	uint64_t offset;
	int rc;

	rc = r->shift_given ? shifted(r, topic, group, &offset, err)
			    : position_resolve(&r->at, topic, &offset, err);
	if (rc < 0 ||
	    (rc = sblog_group_commit(topic, group, offset, &opts, err)) < 0)
		return rc;
	if (r->dry_run)
		report_note("%s: group %s: would commit offset %" PRIu64,
		    sblog_topic_name(topic), group, offset);
	return 0;
}

static int
change_one(const struct request *r, struct sblog_topic *topic,
    const char *group, struct sblog_err *err)
{
	const char *topic_name = sblog_topic_name(topic);
	bool park = strcmp(r->verb, "park") == 0;
	int rc;

	if (!park && strcmp(r->verb, "rm") != 0)
		return commit(r, topic, group, err);
	if (park)
		rc =
		    sblog_group_park(topic, group, !r->unpark, r->dry_run, err);
	else
		rc = sblog_group_remove(topic, group, r->dry_run, err);
	if (rc == 0 && r->dry_run)
		report_note("%s: group %s: would %s it", topic_name, group,
		    !park           ? "remove"
			: r->unpark ? "unpark"
				    : "park");
	return rc;
}

static int
change(struct topics *t, struct sblog_topic *topic, enum exit_status *statusp,
    struct sblog_err *err)
{
	const struct request *r = t->arg;

	if (t->json)
		json_array(&t->doc, "groups");
	for (int i = 0; i < r->count; i++) {
		int rc = change_one(r, topic, r->groups[i], err);

		if (t->json) {
			json_object(&t->doc, NULL);
			json_text(&t->doc, "group", r->groups[i]);
			json_bool(&t->doc, "changed", rc == 0 && !r->dry_run);
			if (rc < 0)
				json_error(&t->doc, err);
			json_end(&t->doc, '}');
		}
		if (rc < 0)
			*statusp = report_worse(*statusp,
			    report_err(sblog_topic_name(topic), err));
	}
	if (t->json)
		json_end(&t->doc, ']');
	return 0;
}

/* ---- command line ---- */

static void
parse_if(const struct cli *cli, struct request *r, const char *text)
{
	r->if_given = text != NULL;
	r->if_offset = SBLOG_NO_OFFSET;
	if (text != NULL && strcmp(text, "none") != 0 &&
	    !human_number(text, &r->if_offset))
		cli_misuse(cli, "--if %s: an offset or \"none\" is needed",
		    text);
}

static void
parse_shift(const struct cli *cli, struct request *r, const char *text)
{
	bool back;
	uint64_t n;

	r->shift_given = text != NULL;
	if (text == NULL)
		return;
	back = text[0] == '-';
	if (!human_number(text + (back || text[0] == '+'), &n) || n > INT64_MAX)
		cli_misuse(cli, "--shift %s: a number is needed", text);
	r->shift = back ? -(int64_t)n : (int64_t)n;
}

/* Operands behind the topic, by what is to be done. */
static void
check_words(const struct cli *cli, struct request *r, bool all)
{
	static const char *const verbs[] = { "ls", "show", "commit", "reset",
		"park", "rm" };
	size_t verb = 0;

	while (verb < 6 && strcmp(r->verb, verbs[verb]) != 0)
		verb++;
	if (verb == 6)
		cli_misuse(cli,
		    "\"%s\": not one of ls, show, commit, reset, "
		    "park, rm",
		    r->verb);
	if (all && verb != 0)
		cli_misuse(cli, "--all goes with ls only");
	if (r->park && (r->unpark || verb == 4))
		cli_misuse(cli, "--park and %s exclude each other",
		    r->unpark ? "--unpark" : "park");
	if (verb < 2)
		return;
	if (r->count == 0)
		cli_misuse(cli, "no group given (try --help)");
	if (verb == 2) {
		if (r->count != 2)
			cli_misuse(cli, "commit needs TOPIC GROUP POS");
		if (!position_parse(r->groups[1], &r->at))
			cli_misuse(cli, "\"%s\": not a position", r->groups[1]);
		r->count = 1;
	}
	if (verb == 3 && r->to_given == r->shift_given)
		cli_misuse(cli, "reset needs either --to or --shift");
	if (verb != 3 && (r->to_given || r->shift_given))
		cli_misuse(cli, "--to and --shift go with reset only");
	for (int i = 0; i < r->count; i++)
		if (!sblog_group_name_ok(r->groups[i]))
			cli_misuse(cli, "\"%s\": not a name of a group",
			    r->groups[i]);
}

static int
run(struct cli *cli, struct request *r, bool all, bool json, bool tsv)
{
	bool list, write;
	struct topics t = {
		.cli = cli,
		.schema = "sblog.group/1",
		.all = all,
		.json = json,
		.tsv = tsv,
		.arg = r,
	};

	if (cli->operand_count == 0)
		cli_misuse(cli, "what to do? (try --help)");
	r->cli = cli;
	r->verb = *cli->operands++;
	cli->operand_count--;
	list = strcmp(r->verb, "ls") == 0;
	r->count = cli->operand_count > 0 && !list ? cli->operand_count - 1 : 0;
	r->groups = cli->operands + 1;
	check_words(cli, r, all);
	if (!list && cli->operand_count > 1)
		cli->operand_count = 1;
	t.all = all || (list && cli->operand_count == 0);
	write = !list && strcmp(r->verb, "show") != 0;
	t.mode = write ? SBLOG_WRITE : SBLOG_READ;
	return topics_run(&t, write ? change : look);
}

int
main(int argc, char **argv)
{
	bool all = false, json = false, tsv = false;
	const char *if_text = NULL, *shift_text = NULL;
	struct request r = { .verb = "" };
	const struct cli_opt opts[] = {
		{ 0, "all", CLI_FLAG, &all, NULL, "groups of every topic", NULL,
		    NULL },
		{ 0, "to", CLI_POSITION, &r.at, "POS",
		    "reset: the record to go on with", NULL, &r.to_given },
		{ 0, "shift", CLI_STRING, &shift_text, "N",
		    "reset: so many offsets on, or back if negative", NULL,
		    NULL },
		{ 0, "if", CLI_STRING, &if_text, "N",
		    "only if N is committed now (none: nothing)", NULL, NULL },
		{ 0, "meta", CLI_STRING, &r.note, "TEXT",
		    "a note to be kept with the offset", NULL, NULL },
		{ 0, "sync", CLI_CHOICE, &r.sync, "MODE",
		    "batch: durable before exit; none; default: as the topic",
		    sync_words, NULL },
		{ 0, "undurable", CLI_FLAG, &r.undurable, NULL,
		    "also what a power cut may still take back", NULL, NULL },
		{ 0, "park", CLI_FLAG, &r.park, NULL,
		    "and hold no retention back", NULL, NULL },
		{ 0, "unpark", CLI_FLAG, &r.unpark, NULL,
		    "and hold retention back again", NULL, NULL },
		{ 0, "max-lag", CLI_NUMBER, &r.max_lag, "N",
		    "show: status 7 if more offsets are not committed", NULL,
		    &r.lag_given },
		{ 0, "max-age", CLI_DURATION, &r.max_age_us, "DUR",
		    "show: status 7 if the next record is older", NULL,
		    &r.age_given },
		{ 'n', "dry-run", CLI_FLAG, &r.dry_run, NULL,
		    "check and say what would be done, change nothing", NULL,
		    NULL },
		{ 0, "json", CLI_FLAG, &json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &tsv, NULL,
		    "report in tab-separated columns", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-group",
		.purpose = "Look at consumer groups and change them.",
		.synopsis = synopsis,
		.opts = opts,
	};

	cli_parse(&cli, argc, argv);
	parse_if(&cli, &r, if_text);
	parse_shift(&cli, &r, shift_text);
	return run(&cli, &r, all, json, tsv);
}
