/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as /etc/pvkprep.conf: taken, or refused with a sentence; what comes of it is sound in any case. */
#include <assert.h>

#include "../../src/policy/config.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pvk_error err = {0};
	struct config config, defaults;

	tree_write("etc/pvkprep.conf", data, size);
	config_init(&config);
	config_init(&defaults);
	if (config_load(tree_get(), NULL, &config, &err) < 0)
		assert(err.code != 0 && err.msg[0] != '\0');
	assert(config.convert != 0 && (config.convert & ~defaults.convert) == 0);
	assert(config_profile_name(config.profile) != NULL);
	assert(config_loader(&config) < LOADER_COUNT);
	return 0;
}
