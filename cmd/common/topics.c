/*
 * topics.c - run one function over the topics of a command line.
 */
#include "common/topics.h"

#include <string.h>

#include "common/encode.h"

void
topics_text(struct topics *t, const char *text)
{
	const struct sblog_bytes bytes = { .data = text, .len = strlen(text) };

	if (t->out.tty)
		encode_visible(&t->out, bytes);
	else
		out_bytes(&t->out, bytes.data, bytes.len);
}

static enum exit_status
run_one(struct topics *t, const char *name, topics_fn one)
{
	enum exit_status status = EXIT_DONE;
	struct sblog_topic *topic = NULL;
	struct sblog_err err;
	int rc;

	if (t->json) {
		json_object(&t->doc, NULL);
		json_text(&t->doc, "topic", name);
	}
	rc = sblog_topic_open(&topic, t->store, name, t->mode, &err);
	if (rc == 0)
		rc = one(t, topic, &status, &err);
	sblog_topic_close(topic);
	report_progress_end();
	if (rc < 0) {
		if (t->json)
			json_error(&t->doc, &err);
		status = report_worse(status, report_err(name, &err));
	}
	if (t->json)
		json_end(&t->doc, '}');
	return status;
}

static enum exit_status
run_all(struct topics *t, topics_fn one)
{
	enum exit_status status = EXIT_DONE;
	struct sblog_err err;
	char **names;
	size_t n;

	if (!t->all) {
		for (int i = 0; i < t->cli->operand_count; i++)
			status = report_worse(status,
			    run_one(t, t->cli->operands[i], one));
		return status;
	}
	if (sblog_store_list(t->store, &names, &n, &err) < 0)
		return report_err(t->cli->store_dir, &err);
	for (size_t i = 0; i < n; i++)
		status = report_worse(status, run_one(t, names[i], one));
	sblog_names_free(names);
	return status;
}

int
topics_run(struct topics *t, topics_fn one)
{
	enum exit_status status;
	int error;

	if (!t->all && t->cli->operand_count == 0)
		cli_misuse(t->cli, "no topic given (try --help)");
	if (t->all && t->cli->operand_count > 0)
		cli_misuse(t->cli, "--all and a topic exclude each other");
	if (t->json && t->tsv)
		cli_misuse(t->cli, "--json and --tsv exclude each other");
	report_guard_maps();
	out_init(&t->out, 1);
	if (t->json) {
		json_begin(&t->doc, &t->out, t->schema);
		json_array(&t->doc, "topics");
	}
	status = (enum exit_status)cli_open_store(t->cli, t->mode, &t->store);
	if (status == EXIT_DONE)
		status = run_all(t, one);
	if (t->json) {
		json_end(&t->doc, ']');
		json_u64(&t->doc, "status", status);
		json_finish(&t->doc);
	}
	(void)out_flush(&t->out); /* the error sticks */
	error = t->out.error;
	out_free(&t->out);
	sblog_store_close(t->store);
	return report_finish_write(status, error);
}
