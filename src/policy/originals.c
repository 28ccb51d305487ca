/* SPDX-License-Identifier: GPL-2.0-or-later */
/* originals.c - see originals.h */
#include "originals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "record.h"
#include "stash.h"

/* What dpkg calls the image, and the kept one. */
struct paths {
	char image[NAME_MAX + 16], packaged[NAME_MAX + 32];
};

static struct paths name_paths(const struct kernel *kernel)
{
	struct paths paths;

	(void)snprintf(paths.image, sizeof(paths.image), "/boot/%s", kernel->file);
	(void)snprintf(paths.packaged, sizeof(paths.packaged), "/boot/" PVK_OWN_DIR "/%s",
		       kernel->packaged);
	return paths;
}

static bool is_set_aside(const struct bootdir *boot, const struct kernel *kernel)
{
	struct record record;

	return stash_is_marked_withheld(boot, kernel) ||
	       (record_load(boot, kernel, &record) == 1 && record.state == RECORD_WITHHELD);
}

int originals_look(const struct root *root, const struct bootdir *boot, const struct kernel *kernel,
		   struct originals *ret, struct pvk_error *err)
{
	const struct paths paths = name_paths(kernel);
	struct originals originals = {0};
	struct stat st;
	int r;

	r = divert_find(root, paths.image, paths.packaged, &originals.diversion, err);
	if (r < 0)
		return r;
	originals.in_place = fstatat(boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) == 0;
	originals.is_packaged = boot->own_fd >= 0 &&
				fstatat(boot->own_fd, kernel->packaged, &originals.packaged,
					AT_SYMLINK_NOFOLLOW) == 0 &&
				S_ISREG(originals.packaged.st_mode);
	originals.is_set_aside =
		originals.is_packaged && !originals.in_place && is_set_aside(boot, kernel);
	*ret = originals;
	return 0;
}

bool originals_is_source(const struct originals *originals)
{
	return originals->is_packaged &&
	       (originals->diversion == DIVERT_OURS || originals->is_set_aside);
}

bool originals_have_any(const struct originals *originals)
{
	return originals->in_place || originals_is_source(originals);
}

bool originals_is_withheld(const struct originals *originals)
{
	return !originals->in_place && originals_is_source(originals);
}

/* A kept file without image, diversion and record is left over from a kernel that is gone. */
static int add_if_withheld(const struct root *root, const struct bootdir *boot, const char *version,
			   struct kernel_list *list, struct pvk_error *err)
{
	struct originals originals;
	struct kernel kernel;
	struct stat st;
	int r;

	r = bootdir_name_kernel(version, &kernel, err);
	if (r == 0 && fstatat(boot->fd, kernel.file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0; /* the usual case: in the list already */
	if (r == 0)
		r = originals_look(root, boot, &kernel, &originals, err);
	if (r == 0 && originals_is_withheld(&originals))
		r = kernel_list_add(list, version, err);
	return r;
}

int originals_list(const struct root *root, const struct bootdir *boot, struct kernel_list *ret,
		   struct pvk_error *err)
{
	static const char prefix[] = PVK_PACKAGED_PREFIX;
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int fd, r;

	r = bootdir_list(boot, &list, err);
	if (r < 0)
		return r;
	if (boot->own_fd >= 0) {
		fd = openat(boot->own_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		dir = fd < 0 ? NULL : fdopendir(fd);
		if (!dir) {
			const int saved = errno;

			close_keep_errno(&fd);
			return pvk_fail_errno(err, saved, "cannot list '/boot/" PVK_OWN_DIR "'");
		}
	}
	while (dir && (errno = 0, entry = readdir(dir)) != NULL) {
		const char *version = entry->d_name + sizeof(prefix) - 1;

		if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) != 0 || *version == '\0')
			continue;
		r = add_if_withheld(root, boot, version, &list, err);
		if (r < 0)
			return r;
	}
	if (dir && errno != 0)
		return pvk_fail_errno(err, errno, "cannot list '/boot/" PVK_OWN_DIR "'");
	kernel_list_sort(&list);
	*ret = list;
	list = (struct kernel_list){0};
	return 0;
}

const char *originals_kept_name(const struct config *config, const struct originals *originals,
				bool is_owned)
{
	if (originals->diversion == DIVERT_OURS)
		return "divert";
	if (config->originals == ORIGINALS_NONE)
		return "none";
	return is_owned ? "stash" : "foreign";
}

int originals_keep(const struct root *root, const struct bootdir *boot, const struct kernel *kernel,
		   const struct config *config, const struct infile *original, bool is_owned,
		   struct pvk_error *ret_why, struct pvk_error *err)
{
	int r;

	if (config->originals == ORIGINALS_NONE)
		return 0;
	/* First the second name: from the diversion on, dpkg looks for its file there. */
	r = stash_keep(boot, kernel, original, err);
	if (r < 0)
		return r;
	if (config->originals == ORIGINALS_DIVERT && is_owned)
		(void)originals_divert(root, kernel, ret_why);
	return 0;
}

int originals_divert(const struct root *root, const struct kernel *kernel, struct pvk_error *err)
{
	const struct paths paths = name_paths(kernel);

	return divert_add(root, paths.image, paths.packaged, err);
}

int originals_undivert(const struct root *root, const struct kernel *kernel, struct pvk_error *err)
{
	const struct paths paths = name_paths(kernel);
	enum divert_owner owner;
	int r = divert_find(root, paths.image, paths.packaged, &owner, err);

	if (r < 0 || owner != DIVERT_OURS)
		return r;
	return divert_remove(root, paths.image, paths.packaged, err);
}

struct sweep {
	const struct root *root;
	const struct bootdir *boot;
	struct pvk_error *err;
};

static int sweep_one(void *context, const char *path, const char *to)
{
	static const char own[] = "/boot/" PVK_OWN_DIR "/";
	const struct sweep *sweep = context;
	struct stat st;

	if (strncmp(to, own, sizeof(own) - 1) == 0 && sweep->boot->own_fd >= 0 &&
	    fstatat(sweep->boot->own_fd, to + sizeof(own) - 1, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return divert_remove(sweep->root, path, to, sweep->err);
}

int originals_sweep_diversions(const struct root *root, const struct bootdir *boot,
			       struct pvk_error *err)
{
	struct sweep sweep = {.root = root, .boot = boot, .err = err};

	return divert_each(root, sweep_one, &sweep, err);
}
