/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leave.c - see leave.h */
#include "leave.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../system/dpkgdb.h"
#include "../system/infile.h"
#include "originals.h"
#include "record.h"
#include "stash.h"
#include "withhold.h"

/* linux-base since forky: the image is /usr/lib/modules/<version>/vmlinuz, and this copies it. */
#define LEGACY_BOOT "/usr/share/kernel/postinst.d/00-legacy-boot"

static bool has_md5(const struct infile *file, const struct dpkg_md5 *listed)
{
	return strcmp(digest_md5(file->bytes).s, listed->md5) == 0;
}

static bool is_open_as_listed(int dirfd, const char *name, const struct dpkg_md5 *listed,
			      struct infile *ret)
{
	return infile_open(dirfd, name, INFILE_TRUSTED, ret, NULL) == 0 &&
	       infile_read(ret, NULL) == 0 && has_md5(ret, listed);
}

/* An installed image is adopted only when it is sure which of our two files is the package's. */
static int adopt(const struct apply *apply, const struct kernel *kernel,
		 const struct originals *originals, struct pvk_error *ret_why,
		 struct pvk_error *err)
{
	_cleanup_infile_ struct infile packaged = INFILE_INIT;
	_cleanup_infile_ struct infile image = INFILE_INIT;
	struct dpkg_md5 listed;
	int r;

	r = dpkgdb_find_md5(apply->root, kernel->version, &listed, err);
	if (r < 0)
		return r;
	if (r == 0) {
		(void)pvk_fail(ret_why, PVK_E_REFUSED, "no package owns the image in /boot");
		return 0;
	}
	if (originals->is_packaged &&
	    is_open_as_listed(apply->boot->own_fd, kernel->packaged, &listed, &packaged))
		return originals_divert(apply->root, kernel, ret_why);
	if (!is_open_as_listed(apply->boot->fd, kernel->file, &listed, &image)) {
		(void)pvk_fail(ret_why, PVK_E_REFUSED, "the image in /boot is not the package's");
		return 0;
	}
	r = stash_keep(apply->boot, kernel, &image, err);
	return r < 0 ? r : originals_divert(apply->root, kernel, ret_why);
}

int leave_room_for_update(const struct apply *apply, const struct kernel *kernel,
			  struct pvk_error *ret_why, struct pvk_error *err)
{
	struct originals originals;
	int r;

	r = originals_look(apply->root, apply->boot, kernel, &originals, err);
	if (r < 0)
		return r;
	/* The directory must be there before the unpack: dpkg makes none for a diversion. */
	if (originals.diversion == DIVERT_OURS)
		return bootdir_make_own(apply->boot, err);
	if (apply->config->originals != ORIGINALS_DIVERT)
		return 0;
	if (root_has(apply->root, LEGACY_BOOT)) {
		(void)pvk_fail(ret_why, PVK_E_REFUSED, "images in /boot belong to no package here");
		return 0;
	}
	r = bootdir_make_own(apply->boot, err);
	if (r < 0)
		return r;
	if (originals.in_place)
		r = adopt(apply, kernel, &originals, ret_why, err);
	else
		r = originals_divert(apply->root, kernel, ret_why);
	return r == -ENOENT || r == -PVK_E_REFUSED ? 0 : r;
}

static int remove_file(int dirfd, const char *name, bool *removed, struct pvk_error *err)
{
	if (dirfd < 0)
		return 0;
	if (unlinkat(dirfd, name, 0) == 0)
		*removed = true;
	else if (errno != ENOENT)
		return pvk_fail_errno(err, errno, "cannot remove it");
	return 0;
}

void leave_own_dir(struct bootdir *boot)
{
	/* Not empty is the usual answer, and fine. */
	if (boot->own_fd >= 0 && unlinkat(boot->fd, PVK_OWN_DIR, AT_REMOVEDIR) == 0)
		close_keep_errno(&boot->own_fd);
}

/* dpkg removed its file, the diverted one, already. */
static int forget_diverted(const struct apply *apply, const struct kernel *kernel, bool *removed,
			   struct pvk_error *err)
{
	int r = remove_file(apply->boot->fd, kernel->file, removed, err);

	if (r == 0)
		r = remove_file(apply->boot->own_fd, kernel->record, removed, err);
	return r < 0 ? r : originals_undivert(apply->root, kernel, err);
}

int leave_kernel(const struct apply *apply, const struct kernel *kernel, bool aborted,
		 bool *ret_removed, struct pvk_error *err)
{
	struct originals originals;
	bool removed = false;
	int r;

	r = originals_look(apply->root, apply->boot, kernel, &originals, err);
	if (r < 0)
		return r;
	if (originals.diversion == DIVERT_OURS) {
		if (!originals.is_packaged && !(aborted && originals.in_place))
			r = forget_diverted(apply, kernel, &removed, err);
	} else if (!aborted && !originals.in_place) {
		r = remove_file(apply->boot->own_fd, kernel->packaged, &removed, err);
		if (r == 0)
			r = remove_file(apply->boot->own_fd, kernel->record, &removed, err);
	}
	if (r < 0)
		return r;
	leave_own_dir(apply->boot);
	*ret_removed = removed;
	return 0;
}

/* Can the packaged image be had again when ours is gone? */
static bool is_packaged_elsewhere(const struct root *root, const struct kernel *kernel)
{
	char path[NAME_MAX + 64];

	(void)snprintf(path, sizeof(path), "/usr/lib/modules/%s/vmlinuz", kernel->version);
	return dpkgdb_owns_image(root, kernel->version, NULL) == 1 || root_has(root, path);
}

static bool is_same_image(const struct apply *apply, const struct kernel *kernel,
			  const struct originals *originals)
{
	struct stat st;

	return originals->is_packaged &&
	       fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == originals->packaged.st_dev && st.st_ino == originals->packaged.st_ino;
}

/* First the diversion: then the image in /boot is dpkg's again, modified, whatever comes next. */
static int drop_original(const struct apply *apply, const struct kernel *kernel,
			 struct leave *leave, struct pvk_error *err)
{
	bool removed = false;
	int r = originals_undivert(apply->root, kernel, err);

	if (r == 0)
		r = remove_file(apply->boot->own_fd, kernel->record, &removed, err);
	leave->original_stays = !is_packaged_elsewhere(apply->root, kernel);
	if (r == 0 && !leave->original_stays)
		r = remove_file(apply->boot->own_fd, kernel->packaged, &removed, err);
	return r;
}

static int restore(const struct apply *apply, const struct kernel *kernel,
		   const struct originals *originals, struct leave *leave, struct pvk_error *err)
{
	struct outcome outcome;
	int r = apply_restore(apply, kernel, &outcome);

	leave->kind = LEAVE_RESTORED;
	if (r == -PVK_E_REFUSED && originals->in_place) {
		/* The kept file is not the package's: then the image in place is the better one. */
		leave->kind = LEAVE_PREPARED;
		return drop_original(apply, kernel, leave, err);
	}
	if (r < 0 && err)
		*err = outcome.error;
	if (r == 0)
		record_remove(apply->boot, kernel);
	return r;
}

int leave_for_good(const struct apply *apply, const struct kernel *kernel, bool needs_prepared,
		   struct leave *ret, struct pvk_error *err)
{
	struct leave leave = {.kind = LEAVE_UNTOUCHED};
	struct originals originals;
	struct withhold withhold;
	int r;

	r = originals_look(apply->root, apply->boot, kernel, &originals, err);
	if (r < 0)
		return r;
	if (!originals.is_packaged) {
		record_remove(apply->boot, kernel);
		r = originals_undivert(apply->root, kernel, err);
	} else if (!needs_prepared || is_same_image(apply, kernel, &originals)) {
		r = restore(apply, kernel, &originals, &leave, err);
	} else if (originals.in_place) {
		leave.kind = LEAVE_PREPARED;
		r = drop_original(apply, kernel, &leave, err);
	} else {
		/* Withheld. Putting it into /boot now would make it the default. */
		r = withhold_settle(apply, kernel, true, &withhold, err);
		if (r == 0 && withhold.kind == WITHHOLD_HOPELESS) {
			r = restore(apply, kernel, &originals, &leave, err);
		} else if (r == 0) {
			leave.kind = LEAVE_ABSENT;
			r = drop_original(apply, kernel, &leave, err);
		}
	}
	if (r < 0)
		return r;
	*ret = leave;
	return 0;
}

struct orphans {
	const struct apply *apply;
	unsigned removed;
};

/* Negative never: one that cannot be cleaned up now is left for the next run. */
static int forget_orphan(void *context, const char *path, const char *to)
{
	struct orphans *orphans = context;
	struct kernel kernel;
	bool removed = false;

	(void)to;
	if (!bootdir_is_image_path(path, &kernel) ||
	    stash_size(orphans->apply->boot, &kernel) > 0 ||
	    dpkgdb_owns_image(orphans->apply->root, kernel.version, NULL) != 0)
		return 0;
	if (leave_kernel(orphans->apply, &kernel, false, &removed, NULL) == 0 && removed)
		orphans->removed++;
	return 0;
}

unsigned leave_orphans(const struct apply *apply)
{
	struct orphans orphans = {.apply = apply};

	(void)divert_each(apply->root, forget_orphan, &orphans, NULL);
	return orphans.removed;
}
