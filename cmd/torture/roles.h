/*
 * roles.h - what the processes of a torture do: append, read, follow, seal.
 */
#ifndef CMD_TORTURE_ROLES_H
#define CMD_TORTURE_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "torture/ledger.h"

enum {
	TORTURE_APPENDERS = 4,
	TORTURE_READERS = 1,
	TORTURE_FOLLOWERS = 1,
	TORTURE_SEALERS = 1,
	TORTURE_ROLES = TORTURE_APPENDERS + TORTURE_READERS +
	    TORTURE_FOLLOWERS + TORTURE_SEALERS,
	TORTURE_PATH = 1024,
};

/* In shared memory; what is counted is counted by all. */
struct torture {
	struct ledger *ledger;
	char bin[TORTURE_PATH]; /* where the commands are */
	char store[TORTURE_PATH];
	uint64_t stop; /* finish what is under way, begin nothing */
	uint64_t cut;  /* the power is off: failures are due */
	uint64_t full; /* no space is left: the test says nothing more */
	uint64_t appends, reads, follows, seals, verifies; /* processes */
	uint64_t busy;         /* of them, lock not obtained in time */
	uint64_t read_records; /* while others wrote */
	uint64_t kills, stops;
};

/* Be role 0 to TORTURE_ROLES - 1 until t->stop, in a process of its own. */
void torture_role(struct torture *t, unsigned role, uint64_t seed);

/*
 * One command to its end, undisturbed.  words: NULL-terminated, behind the
 * store.  Its exit status, -1 if it did not exit; said gets its first line on
 * standard error.
 */
int torture_run(struct torture *t, const char *command,
    const char *const *words, char *said, size_t size);

/* Nobody writes: read everything, hold it against the ledger; and verify.
 * cut: the power failed, and what is not durable may be gone. */
void torture_check(struct torture *t, bool cut, bool verify);

#endif
