/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutate.h - damaged copies of a good input, the same ones in every run, each laid out so that a
 * read behind its last byte is a crash; and guarded memory for outputs.
 */
#ifndef PVK_TESTS_MUTATE_H
#define PVK_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#include "../../src/base/bytes.h"

/* `size` bytes whose end is the end of a page, with a page behind it that nobody may touch. */
struct guarded {
	uint8_t *data;
	size_t size;
	void *map;
	size_t map_size;
};

void guarded_init(struct guarded *guarded, size_t size);
void guarded_init_copy(struct guarded *guarded, struct bytes content);
void guarded_done(struct guarded *guarded);

/* The last `size` bytes of it: still against the forbidden page. */
struct bytes guarded_tail(const struct guarded *guarded, size_t size);

/* What a test does with a mutant. `where` is its length for a prefix, and offset * 8 + bit for a
 * flipped bit. The mutant is gone after the call. */
#define MUTATE_CHECK void (*check)(struct bytes mutant, size_t where, void *context)

/* Every proper prefix whose length is a multiple of `step`, and the `tail` longest ones. */
void mutate_each_prefix(struct bytes good, size_t step, size_t tail, MUTATE_CHECK, void *context);

/* Every single bit of good[off, off + len) flipped. */
void mutate_each_bit(struct bytes good, size_t off, size_t len, MUTATE_CHECK, void *context);

#endif
