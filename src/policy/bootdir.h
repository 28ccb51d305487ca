/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootdir.h - /boot of the tree and our own directory in it: opened once, used by descriptor.
 *
 *	/boot/vmlinuz-<version>			the image that the loader reads
 *	/boot/pvkprep/packaged-<version>	the packaged image, kept
 *	/boot/pvkprep/<version>.json		the record (record.h)
 */
#ifndef PVK_BOOTDIR_H
#define PVK_BOOTDIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../system/lock.h"
#include "../system/root.h"

#define PVK_OWN_DIR	    "pvkprep"
#define PVK_IMAGE_PREFIX    "vmlinuz-"
#define PVK_PACKAGED_PREFIX "packaged-"

/* A /boot holds a handful of kernels; more than this is no /boot. */
#define PVK_MAX_KERNELS 256

struct bootdir {
	int fd;	    /* /boot, readable, so that it can be locked and fsync'ed */
	int own_fd; /* /boot/pvkprep, -1 while it does not exist */
	bool is_live;
	struct lock lock; /* with is_live */
};

#define BOOTDIR_INIT ((struct bootdir){.fd = -1, .own_fd = -1, .lock = LOCK_INIT})

/* Names of one kernel; all of them are plain file names. */
struct kernel {
	char version[NAME_MAX + 1];
	char file[NAME_MAX + 1];     /* vmlinuz-<version>, in /boot */
	char packaged[NAME_MAX + 1]; /* packaged-<version>, in /boot/pvkprep */
	char record[NAME_MAX + 1];   /* <version>.json, in /boot/pvkprep */
};

struct kernel_list {
	struct kernel *items; /* owned */
	size_t count;
};

/* Opens /boot, and /boot/pvkprep if it is there: a real directory of root or ourselves. */
int bootdir_open(const struct root *root, struct bootdir *ret, struct pvk_error *err);

/* Makes /boot/pvkprep (0755) if it is not there yet. */
int bootdir_make_own(struct bootdir *boot, struct pvk_error *err);

/*
 * Takes the lock, for which it waits up to `seconds` (lock.h), and removes what a killed run left
 * behind. For runs that write.
 */
int bootdir_lock(struct bootdir *boot, unsigned seconds, struct pvk_error *err);

void bootdir_close(struct bootdir *boot);

/*
 * The kernels of /boot, newest first: names vmlinuz-*, without those that every menu generator
 * passes over (*.dpkg-*, *.rpmnew, *.rpmsave, *.sig; grub-mkconfig_lib:grub_file_is_not_garbage).
 * Symbolic links are left out when they lead to a regular vmlinuz-* of /boot, and otherwise
 * listed, so that opening them says what is wrong. Free with kernel_list_done().
 */
int bootdir_list(const struct bootdir *boot, struct kernel_list *ret, struct pvk_error *err);
void kernel_list_done(struct kernel_list *list);

/* Adds a kernel by its version; kernel_list_sort() puts the newest first again. */
int kernel_list_add(struct kernel_list *list, const char *version, struct pvk_error *err);
void kernel_list_sort(struct kernel_list *list);

/* All names of the kernel of that version. */
int bootdir_name_kernel(const char *version, struct kernel *ret, struct pvk_error *err);

/* The kernel whose image has this path in the guest: "/boot/vmlinuz-<version>". */
bool bootdir_is_image_path(const char *path, struct kernel *ret);

/*
 * Room that the kernel's initrd is going to take: 0 when /boot/initrd.img-<version> is there,
 * else the size of the largest one of another kernel.
 */
uint64_t bootdir_expected_initrd(const struct bootdir *boot, const struct kernel *kernel);

/*
 * The kernel that an argument names: a version, "vmlinuz-<version>", or a path of the tree to an
 * image in /boot, also through symbolic links (/vmlinuz). Says what is wrong with anything else.
 */
int bootdir_resolve(const struct root *root, const struct bootdir *boot, const char *argument,
		    struct kernel *ret, struct pvk_error *err);

#define _cleanup_bootdir_     _cleanup_(bootdir_close)
#define _cleanup_kernel_list_ _cleanup_(kernel_list_done)

#endif
