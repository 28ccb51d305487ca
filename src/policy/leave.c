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
#include "jobs.h"
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

/* By its first bytes: no package has a bare ELF, and no hybrid. */
static bool is_made_form(const struct infile *file)
{
	struct image image;

	return jobs_identify(file->bytes, &image, NULL) == 0 &&
	       (image.container == IMAGE_ELF || image.hybrid.has_trailer);
}

/*
 * Is the image in /boot of our making, or the package's own that we left there? The record tells;
 * not by its times, since they moved when dpkg removed the file's other name. Where the package's
 * own removal calls (may_guess), a file that dpkg would have removed goes as well: one that came in
 * the place of ours, and one without a record that has the form of ours.
 */
static bool is_our_image(const struct apply *apply, const struct kernel *kernel, bool may_guess)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct record record;
	const bool has_record = record_load(apply->boot, kernel, &record) == 1;

	if (has_record && may_guess)
		return true;
	if (infile_open(apply->boot->fd, kernel->file, INFILE_ANY, &file, NULL) < 0 ||
	    infile_read(&file, NULL) < 0)
		return false;
	if (has_record)
		return file.bytes.size == record.result_size &&
		       strcmp(digest_fast(file.bytes).s, record.result_digest.s) == 0;
	return may_guess && is_made_form(&file);
}

/* dpkg removed its file, the diverted one, already. */
static int forget_diverted(const struct apply *apply, const struct kernel *kernel, bool may_guess,
			   struct leave_removed *removed, struct pvk_error *err)
{
	int r = 0;

	if (is_our_image(apply, kernel, may_guess))
		r = remove_file(apply->boot->fd, kernel->file, &removed->image, err);
	if (r == 0)
		r = remove_file(apply->boot->own_fd, kernel->record, &removed->other, err);
	return r < 0 ? r : originals_undivert(apply->root, kernel, err);
}

static int leave_one(const struct apply *apply, const struct kernel *kernel, bool aborted,
		     bool may_guess, struct leave_removed *ret, struct pvk_error *err)
{
	struct leave_removed removed = {0};
	struct originals originals;
	int r;

	r = originals_look(apply->root, apply->boot, kernel, &originals, err);
	if (r < 0)
		return r;
	if (originals.diversion == DIVERT_OURS) {
		if (!originals.is_packaged && !(aborted && originals.in_place)) {
			r = forget_diverted(apply, kernel, may_guess, &removed, err);
			removed.image_stays = originals.in_place && !removed.image;
		}
	} else if (!aborted && !originals.in_place) {
		r = remove_file(apply->boot->own_fd, kernel->packaged, &removed.other, err);
		if (r == 0)
			r = remove_file(apply->boot->own_fd, kernel->record, &removed.other, err);
		stash_remove_refused(apply->boot, kernel);
	}
	if (r < 0)
		return r;
	leave_own_dir(apply->boot);
	*ret = removed;
	return 0;
}

int leave_kernel(const struct apply *apply, const struct kernel *kernel, bool aborted,
		 struct leave_removed *ret, struct pvk_error *err)
{
	return leave_one(apply, kernel, aborted, true, ret, err);
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
	leave->original_stays =
		leave->kind == LEAVE_UNLOADABLE || !is_packaged_elsewhere(apply->root, kernel);
	if (r == 0 && !leave->original_stays)
		r = remove_file(apply->boot->own_fd, kernel->packaged, &removed, err);
	return r;
}

/*
 * What is in place stays, and the original goes if that boots. A damaged one is made again first;
 * one that cannot be is no reason to lose the original.
 */
static int stay_prepared(const struct apply *apply, const struct kernel *kernel,
			 struct leave *leave, struct pvk_error *err)
{
	struct outcome outcome = {0};
	int r = withhold_look(apply, kernel, err);

	if (r == 0) {
		(void)apply_prepare(apply, kernel, &outcome);
		r = withhold_look(apply, kernel, err);
	}
	if (r < 0)
		return r;
	leave->kind = r == 1 ? LEAVE_PREPARED : LEAVE_UNLOADABLE;
	leave->why = outcome.error;
	return drop_original(apply, kernel, leave, err);
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
		r = stay_prepared(apply, kernel, &leave, err);
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
	if (is_packaged_elsewhere(apply->root, kernel))
		stash_remove_refused(apply->boot, kernel);
	leave.refused_stays = stash_has_refused(apply->boot, kernel);
	*ret = leave;
	return 0;
}

struct orphans {
	const struct apply *apply;
	void (*see)(void *context, const struct kernel *kernel,
		    const struct leave_removed *removed);
	void *context;
};

/* Negative never: one that cannot be cleaned up now is left for the next run. */
static int forget_orphan(void *context, const char *path, const char *to)
{
	struct leave_removed removed;
	struct orphans *orphans = context;
	struct kernel kernel;

	(void)to;
	if (bootdir_is_image_path(path, &kernel) &&
	    stash_size(orphans->apply->boot, &kernel) == 0 &&
	    dpkgdb_owns_image(orphans->apply->root, kernel.version, NULL) == 0 &&
	    leave_one(orphans->apply, &kernel, false, false, &removed, NULL) == 0)
		orphans->see(orphans->context, &kernel, &removed);
	return 0;
}

void leave_orphans(const struct apply *apply,
		   void (*see)(void *context, const struct kernel *kernel,
			       const struct leave_removed *removed),
		   void *context)
{
	struct orphans orphans = {.apply = apply, .see = see, .context = context};

	(void)divert_each(apply->root, forget_orphan, &orphans, NULL);
}
