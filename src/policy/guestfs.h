/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guestfs.h - the guest's file systems as a boot loader sees them: device names of GRUB's, paths
 * that begin at the top of a file system, symbolic links that stay inside it.
 */
#ifndef PVK_GUESTFS_H
#define PVK_GUESTFS_H

#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../system/mounts.h"

/* GRUB's names for the places that have none of their own here (a tree without device names). */
#define GUESTFS_NAME_MAX 96

/* What a loader sees of it (bootsight.h). */
enum guestfs_sight {
	GUESTFS_SEEN,	 /* its files */
	GUESTFS_UNSEEN,	 /* nothing: it has no driver for it */
	GUESTFS_DOUBTED, /* not known */
};

struct guestfs_volume {
	const struct filesystem *fs; /* borrowed from guestfs.list */
	struct root top;	     /* the file system's top directory; fd -1: cannot be read */
	bool is_bare;		     /* nothing is mounted in that */
	char name[GUESTFS_NAME_MAX]; /* "xen/xvda,1", "lvm/vg-root"; "guest/boot" where the device
					is unknown */
	enum guestfs_sight sight; /* bootsight_look() sets it; the functions here see everything */
	char obstacle[96];	  /* why it is not seen: "btrfs", "a logical volume" */
};

struct guestfs {
	struct filesystems list;
	struct guestfs_volume *volumes; /* owned; of each item of the list, in its order */
	size_t count;
	bool is_complete;   /* no file system that a loader might read is hidden from us */
	bool is_zero_based; /* device names count partitions from 0, as GRUB 0.97 does */
};

enum guestfs_found {
	GUESTFS_FOUND,
	GUESTFS_ABSENT,	 /* the volume, or the file on it, is not there */
	GUESTFS_UNKNOWN, /* cannot be told: device names or the volume itself are not known */
};

int guestfs_open(const struct root *root, struct guestfs *ret, struct pvk_error *err);
void guestfs_close(struct guestfs *guest);

#define _cleanup_guestfs_ _cleanup_(guestfs_close)

/*
 * The volume for a device name as a configuration writes it: "xen/xvda,msdos1", "hd0,1", "hd0",
 * "lvm/vg-root". UNKNOWN too for what GRUB makes of other devices by itself ("lvmid/...", "md/0").
 */
enum guestfs_found guestfs_find_volume(const struct guestfs *guest, const char *device,
				       const struct guestfs_volume **ret);

/* Is it known what GRUB calls its disk? Of a mounted tree with only one disk: hd0, whatever else
 * its name is. */
bool guestfs_has_name(const struct guestfs *guest, const struct guestfs_volume *volume);

/* The volume's name as GRUB 0.97 has it: "hd0,0"; it has none for what is no disk ("lvm/vg-root").
 */
void guestfs_legacy_name(const struct guestfs *guest, const struct guestfs_volume *volume,
			 char *buf, size_t size);

/*
 * Opens a path of a volume; the descriptor is the caller's. -errno where there is none. Behind
 * another file system's mount point is what lies under that (a loader sees nothing else); where it
 * cannot be looked at it is taken to be nothing, also when a symbolic link leads to it.
 */
int guestfs_open_file(const struct guestfs *guest, const struct guestfs_volume *volume,
		      const char *path, int flags);

/* What is at a path of a volume? FOUND with *ret, which may be NULL. */
enum guestfs_found guestfs_look(const struct guestfs *guest, const struct guestfs_volume *volume,
				const char *path, struct stat *ret);

/*
 * The names in a directory of a volume, "." and ".." among them, in no order that means anything;
 * *ret_names is one allocation, the caller's. -errno; -EFBIG where there are too many.
 */
int guestfs_list(const struct guestfs *guest, const struct guestfs_volume *volume, const char *path,
		 char ***ret_names, size_t *ret_count);

/* Where a path of a volume is in the guest: mount point and path, links followed if possible;
 * "(xen/xvda1)/path" where the guest does not see it. */
void guestfs_guest_path(const struct guestfs *guest, const struct guestfs_volume *volume,
			const char *path, char *buf, size_t size);

#endif
