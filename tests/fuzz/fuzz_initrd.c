/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_initrd.c - any bytes as an initrd, with a scratch of 4 MiB */
#include <stdlib.h>

#include "../../src/formats/initrd.h"

#define MEMORY_LIMIT (UINT64_C(16) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void examine(const uint8_t *data, size_t size, const char *init)
{
	static uint8_t room[4u << 20];
	struct decode_sink scratch = {
		.data = room, .capacity = sizeof(room), .memory_limit = MEMORY_LIMIT};
	struct initrd initrd;
	struct pvk_error err = {0};

	if (initrd_examine(bytes_make(data, size), "6.1.0", init, &scratch, &initrd, &err) < 0) {
		if (err.code == 0)
			abort();
		return;
	}
	if (initrd.is_complete != (initrd.problem.code == 0))
		abort();
	if (initrd.is_complete && initrd.segments == 0)
		abort();
	if (initrd.plain_size > size + sizeof(room))
		abort();
	if (initrd.has_init && initrd.may_have_init)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	examine(data, size, NULL);
	examine(data, size, "/sbin/init");
	return 0;
}
