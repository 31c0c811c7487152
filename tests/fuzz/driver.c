/*
 * driver.c - replay inputs through a fuzz target without libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

int
main(int argc, char **argv)
{
	uint8_t *data = malloc(INPUT_MAX);

	if (argc < 2 || data == NULL) {
		fprintf(stderr, "usage: %s INPUT...\n", argv[0]);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (f == NULL) {
			perror(argv[i]);
			return 1;
		}
		n = fread(data, 1, INPUT_MAX, f);
		(void)fclose(f);
		(void)LLVMFuzzerTestOneInput(data, n);
	}
	free(data);
	return 0;
}
