/*
 * position.h - the position grammar of sblog-position(7); the only parser of it.
 */
#ifndef CMD_POSITION_H
#define CMD_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include <sblog.h>

enum position_kind {
	POSITION_START,  /* n records behind the start */
	POSITION_END,    /* n records before the end */
	POSITION_OFFSET, /* n */
	POSITION_TIME,   /* the first record appended at or after time_us */
};

struct position {
	enum position_kind kind;
	uint64_t n;
	int64_t time_us;
};

#define POSITION_AT_START ((struct position){ .kind = POSITION_START })
#define POSITION_AT_END ((struct position){ .kind = POSITION_END })

/* start end N +N -N @TIME; false: not one of them. */
bool position_parse(const char *text, struct position *p);

/*
 * The offset it means in this topic now, never below the start; what is counted
 * from the end never goes below the start either.  An offset past the end stays
 * what it is.
 */
int position_resolve(const struct position *p, struct sblog_topic *topic,
    uint64_t *offsetp, struct sblog_err *err);

#endif
