/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootcure.c - see bootcure.h */
#include "bootcure.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../bootcfg/grubcfggen.h"
#include "../formats/kver.h"
#include "../formats/loaders.h"
#include "../system/digest.h"
#include "../system/dpkgdb.h"
#include "../system/infile.h"
#include "bootdir.h"
#include "menus.h"

static const char prepare[] = "pvkprep --prepare";

static const char *reinstall(const char *package, char buf[BOOTCURE_MAX])
{
	(void)snprintf(buf, BOOTCURE_MAX, "apt-get install --reinstall %.128s",
		       text_escape(package).s);
	return buf;
}

static bool has_sum(const struct root *root, const char *path, const char *md5)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	int fd = root_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	return fd >= 0 && infile_take(fd, INFILE_ANY, &file, NULL) == 0 &&
	       infile_read(&file, NULL) == 0 && strcmp(digest_md5(file.bytes).s, md5) == 0;
}

/* What came damaged, or is withheld, is not made sound out of itself. */
const char *bootcure_damaged(const struct root *root, const char *version, char buf[BOOTCURE_MAX])
{
	char image[PATH_MAX], packaged[PATH_MAX];
	struct dpkg_md5 listed;
	bool can_remake;

	(void)snprintf(image, sizeof(image), "/boot/" PVK_IMAGE_PREFIX "%s", version);
	(void)snprintf(packaged, sizeof(packaged),
		       "/boot/" PVK_OWN_DIR "/" PVK_PACKAGED_PREFIX "%s", version);
	can_remake = root_has(root, packaged) && root_has(root, image);
	if (dpkgdb_find_md5(root, version, &listed, NULL) == 1 &&
	    !has_sum(root, root_has(root, packaged) ? packaged : image, listed.md5))
		return reinstall(listed.package, buf);
	return can_remake ? prepare : NULL;
}

const char *bootcure_no_kernel(const struct root *root, char buf[BOOTCURE_MAX])
{
	int fd = root_openat(root, "/lib/modules", O_RDONLY | O_DIRECTORY);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dpkg_md5 listed, newest;
	char version[NAME_MAX + 1] = "";
	struct dirent *entry;

	if (!dir) {
		close_keep_errno(&fd);
		return NULL;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
		    (version[0] == '\0' || kver_compare(entry->d_name, version) > 0) &&
		    dpkgdb_find_md5(root, entry->d_name, &listed, NULL) == 1) {
			(void)snprintf(version, sizeof(version), "%s", entry->d_name);
			newest = listed;
		}
	return version[0] ? reinstall(newest.package, buf) : NULL;
}

bool bootcure_is_for_pv(const struct image *image, struct pvk_error *ret_why)
{
	return !image->is_elf || image->elf.defects != 0 ||
	       loaders_accept_elf(&image->elf, ret_why) == 0;
}

const char *bootcure_refused(const struct root *root, const char *path, const struct image *image,
			     char buf[BOOTCURE_MAX])
{
	struct kernel kernel;
	struct pvk_error err;

	if (!bootdir_is_image_path(path, &kernel) || image->problem.code == PVK_E_UNSUPPORTED)
		return NULL;
	if (image->problem.code != 0 || image_check_whole(image, &err) < 0 || !image->is_elf ||
	    image->elf.defects != 0)
		return bootcure_damaged(root, kernel.version, buf);
	return bootcure_is_for_pv(image, NULL) ? prepare : NULL;
}

const char *bootcure_modules(const struct root *root, const char *version, char buf[BOOTCURE_MAX])
{
	char package[128];

	return dpkgdb_find_modules(root, version, package, NULL) == 1 ? reinstall(package, buf)
								      : NULL;
}

const char *bootcure_initrd(const char *version, char buf[BOOTCURE_MAX])
{
	(void)snprintf(buf, BOOTCURE_MAX, "update-initramfs -c -k %.100s", text_escape(version).s);
	return buf;
}

static bool has_kernel(const struct root *root)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	struct pvk_error err;

	return bootdir_open(root, &boot, &err) == 0 && bootdir_list(&boot, &list, &err) == 0 &&
	       list.count > 0;
}

const char *bootcure_no_menu(const struct root *root, bool reads_grub_cfg, bool reads_menu_lst)
{
	struct menus menus;

	if (!has_kernel(root))
		return NULL;
	menus_find(root, &menus);
	if (reads_grub_cfg && menus.grub_cfg)
		return "update-grub";
	if (reads_menu_lst && menus.menu_lst)
		return strrchr(menus.menu_lst, '/') + 1;
	/* Beside grub.cfg's owner --prepare makes no menu of its own. */
	return menus.grub_cfg ? NULL : prepare;
}

const char *bootcure_menu(const struct root *root, const struct boot_step *step)
{
	_cleanup_free_ char *text = NULL;
	struct menus menus;
	size_t size;

	if (!has_kernel(root))
		return NULL;
	menus_find(root, &menus);
	if (root_read_file(root, step->guest_path, 1 << 20, &text, &size) < 0)
		return NULL;
	if (step->via == VIA_MENU_LST && strstr(text, "### BEGIN AUTOMAGIC KERNELS LIST"))
		return menus.menu_lst ? strrchr(menus.menu_lst, '/') + 1 : prepare;
	if (step->via != VIA_GRUB_CFG)
		return NULL;
	if (grubcfggen_maker(bytes_make(text, size)) == GRUBCFGGEN_OURS)
		return prepare;
	if (!strstr(text, "generated by grub-mkconfig"))
		return NULL;
	return menus.grub_cfg	     ? "update-grub"
	       : menus.grub_mkconfig ? "grub-mkconfig -o /boot/grub/grub.cfg"
				     : NULL;
}
