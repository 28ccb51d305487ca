/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * menus.h - the programs that own boot menus: which of them a tree has, and running them.
 *
 * Debian: grub2-common has update-grub (which calls grub-mkconfig of grub-common) for grub.cfg;
 * pv-grub-menu has update-menu-lst, and grub-legacy an update-grub of its own, for menu.lst. They
 * are told apart by what the scripts say, since the two update-grub have one name. Kernel packages
 * call them after us: /etc/kernel/postinst.d/zz-update-grub (both) and pv-grub-menu.
 */
#ifndef PVK_MENUS_H
#define PVK_MENUS_H

#include "../system/root.h"

struct menus {
	const char *grub_cfg;	   /* update-grub of GRUB 2; NULL: not installed */
	const char *menu_lst;	   /* update-menu-lst or grub-legacy's update-grub; NULL: none */
	const char *grub_mkconfig; /* grub-mkconfig; NULL: not installed */
};

/* Looks, without running anything. */
void menus_find(const struct root *root, struct menus *ret);

/*
 * Runs one of them on the running system; another tree's programs are not ours to run. 0, or
 * negative with what it said.
 */
int menus_run(const char *program, struct pvk_error *err);

/* grub-script-check's answer to an open grub.cfg; 0 where that is not installed. */
int menus_check_grub_cfg(int fd, struct pvk_error *err);

/*
 * What grub-mkconfig makes, without a file being written: with malloc(), checked by
 * grub-script-check where that is installed.
 */
int menus_make_grub_cfg(const struct menus *menus, char **ret_text, size_t *ret_size,
			struct pvk_error *err);

#endif
