/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubworld.h - file systems in memory that stand behind struct grub_host in the tests. */
#ifndef PVK_TEST_GRUBWORLD_H
#define PVK_TEST_GRUBWORLD_H

#include "../../src/bootcfg/grubscript.h"

struct grubworld_file {
	const char *device, *path;
	const char *content; /* "" : a kernel that is refused; NULL: nothing is known of the path */
};

struct grubworld {
	const struct grubworld_file *files;
	size_t n_files;
	const struct grub_setting *settings;
	size_t n_settings;
};

/* The usual one: /boot/a, /boot/b, /boot/c (kernels), /boot/i, /boot/j on hd0, /vmlinuz on hd1,
 * /boot/bad refused, /boot/maybe unknown, prefix (memdisk)/boot/grub. */
extern const struct grubworld grubworld_usual;

/* Evaluates the text as (hd0)/boot/grub/grub.cfg (or menu.lst) in the world. Free the result. */
struct grub_prediction *grubworld_predict(const struct grubworld *world, enum grub_dialect dialect,
					  const char *text);

/* The same for GRUB 0.97, with root hd0. */
struct grub_prediction *grubworld_predict_097(const struct grubworld *world, const char *text);

/*
 * Evaluates the text in the usual world, and compares with "END" or, when it boots,
 * "boots TITLE|KERNEL|CMDLINE|INITRDS" (initrds with a blank between them). Fails the test with
 * both texts when they differ.
 */
void grubworld_check(enum grub_dialect dialect, const char *text, const char *expected);

#endif
