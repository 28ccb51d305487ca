/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootroot.h - the file system that root= names: what is mounted of it, and is that the system? */
#ifndef PVK_BOOTROOT_H
#define PVK_BOOTROOT_H

#include "bootchecks.h"

/* The volume is what root= names: findings, and a verdict, on it and on what it starts. */
void bootroot_check(const struct bootworld *world, struct bootmodel *model, const char *root,
		    const struct guestfs_volume *volume, const struct initrd_sum *initrds);

/* A finding on root=, and the verdict: the guest does not come back. */
void bootroot_fail(struct bootmodel *model, const char *code, const char *fix, const char *root,
		   const char *why);

/* The command lines of grub.cfg come from update-grub, who asks the system where its root is; NULL
 * where it does not make them. */
const char *bootroot_cure(const struct bootworld *world, const struct bootmodel *model);

#endif
