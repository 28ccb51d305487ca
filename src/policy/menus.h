/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * menus.h - lets the programs that own the boot menus write them anew, after /boot has gained or
 * lost a kernel outside of a kernel package's own run (which ends with them anyway).
 */
#ifndef PVK_MENUS_H
#define PVK_MENUS_H

#include "../system/root.h"

/*
 * update-grub where there is a grub.cfg or a menu.lst, update-menu-lst where there is a menu.lst.
 * Only on the running system: another tree's programs are not ours to run. Returns how many ran,
 * or the first failure.
 */
int menus_refresh(const struct root *root, struct pvk_error *err);

#endif
