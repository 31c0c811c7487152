/*
 * watch.c - hear that a file of a directory was closed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "sys/fault.h"
#include "sys/sys.h"

int
sb_sys_watch(int dirfd)
{
	char path[32];
	int fd, rc;

	if ((rc = sb_fault_point("watch", dirfd)) < 0)
		return rc;
	if ((fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
	if (inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_DELETE_SELF) < 0) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	return fd;
}

int
sb_sys_watched(int fd, uint64_t timeout_us)
{
	struct timespec t = {
		.tv_sec = (time_t)(timeout_us / 1000000),
		.tv_nsec = (long)(timeout_us % 1000000) * 1000,
	};
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char drain[4096];
	int rc;

	if ((rc = sb_fault_enter("watched", fd, timeout_us, NULL)) < 0)
		return rc;
	/* A negative descriptor is never ready: then it is only a pause. */
	if ((rc = ppoll(&p, 1, &t, NULL)) < 0)
		return -errno;
	if (rc == 0)
		return -ETIMEDOUT;
	/* What was closed does not matter, only that something was. */
	while (read(fd, drain, sizeof(drain)) > 0)
		continue;
	return 0;
}
