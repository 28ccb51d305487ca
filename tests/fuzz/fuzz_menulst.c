/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a menu.lst, for GRUB 2, GRUB 0.97 and pygrub (and as a grub.cfg for pygrub). */
#include "../../src/bootcfg/grubscript.h"
#include "../../src/bootcfg/menulst.h"
#include "../../src/bootcfg/pygrub.h"

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
	if (grubscript_predict(&host, GRUB_DIALECT_LEGACY, "hd0", "/g", NULL, &prediction, NULL) ==
	    0)
		grubscript_free(prediction);
	if (menulst_predict(&host, "hd0", "/g", NULL, &prediction, NULL) == 0)
		grubscript_free(prediction);
	for (int grub2 = 0; grub2 < 2; grub2++) {
		struct pygrub_config *parsed;

		if (pygrub_parse(config, grub2, &parsed, NULL) == 0)
			pygrub_free(parsed);
	}
	return 0;
}
