/*
 * topics.h - run one function over the topics of a command line, and report in
 * text, tab-separated columns or JSON.
 */
#ifndef CMD_TOPICS_H
#define CMD_TOPICS_H

#include <sblog.h>

#include "common/cli.h"
#include "common/json.h"
#include "common/out.h"
#include "common/report.h"

struct topics {
	struct cli *cli;
	const char *schema; /* "sblog.seal/1" */
	bool all;           /* every topic of the store */
	bool json, tsv;
	enum sblog_mode mode;

	/* set up by topics_run for the function */
	struct sblog_store *store;
	struct out out;
	struct json doc; /* inside "topics":[ where json is set */
	void *arg;
};

/*
 * What to do with one topic.  With t->json it is called inside the topic's
 * object, which has its "topic" already; an error it returns is added to it.
 */
typedef int (*topics_fn)(struct topics *t, struct sblog_topic *topic,
    enum exit_status *statusp, struct sblog_err *err);

/* All of it, with report_finish; returns what main returns. */
int topics_run(struct topics *t, topics_fn one);

/* Text that is safe on a terminal, raw in a pipe. */
void topics_text(struct topics *t, const char *text);

#endif
