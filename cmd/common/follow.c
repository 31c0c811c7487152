/*
 * follow.c - wait for new records of one topic or several.
 *
 * One can sleep on one topic at a time.  With several, the sleep is on the one
 * that had news last, and short: it grows while nothing happens, and after
 * each the others are asked.
 */
#include <errno.h>

#include "common/follow.h"
#include "common/input.h"

enum {
	LOOK_US = 500000,      /* between looks at the reader of a pipe */
	SLICE_FIRST_US = 500,  /* several topics: the first sleep */
	SLICE_LAST_US = 20000, /* and the longest: what an idle topic waits */
};

/* Sleep on one cursor; a signal that does not kill is no news. */
static int
sleep_on(struct sblog_cursor *cur, uint64_t us, struct sblog_err *err)
{
	int rc = sblog_cursor_wait(cur, us, err);

	if (rc == SBLOG_EIO && err->sys == EINTR)
		return SBLOG_END;
	return rc;
}

/* Sleep once on the last, then ask all; 0: news. */
static int
round_of(struct follow *f, uint64_t us, struct sblog_err *err)
{
	int rc = sleep_on(f->cursors[f->last], us, err);

	for (size_t i = 0; rc == SBLOG_END && i < f->n; i++) {
		if (i == f->last)
			continue;
		if ((rc = sleep_on(f->cursors[i], 0, err)) == 0)
			f->last = i;
	}
	return rc;
}

enum follow_result
follow_wait(struct follow *f, struct sblog_err *err)
{
	uint64_t begun = input_now_us(), looked = begun, now = begun;
	uint64_t slice = f->n > 1 ? SLICE_FIRST_US : LOOK_US, us;
	int rc;

	for (;;) {
		if (f->out->stop != NULL && *f->out->stop != 0)
			return FOLLOW_STOPPED;
		us = f->timeout_us - (now - begun);
		rc = round_of(f, us < slice ? us : slice, err);
		if (rc == 0)
			return FOLLOW_NEWS;
		if (rc != SBLOG_END)
			return FOLLOW_FAILED;
		now = input_now_us();
		if (now - begun >= f->timeout_us)
			return FOLLOW_TIMEOUT;
		if (now - looked >= LOOK_US) {
			looked = now;
			if (out_gone(f->out))
				return FOLLOW_GONE;
		}
		if (f->n > 1 && slice < SLICE_LAST_US)
			slice *= 2;
	}
}
