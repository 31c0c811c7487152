/*
 * names.c - the only place that spells the name of a file in a topic.
 */
#include "store/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

enum { DIGITS = 20 };

static const char *const suffix[] = {
	[SB_NAME_WAL] = ".wal",
	[SB_NAME_SEGMENT] = ".seg",
	[SB_NAME_INDEX] = ".idx",
	[SB_NAME_WINDEX] = ".wdx",
	[SB_NAME_KEYS] = ".kdx",
	[SB_NAME_KEYTAB] = ".ktb",
};

void
sb_name_format(char out[SB_FILE_NAME_SIZE], enum sb_name_kind kind,
    uint64_t base, uint32_t revision)
{
	if (revision == 0)
		(void)snprintf(out, SB_FILE_NAME_SIZE, "%020" PRIu64 "%s", base,
		    suffix[kind]);
	else
		(void)snprintf(out, SB_FILE_NAME_SIZE,
		    "%020" PRIu64 ".%" PRIu32 "%s", base, revision,
		    suffix[kind]);
}

/* ".N" with N from 1 on, as format writes it; or nothing. */
static bool
parse_revision(const char *at, size_t len, uint32_t *revisionp)
{
	uint64_t n = 0;

	*revisionp = 0;
	if (len == 0)
		return true;
	if (len < 2 || at[0] != '.' || at[1] == '0' ||
	    !sb_parse_u64(at + 1, len - 1, &n) || n > UINT32_MAX)
		return false;
	*revisionp = (uint32_t)n;
	return true;
}

bool
sb_name_parse(const char *name, enum sb_name_kind *kindp, uint64_t *basep,
    uint32_t *revisionp)
{
	size_t len = strlen(name);

	if (len < DIGITS + 4 || !sb_parse_u64(name, DIGITS, basep) ||
	    !parse_revision(name + DIGITS, len - DIGITS - 4, revisionp))
		return false;
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		if (strcmp(name + len - 4, suffix[i]) == 0) {
			*kindp = (enum sb_name_kind)i;
			return true;
		}
	}
	return false;
}
