/*
 * place.c - files and directories below the working directory.
 */
#include "common/place.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/measure.h"

struct place
place_join(const char *left, const char *right)
{
	struct place p;
	int len = snprintf(p.path, sizeof(p.path), "%s%s", left, right);

	errno = 0;
	if (len < 0 || (size_t)len >= sizeof(p.path))
		measure_fail("path too long", right);
	return p;
}

struct place
place_at(const char *dir, const char *name)
{
	struct place p = place_join(dir, "/");

	return place_join(p.path, name);
}

bool
place_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Does the name end so? */
static bool
ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), tail = strlen(ending);

	return len >= tail && strcmp(name + len - tail, ending) == 0;
}

uint64_t
place_bytes_of(const char *path, const char *ending)
{
	struct place root = place_join(path, "");
	char *roots[] = { root.path, NULL };
	uint64_t bytes = 0;
	FTSENT *entry;
	FTS *walk;

	if ((walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL)) == NULL)
		measure_fail("cannot read", path);
	while ((entry = fts_read(walk)) != NULL)
		if (entry->fts_info == FTS_F &&
		    ends_with(entry->fts_name, ending))
			bytes += (uint64_t)entry->fts_statp->st_size;
	(void)fts_close(walk); /* nothing was changed */
	return bytes;
}

uint64_t
place_bytes(const char *path)
{
	return place_bytes_of(path, "");
}

void
place_remove(const char *path)
{
	struct place root = place_join(path, "");
	char *roots[] = { root.path, NULL };
	FTSENT *entry;
	FTS *walk;

	if (!place_exists(path))
		return;
	if ((walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL)) == NULL)
		measure_fail("cannot read", path);
	while ((entry = fts_read(walk)) != NULL) {
		if (entry->fts_info == FTS_D)
			continue;
		if (remove(entry->fts_accpath) < 0)
			measure_fail("cannot remove", entry->fts_path);
	}
	(void)fts_close(walk); /* nothing left to say */
}

void
place_fresh(const char *path)
{
	place_remove(path);
	if (mkdir(path, 0777) < 0)
		measure_fail("cannot make directory", path);
}
