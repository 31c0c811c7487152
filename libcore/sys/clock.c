/*
 * clock.c - time, random bytes, and what this machine and boot are.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "sys/fault.h"
#include "sys/sys.h"

static uint64_t
now_us(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int64_t
sb_sys_time_us(void)
{
	return (int64_t)now_us(CLOCK_REALTIME);
}

uint64_t
sb_sys_monotonic_us(void)
{
#ifdef SB_FAULT
	return now_us(CLOCK_MONOTONIC) + sb_fault.ahead;
#else
	return now_us(CLOCK_MONOTONIC);
#endif
}

void
sb_sys_sleep(uint64_t us)
{
	const struct timespec t = {
		.tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000,
	};

	/* Interrupted is slept enough. */
	if (sb_fault_enter("sleep", -1, us, NULL) == 0)
		(void)nanosleep(&t, NULL);
}

int
sb_sys_random(void *buf, size_t len)
{
	int rc;
	char *at = buf;

	if ((rc = sb_fault_point("getrandom", -1)) < 0)
		return rc;
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
sb_sys_boot_id(uint8_t id[static 16])
{
	char text[64];
	ssize_t n = -1;
	size_t got = 0;
	int fd;

	memset(id, 0, 16);
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text));
		(void)close(fd);
	}
	for (ssize_t i = 0; i < n && got < 32; i++) {
		int d = digit(text[i]);

		if (d < 0)
			continue;
		id[got / 2] = (uint8_t)(id[got / 2] << 4 | d);
		got++;
	}
#ifdef SB_FAULT
	for (size_t i = 0; i < 8; i++)
		id[i] ^= (uint8_t)(sb_fault.boot >> 8 * i);
#endif
}

unsigned
sb_sys_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}
