/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootsight.h - which of the guest's file systems the profile's loader can read at all.
 *
 * Sources: GRUB grub-core/fs, and in ext2.c EXT2_DRIVER_SUPPORTED_INCOMPAT and
 * EXT2_DRIVER_IGNORED_INCOMPAT (the same set but for two that are let pass since 2.06 and 2.12;
 * grub-fstest 2.06 says "unknown filesystem" of ext4 with inline_data, casefold or ea_inode);
 * pygrub: Xen tools/libfsimage, whose xfs is version 4 (xfs_mount); pv-grub: Xen stubdom/grub and
 * stubdom/grub.patches (61btrfs.diff reads an early btrfs). Neither of these two knows LVM, RAID or
 * encryption.
 */
#ifndef PVK_BOOTSIGHT_H
#define PVK_BOOTSIGHT_H

#include "bootworld.h"

/* Decides for each of the volumes. */
void bootsight_look(const struct bootmodel_request *request, struct guestfs *guest);

/* One that has the file and that the loader sees like this; NULL: none. */
const struct guestfs_volume *bootsight_find(const struct bootworld *world, const char *path,
					    enum guestfs_sight sight);

#endif
