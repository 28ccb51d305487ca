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

/* A damaged image: made again from the packaged one that is kept, or else installed again, unless
 * it is what the package has in it. */
const char *bootcure_damaged(const struct root *root, const char *version, char buf[BOOTCURE_MAX]);

/* No image in /boot: the newest kernel that dpkg knows, and whose modules are there. */
const char *bootcure_no_kernel(const struct root *root, char buf[BOOTCURE_MAX]);

/*
 * Would --prepare take what is in an image that was examined, however it is packed? False, and why:
 * it is no kernel for a PV guest. True also where damage hides what it is.
 */
bool bootcure_is_for_pv(const struct image *image, struct pvk_error *ret_why);

/* A kernel that a PV loader refuses, examined; its path in the guest. */
const char *bootcure_refused(const struct root *root, const char *path, const struct image *image,
			     char buf[BOOTCURE_MAX]);

/* A kernel's modules that are gone: out of the package that has them. */
const char *bootcure_modules(const struct root *root, const char *version, char buf[BOOTCURE_MAX]);

/* An initrd that is missing, damaged or incomplete. */
const char *bootcure_initrd(const char *version, char buf[BOOTCURE_MAX]);

/* No menu that the loader reads: its owner makes it, for a kernel that is there; or --prepare does.
 */
const char *bootcure_no_menu(const struct root *root, bool reads_grub_cfg, bool reads_menu_lst);

/* A menu whose entries name nothing that can be started: whoever made it makes it anew. */
const char *bootcure_menu(const struct root *root, const struct boot_step *step);

#endif
