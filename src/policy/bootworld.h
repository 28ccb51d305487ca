/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootworld.h - the guest's disks as the answer to what a boot configuration asks (struct
 * grub_host): files, searches, and whether the loader would take a kernel. Kernels are judged
 * once, however often a configuration is evaluated.
 */
#ifndef PVK_BOOTWORLD_H
#define PVK_BOOTWORLD_H

#include "../base/cleanup.h"
#include "../bootcfg/grubscript.h"
#include "../formats/initrd.h"
#include "bootmodel.h"
#include "bootplaces.h"
#include "guestfs.h"

#define BOOTWORLD_KERNELS_MAX 16

struct judged_kernel {
	char volume[GUESTFS_NAME_MAX];
	char path[PATH_MAX];
	bool is_readable; /* else `error` says why not */
	struct image image;
	struct loader_verdict loader;
	struct pvk_error error;
};

struct bootworld {
	const struct bootmodel_request *request;
	struct guestfs guest;
	bool is_ascending; /* pygrub and GRUB 0.97 go from the first partition to the last */
	struct judged_kernel *kernels[BOOTWORLD_KERNELS_MAX]; /* owned */
	size_t kernel_count;
	void **buffers; /* owned: file contents that an evaluation borrows */
	size_t buffer_count;
	bool read_others; /* see bootmodel.h: depends_on_others */
	struct grub_setting settings[4];
	char prefix[GUESTFS_NAME_MAX + 32];
	struct grub_host host;
};

int bootworld_open(const struct bootmodel_request *request, struct bootworld *ret,
		   struct pvk_error *err);
void bootworld_close(struct bootworld *world);

#define _cleanup_bootworld_ _cleanup_(bootworld_close)

/* The loader's `prefix`: where its own modules and grubenv are. */
void bootworld_set_prefix(struct bootworld *world, const char *device, const char *path);

/* guestfs_look() as the loader sees it: nothing is there in what it cannot read. */
enum guestfs_found bootworld_look(const struct bootworld *world,
				  const struct guestfs_volume *volume, const char *path,
				  struct stat *ret);

/* The first volume that has the path: GRUB_YES and *ret, GRUB_NO, or GRUB_UNKNOWN. */
enum grub_answer bootworld_find(const struct bootworld *world, const char *path,
				const struct guestfs_volume **ret);

/* The first volume that has any of the places. */
enum grub_answer bootworld_find_any(const struct bootworld *world, const struct boot_place *places,
				    const struct guestfs_volume **ret);

/* Reads and judges a kernel, or answers from memory. NULL only when memory runs out. */
const struct judged_kernel *bootworld_judge(struct bootworld *world,
					    const struct guestfs_volume *volume, const char *path);

/* Reads an initrd and looks into it, for a kernel version and what that starts (initrd_examine()).
 * Negative: it could not be read. */
int bootworld_examine_initrd(const struct bootworld *world, const struct guestfs_volume *volume,
			     const char *path, const char *kernel_version, const char *init,
			     struct initrd *ret, uint64_t *ret_size, struct pvk_error *err);

#endif
