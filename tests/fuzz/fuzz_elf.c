/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an ELF kernel: libelf's walk, ours, and that the strict one is the stricter. */
#include <assert.h>

#include "../../src/formats/elfcheck.h"
#include "../../src/formats/loaders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes file = bytes_make(data, size);
	struct elfimage elf;
	const int checked = elfcheck_is_pv_kernel(file, NULL);

	if (elfimage_examine(file, &elf, NULL) == 0 && loaders_accept_elf(&elf, NULL) == 0)
		assert(checked == 0);
	return 0;
}
