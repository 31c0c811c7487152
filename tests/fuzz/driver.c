/*
 * driver.c - run a fuzz target on files, without libFuzzer: replays inputs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Exactly as many bytes as the file has, so that a sanitizer sees the end. */
static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	size_t len;

	if (f == NULL || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)fprintf(stderr, "cannot read %s\n", path);
		if (f != NULL)
			(void)fclose(f);
		return 1;
	}
	len = (size_t)st.st_size;
	data = malloc(len > 0 ? len : 1);
	if (data == NULL || fread(data, 1, len, f) != len) {
		(void)fprintf(stderr, "cannot read %s\n", path);
		(void)fclose(f);
		free(data);
		return 1;
	}
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 1;
	}
	for (int i = 1; i < argc; i++)
		if (replay(argv[i]) != 0)
			return 1;
	return 0;
}
