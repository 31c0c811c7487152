/*
 * gen.c - write the records of a benchmark to standard output.
 *
 *	gen [-n COUNT] [-s SEED] [w100 | w1k | w40]
 *
 * The same arguments give the same bytes on every machine.  w40 is
 * key, tab, value, newline: for "append -K '\t'".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/work.h"

enum { CHUNK = 1000 }; /* records a write */

/* Fill buf with up to CHUNK records of the kind; returns the bytes. */
static size_t
fill(struct work *w, const char *kind, uint64_t first, uint64_t count,
    char *buf)
{
	char *at = buf;

	for (uint64_t i = 0; i < count; i++) {
		if (strcmp(kind, "w1k") == 0) {
			work_1k(w, at);
			at += WORK_1K;
		} else if (strcmp(kind, "w40") == 0) {
			work_40(w, first + i, at, at + WORK_KEY + 1);
			at[WORK_KEY] = '\t';
			at += WORK_KEY + 1 + WORK_VALUE;
			*at++ = '\n';
		} else {
			work_line(w, at);
			at += WORK_LINE;
		}
	}
	return (size_t)(at - buf);
}

static int
usage(void)
{
	fputs("usage: gen [-n COUNT] [-s SEED] [w100|w1k|w40]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static char buf[CHUNK * WORK_1K];
	uint64_t count = 10000000, seed = 1;
	const char *kind = "w100";
	struct work w;
	int c;

	while ((c = getopt(argc, argv, "n:s:")) != -1) {
		if (c == 'n')
			count = strtoull(optarg, NULL, 10);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 10);
		else
			return usage();
	}
	if (optind < argc)
		kind = argv[optind++];
	if (optind < argc ||
	    (strcmp(kind, "w100") != 0 && strcmp(kind, "w1k") != 0 &&
		strcmp(kind, "w40") != 0))
		return usage();

	work_init(&w, seed);
	for (uint64_t i = 0; i < count; i += CHUNK) {
		uint64_t n = count - i < CHUNK ? count - i : CHUNK;
		size_t len = fill(&w, kind, i, n, buf);

		if (fwrite(buf, 1, len, stdout) != len)
			break;
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("gen: cannot write");
		return 1;
	}
	return 0;
}
