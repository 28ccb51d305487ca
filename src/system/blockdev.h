/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blockdev.h - what a block device of this machine is made of, and a little of what is on it: as
 * much as decides whether a boot loader's drivers see its files.
 *
 * Sources: Linux Documentation/ABI/testing/sysfs-block-dm (dm/uuid, which begins with the name of
 * whoever made the device), Documentation/admin-guide/md.rst (md/metadata_version, md/level),
 * Documentation/filesystems/ext4/super.rst (s_magic, s_feature_incompat),
 * fs/xfs/libxfs/xfs_format.h (sb_magicnum, sb_versionnum).
 */
#ifndef PVK_BLOCKDEV_H
#define PVK_BLOCKDEV_H

#include <stdint.h>

enum blockdev_kind {
	BLOCKDEV_PLAIN, /* a disk, a partition, or nothing that can be told from one */
	BLOCKDEV_LVM,
	BLOCKDEV_CRYPT,
	BLOCKDEV_RAID,	 /* md, whose members do not look like what is on it */
	BLOCKDEV_MIRROR, /* md, whose members do, or may: RAID1 with its metadata at the end */
};

/* By its name in /dev: "xvda1", "mapper/vg-root", "md0". Where sysfs does not tell, the name does.
 */
enum blockdev_kind blockdev_look(const char *name);

/* The ext2 family's s_feature_incompat; -errno; -ENODATA if there is no such file system. */
int blockdev_read_ext_features(const char *path, uint32_t *ret);

/* The version of an XFS: 4, or 5 with checksums; the same errors. */
int blockdev_read_xfs_version(const char *path, unsigned *ret);

#endif
