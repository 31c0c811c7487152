/*
 * fuzz_manifest.c - codec/manifest against arbitrary text.
 *
 * The hash line is repaired.  Property: what is accepted encodes back to the
 * same bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "codec/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HASH_LINE = 22 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sb_manifest m = SB_MANIFEST_INIT;
	struct sb_buf out = SB_BUF_INIT;
	uint8_t *text = malloc(size + HASH_LINE + 1);
	char line[HASH_LINE + 1];
	const char *why;
	uint64_t pos;

	if (size > 0)
		memcpy(text, data, size);
	(void)snprintf(line, sizeof(line), "hash %016llx\n",
	    (unsigned long long)XXH3_64bits(text, size));
	memcpy(text + size, line, HASH_LINE);
	if (sb_manifest_decode(&m, text, size + HASH_LINE, &why, &pos) == 0) {
		if (sb_manifest_encode(&m, &out) < 0 ||
		    out.len != size + HASH_LINE ||
		    memcmp(out.data, text, out.len) != 0)
			__builtin_trap();
		sb_manifest_release(&m);
	}
	if (sb_manifest_decode(&m, data, size, &why, &pos) == 0)
		sb_manifest_release(&m);
	sb_buf_release(&out);
	free(text);
	return 0;
}
