/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checked.h - arithmetic on numbers that came from a file: true on success, false on overflow,
 * with *ret untouched then.
 */
#ifndef PVK_CHECKED_H
#define PVK_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

static inline bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

/* Does [off, off + len) lie within a file of `total` bytes? Safe for any values. */
static inline bool range_is_inside(uint64_t off, uint64_t len, uint64_t total)
{
	return off <= total && len <= total - off;
}

#endif
