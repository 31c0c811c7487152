/*
 * load.c - a whole file in memory.
 */
#include "bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gotext.h"
#include "bench/mem.h"

char *
load_file(const char *path, size_t *lenp, char why[BENCH_WHY_SIZE])
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	size_t len = 0, size = 64 << 10, n;
	char *text;
	int error;

	if (f == NULL) {
		(void)snprintf(why, BENCH_WHY_SIZE, "%s", strerror(errno));
		return NULL;
	}
	text = mem_new(size + 1, 1);
	while ((n = fread(text + len, 1, size - len, f)) > 0) {
		len += n;
		if (len == size) {
			text = mem_double(text, size);
			size *= 2;
		}
	}
	error = ferror(f) ? errno : 0;
	if (f != stdin)
		fclose(f);
	if (error != 0) {
		(void)snprintf(why, BENCH_WHY_SIZE, "%s", strerror(error));
		free(text);
		return NULL;
	}
	text[len] = '\0';
	*lenp = len;
	return text;
}

struct bench_result *
load_result(const char *path, char why[BENCH_WHY_SIZE])
{
	struct bench_result *r;
	size_t len;
	char *text = load_file(path, &len, why);

	if (text == NULL)
		return NULL;
	r = gotext_is(text) ? gotext_parse(text, why)
			    : bench_result_parse(text, len, why);
	free(text);
	return r;
}
