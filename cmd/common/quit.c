/*
 * quit.c - signals that end a consumer, noticed.
 */
#include <stddef.h>
#include <unistd.h>

#include "common/quit.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static volatile sig_atomic_t come; /* the signal that came first */
static bool caught[SIGNALS];

/*
 * A signal may come just before a system call that sleeps and would then be
 * seen only when that returns: an alarm each second interrupts the next.
 */
static void
again(int sig)
{
	(void)sig;
	(void)alarm(1);
}

static void
notice(int sig)
{
	if (come == 0)
		come = sig;
	(void)alarm(1);
}

void
quit_catch(void)
{
	struct sigaction act = { .sa_handler = again }, old;

	(void)sigemptyset(&act.sa_mask);
	(void)sigaction(SIGALRM, &act, NULL);
	act.sa_handler = notice;
	act.sa_flags = (int)SA_RESETHAND; /* the second one kills */
	for (size_t i = 0; i < SIGNALS; i++) {
		if (sigaction(signals[i], NULL, &old) < 0 ||
		    old.sa_handler == SIG_IGN)
			continue;
		caught[i] = sigaction(signals[i], &act, NULL) == 0;
	}
}

bool
quit_wanted(void)
{
	return come != 0;
}

const volatile sig_atomic_t *
quit_flag(void)
{
	return &come;
}

void
quit_forget(void)
{
	(void)alarm(0);
	(void)signal(SIGALRM, SIG_DFL);
	for (size_t i = 0; i < SIGNALS; i++)
		if (caught[i])
			(void)signal(signals[i], SIG_DFL);
}

void
quit_finish(void)
{
	int sig = come;

	quit_forget();
	if (sig != 0)
		(void)raise(sig);
}
