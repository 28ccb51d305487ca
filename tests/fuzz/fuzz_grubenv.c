/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an environment block; the signature is put before them. */
#include "../../src/base/errors.h"
#include "../../src/bootcfg/grubenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char signature[] = "# GRUB Environment Block\n";
	size_t len = sizeof(signature) - 1;
	uint8_t *block = malloc(len + size);
	struct grubenv_reader reader;
	struct grubenv_pair pair;

	if (!block)
		return 0;
	memcpy(block, signature, len);
	if (size > 0)
		memcpy(block + len, data, size);
	if (grubenv_open(&reader, bytes_make(block, len + size))) {
		while (grubenv_next(&reader, &pair)) {
			char *value = malloc(pair.value.size + 1);

			if (value)
				grubenv_unescape(pair.value, value);
			free(value);
		}
	}
	free(block);
	return 0;
}
