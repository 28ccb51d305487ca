/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootdir.c - see bootdir.h */
#include "bootdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../formats/kver.h"
#include "../system/lock.h"
#include "../system/outfile.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int open_own(int boot_fd, struct pvk_error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = openat(boot_fd, PVK_OWN_DIR, DIRECTORY_FLAGS | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return pvk_fail_errno(err, errno, "cannot open '/boot/" PVK_OWN_DIR "'");
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return pvk_fail(err, PVK_E_REFUSED,
				"'/boot/" PVK_OWN_DIR
				"': must belong to root and be writable by nobody else");
	return take_fd(&fd);
}

int bootdir_open(const struct root *root, struct bootdir *ret, struct pvk_error *err)
{
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	char shown[PATH_MAX + 8];
	int r;

	boot.fd = root_openat(root, "/boot", DIRECTORY_FLAGS);
	if (boot.fd < 0) {
		(void)snprintf(shown, sizeof(shown), "%s/boot", root->path);
		return pvk_fail_errno(err, -boot.fd, "%s: cannot open", text_quote(shown).s);
	}
	r = open_own(boot.fd, err);
	if (r < 0 && r != -ENOENT)
		return r;
	boot.own_fd = r < 0 ? -1 : r;
	boot.is_live = root->is_live;
	*ret = boot;
	boot = BOOTDIR_INIT;
	return 0;
}

int bootdir_make_own(struct bootdir *boot, struct pvk_error *err)
{
	int r;

	if (boot->own_fd >= 0)
		return 0;
	if (mkdirat(boot->fd, PVK_OWN_DIR, 0755) < 0 && errno != EEXIST)
		return pvk_fail_errno(err, errno, "cannot make '/boot/" PVK_OWN_DIR "'");
	r = open_own(boot->fd, err);
	if (r < 0)
		return r;
	boot->own_fd = r;
	return 0;
}

static int take_lock(struct bootdir *boot, unsigned seconds, struct pvk_error *err)
{
	int run_fd = boot->is_live ? open("/run", DIRECTORY_FLAGS) : -1;
	int r;

	if (run_fd < 0)
		return lock_take(boot->fd, seconds, err);
	r = lock_take_file(run_fd, seconds, &boot->lock, err);
	if (r == -PVK_E_BUSY || r == -PVK_E_INTERRUPTED)
		return r;
	if (r < 0) /* a system without a /run that can be written to */
		return lock_take(boot->fd, seconds, err);
	/* Whoever works on this tree from outside waits for us; we wait for nobody who may. */
	(void)lock_take(boot->fd, 0, NULL);
	return 0;
}

int bootdir_lock(struct bootdir *boot, unsigned seconds, struct pvk_error *err)
{
	int r = take_lock(boot, seconds, err);

	if (r < 0) {
		pvk_error_prefix(err, "'/boot'");
		return r;
	}
	/* The run that held it before may have removed the directory, or made it. */
	close_keep_errno(&boot->own_fd);
	r = open_own(boot->fd, err);
	if (r < 0 && r != -ENOENT)
		return r;
	boot->own_fd = r < 0 ? -1 : r;
	(void)outfile_sweep(boot->fd);
	if (boot->own_fd >= 0)
		(void)outfile_sweep(boot->own_fd);
	return 0;
}

void bootdir_close(struct bootdir *boot)
{
	close_keep_errno(&boot->own_fd);
	lock_release(&boot->lock);
	close_keep_errno(&boot->fd);
}

static bool is_image_name(const char *name)
{
	static const char *const garbage[] = {"*.dpkg-*", "*.rpmnew", "*.rpmsave", "*.sig"};
	const size_t prefix = sizeof(PVK_IMAGE_PREFIX) - 1;

	if (strncmp(name, PVK_IMAGE_PREFIX, prefix) != 0 || name[prefix] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		if (fnmatch(garbage[i], name, 0) == 0)
			return false;
	return true;
}

/* Our own names for it are a byte longer: of 255 bytes, which no package has. */
static bool leaves_room(const char *name)
{
	return strlen(name) - strlen(PVK_IMAGE_PREFIX) + strlen(PVK_PACKAGED_PREFIX) <= NAME_MAX;
}

int bootdir_name_kernel(const char *version, struct kernel *ret, struct pvk_error *err)
{
	const int room = NAME_MAX + 1;

	if (snprintf(ret->version, sizeof(ret->version), "%s", version) >= room ||
	    snprintf(ret->file, sizeof(ret->file), PVK_IMAGE_PREFIX "%s", version) >= room ||
	    snprintf(ret->packaged, sizeof(ret->packaged), PVK_PACKAGED_PREFIX "%s", version) >=
		    room ||
	    snprintf(ret->record, sizeof(ret->record), "%s.json", version) >= room)
		return pvk_fail(err, ENAMETOOLONG, "%s: the kernel's name is too long",
				text_quote(version).s);
	return 0;
}

bool bootdir_is_image_path(const char *path, struct kernel *ret)
{
	static const char prefix[] = "/boot/" PVK_IMAGE_PREFIX;

	return strncmp(path, prefix, sizeof(prefix) - 1) == 0 &&
	       bootdir_name_kernel(path + sizeof(prefix) - 1, ret, NULL) == 0;
}

/* Does /boot/<name>, a symbolic link, lead to a regular vmlinuz-* in /boot itself? */
static bool is_alias(const struct bootdir *boot, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(boot->fd, name, target, sizeof(target) - 1);
	struct stat st;

	if (len < 0)
		return false;
	target[len] = '\0';
	return !strchr(target, '/') && is_image_name(target) &&
	       fstatat(boot->fd, target, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int compare_newest_first(const void *a, const void *b)
{
	return kver_compare(((const struct kernel *)b)->version,
			    ((const struct kernel *)a)->version);
}

int kernel_list_add(struct kernel_list *list, const char *version, struct pvk_error *err)
{
	struct kernel *grown;

	if (list->count == PVK_MAX_KERNELS)
		return pvk_fail(err, PVK_E_LIMIT, "'/boot': more than %d kernels", PVK_MAX_KERNELS);
	grown = realloc(list->items, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return pvk_fail(err, ENOMEM, "no memory for the list of kernels");
	list->items = grown;
	if (bootdir_name_kernel(version, &grown[list->count], err) < 0)
		return -ENAMETOOLONG;
	list->count++;
	return 0;
}

void kernel_list_sort(struct kernel_list *list)
{
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare_newest_first);
}

int bootdir_list(const struct bootdir *boot, struct kernel_list *ret, struct pvk_error *err)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(boot->fd, ".", DIRECTORY_FLAGS);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int saved = errno;

		close_keep_errno(&fd);
		return pvk_fail_errno(err, saved, "cannot list '/boot'");
	}
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		int r;

		if (!is_image_name(entry->d_name) || !leaves_room(entry->d_name) ||
		    is_alias(boot, entry->d_name))
			continue;
		r = kernel_list_add(&list, entry->d_name + sizeof(PVK_IMAGE_PREFIX) - 1, err);
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return pvk_fail_errno(err, errno, "cannot list '/boot'");
	kernel_list_sort(&list);
	*ret = list;
	list = (struct kernel_list){0};
	return 0;
}

void kernel_list_done(struct kernel_list *list)
{
	free(list->items);
	*list = (struct kernel_list){0};
}

uint64_t bootdir_expected_initrd(const struct bootdir *boot, const struct kernel *kernel)
{
	static const char prefix[] = "initrd.img-";
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	uint64_t largest = 0;
	int fd = openat(boot->fd, ".", DIRECTORY_FLAGS);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_keep_errno(&fd);
		return 0;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (strcmp(entry->d_name + sizeof(prefix) - 1, kernel->version) == 0)
			return 0;
		if (fstatat(boot->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && (uint64_t)st.st_size > largest)
			largest = (uint64_t)st.st_size;
	}
	return largest;
}

/* --- naming one kernel --- */

/* Is the directory of `path` the /boot that we hold? */
static bool is_in_boot(const struct root *root, const struct bootdir *boot, const char *path)
{
	_cleanup_close_ int fd = -1;
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	struct stat a, b;

	(void)snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path + 1) : 1,
		       slash ? path : ".");
	fd = root_openat(root, dir, O_PATH | O_DIRECTORY);
	return fd >= 0 && fstat(fd, &a) == 0 && fstat(boot->fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* One step along a symbolic link: path becomes what it points to. False: it is none. */
static bool follow_link(const struct root *root, char path[PATH_MAX])
{
	_cleanup_close_ int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX], joined[PATH_MAX];
	const char *slash = strrchr(path, '/');
	ssize_t len;

	if (fd < 0)
		return false;
	len = readlinkat(fd, "", target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	if (snprintf(joined, sizeof(joined), "%.*s%s",
		     target[0] == '/' || !slash ? 0 : (int)(slash - path + 1), path,
		     target) >= (int)sizeof(joined))
		return false;
	memcpy(path, joined, sizeof(joined));
	return true;
}

static int resolve_path(const struct root *root, const struct bootdir *boot, const char *argument,
			struct kernel *ret, struct pvk_error *err)
{
	char path[PATH_MAX];
	const char *name;

	if (snprintf(path, sizeof(path), "%s", argument) >= (int)sizeof(path))
		return pvk_fail(err, ENAMETOOLONG, "%s: path is too long", text_quote(argument).s);
	for (int links = 0; links < 8 && follow_link(root, path); links++)
		;
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	if (is_in_boot(root, boot, path) && is_image_name(name))
		return bootdir_name_kernel(name + sizeof(PVK_IMAGE_PREFIX) - 1, ret, err);
	if (strcmp(path, argument) == 0)
		return pvk_fail(err, PVK_E_REFUSED,
				"%s: not a kernel image '/boot/" PVK_IMAGE_PREFIX "VERSION'%s",
				text_quote(argument).s,
				root->path[0] ? " of the tree (paths begin at its top)" : "");
	return pvk_fail(
		err, PVK_E_REFUSED,
		"%s: is a symbolic link to %s, not to a kernel image '/boot/" PVK_IMAGE_PREFIX
		"VERSION'",
		text_quote(argument).s, text_quote(path).s);
}

int bootdir_resolve(const struct root *root, const struct bootdir *boot, const char *argument,
		    struct kernel *ret, struct pvk_error *err)
{
	const size_t prefix = sizeof(PVK_IMAGE_PREFIX) - 1;
	struct kernel kernel;
	char path[PATH_MAX];
	int r;

	if (strchr(argument, '/'))
		return resolve_path(root, boot, argument, ret, err);
	if (strncmp(argument, PVK_IMAGE_PREFIX, prefix) == 0)
		argument += prefix;
	if (argument[0] == '\0')
		return pvk_fail(err, PVK_E_REFUSED, "'': no kernel has an empty name");
	r = bootdir_name_kernel(argument, &kernel, err);
	if (r < 0)
		return r;
	if (is_alias(boot, kernel.file)) {
		(void)snprintf(path, sizeof(path), "/boot/%s", kernel.file);
		return resolve_path(root, boot, path, ret, err);
	}
	*ret = kernel;
	return 0;
}
