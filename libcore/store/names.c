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
    uint64_t base)
{
	(void)snprintf(out, SB_FILE_NAME_SIZE, "%020" PRIu64 "%s", base,
	    suffix[kind]);
}

bool
sb_name_parse(const char *name, enum sb_name_kind *kindp, uint64_t *basep)
{
	if (strlen(name) != DIGITS + 4 || !sb_parse_u64(name, DIGITS, basep))
		return false;
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		if (strcmp(name + DIGITS, suffix[i]) == 0) {
			*kindp = (enum sb_name_kind)i;
			return true;
		}
	}
	return false;
}
