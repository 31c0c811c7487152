/*
 * fault.c - make system calls fail, fall short or kill, for tests.
 */
#include "sys/fault.h"

#ifdef SB_FAULT

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sb_fault sb_fault = { .trace_fd = -1 };

static _Noreturn void
die(void)
{
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

/* SB_FAULT=N:ERRNO[:forever] | N:kill | N:tear:BYTES | N:short:BYTES */
__attribute__((constructor)) static void
from_environment(void)
{
	const char *text = getenv("SB_FAULT");
	char *rest;

	if (text == NULL)
		return;
	sb_fault.at = strtoull(text, &rest, 10);
	if (*rest++ != ':')
		return;
	if (strcmp(rest, "kill") == 0) {
		sb_fault.kind = SB_FAULT_KILL;
	} else if (strncmp(rest, "tear:", 5) == 0) {
		sb_fault.kind = SB_FAULT_TEAR;
		sb_fault.bytes = strtoull(rest + 5, NULL, 10);
	} else if (strncmp(rest, "short:", 6) == 0) {
		sb_fault.kind = SB_FAULT_SHORT;
		sb_fault.bytes = strtoull(rest + 6, NULL, 10);
		sb_fault.error = ENOSPC;
	} else {
		sb_fault.kind = SB_FAULT_ERROR;
		sb_fault.error = (int)strtol(rest, &rest, 10);
		sb_fault.forever = strcmp(rest, ":forever") == 0;
	}
}

/* 0: call; < 0: return it; 1: move only *lenp bytes. */
static int
verdict(const char *name, size_t *lenp)
{
	struct sb_fault *f = &sb_fault;

	if (f->only != NULL && strcmp(f->only, name) != 0)
		return 0;
	f->calls++;
	if (f->trace_fd >= 0 &&
	    (write(f->trace_fd, name, strlen(name)) < 0 ||
		write(f->trace_fd, "\n", 1) < 0))
		f->trace_fd = -1;
	if (f->kind == SB_FAULT_NONE ||
	    !(f->calls == f->at || (f->forever && f->calls > f->at)))
		return 0;
	f->last = name;
	switch (f->kind) {
	case SB_FAULT_NONE:
		break;
	case SB_FAULT_ERROR:
		return -f->error;
	case SB_FAULT_KILL:
		die();
	case SB_FAULT_SHORT:
	case SB_FAULT_TEAR:
		if (lenp == NULL)
			break;
		if (f->bytes < *lenp)
			*lenp = (size_t)f->bytes;
		return 1;
	}
	return 0;
}

int
sb_fault_enter(const char *name, int fd, uint64_t pos, size_t *lenp)
{
	size_t len = lenp ? *lenp : 0;
	int rc = verdict(name, lenp);
	const struct sb_fault_call call = {
		.name = name,
		.fd = fd,
		.pos = pos,
		.len = len,
		.verdict = rc < 0 ? rc : 0,
	};

	if (sb_fault.hook != NULL) {
		int other = sb_fault.hook(&call);

		rc = other < 0 ? other : rc;
	}
	return rc;
}

int
sb_fault_after(void)
{
	if (sb_fault.kind == SB_FAULT_TEAR)
		die();
	return -sb_fault.error;
}
#else
/* Nothing: an empty file is not C. */
typedef int sb_fault_unused;
#endif
