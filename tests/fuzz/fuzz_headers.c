/*
 * fuzz_headers.c - codec/headers against arbitrary runs.
 *
 * Property: what is accepted, taken apart and encoded again, is the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sblog_bytes run = { data, size }, name, value;
	uint8_t *again = malloc(size + 1);
	size_t len = 0;

	if (sb_headers_ok(run)) {
		while (sblog_headers_next(&run, &name, &value) == 0)
			if (sblog_headers_add(again, size, &len, name, value) <
			    0)
				__builtin_trap();
		if (len != size || (size > 0 && memcmp(again, data, size) != 0))
			__builtin_trap();
	}
	free(again);
	return 0;
}
