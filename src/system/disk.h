/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk.h - what a file system has room for, and how to make what was written visible to a boot
 * loader, which reads the disk without replaying the journal.
 */
#ifndef PVK_DISK_H
#define PVK_DISK_H

#include <stdint.h>

#include "../base/errors.h"

/*
 * Does `size` more fit (with a little to spare for directory, record and journal)? 0 if so;
 * -PVK_E_NO_SPACE and *ret_missing > 0 bytes if not; also when no inode is free (*ret_missing 0).
 */
int disk_check_space(int dirfd, uint64_t size, uint64_t *ret_missing, struct pvk_error *err);

/*
 * What the journal of dirfd's file system holds goes to its final place on disk, since GRUB does
 * not replay journals. ext4: EXT4_IOC_CHECKPOINT (Linux 5.14). xfs, ext4 before that, and whatever
 * else dirfd has a mount of its own on: FIFREEZE and FITHAW, some milliseconds in which writers
 * wait, with a guardian process that thaws should this one be killed or stopped in between. btrfs
 * needs none: a reader without replay sees its last commit, whole. Best effort; what was not
 * fsync'ed may be left out.
 */
void disk_checkpoint(int dirfd);

/* After the renames: syncfs(2), then as above. Never fails the run. */
void disk_settle(int dirfd);

#endif
