/*
 * fuzz_lz.c - codec/lz against arbitrary blocks.
 *
 * Properties: nothing is written outside; what was packed unpacks to itself.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/lz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t raw, n, bound;
	uint8_t *out, *packed;
	void *state;

	if (size < 3 || size > 1 << 16)
		return 0;
	raw = (size_t)data[0] << 8 | data[1];
	out = malloc(raw + 1);
	(void)sb_lz_unpack(data + 2, size - 2, out, raw);
	(void)sb_lz_unpack_part(data + 2, size - 2, out, raw / 2, raw);
	free(out);

	bound = sb_lz_bound(size);
	packed = malloc(bound);
	out = malloc(size);
	state = malloc(sb_lz_state_size());
	n = sb_lz_pack(state, data, size, packed, bound);
	if (n == 0 || sb_lz_unpack(packed, n, out, size) < 0 ||
	    memcmp(out, data, size) != 0)
		__builtin_trap();
	free(state);
	free(packed);
	free(out);
	return 0;
}
