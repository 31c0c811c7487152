/*
 * position.c - the position grammar of sblog-position(7).
 */
#include "common/position.h"

#include <string.h>

#include "common/human.h"

bool
position_parse(const char *text, struct position *p)
{
	*p = (struct position){ .kind = POSITION_OFFSET };
	if (strcmp(text, "start") == 0) {
		p->kind = POSITION_START;
		return true;
	}
	if (strcmp(text, "end") == 0) {
		p->kind = POSITION_END;
		return true;
	}
	switch (text[0]) {
	case '@':
		p->kind = POSITION_TIME;
		return human_time(text + 1, &p->time_us);
	case '+':
		p->kind = POSITION_START;
		return human_number(text + 1, &p->n);
	case '-':
		p->kind = POSITION_END;
		return human_number(text + 1, &p->n);
	default:
		return human_number(text, &p->n);
	}
}

int
position_resolve(const struct position *p, struct sblog_topic *topic,
    uint64_t *offsetp, struct sblog_err *err)
{
	struct sblog_info info;
	int rc;

	if (p->kind == POSITION_TIME)
		return sblog_find_time(topic, p->time_us, offsetp, err);
	if ((rc = sblog_topic_info(topic, &info, err)) < 0)
		return rc;
	switch (p->kind) {
	case POSITION_START:
		if (__builtin_add_overflow(info.start, p->n, offsetp))
			*offsetp = SBLOG_NO_OFFSET - 1;
		break;
	case POSITION_END:
		*offsetp =
		    p->n > info.end - info.start ? info.start : info.end - p->n;
		break;
	case POSITION_OFFSET:
	case POSITION_TIME:
		*offsetp = p->n;
		break;
	}
	return 0;
}
