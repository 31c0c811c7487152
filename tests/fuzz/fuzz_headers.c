/*
 * fuzz_headers.c - codec/headers: a run that is accepted, taken apart and put
 * together again, is the same run.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/headers.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sblog_bytes run = { data, size }, name, value;
	bool ok = sb_headers_ok(run);
	uint8_t *again;
	size_t len = 0;
	int rc;

	if (size > SBLOG_HEADERS_MAX)
		return 0;
	again = malloc(size > 0 ? size : 1);
	MUST(again != NULL);
	while ((rc = sblog_headers_next(&run, &name, &value)) == 0) {
		MUST(name.len > 0 && name.len <= UINT16_MAX);
		MUST(value.data != NULL || value.len == 0);
		MUST(sblog_headers_add(again, size, &len, name, value) == 0);
		MUST(len == size - run.len);
	}
	MUST(ok == (rc == SBLOG_END));
	MUST(ok || rc == SBLOG_EDAMAGE);
	MUST(len == 0 || memcmp(again, data, len) == 0);
	free(again);
	return 0;
}
