/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menus.c - see menus.h */
#include "menus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/child.h"

#define UPDATE_GRUB	  "/usr/sbin/update-grub"
#define UPDATE_MENU_LST	  "/usr/sbin/update-menu-lst"
#define GRUB_MKCONFIG	  "/usr/sbin/grub-mkconfig"
#define GRUB_SCRIPT_CHECK "/usr/bin/grub-script-check"
#define SCRIPT_MAX	  (256u << 10)
#define GRUB_CFG_MAX	  (4u << 20)
/* os-prober may look at every disk. */
#define SECONDS 300

static bool script_mentions(const struct root *root, const char *path, const char *word)
{
	_cleanup_free_ char *text = NULL;
	size_t size;

	return root_read_file(root, path, SCRIPT_MAX, &text, &size) == 0 && strstr(text, word);
}

void menus_find(const struct root *root, struct menus *ret)
{
	struct menus menus = {0};

	if (script_mentions(root, UPDATE_GRUB, "grub-mkconfig"))
		menus.grub_cfg = UPDATE_GRUB;
	else if (script_mentions(root, UPDATE_GRUB, "menu.lst"))
		menus.menu_lst = UPDATE_GRUB;
	if (root_has(root, UPDATE_MENU_LST))
		menus.menu_lst = UPDATE_MENU_LST;
	if (root_has(root, GRUB_MKCONFIG))
		menus.grub_mkconfig = GRUB_MKCONFIG;
	*ret = menus;
}

static void cut_newlines(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
}

static int run(const struct child *child, struct pvk_error *err)
{
	char output[CHILD_OUTPUT_MAX];
	int r = child_run(child, output, err);

	cut_newlines(output);
	if (r > 0)
		return pvk_fail(err, PVK_E_REFUSED, "%s failed (status %d): %s", child->argv[0], r,
				text_escape(output).s);
	return r;
}

int menus_run(const char *program, struct pvk_error *err)
{
	const char *argv[] = {program, NULL};

	return run(&(struct child){.argv = argv, .seconds = SECONDS}, err);
}

int menus_check_grub_cfg(int fd, struct pvk_error *err)
{
	char path[64];
	const char *argv[] = {GRUB_SCRIPT_CHECK, path, NULL};
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = run(&(struct child){.argv = argv, .fds = &fd, .fd_count = 1}, err);
	return r == -ENOENT ? 0 : r;
}

static int read_back(int fd, char **ret_text, size_t *ret_size, struct pvk_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size == 0 || st.st_size > GRUB_CFG_MAX)
		return pvk_fail(err, PVK_E_REFUSED, "%s wrote nothing that could be used",
				GRUB_MKCONFIG);
	text = malloc((size_t)st.st_size);
	if (!text || pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return pvk_fail(err, ENOMEM, "cannot read back what %s wrote", GRUB_MKCONFIG);
	*ret_text = TAKE_PTR(text);
	*ret_size = (size_t)st.st_size;
	return 0;
}

int menus_make_grub_cfg(const struct menus *menus, char **ret_text, size_t *ret_size,
			struct pvk_error *err)
{
	const char *argv[] = {menus->grub_mkconfig, NULL};
	_cleanup_close_ int fd = memfd_create("grub.cfg", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return pvk_fail_errno(err, errno, "no memory for a grub.cfg");
	r = run(&(struct child){.argv = argv, .stdout_fd = fd, .seconds = SECONDS}, err);
	if (r == 0)
		r = menus_check_grub_cfg(fd, err);
	return r < 0 ? r : read_back(fd, ret_text, ret_size, err);
}
