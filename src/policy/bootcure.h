/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootcure.h - the command that cures what --check found, for the running guest; bootmodel_find()
 * makes it one for a tree. NULL where none is known to: a cure that does not help costs more than
 * none. Commands that are not constant are put into buf.
 */
#ifndef PVK_BOOTCURE_H
#define PVK_BOOTCURE_H

#include "bootmodel.h"

#define BOOTCURE_MAX 256

/* A damaged image: made again from the packaged one that is kept, or else installed again. */
const char *bootcure_damaged(const struct root *root, const char *version, char buf[BOOTCURE_MAX]);

/* No image in /boot: the newest kernel that dpkg knows, and whose modules are there. */
const char *bootcure_no_kernel(const struct root *root, char buf[BOOTCURE_MAX]);

/* A kernel that a PV loader refuses; its path in the guest. */
const char *bootcure_refused(const struct root *root, const char *path, const struct image *image,
			     char buf[BOOTCURE_MAX]);

/* An initrd that is missing, damaged or incomplete. */
const char *bootcure_initrd(const char *version, char buf[BOOTCURE_MAX]);

/* No menu that the loader reads: its owner makes it, for a kernel that is there; or --prepare does.
 */
const char *bootcure_no_menu(const struct root *root, bool reads_grub_cfg, bool reads_menu_lst);

/* A menu whose entries name nothing that can be started: whoever made it makes it anew. */
const char *bootcure_menu(const struct root *root, const struct boot_step *step);

#endif
