/*
 * map.c - shared mappings of files, and sleeping on a word of one.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sys/fault.h"
#include "sys/sys.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { FUTEX_WAIT_OP = 0, FUTEX_WAKE_OP = 1 };

int
sb_sys_map(int fd, uint64_t len, bool write, void **mapp)
{
	return sb_sys_map_at(fd, 0, len, write, mapp);
}

int
sb_sys_map_at(int fd, uint64_t pos, uint64_t len, bool write, void **mapp)
{
	int rc;
	void *map;

	if ((rc = sb_fault_point("mmap", fd)) < 0)
		return rc;
	map = mmap(NULL, (size_t)len, PROT_READ | (write ? PROT_WRITE : 0),
	    MAP_SHARED, fd, (off_t)pos);
	if (map == MAP_FAILED)
		return -errno;
	*mapp = map;
	return 0;
}

void
sb_sys_unmap(void *map, uint64_t len)
{
	(void)munmap(map, (size_t)len);
}

void
sb_sys_populate(void *map, uint64_t len)
{
	if (sb_fault_point("populate", -1) == 0)
		(void)madvise(map, (size_t)len, MADV_POPULATE_READ);
}

void
sb_sys_populate_write(void *map, uint64_t len)
{
	if (sb_fault_point("populate", -1) == 0)
		(void)madvise(map, (size_t)len, MADV_POPULATE_WRITE);
}

void
sb_sys_release(void *map, uint64_t len)
{
	if (sb_fault_point("release", -1) == 0)
		(void)madvise(map, (size_t)len, MADV_DONTNEED);
}

int
sb_sys_wait(const uint32_t *word, uint32_t seen, uint64_t timeout_us)
{
	struct timespec t = {
		.tv_sec = (time_t)(timeout_us / 1000000),
		.tv_nsec = (long)(timeout_us % 1000000) * 1000,
	};

	int rc;

	if ((rc = sb_fault_enter("futex", -1, timeout_us, NULL)) < 0)
		return rc;
	if (syscall(SYS_futex, word, FUTEX_WAIT_OP, seen, &t, NULL, 0) < 0)
		return -errno;
	return 0;
}

void
sb_sys_wake(uint32_t *word)
{
	(void)sb_fault_point("wake", -1);
	(void)syscall(SYS_futex, word, FUTEX_WAKE_OP, 0x7fffffff, NULL, NULL,
	    0);
}
