/*
 * quit.h - signals that end a consumer: noticed, so that what was accepted can
 * be committed before the process dies of them.
 *
 * Unlike stop.h, which holds signals back: a consumer may sleep for long in a
 * full pipe or on a topic, and has to be woken.
 */
#ifndef CMD_QUIT_H
#define CMD_QUIT_H

#include <signal.h>
#include <stdbool.h>

/*
 * From now on SIGINT, SIGTERM and SIGHUP are noticed, unless they are ignored;
 * they interrupt system calls.  A second one kills at once.
 */
void quit_catch(void);

/* Has one come? */
bool quit_wanted(void);

/* Where that is written, for those who cannot call it: 0, or the signal. */
const volatile sig_atomic_t *quit_flag(void);

/* If one has come, die of it; else signals are as they were before. */
void quit_finish(void);

/* Signals in a child: as they were before quit_catch. */
void quit_forget(void);

#endif
