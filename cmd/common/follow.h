/*
 * follow.h - wait for new records of one topic or several.
 */
#ifndef CMD_FOLLOW_H
#define CMD_FOLLOW_H

#include <sblog.h>

#include "common/out.h"

enum follow_result {
	FOLLOW_NEWS,    /* some topic may have something */
	FOLLOW_TIMEOUT, /* nothing for as long as was allowed */
	FOLLOW_GONE,    /* nobody reads what is printed any more */
	FOLLOW_STOPPED, /* out->stop says so */
	FOLLOW_FAILED,  /* *err says why */
};

struct follow {
	struct sblog_cursor **cursors;
	size_t n;
	size_t last;           /* the one that had news last */
	uint64_t timeout_us;   /* UINT64_MAX: for ever */
	const struct out *out; /* watched: a pipe that nobody reads ends it */
};

/* Wait until one of the cursors has something to read.  *out is flushed. */
enum follow_result follow_wait(struct follow *f, struct sblog_err *err);

#endif
