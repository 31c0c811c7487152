/*
 * expect.h - what --expect, --expect-key and --expect-pos ask of a topic.
 */
#ifndef CMD_EXPECT_H
#define CMD_EXPECT_H

#include <stdbool.h>

#include <sblog.h>

#include "common/cli.h"

enum { EXPECT_MAX = 3 };

struct expect {
	const char *end, *key, *pos; /* of the command line, or NULL */
	struct sblog_expect all[EXPECT_MAX];
	size_t count;
};

/* Understand them, or end the command.  key: what -k gives, or NULL. */
void expect_parse(struct expect *e, const struct cli *cli, const char *key);

/* Can all of them hold for a topic that does not exist?  "exists" is not asked
 * about: such a topic is not created. */
bool expect_holds_without(const struct expect *e, struct sblog_err *err);

#endif
