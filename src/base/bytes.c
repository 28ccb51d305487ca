/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes.c - see bytes.h */
#include "bytes.h"

#include <assert.h>

bool bytes_string(struct bytes b, uint64_t off, char *buf, size_t size)
{
	struct bytes rest;
	size_t len;

	assert(size > 0);
	buf[0] = '\0';
	if (off >= b.size || !bytes_sub(b, off, b.size - off, &rest))
		return false;
	len = strnlen((const char *)rest.data, rest.size);
	memcpy(buf, rest.data, len < size ? len : size - 1);
	buf[len < size ? len : size - 1] = '\0';
	return len < rest.size;
}
