/*
 * fuzz_manifest.c - codec/manifest: a manifest that is accepted encodes to the
 * same bytes, and its files follow each other.
 *
 * Input: a byte, odd where the hash line is to be made right; then the text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/manifest.h"
#include "fuzz.h"

enum { HASH_LINE = 5 + 16 + 1 };

static void
repair(char *text, size_t len)
{
	struct sb_cpu cpu = { 0 };
	char line[HASH_LINE + 1];

	if (len < HASH_LINE)
		return;
	(void)snprintf(line, sizeof(line), "hash %016" PRIx64 "\n",
	    sb_hash64(&cpu, text, len - HASH_LINE, 0));
	memcpy(text + len - HASH_LINE, line, HASH_LINE);
}

static void
check(struct sb_manifest *m, const char *text, size_t len)
{
	struct sb_manifest copy = SB_MANIFEST_INIT;
	struct sb_buf out = SB_BUF_INIT;

	for (size_t i = 1; i < m->file_count; i++)
		MUST(m->files[i].base == m->files[i - 1].next);
	MUST(sb_manifest_copy(&copy, m) == 0);
	MUST(sb_manifest_encode(&copy, &out) == 0);
	MUST(out.len == len && memcmp(out.data, text, len) == 0);
	sb_buf_release(&out);
	sb_manifest_release(&copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sb_manifest m = SB_MANIFEST_INIT;
	const char *why;
	uint64_t pos;
	size_t len;
	char *text;

	if (size < 2)
		return 0;
	len = size - 1;
	if ((text = malloc(len)) == NULL)
		return 0;
	memcpy(text, data + 1, len);
	if (data[0] & 1)
		repair(text, len);
	if (sb_manifest_decode(&m, (const uint8_t *)text, len, &why, &pos) == 0)
		check(&m, text, len);
	else
		MUST(why != NULL && pos <= len);
	sb_manifest_release(&m);
	free(text);
	return 0;
}
