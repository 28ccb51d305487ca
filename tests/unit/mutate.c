/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mutate.c - see mutate.h */
#include "mutate.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"

static void die(const char *what)
{
	perror(what);
	abort();
}

void guarded_init(struct guarded *guarded, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t usable = (size + page - 1) / page * page;
	uint8_t *map = mmap(NULL, usable + page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		die("mmap");
	if (mprotect(map + usable, page, PROT_NONE) < 0)
		die("mprotect");
	*guarded = (struct guarded){
		.data = map + usable - size,
		.size = size,
		.map = map,
		.map_size = usable + page,
	};
}

void guarded_init_copy(struct guarded *guarded, struct bytes content)
{
	guarded_init(guarded, content.size);
	if (content.size > 0)
		memcpy(guarded->data, content.data, content.size);
}

void guarded_done(struct guarded *guarded)
{
	if (guarded->map)
		(void)munmap(guarded->map, guarded->map_size);
	*guarded = (struct guarded){0};
}

struct bytes guarded_tail(const struct guarded *guarded, size_t size)
{
	return bytes_make(guarded->data + guarded->size - size, size);
}

void mutate_each_prefix(struct bytes good, size_t step, size_t tail, MUTATE_CHECK, void *context)
{
	_cleanup_(guarded_done) struct guarded copy = {0};

	guarded_init(&copy, good.size);
	for (size_t length = 0; length < good.size; length++) {
		struct bytes mutant = guarded_tail(&copy, length);

		if (length % step != 0 && good.size - length > tail)
			continue;
		memcpy(copy.data + copy.size - length, good.data, length);
		check(mutant, length, context);
	}
}

void mutate_each_bit(struct bytes good, size_t off, size_t len, MUTATE_CHECK, void *context)
{
	_cleanup_(guarded_done) struct guarded copy = {0};

	guarded_init_copy(&copy, good);
	for (size_t bit = off * 8; bit < (off + len) * 8; bit++) {
		uint8_t mask = (uint8_t)(1u << bit % 8);

		copy.data[bit / 8] ^= mask;
		check(guarded_tail(&copy, copy.size), bit, context);
		copy.data[bit / 8] ^= mask;
	}
}
