/*
 * syscalls.c - every system call of every operation fails, once and from then
 * on, with errors that fit it; writes fall short; memory runs out.
 *
 * Whatever happens, the code that is returned must be one that the header
 * allows, no descriptor may stay open, and without faults everything works
 * again: see ops_check.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/lab.h"
#include "common/ops.h"

enum { ERRORS_MAX = 6 };

static const struct {
	const char *name;
	int errors[ERRORS_MAX]; /* up to the first 0 */
} fitting[] = {
	{ "close", { EIO, ENOSPC } },
	{ "fdatasync", { EIO, ENOSPC, EDQUOT } },
	{ "flock", { ENOLCK, EIO } },
	{ "fstat", { EIO, ENOMEM } },
	{ "fstatat", { EIO, EACCES } },
	{ "fstatfs", { EIO } },
	{ "fsync", { EIO, ENOSPC, EDQUOT } },
	{ "ftruncate", { EIO, EROFS } },
	{ "futex", { ENOSYS, EINTR } },
	{ "getrandom", { EAGAIN, ENOSYS } },
	{ "list", { EMFILE, EIO } },
	{ "mkdir", { ENOSPC, EACCES, EROFS } },
	{ "mmap", { ENOMEM, EACCES } },
	{ "open", { EMFILE, ENFILE, EACCES, EROFS, ENOSPC, EIO } },
	{ "opendir", { EMFILE, EACCES, ENOMEM } },
	{ "pread", { EIO, ESTALE } },
	{ "pwrite", { EIO, ENOSPC, EDQUOT, EFBIG } },
	{ "rename", { EIO, ENOSPC, EACCES, EROFS } },
	{ "renameat2", { EIO, ENOSPC, EACCES, ENOSYS, EINVAL } },
	{ "rmdir", { EACCES } },
	{ "spawn", { EAGAIN } },
	{ "unlink", { EACCES, EROFS, EIO } },
};

/* The code is one that this failure may have. */
static bool
allowed(int rc)
{
	return rc >= 0 || rc == SBLOG_EIO || rc == SBLOG_ENOMEM ||
	    rc == SBLOG_EBUSY || rc == SBLOG_EUNKNOWN;
}

static void
check_told(const struct op *op, int status, const char *what)
{
	bool legal = allowed(told->open_rc) && allowed(told->op_rc);

	if (!WIFEXITED(status)) {
		lab_bad("%s: died of signal %d", what, WTERMSIG(status));
		return;
	}
	for (int i = 0; i < OPS_APPENDS; i++)
		legal = legal && allowed(told->rc[i]);
	if (!legal)
		lab_bad("%s: open returned %d, appends %d %d %d %d, the rest "
			"%d",
		    what, told->open_rc, told->rc[0], told->rc[1], told->rc[2],
		    told->rc[3], told->op_rc);
	if (!op->writes &&
	    (told->open_rc == SBLOG_EUNKNOWN || told->op_rc == SBLOG_EUNKNOWN))
		lab_bad("%s: unknown outcome of what changes nothing", what);
	if (told->damages > 0)
		lab_bad("%s: called it damage", what);
	if (told->wrong > 0)
		lab_bad("%s: wrong records", what);
	if (told->leaked != 0)
		lab_bad("%s: %d descriptors stay open", what, told->leaked);
}

static void
one(const struct op *op, const struct sb_fault *f, const char *how,
    const char *name)
{
	char what[200];
	int status;

	(void)snprintf(what, sizeof(what), "%s, call %llu (%s): %s%s", op->name,
	    (unsigned long long)f->at, name, how,
	    f->forever ? " for ever" : "");
	ops_reset();
	status = ops_run(op, f, 0, false);
	check_told(op, status, what);
	ops_check(op, what);
}

static void
each_error(const struct op *op, uint64_t i, const char *name)
{
	struct sb_fault f = { .kind = SB_FAULT_ERROR, .at = i };
	bool known = false;

	for (size_t k = 0; k < sizeof(fitting) / sizeof(fitting[0]); k++) {
		if (strcmp(fitting[k].name, name) != 0)
			continue;
		known = true;
		for (int e = 0; e < ERRORS_MAX && fitting[k].errors[e]; e++) {
			f.error = fitting[k].errors[e];
			f.forever = 0;
			one(op, &f, strerror(f.error), name);
			f.forever = 1;
			one(op, &f, strerror(f.error), name);
		}
	}
	/* Hints and the like: they cannot fail, only not be done. */
	f.error = EINVAL;
	f.forever = 0;
	if (!known)
		one(op, &f, "is not done", name);
}

/* A write that moves only some bytes before it fails. */
static void
each_length(const struct op *op, uint64_t i, uint64_t len)
{
	const uint64_t lens[] = { 1, 127, 128, len / 2, len - 1 };
	char how[64];

	for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
		struct sb_fault f = {
			.kind = SB_FAULT_SHORT,
			.at = i,
			.error = ENOSPC,
			.bytes = lens[k],
		};

		if (lens[k] >= len)
			continue;
		(void)snprintf(how, sizeof(how), "full after %llu bytes",
		    (unsigned long long)lens[k]);
		one(op, &f, how, "pwrite");
	}
}

static void
each_allocation(const struct op *op, uint64_t n)
{
	const struct sb_fault none = { .trace_fd = -1 };
	char what[160];

	for (uint64_t i = 1; i <= n; i++) {
		for (int forever = 0; forever < 2; forever++) {
			int status;

			(void)snprintf(what, sizeof(what),
			    "%s, allocation %llu fails%s", op->name,
			    (unsigned long long)i, forever ? " for ever" : "");
			ops_reset();
			status = ops_run(op, &none, i, forever);
			check_told(op, status, what);
			ops_check(op, what);
		}
	}
	lab_ok(lab_violations == 0, "%s: every allocation fails", op->name);
}

int
main(void)
{
	static struct told whole;
	const struct sb_fault none = { .trace_fd = -1 };

	lab_begin();
	ops_begin();
	for (unsigned k = 0; k < op_count; k++) {
		const struct op *op = &ops[k];

		ops_prepare(op);
		ops_reset();
		check_told(op, ops_run(op, &none, 0, false), op->name);
		whole = *told;
		for (uint64_t i = 1; i <= whole.calls; i++) {
			each_error(op, i, whole.names[i]);
			if (strcmp(whole.names[i], "pwrite") == 0)
				each_length(op, i, whole.lens[i]);
		}
		lab_ok(lab_violations == 0, "%s: every system call fails",
		    op->name);
		each_allocation(op, whole.allocations);
	}
	return lab_done();
}
