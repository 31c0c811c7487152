/*
 * ops.h - what a simulated process can do: one entry for each operation.
 *
 * Each does what the command of its name does, from opening the store to
 * closing it, and compares what it gets with world.h.
 */
#ifndef TESTS_MODEL_OPS_H
#define TESTS_MODEL_OPS_H

#include "common/world.h"

enum op_flag {
	OP_CHANGES = 1, /* the files */
	OP_REMOVES = 2, /* the topic: then less is promised */
	OP_CREATES = 4,
};

struct op {
	const char *name;
	void (*run)(void);
	unsigned flags;
};

extern const struct op ops[];
extern const size_t op_count;

/* A topic to begin with. */
struct start {
	const char *name;
	void (*make)(void);
};

extern const struct start starts[];
extern const size_t start_count;

/* Everything there must be, after everybody has come to an end; cut: the power
 * has failed before. */
void ops_final(void *arg);

#endif
