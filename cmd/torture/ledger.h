/*
 * ledger.h - what producers were promised, and whether a log keeps it.
 *
 * A record says who made it, its number and a hash of both.  The account of
 * its producer has lots: runs of numbers begun at one time, and what was said
 * about them.  A check walks once over the log and over the accounts.
 *
 * All of it lies in memory that processes share, outside of what is tested.
 * One process at a time writes an account; a check comes when nobody writes.
 */
#ifndef CMD_TORTURE_LEDGER_H
#define CMD_TORTURE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LEDGER_ACCOUNTS = 8,
	LEDGER_LOTS = 1 << 16,   /* in an account */
	LEDGER_RECORD_MAX = 320, /* bytes */
	LEDGER_TEXTS = 12,       /* violations that are kept in words */
	LEDGER_TEXT_SIZE = 240,
};

enum ledger_fault {
	LEDGER_LOST,      /* acknowledged, and not there */
	LEDGER_DUPLICATE, /* there twice */
	LEDGER_PHANTOM,   /* there, and nobody's, or refused */
	LEDGER_ORDER,     /* not in its producer's order, or at its offset */
	LEDGER_REALTIME,  /* before one that was acknowledged earlier */
	LEDGER_DENSE,     /* offsets leave some out or go back */
	LEDGER_TORN,      /* part of an atomic batch, or of a record */
	LEDGER_STALE,     /* a read does not see what was seen before */
	LEDGER_STUCK,     /* no progress */
	LEDGER_STATUS,    /* an exit status or signal that must not be */
	LEDGER_DAMAGE,    /* verify finds damage */
	LEDGER_FAULTS,
};

/* from <= durable <= acked <= open <= to */
struct ledger_lot {
	uint64_t from, to; /* numbers */
	uint64_t durable;  /* below: there */
	uint64_t acked;    /* below: there, unless the power failed */
	uint64_t open;     /* below: there or not; from here: not there */
	uint64_t placed;   /* below: offset is first + (number - from) */
	uint64_t first;
	uint64_t begun_ns, acked_ns;
	uint64_t seen; /* by the check */
	bool atomic;   /* all or nothing */
};

struct ledger_account {
	uint64_t tried; /* numbers below have been begun */
	uint64_t acked, lots;
	uint64_t cursor; /* the lot that the next acknowledgement is for */
	struct ledger_lot lot[LEDGER_LOTS];
};

struct ledger {
	uint64_t salt;         /* part of every hash */
	uint64_t acked_end;    /* behind the highest offset acknowledged */
	uint64_t durable_end;  /* the same, and durable */
	uint64_t seen_end;     /* behind the highest offset that was read */
	uint64_t durable_seen; /* the same by readers of what is durable */
	uint64_t faults[LEDGER_FAULTS];
	uint32_t texts;
	char text[LEDGER_TEXTS][LEDGER_TEXT_SIZE];
	struct ledger_account account[LEDGER_ACCOUNTS];
};

/* Shared memory, zeroed; NULL: none.  ledger_free gives it back. */
struct ledger *ledger_new(uint64_t salt);
void ledger_free(struct ledger *l);

/* Forget all accounts, not the faults: another topic begins. */
void ledger_reset(struct ledger *l, uint64_t salt);

const char *ledger_fault_name(enum ledger_fault f); /* "lost" */
uint64_t ledger_faults(const struct ledger *l);     /* all of them */

/* Something is wrong. */
void ledger_bad(struct ledger *l, enum ledger_fault f, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

uint64_t ledger_mix(uint64_t a, uint64_t b); /* for random numbers */
uint64_t ledger_now_ns(void);                /* monotonic */

/* The value of a record, without delimiter; its length. */
size_t ledger_make(const struct ledger *l, unsigned who, uint64_t number,
    char out[LEDGER_RECORD_MAX]);
/* The other way; false: it is none. */
bool ledger_parse(const struct ledger *l, const void *value, size_t len,
    unsigned *whop, uint64_t *numberp);

/* ---- while producers run ---- */

/* n records from ledger_account.tried on are about to be handed over.  false:
 * the account is full. */
bool ledger_begin(struct ledger *l, unsigned who, uint64_t n, bool atomic);
/* The next record of the account that was not acknowledged is at offset. */
void ledger_ack(struct ledger *l, unsigned who, uint64_t offset, bool durable);
/* Nothing is on its way any more.  What was not acknowledged is not there
 * (refused), or nobody knows; returns how many numbers that are. */
uint64_t ledger_settle(struct ledger *l, unsigned who, bool refused);

/* ---- reading ---- */

struct ledger_view {
	struct ledger *ledger;
	bool final;    /* all of the log, and nobody writes */
	bool cut;      /* the power failed: what is not durable may be gone */
	uint64_t next; /* offset that is due; SBLOG_NO_OFFSET: any */
	uint64_t count;
	uint64_t begun_ns; /* the latest beginning of what was seen */
	struct {
		uint64_t lot, next;
	} at[LEDGER_ACCOUNTS];
};

/* One record, in order. */
void ledger_see(struct ledger_view *v, uint64_t offset, const void *value,
    size_t len);

/* Final views: that was all.  Accounts then say what is known now, so that
 * producers may go on; numbers that are gone must not come back. */
void ledger_finish(struct ledger_view *v);

/* Any number of processes may raise such an end. */
void ledger_raise(uint64_t *endp, uint64_t end);
uint64_t ledger_load(const uint64_t *p);

#endif
