/*
 * stop.c - signals that end a command, held back while a batch is under way.
 */
#include <stddef.h>

#include "common/stop.h"

static sigset_t before;
static bool held;

static void
fill(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGHUP);
}

void
stop_hold(void)
{
	sigset_t set;

	if (held)
		return;
	fill(&set);
	held = sigprocmask(SIG_BLOCK, &set, &before) == 0;
}

bool
stop_wanted(void)
{
	sigset_t set;

	/* Those that are ignored never wait. */
	return held && sigpending(&set) == 0 &&
	    (sigismember(&set, SIGINT) == 1 ||
		sigismember(&set, SIGTERM) == 1 ||
		sigismember(&set, SIGHUP) == 1);
}

void
stop_release(void)
{
	if (held)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	held = false;
}

const sigset_t *
stop_mask(void)
{
	return held ? &before : NULL;
}
