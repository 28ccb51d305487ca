/* SPDX-License-Identifier: GPL-2.0-or-later */
/* withhold.c - see withhold.h */
#include "withhold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../formats/kver.h"
#include "../system/dpkgdb.h"
#include "../system/infile.h"
#include "jobs.h"
#include "originals.h"
#include "plan.h"
#include "provenance.h"
#include "record.h"
#include "refuse.h"
#include "stash.h"

static bool is_loadable_by_record(const struct apply *apply, const struct kernel *kernel)
{
	struct record record;
	struct stat st;

	return record_load(apply->boot, kernel, &record) == 1 &&
	       fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       record_matches(&record, &st) && apply_is_current(&record, apply->config);
}

static int examine(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct image image = {0};
	int r = infile_open(apply->boot->fd, kernel->file, INFILE_ANY, &file, err);

	if (r == 0)
		r = infile_read(&file, err);
	if (r == 0)
		r = jobs_identify(file.bytes, &image, err);
	if (r == 0 && plan_image(&image, apply->config) != PLAN_KEEP)
		return 0;
	if (r == 0)
		r = jobs_examine_in_memory(file.bytes, &image, apply->watch, err);
	return r < 0 ? r : plan_may_stay(&image, apply->config, NULL) == 0;
}

int withhold_look(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err)
{
	int r = is_loadable_by_record(apply, kernel) ? 1 : examine(apply, kernel, err);

	/* EACCES: not root, who has been told of it already. */
	if (r == -ENOENT || r == -ELOOP || r == -EACCES || pvk_error_is_of_file(r))
		return 0;
	if (r < 0)
		pvk_error_prefix(err, "'/boot/%s'", text_escape(kernel->file).s);
	return r;
}

bool withhold_is_loadable(const struct apply *apply, const struct kernel *kernel)
{
	return withhold_look(apply, kernel, NULL) == 1;
}

/* The newest other kernel that boots. 1, or 0. */
static int find_fallback(const struct apply *apply, const struct kernel *except, struct kernel *ret,
			 struct pvk_error *err)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	int r = bootdir_list(apply->boot, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++)
		if (strcmp(list.items[i].version, except->version) != 0 &&
		    withhold_is_loadable(apply, &list.items[i])) {
			*ret = list.items[i];
			return 1;
		}
	return 0;
}

bool withhold_awaits_initrd(const struct apply *apply, const struct kernel *kernel)
{
	struct stat st;

	return fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	       bootdir_expected_initrd(apply->boot, kernel) > 0;
}

bool withhold_is_known(const struct apply *apply, const struct kernel *kernel)
{
	const struct bootdir *boot = apply->boot;
	struct record record;
	struct stat st;

	if (stash_is_marked_withheld(boot, kernel))
		return true;
	return record_load(boot, kernel, &record) == 1 && record.state == RECORD_WITHHELD &&
	       fstatat(boot->own_fd, kernel->packaged, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       record_matches_source(&record, &st);
}

static int store_record(const struct apply *apply, const struct kernel *kernel, int dirfd,
			const char *name, const char *kept, struct pvk_error *err)
{
	struct record record = {.state = RECORD_WITHHELD};
	const struct stat nothing = {0};
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pvk_fail_errno(err, errno, "cannot look at it");
	record_set_source(&record, &st);
	(void)snprintf(record.kept, sizeof(record.kept), "%s", kept);
	return record_store(apply->boot, kernel, &record, &nothing, err);
}

/* No package owns it, so no diversion tells later that it belongs here: the record does. */
static int set_aside(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err)
{
	int r;

	/* The record first: a kept file without one counts as left over. */
	r = store_record(apply, kernel, apply->boot->fd, kernel->file, "foreign", err);
	if (r < 0 && stash_mark_withheld(apply->boot, kernel, NULL) == 0)
		r = 0;
	if (r == 0)
		r = stash_set_aside(apply->boot, kernel, err);
	return r;
}

static int remove_image(const struct apply *apply, const struct kernel *kernel,
			struct pvk_error *err)
{
	if (unlinkat(apply->boot->fd, kernel->file, 0) < 0 || fsync(apply->boot->fd) < 0)
		return pvk_fail_errno(err, errno, "cannot take the image out of '/boot'");
	return 0;
}

/* Where dpkg owns the image, the diversion is what keeps its books right. */
static int divert_in_place(const struct apply *apply, const struct kernel *kernel)
{
	_cleanup_infile_ struct infile image = INFILE_INIT;

	if (apply->config->originals != ORIGINALS_DIVERT ||
	    dpkgdb_owns_image(apply->root, kernel->version, NULL) != 1 ||
	    infile_open(apply->boot->fd, kernel->file, INFILE_TRUSTED, &image, NULL) < 0 ||
	    infile_read(&image, NULL) < 0 || stash_keep(apply->boot, kernel, &image, NULL) < 0)
		return -1;
	return originals_divert(apply->root, kernel, NULL);
}

/* What could not be kept and put back stays: nothing of the administrator's gets lost. */
static int check_movable(const struct apply *apply, const struct kernel *kernel,
			 const struct originals *originals, struct pvk_error *err)
{
	struct stat st;

	if (fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pvk_fail_errno(err, errno, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return pvk_fail(err, PVK_E_REFUSED, "it is no regular file");
	if (originals_is_source(originals) && provenance_is_foreign(apply, kernel))
		return pvk_fail(err, PVK_E_REFUSED, "it is somebody's own");
	return 0;
}

static int take_out(const struct apply *apply, const struct kernel *kernel,
		    const struct originals *originals, struct pvk_error *err)
{
	int r = check_movable(apply, kernel, originals, err);

	if (r == 0)
		r = bootdir_make_own(apply->boot, err);
	if (r < 0)
		return r;
	if (originals_is_source(originals))
		return remove_image(apply, kernel, err);
	r = refuse_take_out(apply, kernel, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (divert_in_place(apply, kernel) == 0)
		return remove_image(apply, kernel, err);
	return set_aside(apply, kernel, err);
}

/* Whether it waits for its hooks is not to be seen later. */
static void note_withheld(const struct apply *apply, const struct kernel *kernel)
{
	struct originals originals;

	if ((!withhold_is_known(apply, kernel) || stash_is_marked_withheld(apply->boot, kernel)) &&
	    originals_look(apply->root, apply->boot, kernel, &originals, NULL) == 0)
		(void)store_record(apply, kernel, apply->boot->own_fd, kernel->packaged,
				   originals.diversion == DIVERT_OURS ? "divert" : "foreign", NULL);
}

/* Nothing boots: then the kernel is where its package put it, as it would be without us. */
static int put_in_place(const struct apply *apply, const struct kernel *kernel,
			struct pvk_error *err)
{
	_cleanup_infile_ struct infile packaged = INFILE_INIT;
	int r = infile_open(apply->boot->own_fd, kernel->packaged, INFILE_TRUSTED, &packaged, err);

	if (r == 0)
		r = infile_read(&packaged, err);
	return r < 0 ? r : stash_place(apply->boot, kernel, &packaged, err);
}

/* Does the image of before an update boot? Or again, now that the update is refused? */
static bool has_earlier(const struct apply *apply, const struct kernel *kernel,
			const struct originals *originals, bool *ret_changed)
{
	int r;

	if (withhold_is_loadable(apply, kernel))
		return true;
	if (originals_is_source(originals))
		return false;
	/* A failure of that leaves an image that boots, or one to be withheld like any. */
	r = refuse_update(apply, kernel, NULL);
	*ret_changed = r != 0;
	return r == 1 || (r < 0 && withhold_is_loadable(apply, kernel));
}

int withhold_settle(const struct apply *apply, const struct kernel *kernel, bool is_new,
		    struct withhold *ret, struct pvk_error *err)
{
	struct withhold withhold = {.kind = WITHHOLD_DONE};
	struct originals originals;
	int r;

	r = originals_look(apply->root, apply->boot, kernel, &originals, err);
	if (r < 0)
		return r;
	if (originals.in_place && has_earlier(apply, kernel, &originals, &withhold.changed)) {
		withhold.kind = WITHHOLD_EARLIER;
		*ret = withhold;
		return 0;
	}
	r = find_fallback(apply, kernel, &withhold.fallback, err);
	if (r < 0)
		return r;
	if (r == 0) {
		withhold.kind = WITHHOLD_HOPELESS;
		withhold.changed = !originals.in_place;
		r = originals_is_source(&originals) ? put_in_place(apply, kernel, err) : 0;
	} else if (!originals.in_place) {
		r = 0;
	} else if (is_new || kver_compare(kernel->version, withhold.fallback.version) > 0) {
		withhold.changed = true;
		r = take_out(apply, kernel, &originals, err);
	} else {
		withhold.kind = WITHHOLD_NOT_NEEDED;
		r = 0;
	}
	if (r < 0)
		return r;
	if (withhold.kind == WITHHOLD_DONE)
		note_withheld(apply, kernel);
	*ret = withhold;
	return 0;
}
