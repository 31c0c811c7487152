/*
 * sblog-config.c - show and change settings.
 *
 * Manual: sblog-config(1); the settings: sblog-config(5).
 */
#include <stdlib.h>
#include <string.h>

#include <sblog.h>

#include "common/cli.h"
#include "common/json.h"
#include "common/out.h"
#include "common/report.h"

static const char *const synopsis[] = {
	"sblog-config [--json|--tsv] TOPIC [NAME]...",
	"sblog-config [-n] TOPIC NAME=[VALUE]...",
	"sblog-config [-n] [--json|--tsv] --defaults [NAME[=[VALUE]]]...",
	NULL,
};

static const char *const origins[] = {
	[SBLOG_FROM_DEFAULT] = "default",
	[SBLOG_FROM_STORE] = "store",
	[SBLOG_FROM_TOPIC] = "topic",
};

struct request {
	const struct cli *cli;
	struct sblog_store *store;
	struct sblog_topic *topic; /* NULL: the store's defaults */
	const char *name;          /* for messages */
	char **words;
	int count;
	bool json, tsv, dry_run;
};

static bool
asked_for(const struct request *r, const char *name)
{
	for (int i = 0; i < r->count; i++)
		if (strcmp(r->words[i], name) == 0)
			return true;
	return r->count == 0;
}

static void
print_one(const struct request *r, struct out *o, struct json *j,
    const struct sblog_setting *s, enum sblog_setting_origin from)
{
	if (r->json) {
		json_object(j, s->name);
		json_text(j, "value", s->value);
		json_text(j, "origin", origins[from]);
		json_end(j, '}');
		return;
	}
	if (r->count == 1 && !r->tsv) { /* for $(...) */
		out_text(o, s->value);
		out_char(o, '\n');
		return;
	}
	out_text(o, s->name);
	out_text(o, r->tsv ? "\t" : " = ");
	out_text(o, s->value);
	out_text(o, r->tsv ? "\t" : "  # ");
	out_text(o, origins[from]);
	out_char(o, '\n');
}

static int
show(const struct request *r)
{
	enum sblog_setting_origin from;
	enum exit_status status = EXIT_DONE;
	struct sblog_setting s;
	struct sblog_err err;
	int found = 0, rc, error;
	struct out o;
	struct json j;

	out_init(&o, 1);
	if (r->json) {
		json_begin(&j, &o, "sblog.config/1");
		json_object(&j, "settings");
	}
	for (size_t i = 0; (rc = sblog_setting_at(r->store, r->topic, i, &s,
				&from, &err)) == 0;
	     i++) {
		if (!asked_for(r, s.name))
			continue;
		found++;
		print_one(r, &o, &j, &s, from);
	}
	if (rc < 0)
		status = report_err(r->name, &err);
	if (r->json) {
		json_end(&j, '}');
		if (rc < 0)
			json_error(&j, &err);
		json_finish(&j);
	}
	if (rc >= 0 && found < r->count) {
		report_fail("%s: unknown setting", r->words[found]);
		status = EXIT_USAGE;
	}
	(void)out_flush(&o); /* the error sticks */
	error = o.error;
	out_free(&o);
	return report_finish_write(status, error);
}

/* Every word is NAME= or NAME=VALUE; the words are cut at the '='. */
static int
change(const struct request *r)
{
	struct sblog_setting *set = calloc((size_t)r->count + 1, sizeof(*set));
	enum exit_status status = EXIT_DONE;
	struct sblog_err err;

	if (set == NULL) {
		report_fail("out of memory");
		return EXIT_FAILED;
	}
	for (int i = 0; i < r->count; i++) {
		char *equals = strchr(r->words[i], '=');

		if (equals == NULL)
			cli_misuse(r->cli,
			    "\"%s\": either show settings or change them",
			    r->words[i]);
		*equals = '\0';
		set[i].name = r->words[i];
		set[i].value = equals[1] ? equals + 1 : NULL;
	}
	if (sblog_setting_set(r->store, r->topic, set, (size_t)r->count,
		r->dry_run, &err) < 0)
		status = report_err(r->name, &err);
	free(set);
	return report_finish(status);
}

int
main(int argc, char **argv)
{
	bool defaults = false;
	struct request r = { .name = "" };
	const struct cli_opt opts[] = {
		{ 'n', "dry-run", CLI_FLAG, &r.dry_run, NULL,
		    "check names and values, change nothing", NULL, NULL },
		{ 0, "defaults", CLI_FLAG, &defaults, NULL,
		    "the store's settings, for topics that have none", NULL,
		    NULL },
		{ 0, "json", CLI_FLAG, &r.json, NULL, "report as JSON", NULL,
		    NULL },
		{ 0, "tsv", CLI_FLAG, &r.tsv, NULL,
		    "report in tab-separated columns", NULL, NULL },
		{ .name = NULL },
	};
	struct cli cli = {
		.command = "sblog-config",
		.purpose = "Show and change settings.",
		.synopsis = synopsis,
		.opts = opts,
	};
	bool write = false;
	struct sblog_err err;
	int status;

	cli_parse(&cli, argc, argv);
	if (!defaults && cli.operand_count == 0)
		cli_misuse(&cli, "no topic given (try --help)");
	r.cli = &cli;
	r.words = cli.operands + (defaults ? 0 : 1);
	r.count = cli.operand_count - (defaults ? 0 : 1);
	for (int i = 0; i < r.count; i++)
		write = write || strchr(r.words[i], '=') != NULL;
	status = cli_open_store(&cli,
	    !write || r.dry_run ? SBLOG_READ
		: defaults      ? SBLOG_CREATE
				: SBLOG_WRITE,
	    &r.store);
	if (status != EXIT_DONE)
		return report_finish((enum exit_status)status);
	if (!defaults) {
		r.name = cli.operands[0];
		if (sblog_topic_open(&r.topic, r.store, r.name,
			write && !r.dry_run ? SBLOG_WRITE : SBLOG_READ,
			&err) < 0) {
			status = (int)report_err(r.name, &err);
			sblog_store_close(r.store);
			return report_finish((enum exit_status)status);
		}
	}
	status = write ? change(&r) : show(&r);
	sblog_topic_close(r.topic);
	sblog_store_close(r.store);
	return status;
}
