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
 * After the renames: everything of dirfd's file system to its final place on disk, so that GRUB,
 * which does not replay journals, sees it even after a power cut. ext4: syncfs(2) and
 * EXT4_IOC_CHECKPOINT (Linux 5.14). Elsewhere, and only where dirfd is on a mount of its own,
 * FIFREEZE and FITHAW, with a guardian process that thaws should this one be killed in between.
 * Never fails the run: best effort, after the data itself was fsync'ed.
 */
void disk_settle(int dirfd);

#endif
