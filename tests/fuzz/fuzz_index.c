/*
 * fuzz_index.c - entries of a WAL index.
 *
 * Property: an accepted entry encodes back to the same bytes.
 */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"
#include "store/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t salt[SB_SALT_SIZE] = { 4 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t entry[SB_WINDEX_ENTRY_SIZE], again[SB_WINDEX_ENTRY_SIZE];
	struct sb_index_entry e;

	if (size < sizeof(entry))
		return 0;
	memcpy(entry, data, sizeof(entry));
	if (size % 2 == 0)
		sb_put_u64(entry + 24,
		    XXH3_64bits_withSeed(entry, 24,
			sb_seed(salt, SB_FILE_HEAD_SIZE, sb_get_u64(entry))));
	if (!sb_windex_decode(&e, 0, salt, entry))
		return 0;
	sb_windex_encode(&e, 0, salt, again);
	if (memcmp(again, entry, sizeof(entry)) != 0)
		__builtin_trap();
	return 0;
}
