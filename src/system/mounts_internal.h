/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts_internal.h - what mounts.c and mounts_tree.c share. */
#ifndef PVK_MOUNTS_INTERNAL_H
#define PVK_MOUNTS_INTERNAL_H

#include <blkid/blkid.h>
#include <libmount.h>

#include "../base/cleanup.h"
#include "mounts.h"

static inline void unref_table(struct libmnt_table **table)
{
	mnt_unref_table(*table);
}

static inline void free_iterator(struct libmnt_iter **iterator)
{
	mnt_free_iter(*iterator);
}

#define _cleanup_table_ _cleanup_(unref_table)
#define _cleanup_iter_	_cleanup_(free_iterator)

/* NULL when there is no room or no memory. */
struct filesystem *filesystems_add(struct filesystems *list);

/* "/dev/xvda1" or "xvda1". */
void filesystem_set_device(struct filesystem *fs, const char *device);

/* "/dev/loop0": a file, to everybody but the system that set it up. */
bool mounts_is_loop(const char *device);

/* UUID and label of a device, as far as they can be known. */
void filesystem_read_tags(blkid_cache cache, const char *device, struct filesystem *fs);

/* What is on this machine's disks; NULL: cannot be known. Writes no file. */
blkid_cache mounts_probe(void);
void mounts_put_cache(blkid_cache *cache);

int mounts_list_tree(const struct root *root, struct filesystems *list, struct pvk_error *err);

#endif
