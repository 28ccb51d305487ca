/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts.h - the guest's file systems, through libmount and libblkid: which device holds which
 * directory. On the running system from /proc/self/mountinfo, in another tree from its fstab.
 */
#ifndef PVK_MOUNTS_H
#define PVK_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "root.h"

/* A guest has one to three; a desktop with containers has dozens, of which few are on disks. */
#define PVK_MAX_FILESYSTEMS 64

struct filesystem {
	char mountpoint[PATH_MAX]; /* in the guest: "/", "/boot"; "" when it is not mounted */
	char wanted[256];	   /* of a tree: where fstab has it, which is not mounted there */
	char device[64];	   /* kernel name, "xvda1"; "" when not known */
	char disk[64];		   /* "xvda"; "" when not known */
	unsigned partition;	   /* 0: the whole disk (or not known, where disk is "") */
	char here[64]; /* of a tree: the device that is mounted there, on this machine */
	char type[32]; /* "ext4"; "" when not known */
	char uuid[64]; /* as GRUB and blkid print it; "" when not known */
	char label[128];
	char partuuid[64];  /* of its partition; "" when not known */
	char subtree[256];  /* "/@rootfs": only this part of it is mounted; "": all of it */
	bool is_part;	    /* of a tree: fstab mounts a subvolume of it */
	bool is_named_here; /* of a tree: disk is this machine's name for it, and not the guest's */
	bool is_blank; /* swap, or a part of something else (LVM, RAID, LUKS): no files in it */
};

struct filesystems {
	struct filesystem *items; /* owned; ordered by disk and partition */
	size_t count;
	char left_out[256]; /* of a tree: where fstab has what need not be there, and is not here:
			       "/mnt, /srv" */
	bool is_complete;   /* every file system that a loader could read is in the list */
};

/* By disk, in a loader's order, and partition; both must be known. */
int filesystem_compare(const struct filesystem *x, const struct filesystem *y);

/* Is it on a disk that Xen gives to the guest, and not on what the guest makes of some: LVM, RAID?
 */
bool filesystem_is_on_disk(const struct filesystem *fs);

/*
 * Lists them. A tree that is a plain directory holds all of what its fstab names; of one that is a
 * mounted disk only what is mounted in it can be read, and what the guest may do without
 * (nofail, noauto) and is not on this machine is left out. The one that holds "/" and, where it is
 * another, the one that holds /boot are always there. Needs root for UUIDs of mounted devices that
 * nobody cached; what is not known stays empty. Writes nothing.
 */
int mounts_list(const struct root *root, struct filesystems *ret, struct pvk_error *err);

/*
 * Its top directory, at which a loader's paths begin. -errno; -ENOENT when it is not mounted. What
 * is mounted by a part (btrfs, a subvolume) takes root and Linux 5.2; and so does *ret_is_bare:
 * nothing is mounted in it, what lies under the mount points is seen, as a loader sees it.
 */
int filesystem_open_top(const struct root *root, const struct filesystem *fs, bool *ret_is_bare);

/*
 * The top directory of what the kernel makes of a btrfs that is mounted already, with an option
 * that chooses a subvolume ("subvol" or "subvolid"), or without one (NULL). -errno; -ENOENT: it has
 * no such subvolume. Root and Linux 5.2.
 */
int filesystem_open_subvolume(const struct root *root, const struct filesystem *fs, const char *key,
			      const char *value);

void filesystems_done(struct filesystems *list);

/* Splits "/dev/xvda1", "xvda1", "nvme0n1p2", "vda" into disk and partition number. */
void mounts_split_device(const char *device, char disk[64], unsigned *ret_partition);

#define _cleanup_filesystems_ _cleanup_(filesystems_done)

#endif
