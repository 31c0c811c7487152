/*
 * lock.c - flock with a time-out.
 *
 * The kernel lets go when the last descriptor of the open file goes, whatever
 * its owner died of; so descriptors are close-on-exec, and a lock is never
 * broken by time or process number.
 */
#include <errno.h>
#include <sys/file.h>

#include "sys/fault.h"
#include "sys/sys.h"

enum { FIRST_PAUSE_US = 50, LAST_PAUSE_US = 2000 };

int
sb_sys_lock(int fd, uint32_t timeout_ms)
{
	int rc;
	uint64_t pause = FIRST_PAUSE_US, begun = 0;

	if ((rc = sb_fault_point("flock", fd)) < 0)
		return rc;
	for (;;) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (begun == 0)
			begun = sb_sys_monotonic_us();
		if (sb_sys_monotonic_us() - begun >=
		    (uint64_t)timeout_ms * 1000)
			return -EWOULDBLOCK;
		sb_sys_sleep(pause);
		pause = pause < LAST_PAUSE_US ? pause * 2 : LAST_PAUSE_US;
	}
}

void
sb_sys_unlock(int fd)
{
	/* Fails only for a descriptor that is not one. */
	(void)sb_fault_point("unlock", fd);
	(void)flock(fd, LOCK_UN);
}
