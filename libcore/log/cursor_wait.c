/*
 * cursor_wait.c - sleep until there is something to read.
 */
#include <errno.h>

#include "base/err.h"
#include "base/num.h"
#include "log/cursor.h"

enum { LOOK_AGAIN_US = 1000000 };

/* Is there something to read now? */
static int
ready(struct sblog_cursor *c, struct sblog_err *err)
{
	int rc;

	if (c->next < sb_cursor_end(c))
		return 1;
	if ((rc = sb_cursor_refresh(c, err)) < 0)
		return rc;
	return c->next < sb_cursor_end(c);
}

/* The page to sleep on: one in which we can say that we do. */
static struct sb_state *
bed(struct sblog_cursor *c)
{
	struct sblog_err ignored;

	if (c->topic->state.writable)
		return &c->topic->state;
	if (!c->state_tried) {
		c->state_tried = true;
		if (sb_state_open(&c->state, c->topic->dirfd, true, &ignored) <
		    0)
			c->state = SB_STATE_INIT;
	}
	return c->state.map != NULL ? &c->state : &c->topic->state;
}

/* Pages are replaced when they were lost: once a second look for a new one. */
static int
renew_state(struct sblog_cursor *c, struct sblog_err *err)
{
	struct sb_state *s = &c->topic->state;
	bool write = s->writable;

	if (sb_state_current(s))
		return 0;
	sb_state_close(s);
	sb_state_close(&c->state);
	c->state_tried = false;
	return sb_state_open(s, c->topic->dirfd, write, err);
}

int
sblog_cursor_wait(struct sblog_cursor *c, uint64_t timeout_us,
    struct sblog_err *err)
{
	uint64_t begun = sb_sys_monotonic_us(), spent = 0;
	uint32_t ticket;
	int rc;

	for (;;) {
		struct sb_state *s = bed(c);

		ticket = sb_state_ticket(s);
		if ((rc = ready(c, err)) != 0)
			return rc < 0 ? rc : 0;
		if ((spent = sb_sys_monotonic_us() - begun) >= timeout_us)
			return SBLOG_END;
		rc = sb_state_wait(s, ticket, c->opts.durable,
		    sb_min_u64(timeout_us - spent, LOOK_AGAIN_US));
		if (rc == -EINTR)
			return sb_err_sys(err, SBLOG_EIO, rc, "",
			    "interrupted");
		if (rc == -ETIMEDOUT && (rc = renew_state(c, err)) < 0)
			return rc;
	}
}
