/*
 * expect.c - what --expect, --expect-key and --expect-pos ask of a topic.
 */
#include "common/expect.h"

#include <string.h>

/* Digits only, below 2^63: no offset is larger. */
static uint64_t
number(const struct cli *cli, const char *option, const char *text)
{
	const char *at = text;
	uint64_t n = 0;

	while (*at >= '0' && *at <= '9' && at - text < 19)
		n = 10 * n + (uint64_t)(*at++ - '0');
	if (at == text || *at != '\0' || n > (uint64_t)INT64_MAX)
		cli_misuse(cli, "%s: not a number: %s", option, text);
	return n;
}

static void
add(struct expect *e, enum sblog_expect_kind kind, uint64_t value,
    const char *key)
{
	e->all[e->count++] = (struct sblog_expect){
		.kind = kind,
		.value = value,
		.key = { key, key != NULL ? strlen(key) : 0 },
	};
}

void
expect_parse(struct expect *e, const struct cli *cli, const char *key)
{
	if ((e->key != NULL || e->pos != NULL) && key == NULL)
		cli_misuse(cli, "--expect-key and --expect-pos need -k");
	if (e->end != NULL && strcmp(e->end, "empty") == 0)
		add(e, SBLOG_EXPECT_EMPTY, 0, NULL);
	else if (e->end != NULL && strcmp(e->end, "exists") == 0)
		add(e, SBLOG_EXPECT_EXISTS, 0, NULL);
	else if (e->end != NULL)
		add(e, SBLOG_EXPECT_END, number(cli, "--expect", e->end), NULL);
	if (e->key != NULL)
		add(e, SBLOG_EXPECT_KEY_LAST,
		    strcmp(e->key, "none") == 0
			? SBLOG_NO_OFFSET
			: number(cli, "--expect-key", e->key),
		    key);
	if (e->pos != NULL)
		add(e, SBLOG_EXPECT_KEY_POS,
		    strcmp(e->pos, "-1") == 0
			? SBLOG_NO_OFFSET
			: number(cli, "--expect-pos", e->pos),
		    key);
}

bool
expect_holds_without(const struct expect *e, struct sblog_err *err)
{
	for (size_t i = 0; i < e->count; i++) {
		bool end = e->all[i].kind == SBLOG_EXPECT_END;

		if (e->all[i].kind == SBLOG_EXPECT_EMPTY ||
		    e->all[i].kind == SBLOG_EXPECT_EXISTS ||
		    e->all[i].value == (end ? 0 : SBLOG_NO_OFFSET))
			continue;
		*err = (struct sblog_err){ .code = SBLOG_ECOND,
			.offset = end ? 0 : SBLOG_NO_OFFSET,
			.end = SBLOG_NO_OFFSET,
			.pos = UINT64_MAX,
			.msg = "there is no such topic" };
		return false;
	}
	return true;
}
