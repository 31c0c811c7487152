/*
 * stop.h - signals that end a command: held back while a batch is under way,
 * let through while there is nothing to lose.
 *
 * No handlers: what is let through kills the process as it would anyway.
 */
#ifndef CMD_STOP_H
#define CMD_STOP_H

#include <signal.h>
#include <stdbool.h>

/* Hold back SIGINT, SIGTERM and SIGHUP from now on. */
void stop_hold(void);

/* Has one of them come meanwhile? */
bool stop_wanted(void);

/* Let them through: does not return if one has come. */
void stop_release(void);

/* Signals as they were before stop_hold, for ppoll; NULL: not held. */
const sigset_t *stop_mask(void);

#endif
