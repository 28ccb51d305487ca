/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a guest's files (guest.h), through all of --check. */
#include "guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;

	guest_write(data, size, &config);
	(void)guest_check(&config);
	return 0;
}
