/*
 * cold.c - files that are not in the page cache, and whether they are.
 */
#include "bench/cold.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/mem.h"
#include "bench/work.h"

enum { TRIES = 5 };

/* nftw() passes nothing on. */
static struct cold_state found;
static bool drop;

static void
count_pages(int fd, uint64_t size, const char *path)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t pages = (size + page - 1) / page;
	unsigned char *in = mem_new(pages, 1);
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED || mincore(map, size, in) != 0)
		work_fail("%s: cannot look at its pages: %s", path,
		    strerror(errno));
	(void)munmap(map, size);
	found.pages += pages;
	for (uint64_t i = 0; i < pages; i++)
		found.resident += in[i] & 1;
	free(in);
}

static int
each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	int fd;

	(void)at;
	if (kind != FTW_F || !S_ISREG(st->st_mode) || st->st_size == 0)
		return 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		work_fail("%s: %s", path, strerror(errno));
	if (drop && fdatasync(fd) != 0)
		work_fail("%s: cannot sync: %s", path, strerror(errno));
	if (drop)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	count_pages(fd, (uint64_t)st->st_size, path);
	(void)close(fd);
	return 0;
}

static struct cold_state
walk(const char *dir, bool dropping)
{
	found = (struct cold_state){ 0, 0 };
	drop = dropping;
	if (nftw(dir, each, 16, FTW_PHYS) != 0)
		work_fail("%s: %s", dir, strerror(errno));
	return found;
}

struct cold_state
cold_look(const char *dir)
{
	return walk(dir, false);
}

/* Pages that are being written back stay: then it is tried again. */
struct cold_state
cold_drop(const char *dir)
{
	struct cold_state s = walk(dir, true);

	for (int i = 1; i < TRIES && s.resident > 0; i++)
		s = walk(dir, true);
	return s;
}
