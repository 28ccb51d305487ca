/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any three texts, with NUL bytes between them, as kernel versions: they have one order. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/kver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int order(const char *a, const char *b)
{
	const int difference = kver_compare(a, b);

	return (difference > 0) - (difference < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = calloc(1, size + 3);
	const char *v[3];

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	v[0] = text;
	v[1] = v[0] + strlen(v[0]) + (v[0] + strlen(v[0]) < text + size);
	v[2] = v[1] + strlen(v[1]) + (v[1] + strlen(v[1]) < text + size);
	for (int i = 0; i < 3; i++) {
		const char *a = v[i], *b = v[(i + 1) % 3], *c = v[(i + 2) % 3];

		assert(kver_compare(a, a) == 0);
		assert(order(a, b) == -order(b, a));
		if (order(a, b) <= 0 && order(b, c) <= 0)
			assert(order(a, c) <= 0);
	}
	return 0;
}
