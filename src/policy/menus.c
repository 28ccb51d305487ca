/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menus.c - see menus.h */
#include "menus.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/child.h"

#define GRUB_CFG "/boot/grub/grub.cfg"
#define MENU_LST "/boot/grub/menu.lst"
/* os-prober may look at every disk. */
#define SECONDS 300

static bool exists(const struct root *root, const char *path)
{
	_cleanup_close_ int fd = root_openat(root, path, O_PATH);

	return fd >= 0;
}

/* 1: ran, 0: there is no such program. */
static int run(const char *program, struct pvk_error *err)
{
	const char *argv[] = {program, NULL};
	char output[CHILD_OUTPUT_MAX];
	int r = child_run(&(struct child){.argv = argv, .seconds = SECONDS}, output, err);

	if (r == -ENOENT)
		return 0;
	if (r > 0)
		return pvk_fail(err, PVK_E_REFUSED, "%s failed (status %d): %s", program, r,
				text_escape(output).s);
	return r < 0 ? r : 1;
}

int menus_refresh(const struct root *root, struct pvk_error *err)
{
	const bool has_menu_lst = exists(root, MENU_LST);
	int ran = 0, r = 0;

	if (!root->is_live)
		return 0;
	/* grub-legacy's program has the same name, and keeps menu.lst. */
	if (has_menu_lst || exists(root, GRUB_CFG)) {
		r = run("/usr/sbin/update-grub", err);
		ran += r > 0;
	}
	if (r >= 0 && has_menu_lst) {
		r = run("/usr/sbin/update-menu-lst", err);
		ran += r > 0;
	}
	return r < 0 ? r : ran;
}
