/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a guest's files (guest.h), and its boot entries are settled: a guest that boots
 * still does afterwards, and a second run writes nothing.
 */
#include <assert.h>

#include "../../src/policy/entries.h"
#include "guest.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool settle(const struct config *config)
{
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	_cleanup_entries_ struct entries entries = {0};
	const struct apply apply = {.root = tree_get(), .config = config, .boot = &boot};
	const struct entries_request request = {
		.apply = &apply,
		.guest = GUEST_PV,
		.want_diffs = true,
		.look_anyway = true,
	};

	assert(bootdir_open(tree_get(), &boot, NULL) == 0);
	assert(bootdir_make_own(&boot, NULL) == 0);
	(void)entries_settle(&request, &entries);
	return entries.wrote;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	enum boot_verdict before;
	bool wrote;

	tree_remove(GUEST_GRUB_CFG "~");
	tree_remove(GUEST_MENU_LST "~");
	guest_write(data, size, &config);
	before = guest_check(&config);
	wrote = settle(&config);
	if (before == VERDICT_BOOTS)
		assert(guest_check(&config) == VERDICT_BOOTS);
	if (wrote)
		assert(!settle(&config));
	return 0;
}
