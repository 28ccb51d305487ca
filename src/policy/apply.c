/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c - see apply.h; the order of the steps is DESIGN's, and each one says why it stands there.
 */
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../formats/elfcheck.h"
#include "../formats/loaders.h"
#include "../system/disk.h"
#include "../system/dpkgdb.h"
#include "../system/infile.h"
#include "../system/outfile.h"
#include "../system/signals.h"
#include "jobs.h"
#include "originals.h"
#include "plan.h"
#include "provenance.h"
#include "record.h"
#include "stash.h"

static double monotonic_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One kernel on its way through the transaction. */
struct work {
	const struct apply *apply;
	const struct kernel *kernel;
	struct outcome *outcome;
	struct originals originals; /* as found */
	struct infile file;
	struct record record;
	bool has_record;
	bool is_owned; /* dpkg has the image in a list */
};

static void work_done(struct work *work)
{
	infile_close(&work->file);
}

#define _cleanup_work_ _cleanup_(work_done)

bool apply_is_current(const struct record *record, const struct config *config)
{
	if (record->state == RECORD_PREPARED)
		return true;
	if (record->state != RECORD_KEPT)
		return false;
	/* An image that was left as it is may have to go under another configuration. */
	for (enum codec codec = CODEC_GZIP; codec < CODEC_COUNT; codec++)
		if (strcmp(record->payload, codec_name(codec)) == 0 && config->convert >> codec & 1)
			return false;
	return strcmp(record->loader, loader_name(config_loader(config))) == 0;
}

/* The kept file; false: there is none. */
static bool stat_packaged(const struct work *work, struct stat *ret)
{
	const struct bootdir *boot = work->apply->boot;

	return boot->own_fd >= 0 &&
	       fstatat(boot->own_fd, work->kernel->packaged, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static void note_kept(struct work *work, struct record *record)
{
	struct originals *originals = &work->originals;
	struct outcome *outcome = work->outcome;
	struct stat st;

	/* What was done meanwhile may have changed it. */
	(void)originals_look(work->apply->root, work->apply->boot, work->kernel, originals, NULL);
	outcome->has_packaged = originals->is_packaged;
	outcome->is_diverted = originals->diversion == DIVERT_OURS;
	record_set_source(record, stat_packaged(work, &st) ? &st : NULL);
	(void)snprintf(record->kept, sizeof(record->kept), "%s",
		       originals_kept_name(work->apply->config, originals, work->is_owned));
}

/* A record is a convenience: without it the next run takes longer, that is all. */
static void store_record(struct work *work, struct record *record)
{
	struct bootdir *boot = work->apply->boot;
	struct stat st;

	if (work->apply->dry_run || bootdir_make_own(boot, NULL) < 0 ||
	    fstatat(boot->fd, work->kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	note_kept(work, record);
	if (record_store(boot, work->kernel, record, &st, NULL) == 0)
		work->outcome->wrote = true;
}

/* An original that an earlier run, or another configuration, could only stash. */
static void divert_later(struct work *work)
{
	const struct apply *apply = work->apply;

	if (apply->dry_run || apply->config->originals != ORIGINALS_DIVERT ||
	    strcmp(work->record.kept, "stash") != 0 || !work->outcome->has_packaged)
		return;
	work->is_owned = true;
	if (originals_divert(apply->root, work->kernel, &work->outcome->stash_reason) == 0)
		store_record(work, &work->record);
}

/* Is the record of an earlier run still true? Then a few stat calls were all. */
static bool is_done_already(struct work *work)
{
	const struct bootdir *boot = work->apply->boot;
	struct outcome *outcome = work->outcome;
	struct stat st, packaged;
	bool has_packaged;

	work->has_record = record_load(boot, work->kernel, &work->record) == 1;
	if (!work->has_record ||
	    fstatat(boot->fd, work->kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !record_matches(&work->record, &st) ||
	    !apply_is_current(&work->record, work->apply->config))
		return false;
	/* dpkg may have put a new image beside it (no hook of ours ran): that one is to be
	 * prepared. */
	has_packaged = stat_packaged(work, &packaged);
	if (!record_matches_source(&work->record, has_packaged ? &packaged : NULL))
		return false;
	outcome->has_packaged = has_packaged;
	outcome->is_diverted = strcmp(work->record.kept, "divert") == 0;
	outcome->old_size = work->record.source_size;
	outcome->new_size = work->record.result_size;
	outcome->kind = work->record.state == RECORD_PREPARED ? OUTCOME_ALREADY : OUTCOME_KEPT;
	divert_later(work);
	return true;
}

static int source_dir(const struct work *work)
{
	return originals_is_source(&work->originals) ? work->apply->boot->own_fd
						     : work->apply->boot->fd;
}

static const char *source_name(const struct work *work)
{
	return originals_is_source(&work->originals) ? work->kernel->packaged : work->kernel->file;
}

static int read_source(struct work *work, struct pvk_error *err)
{
	struct outcome *outcome = work->outcome;
	int r;

	r = originals_look(work->apply->root, work->apply->boot, work->kernel, &work->originals,
			   err);
	if (r < 0)
		return r;
	outcome->was_absent = !work->originals.in_place;
	r = infile_open(source_dir(work), source_name(work), INFILE_TRUSTED, &work->file, err);
	if (r < 0)
		return r;
	outcome->old_size = (uint64_t)work->file.st.st_size;
	r = infile_read(&work->file, err);
	if (r < 0)
		return r;
	r = jobs_identify(work->file.bytes, &outcome->image, err);
	outcome->has_image = true;
	return r < 0 ? r : image_check_whole(&outcome->image, err);
}

static void fill_record(const struct work *work, enum record_state state, struct record *record)
{
	const struct image *image = &work->outcome->image;

	record->state = state;
	(void)snprintf(record->loader, sizeof(record->loader), "%s",
		       loader_name(config_loader(work->apply->config)));
	(void)snprintf(record->container, sizeof(record->container), "%s",
		       image_container_name(image));
	(void)snprintf(record->payload, sizeof(record->payload), "%s", image_payload_name(image));
	record->source_size = work->file.bytes.size;
	record->source_digest = digest_fast(work->file.bytes);
}

/* Does the name still stand for the file that was read, with the bytes that were read? */
static int verify_source(const struct work *work, struct pvk_error *err)
{
	struct stat st;

	if (fstatat(source_dir(work), source_name(work), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pvk_fail_errno(err, errno, "cannot find it any more");
	if (st.st_dev != work->file.st.st_dev || st.st_ino != work->file.st.st_ino)
		return pvk_fail(err, PVK_E_CHANGED, "was replaced by somebody else meanwhile");
	return infile_verify_unchanged(&work->file, err);
}

/* The image stays: it must decode to its end, and the loader must start what comes out. */
static int keep(struct work *work, struct pvk_error *err)
{
	struct outcome *outcome = work->outcome;
	struct record record = {0};
	int r;

	r = jobs_examine_in_memory(work->file.bytes, &outcome->image, work->apply->watch, err);
	if (r < 0)
		return r;
	r = plan_may_stay(&outcome->image, work->apply->config, err);
	if (r < 0)
		return r;
	if (originals_is_source(&work->originals) && !work->apply->dry_run) {
		r = verify_source(work, err);
		if (r == 0)
			r = stash_place(work->apply->boot, work->kernel, &work->file, err);
		if (r < 0)
			return r;
	}
	outcome->kind = OUTCOME_KEPT;
	outcome->new_size = outcome->old_size;
	outcome->has_packaged = work->originals.is_packaged;
	fill_record(work, RECORD_KEPT, &record);
	/* Our own result, merely touched or copied back: what it came from is still known. */
	if (work->has_record && work->record.state == RECORD_PREPARED &&
	    strcmp(work->record.result_digest.s, record.source_digest.s) == 0) {
		record = work->record;
		outcome->kind = OUTCOME_ALREADY;
	} else if (outcome->image.container == IMAGE_ELF &&
		   provenance_find(work->apply->boot, work->kernel, work->file.bytes,
				   work->apply->watch, &record)) {
		record.state = RECORD_PREPARED;
		outcome->kind = OUTCOME_ALREADY;
	}
	record.result_digest = digest_fast(work->file.bytes);
	store_record(work, &record);
	return 0;
}

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
	record->source_md5 = digest_md5(work->file.bytes);
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

static int check_space(struct work *work, struct pvk_error *err)
{
	const struct apply *apply = work->apply;
	const uint64_t size = work->outcome->image.image_size;
	const uint64_t initrd =
		apply->leave_initrd_room ? bootdir_expected_initrd(apply->boot, work->kernel) : 0;
	int r = disk_check_space(apply->boot->fd, size + initrd, &work->outcome->missing, err);

	if (r == -PVK_E_NO_SPACE && initrd > 0 && work->outcome->missing > 0)
		return pvk_fail(
			err, PVK_E_NO_SPACE,
			"no space: the prepared image needs %s and its initrd about %s, %s are missing",
			text_size(size).s, text_size(initrd).s,
			text_size(work->outcome->missing).s);
	return r;
}

/* After the worker is gone, so nobody can change the bytes between this look and the rename. */
static int verify_result(const struct image *image, const struct outfile *out,
			 struct pvk_error *err)
{
	int r = loaders_accept_elf(&image->elf, err);

	if (r < 0)
		return r;
	return elfcheck_is_pv_kernel(bytes_make(out->data, out->size), err);
}

static int decode_and_verify(struct work *work, struct outfile *out, struct record *record,
			     struct pvk_error *err)
{
	struct image *image = &work->outcome->image;
	int r;

	r = jobs_examine(work->file.bytes, out->data, out->size, image, work->apply->watch, err);
	if (r == 0)
		r = verify_result(image, out, err);
	if (r < 0)
		return r;
	record->result_digest = digest_fast(bytes_make(out->data, out->size));
	return 0;
}

static int keep_original(struct work *work, struct pvk_error *err)
{
	const struct apply *apply = work->apply;

	if (originals_is_source(&work->originals))
		return 0;
	return originals_keep(apply->root, apply->boot, work->kernel, apply->config, &work->file,
			      work->is_owned, &work->outcome->stash_reason, err);
}

/* Is the image in place this very result? A lost record is no reason to write it again. */
static bool is_in_place(const struct work *work, const struct outfile *out)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;

	if (!originals_is_source(&work->originals) || !work->originals.in_place ||
	    infile_open(work->apply->boot->fd, work->kernel->file, INFILE_TRUSTED, &file, NULL) <
		    0 ||
	    (uint64_t)file.st.st_size != out->size || infile_read(&file, NULL) < 0)
		return false;
	return memcmp(file.bytes.data, out->data, out->size) == 0;
}

/* Before the first write: everything that can be known to fail. */
static int check_before(struct work *work, struct record *record, struct pvk_error *err)
{
	struct image *image = &work->outcome->image;
	int r;

	r = check_md5(work, record, err);
	if (r < 0)
		return r;
	if (image->image_size == 0) { /* a whole-file stream that does not say: find out */
		r = jobs_examine_in_memory(work->file.bytes, image, work->apply->watch, err);
		if (r < 0)
			return r;
	}
	return check_space(work, err);
}

static int replace(struct work *work, struct record *record, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	struct bootdir *boot = work->apply->boot;
	int r;

	r = bootdir_make_own(boot, err);
	if (r == 0)
		r = outfile_begin(boot->fd, work->outcome->image.image_size, &out, err);
	if (r == 0)
		r = decode_and_verify(work, &out, record, err);
	if (r == 0)
		r = verify_source(work, err);
	if (r == 0 && signals_pending())
		r = pvk_fail(err, PVK_E_INTERRUPTED, "interrupted by a signal");
	/* The original has its second name before the first one is taken from it. */
	if (r == 0)
		r = keep_original(work, err);
	if (r == 0 && is_in_place(work, &out))
		return 0;
	if (r == 0)
		r = outfile_commit(&out, work->file.fd, work->kernel->file, err);
	return r;
}

static int convert(struct work *work, struct pvk_error *err)
{
	struct outcome *outcome = work->outcome;
	struct record record = {0};
	int r;

	fill_record(work, RECORD_PREPARED, &record);
	r = check_before(work, &record, err);
	if (r < 0)
		return r;
	outcome->new_size = outcome->image.image_size;
	if (work->apply->dry_run) {
		outcome->kind = OUTCOME_WOULD_PREPARE;
		return faccessat(work->apply->boot->fd, ".", W_OK, AT_EACCESS) < 0
			       ? pvk_fail_errno(err, errno, "cannot write to its directory")
			       : 0;
	}
	r = replace(work, &record, err);
	if (r < 0)
		return r;
	outcome->kind = OUTCOME_PREPARED;
	outcome->wrote = true;
	store_record(work, &record);
	return 0;
}

/*
 * The record's inodes and times are gone (a /boot that was copied or restored), its digests are
 * true: then nothing is to be done, and above all no room is needed to find that out.
 */
static bool is_done_by_digest(struct work *work)
{
	_cleanup_infile_ struct infile image = INFILE_INIT;
	struct outcome *outcome = work->outcome;
	struct record *record = &work->record;

	if (!work->has_record || record->state != RECORD_PREPARED ||
	    !originals_is_source(&work->originals) ||
	    strcmp(digest_fast(work->file.bytes).s, record->source_digest.s) != 0 ||
	    infile_open(work->apply->boot->fd, work->kernel->file, INFILE_TRUSTED, &image, NULL) <
		    0 ||
	    (uint64_t)image.st.st_size != record->result_size || infile_read(&image, NULL) < 0 ||
	    strcmp(digest_fast(image.bytes).s, record->result_digest.s) != 0)
		return false;
	outcome->kind = OUTCOME_ALREADY;
	outcome->new_size = record->result_size;
	outcome->has_packaged = true;
	outcome->is_diverted = work->originals.diversion == DIVERT_OURS;
	store_record(work, record);
	return true;
}

static int prepare(struct work *work, struct pvk_error *err)
{
	int r;

	if (is_done_already(work))
		return 0;
	r = read_source(work, err);
	if (r < 0)
		return r;
	if (is_done_by_digest(work))
		return 0;
	if (plan_image(&work->outcome->image, work->apply->config) == PLAN_KEEP)
		return keep(work, err);
	return convert(work, err);
}

int apply_prepare(const struct apply *apply, const struct kernel *kernel, struct outcome *ret)
{
	_cleanup_work_ struct work work = {
		.apply = apply,
		.kernel = kernel,
		.outcome = ret,
		.file = INFILE_INIT,
	};
	const double start = monotonic_now();
	int r;

	memset(ret, 0, sizeof(*ret));
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
