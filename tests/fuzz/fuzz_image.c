/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a kernel file: the whole job that --inspect gives its worker, and the judgement. */
#include <assert.h>

#include "../../src/formats/elfcheck.h"
#include "../../src/formats/loaders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Enough for every seed; a decoder that needs more must say so. */
#define ROOM (4u << 20)

static uint8_t output[ROOM];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_sink sink = {.data = output, .capacity = ROOM, .memory_limit = 64u << 20};
	struct loader_verdict verdict;
	struct image image;
	struct bytes elf;

	if (image_identify(bytes_make(data, size), &image, NULL) == 0 &&
	    image_examine(bytes_make(data, size), &sink, &image, &elf, NULL) == 0 &&
	    loaders_accept_elf(&image.elf, NULL) == 0) {
		/* What the worker accepts, every loader starts, and root's own look accepts too. */
		assert(elfcheck_is_pv_kernel(elf, NULL) == 0);
	}
	for (enum loader_family family = 0; family < LOADER_COUNT; family++)
		loader_judge(family, &image, &verdict);
	return 0;
}
