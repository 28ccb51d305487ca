/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c - see apply.h; the order of the steps is DESIGN's, and each one says why it stands there.
 */
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/text.h"
#include "../formats/loaders.h"
#include "../system/disk.h"
#include "../system/dpkgdb.h"
#include "../system/firmware.h"
#include "../system/signals.h"
#include "jobs.h"
#include "plan.h"
#include "provenance.h"
#include "result.h"
#include "stash.h"

static double monotonic_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- an image that stays --- */

/* It must decode to its end, and the loader must start what comes out. */
static int keep(struct work *work, struct pvk_error *err)
{
	const bool is_kept = work->file == &work->kept;
	struct outcome *outcome = work->outcome;
	struct record record = {.state = RECORD_KEPT};
	int r;

	if (outcome->image.wrap_count > 0)
		r = jobs_examine_for_judging(work->source, &outcome->image, work->apply->watch,
					     err);
	else
		r = jobs_examine_in_memory(work->source, &outcome->image, work->apply->watch, err);
	if (r < 0)
		return r;
	r = plan_may_stay(&outcome->image, work->apply->config, err);
	if (r < 0)
		return r;
	r = source_verify(work, err);
	if (r == 0 && is_kept && !work->apply->dry_run)
		r = stash_place(work->apply->boot, work->kernel, &work->kept, err);
	if (r < 0)
		return r;
	outcome->kind = OUTCOME_KEPT;
	outcome->new_size = outcome->old_size;
	outcome->has_packaged = work->originals.is_packaged;
	source_describe(&outcome->image, work->source, &record);
	record.result_digest = record.source_digest;
	provenance_store(work, &record, &work->file->st);
	return 0;
}

/* --- an image that is replaced --- */

static int find_listed_md5(struct work *work, struct dpkg_md5 *ret, struct pvk_error *err)
{
	const struct root *root = work->apply->root;
	const char *version = work->kernel->version;
	int r;

	if (!work->apply->is_unpacking)
		return dpkgdb_find_md5(root, version, ret, err);
	r = dpkgdb_find_unpacked_md5(root, version, ret, err);
	if (r == 0) /* and the old package's list says nothing of the new image */
		return pvk_fail(err, PVK_E_REFUSED, "dpkg has no MD5 sum for it yet");
	return r;
}

/* dpkg knows what its package installed: anything else is damaged or foreign, and not ours. */
static int check_md5(struct work *work, struct record *record, struct pvk_error *err)
{
	struct dpkg_md5 listed;
	int r;

	r = find_listed_md5(work, &listed, err);
	if (r < 0)
		return r;
	if (r == 0) {
		r = dpkgdb_owns_image(work->apply->root, work->kernel->version, err);
		work->is_owned = r > 0;
		return r < 0 ? r : 0;
	}
	work->is_owned = true;
	record->source_md5 = digest_md5(work->source);
	memcpy(work->outcome->md5_package, listed.package, sizeof(listed.package));
	if (strcmp(record->source_md5.s, listed.md5) == 0)
		return 0;
	work->outcome->is_md5_overridden = work->apply->force;
	if (work->apply->force)
		return 0;
	return pvk_fail(
		err, PVK_E_REFUSED,
		"its MD5 sum is not the one that dpkg lists for package %s: damaged or replaced (--force prepares it all the same)",
		text_escape(listed.package).s);
}

/* The original in a hybrid gets a file of its own before the hybrid goes. */
static bool writes_original(const struct work *work)
{
	return work->cut && work->apply->config->originals != ORIGINALS_NONE;
}

static int check_space(struct work *work, uint64_t size, struct pvk_error *err)
{
	const struct apply *apply = work->apply;
	const uint64_t original = writes_original(work) ? work->source.size : 0;
	const uint64_t initrd =
		apply->leave_initrd_room ? bootdir_expected_initrd(apply->boot, work->kernel) : 0;
	int r = disk_check_space(apply->boot->fd, size + original + initrd, &work->outcome->missing,
				 err);

	if (r == -PVK_E_NO_SPACE && initrd > 0 && work->outcome->missing > 0)
		return pvk_fail(
			err, PVK_E_NO_SPACE,
			"no space: the prepared image needs %s and its initrd about %s, %s are missing",
			text_size(size).s, text_size(initrd).s,
			text_size(work->outcome->missing).s);
	return r;
}

/* --- its form --- */

static int choose_hybrid(struct work *work, struct result *ret, struct pvk_error *err)
{
	if (firmware_has_secure_boot(work->apply->root))
		return pvk_fail(
			err, PVK_E_REFUSED,
			"Secure Boot is on, and the signature of a hybrid does not hold: use format = elf");
	return result_pack_hybrid(work, ret, err);
}

/* The bare ELF does not fit: says what a hybrid would need, if it is less. */
static int propose_hybrid(struct work *work, uint64_t elf_size, struct pvk_error *err)
{
	_cleanup_result_ struct result hybrid = {0};
	const struct pvk_error refusal = *err;

	if (work->outcome->image.container != IMAGE_BZIMAGE ||
	    work->outcome->image.wrap_count > 0 || firmware_has_secure_boot(work->apply->root) ||
	    result_pack_hybrid(work, &hybrid, NULL) < 0 || hybrid.size >= elf_size)
		return -refusal.code;
	work->outcome->fits_as_hybrid = work->outcome->missing <= elf_size - hybrid.size;
	return pvk_fail(err, refusal.code, "%s (with format = hybrid it would need %s%s)",
			refusal.msg, text_size(hybrid.size).s,
			work->outcome->fits_as_hybrid ? ", which fits" : "");
}

/* Decides on the form and its size, and makes sure that there is room. */
static int choose_result(struct work *work, struct result *ret, struct pvk_error *err)
{
	const struct config *config = work->apply->config;
	const uint64_t elf_size = work->outcome->image.image_size;
	enum config_format format =
		plan_format(image_container_name(&work->outcome->image), config);
	int r = 0;

	if (format != FORMAT_HYBRID)
		r = check_space(work, elf_size, err);
	if (format == FORMAT_AUTO)
		format = r < 0 || config->originals == ORIGINALS_NONE ? FORMAT_HYBRID : FORMAT_ELF;
	if (format == FORMAT_HYBRID) {
		r = choose_hybrid(work, ret, err);
		return r < 0 ? r : check_space(work, ret->size, err);
	}
	if (r == -PVK_E_NO_SPACE && work->outcome->missing > 0 && !work->is_ours)
		r = propose_hybrid(work, elf_size, err);
	if (r == 0)
		result_plan_elf(work, ret);
	return r;
}

/* Before the first write: everything that can be known to fail. */
static int check_before(struct work *work, struct record *record, struct result *result,
			struct pvk_error *err)
{
	struct image *image = &work->outcome->image;
	int r;

	r = check_md5(work, record, err);
	if (r < 0)
		return r;
	if (image->image_size == 0) { /* a whole-file stream that does not say: find out */
		r = jobs_examine_in_memory(work->source, image, work->apply->watch, err);
		if (r < 0)
			return r;
	}
	return choose_result(work, result, err);
}

/* --- replacing --- */

static int keep_original(struct work *work, struct pvk_error *err)
{
	const struct apply *apply = work->apply;

	if (work->file == &work->kept)
		return 0;
	if (work->cut)
		return writes_original(work) ? stash_write(apply->boot, work->kernel, work->source,
							   work->file->fd, err)
					     : 0;
	return originals_keep(apply->root, apply->boot, work->kernel, apply->config, work->file,
			      work->is_owned, &work->outcome->stash_reason, err);
}

static int replace(struct work *work, struct result *result, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	struct bootdir *boot = work->apply->boot;
	int r;

	r = bootdir_make_own(boot, err);
	if (r == 0)
		r = outfile_begin(boot->fd, result->size, &out, err);
	if (r == 0)
		r = result_write(work, result, &out, err);
	if (r == 0 && signals_pending())
		r = pvk_fail(err, PVK_E_INTERRUPTED, "interrupted by a signal");
	if (r == 0)
		r = source_verify(work, err);
	/* The original has its second name before the first one is taken from it. */
	if (r == 0)
		r = keep_original(work, err);
	if (r == 0)
		r = outfile_settle(&out, work->file->fd, work->kernel->file, err);
	/* dpkg does not wait for us: it may have brought another image since. */
	if (r == 0)
		r = source_verify(work, err);
	if (r < 0)
		return r;
	result->st = out.st;
	return outfile_rename(&out, work->kernel->file, err);
}

static int convert(struct work *work, struct pvk_error *err)
{
	_cleanup_result_ struct result result = {0};
	struct outcome *outcome = work->outcome;
	struct record record = {.state = RECORD_PREPARED};
	int r;

	source_describe(&outcome->image, work->source, &record);
	r = check_before(work, &record, &result, err);
	if (r < 0)
		return r;
	outcome->format = result.format;
	outcome->new_size = result.size;
	if (work->apply->dry_run) {
		outcome->kind = OUTCOME_WOULD_PREPARE;
		return faccessat(work->apply->boot->fd, ".", W_OK, AT_EACCESS) < 0
			       ? pvk_fail_errno(err, errno, "cannot write to its directory")
			       : 0;
	}
	r = replace(work, &result, err);
	if (r < 0)
		return r;
	outcome->kind = OUTCOME_PREPARED;
	outcome->wrote = true;
	record.result_digest = result.digest;
	(void)snprintf(record.format, sizeof(record.format), "%s",
		       config_format_name(result.format));
	provenance_store(work, &record, &result.st);
	return 0;
}

/* --- all of it --- */

/*
 * The image in place is a result of ours, in another form than is wanted, or a hybrid that is
 * damaged: turns to what it was made of. 1, or 0 if that is not to be had.
 */
static int turn_to_original(struct work *work, struct pvk_error *err)
{
	int r;

	if (work->has_original) {
		r = source_take_kept(work, err);
		return r < 0 ? r : 1;
	}
	return work->outcome->image.hybrid.has_trailer && source_take_cut(work, NULL) == 0;
}

/* The image in place will not do, or not in that form. */
static int make(struct work *work, struct pvk_error *err)
{
	int r;

	if (work->file == &work->kept && !work->apply->force &&
	    provenance_is_foreign(work->apply, work->kernel))
		return pvk_fail(
			err, PVK_E_REFUSED,
			"is neither the package's image nor made from it: not overwritten (give it a name of its own; --force puts the package's in its place)");
	if (work->file == &work->in_place) {
		r = turn_to_original(work, err);
		if (r != 0)
			return r < 0 ? r : convert(work, err);
	}
	if (work->is_ours && work->file == &work->in_place) {
		provenance_confirm(work);
		return 0;
	}
	if (plan_image(&work->outcome->image, work->apply->config) == PLAN_KEEP)
		return keep(work, err);
	return convert(work, err);
}

/* It boots in the form that it has as well. */
static int stay(struct work *work, struct pvk_error *err)
{
	*err = (struct pvk_error){0};
	work->outcome->missing = 0;
	provenance_confirm(work);
	work->outcome->lacks_original = false;
	work->outcome->lacks_room = true;
	return 0;
}

static int prepare(struct work *work, struct pvk_error *err)
{
	int r;

	if (provenance_is_current(work))
		return 0;
	r = source_find(work, err);
	if (r < 0)
		return r;
	if (provenance_find(work) && apply_is_current(&work->record, work->apply->config)) {
		provenance_confirm(work);
		return 0;
	}
	r = make(work, err);
	return r == -PVK_E_NO_SPACE && work->is_ours ? stay(work, err) : r;
}

int apply_prepare(const struct apply *apply, const struct kernel *kernel, struct outcome *ret)
{
	_cleanup_work_ struct work work = WORK_INIT(apply, kernel);
	const double start = monotonic_now();
	int r;

	memset(ret, 0, sizeof(*ret));
	work.outcome = ret;
	r = prepare(&work, &ret->error);
	if (r < 0)
		ret->kind = OUTCOME_FAILED;
	ret->seconds = monotonic_now() - start;
	return r;
}

const char *outcome_name(enum outcome_kind kind)
{
	static const char *const names[] = {"failed",	     "prepared",      "already",
					    "kept",	     "would-prepare", "restored",
					    "would-restore", "packaged"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == OUTCOME_COUNT, "a name for each");
	return names[kind];
}
