/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.c - runs one fuzz target over the files named, without a fuzzer: every run of the tests
 * replays the corpus, so that neither targets nor old findings rot.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0;

	if (!file) {
		perror(path);
		exit(1);
	}
	for (;;) {
		uint8_t *grown = realloc(data, size + 65536);
		size_t n;

		if (!grown)
			abort();
		data = grown;
		n = fread(data + size, 1, 65536, file);
		size += n;
		if (n == 0)
			break;
	}
	(void)fclose(file);
	/* An exact copy, so that a sanitizer or valgrind sees a read behind its end. */
	data = size > 0 ? realloc(data, size) : data;
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	(void)printf("%d inputs replayed\n", argc - 1);
	return 0;
}
