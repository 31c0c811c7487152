/*
 * kills.c - the process is killed before every system call and inside every
 * write, at each 512 bytes; and recovery is killed, too.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "common/lab.h"
#include "common/ops.h"

enum { STEP = 512, DEPTHS = 4, DEPTH_STEP = 11 };

/* Killed at call i, and what comes next killed as well, at some call. */
static void
before_each(const struct op *op, uint64_t calls)
{
	char what[160];

	for (uint64_t i = 1; i <= calls; i++) {
		for (uint64_t depth = 0; depth < DEPTHS; depth++) {
			struct sb_fault f = { .kind = SB_FAULT_KILL, .at = i };
			struct told first;

			(void)snprintf(what, sizeof(what),
			    "%s, killed at call %llu, then at %llu", op->name,
			    (unsigned long long)i,
			    (unsigned long long)(depth * DEPTH_STEP));
			ops_reset();
			if (!WIFSIGNALED(ops_run(op, &f, 0, false)))
				lab_bad("%s: it lives", what);
			first = *told;
			f.at = depth * DEPTH_STEP + i % DEPTH_STEP;
			/* Seal, since it does everything. */
			if (depth > 0)
				(void)ops_run(&ops[8], &f, 0, false);
			*told = first;
			ops_check(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: killed before every system call",
	    op->name);
}

static void
inside_each(const struct op *op, const struct told *whole)
{
	char what[160];

	for (uint64_t i = 1; i <= whole->calls; i++) {
		for (uint64_t k = 0; k < whole->lens[i]; k += STEP) {
			const struct sb_fault f = {
				.kind = SB_FAULT_TEAR,
				.at = i,
				.bytes = k,
			};

			(void)snprintf(what, sizeof(what),
			    "%s, call %llu torn after %llu bytes", op->name,
			    (unsigned long long)i, (unsigned long long)k);
			ops_reset();
			if (WIFEXITED(ops_run(op, &f, 0, false)))
				break; /* a read */
			ops_check(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: killed inside every write", op->name);
}

int
main(void)
{
	static struct told whole;
	const struct sb_fault none = { .trace_fd = -1 };

	lab_begin();
	ops_begin();
	for (unsigned i = 0; i < op_count; i++) {
		if (!ops[i].writes)
			continue;
		ops_prepare(&ops[i]);
		ops_reset();
		(void)ops_run(&ops[i], &none, 0, false);
		whole = *told;
		before_each(&ops[i], whole.calls);
		inside_each(&ops[i], &whole);
	}
	return lab_done();
}
