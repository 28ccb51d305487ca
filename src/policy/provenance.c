/* SPDX-License-Identifier: GPL-2.0-or-later */
/* provenance.c - see provenance.h */
#include "provenance.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/cleanup.h"
#include "../system/infile.h"
#include "jobs.h"

struct shared {
	void *data;
	size_t size;
};

static void unmap_shared(struct shared *shared)
{
	if (shared->data)
		(void)munmap(shared->data, shared->size);
}

/* Shared with the worker, which fills it, and with nobody else. */
static bool map_shared(size_t size, struct shared *ret)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return false;
	*ret = (struct shared){.data = map, .size = size};
	return true;
}

static bool decodes_to(struct bytes kept, struct image *image, struct bytes elf,
		       const struct worker_watch *watch)
{
	_cleanup_(unmap_shared) struct shared shared = {0};

	/* The declared size differs: no need to decode. */
	if (jobs_identify(kept, image, NULL) < 0 || !image_needs_sink(image) ||
	    (image->image_size != 0 && image->image_size != elf.size) ||
	    image->image_size_max < elf.size || !map_shared((size_t)image->image_size_max, &shared))
		return false;
	return jobs_examine(kept, shared.data, shared.size, image, watch, NULL) == 0 &&
	       image->image_size == elf.size && memcmp(shared.data, elf.data, elf.size) == 0;
}

bool provenance_find(const struct bootdir *boot, const struct kernel *kernel, struct bytes elf,
		     const struct worker_watch *watch, struct record *ret)
{
	_cleanup_infile_ struct infile kept = INFILE_INIT;
	struct image image;

	if (boot->own_fd < 0 || elf.size == 0 ||
	    infile_open(boot->own_fd, kernel->packaged, INFILE_TRUSTED, &kept, NULL) < 0 ||
	    infile_read(&kept, NULL) < 0 || !decodes_to(kept.bytes, &image, elf, watch))
		return false;
	(void)snprintf(ret->container, sizeof(ret->container), "%s", image_container_name(&image));
	(void)snprintf(ret->payload, sizeof(ret->payload), "%s", image_payload_name(&image));
	ret->source_size = kept.bytes.size;
	ret->source_digest = digest_fast(kept.bytes);
	return true;
}
