/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a grub.cfg: it must come to an end, and every path to a file must be a string. */
#include "../../src/bootcfg/grubscript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bytes config;

static enum grub_answer read_config(void *context, const char *device, const char *path,
				    struct bytes *ret)
{
	(void)context;
	*ret = config;
	return strlen(device) + strlen(path) > 0 ? GRUB_YES : GRUB_NO;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct grub_host host = {.read = read_config};
	struct grub_prediction *prediction;

	config = bytes_make(data, size);
	if (grubscript_predict(&host, GRUB_DIALECT_SCRIPT, "hd0", "/g", NULL, &prediction, NULL) ==
	    0)
		grubscript_free(prediction);
	return 0;
}
