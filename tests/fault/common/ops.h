/*
 * ops.h - operations to disturb, each in a process of its own, and what must
 * hold afterwards.
 */
#ifndef TESTS_OPS_H
#define TESTS_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/fault.h"

enum { OPS_CALLS_MAX = 4000, OPS_APPENDS = 4 };

struct op {
	const char *name;
	void (*prepare)(const char *dir); /* the topic it starts from */
	void (*run)(void);
	uint64_t before; /* records there */
	uint64_t each;   /* records of one append */
	bool writes;
};

extern const struct op ops[];
extern const unsigned op_count;

/* What the last child told before it ended. */
struct told {
	int rc[OPS_APPENDS]; /* of each append: 1 not tried */
	int open_rc, op_rc;  /* 0 or the code of the rest */
	uint64_t damages;
	uint64_t wrong; /* records read that are not those written */
	uint64_t calls, allocations;
	int leaked;                           /* descriptors */
	const char *names[OPS_CALLS_MAX + 1]; /* of system calls, from 1 */
	uint64_t lens[OPS_CALLS_MAX + 1];     /* of bytes to move */
};

extern struct told *told;

void ops_begin(void);

/* Make the topic that op starts from; ops_run works on a copy of it. */
void ops_prepare(const struct op *op);
void ops_reset(void);

/* Run op in a child under a fault; its wait status.  memory not 0: that
 * allocation fails; forever: all after it, too. */
int ops_run(const struct op *op, const struct sb_fault *fault, uint64_t memory,
    bool forever);

/*
 * Without faults: what was acknowledged is there, what was refused is not,
 * the operation works, verification is clean, and the next seal leaves no
 * temporary file.
 */
void ops_check(const struct op *op, const char *what);

/* ---- memory.c ---- */

/* malloc and the like fail at the at-th call from now; 0: never. */
void memory_arm(uint64_t at, bool forever);
uint64_t memory_count(void);

#endif
