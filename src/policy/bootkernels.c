/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootkernels.c - see bootworld.h: kernels and initrds, read and judged */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/infile.h"
#include "bootplaces.h"
#include "bootworld.h"
#include "jobs.h"

static int open_on_volume(const struct bootworld *world, const struct guestfs_volume *volume,
			  const char *path, struct infile *file, struct pvk_error *err)
{
	int fd = guestfs_open_file(&world->guest, volume, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return pvk_fail_errno(err, -fd, "cannot open");
	r = infile_take(fd, INFILE_ANY, file, err);
	return r < 0 ? r : infile_read(file, err);
}

/*
 * A GRUB that is not a PV loader (PVH, BIOS, EFI) starts the bzImage's own code, whatever its
 * payload, and refuses a bare ELF (measured: GRUB 2.06, i386-xen_pvh, i386-pc, x86_64-efi).
 */
static void judge_natively(const struct image *image, struct loader_verdict *ret)
{
	*ret = (struct loader_verdict){.outcome = LOADER_STARTS};
	if (image->container == IMAGE_BZIMAGE || image->container == IMAGE_HYBRID) {
		if (image->problem.code != 0) {
			ret->outcome = LOADER_CRASHES;
			(void)snprintf(ret->reason, sizeof(ret->reason), "%.190s",
				       image->problem.msg);
		}
		return;
	}
	ret->outcome = LOADER_REFUSES;
	(void)snprintf(ret->error, sizeof(ret->error), "invalid magic number");
	(void)snprintf(ret->reason, sizeof(ret->reason),
		       "outside PV, GRUB starts only a bzImage; this is %s",
		       image->container == IMAGE_ELF ? "a bare ELF" : "none");
}

static int examine(const struct bootmodel_request *request, struct bytes file,
		   struct judged_kernel *kernel)
{
	int r;

	if (!request->is_quick)
		return jobs_examine_for_judging(file, &kernel->image, request->watch,
						&kernel->error);
	r = jobs_identify(file, &kernel->image, &kernel->error);
	return r < 0 || image_needs_sink(&kernel->image)
		       ? r
		       : jobs_examine(file, NULL, 0, &kernel->image, request->watch,
				      &kernel->error);
}

static void judge(const struct bootworld *world, const struct guestfs_volume *volume,
		  struct judged_kernel *kernel)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	int r;

	r = open_on_volume(world, volume, kernel->path, &file, &kernel->error);
	if (r < 0)
		return;
	r = examine(world->request, file.bytes, kernel);
	if (r < 0 && !pvk_error_is_of_file(r))
		return;
	kernel->is_readable = true;
	if (bootplaces_is_native(world->request))
		judge_natively(&kernel->image, &kernel->loader);
	else
		loader_judge(config_loader(world->request->config), &kernel->image,
			     &kernel->loader);
}

const struct judged_kernel *bootworld_judge(struct bootworld *world,
					    const struct guestfs_volume *volume, const char *path)
{
	struct judged_kernel *kernel;

	for (size_t i = 0; i < world->kernel_count; i++)
		if (strcmp(world->kernels[i]->volume, volume->name) == 0 &&
		    strcmp(world->kernels[i]->path, path) == 0)
			return world->kernels[i];
	if (world->kernel_count == BOOTWORLD_KERNELS_MAX)
		return NULL;
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return NULL;
	(void)snprintf(kernel->volume, sizeof(kernel->volume), "%s", volume->name);
	(void)snprintf(kernel->path, sizeof(kernel->path), "%s", path);
	judge(world, volume, kernel);
	world->kernels[world->kernel_count++] = kernel;
	return kernel;
}

int bootworld_examine_initrd(const struct bootworld *world, const struct guestfs_volume *volume,
			     const char *path, const char *kernel_version, const char *init,
			     struct initrd *ret, uint64_t *ret_size, struct pvk_error *err)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	int r;

	r = open_on_volume(world, volume, path, &file, err);
	if (r < 0)
		return r;
	*ret_size = file.bytes.size;
	return jobs_examine_initrd(file.bytes, kernel_version, init, world->request->watch, ret,
				   err);
}
