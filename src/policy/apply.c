/* SPDX-License-Identifier: GPL-2.0-or-later */
/* apply.c - see apply.h; the order of the steps is DESIGN's, and each one says why it stands there. */
#include "apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

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
#include "plan.h"
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
	struct infile file;
	struct record record;
	bool has_record;
};

static void work_done(struct work *work)
{
	infile_close(&work->file);
}

#define _cleanup_work_ _cleanup_(work_done)

/* An image that was left as it is may have to go under another configuration. */
static bool is_kept_by_config(const struct record *record, const struct config *config)
{
	for (enum codec codec = CODEC_GZIP; codec < CODEC_COUNT; codec++)
		if (strcmp(record->payload, codec_name(codec)) == 0 && config->convert >> codec & 1)
			return false;
	return strcmp(record->loader, loader_name(config_loader(config))) == 0;
}

/* Is the record of an earlier run still true? Then a few stat calls were all. */
static bool is_done_already(struct work *work)
{
	const struct bootdir *boot = work->apply->boot;
	struct outcome *outcome = work->outcome;
	struct stat st;

	work->has_record = record_load(boot, work->kernel, &work->record) == 1;
	if (!work->has_record || fstatat(boot->fd, work->kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !record_matches(&work->record, &st))
		return false;
	if (work->record.state == RECORD_KEPT &&
	    !is_kept_by_config(&work->record, work->apply->config))
		return false;
	outcome->has_packaged = stash_size(boot, work->kernel) > 0;
	outcome->old_size = work->record.source_size;
	outcome->new_size = work->record.result_size;
	outcome->kind = work->record.state == RECORD_PREPARED ? OUTCOME_ALREADY : OUTCOME_KEPT;
	return true;
}

static int read_source(struct work *work, struct pvk_error *err)
{
	struct outcome *outcome = work->outcome;
	int r;

	r = infile_open(work->apply->boot->fd, work->kernel->file, INFILE_TRUSTED, &work->file, err);
	if (r < 0)
		return r;
	outcome->old_size = (uint64_t)work->file.st.st_size;
	r = infile_read(&work->file, err);
	if (r < 0)
		return r;
	r = jobs_identify(work->file.bytes, &outcome->image, err);
	outcome->has_image = true;
	return r;
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

/* A record is a convenience: without it the next run takes longer, that is all. */
static void store_record(const struct work *work, struct record *record)
{
	struct bootdir *boot = work->apply->boot;
	struct stat st;

	if (work->apply->dry_run || bootdir_make_own(boot, NULL) < 0 ||
	    fstatat(boot->fd, work->kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (record_store(boot, work->kernel, record, &st, NULL) == 0)
		work->outcome->wrote = true;
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
	outcome->kind = OUTCOME_KEPT;
	outcome->new_size = outcome->old_size;
	outcome->has_packaged = stash_size(work->apply->boot, work->kernel) > 0;
	fill_record(work, RECORD_KEPT, &record);
	/* Our own result, merely touched or copied back: what it came from is still known. */
	if (work->has_record && work->record.state == RECORD_PREPARED &&
	    strcmp(work->record.result_digest.s, record.source_digest.s) == 0) {
		record = work->record;
		outcome->kind = OUTCOME_ALREADY;
	}
	record.result_digest = digest_fast(work->file.bytes);
	store_record(work, &record);
	return 0;
}

/* dpkg knows what its package installed: anything else is damaged or foreign, and not ours. */
static int check_md5(struct work *work, struct record *record, struct pvk_error *err)
{
	struct dpkg_md5 listed;
	int r;

	r = dpkgdb_find_md5(work->apply->root, work->kernel->version, &listed, err);
	if (r <= 0)
		return r;
	record->source_md5 = digest_md5(work->file.bytes);
	if (strcmp(record->source_md5.s, listed.md5) == 0) {
		memcpy(work->outcome->md5_package, listed.package, sizeof(listed.package));
		return 0;
	}
	if (work->apply->force)
		return 0;
	return pvk_fail(err, PVK_E_REFUSED,
			"its MD5 sum is not the one that dpkg lists for package %s: damaged or replaced (--force prepares it all the same)",
			text_escape(listed.package).s);
}

static int check_space(struct work *work, struct pvk_error *err)
{
	return disk_check_space(work->apply->boot->fd, work->outcome->image.image_size,
				&work->outcome->missing, err);
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

/* Does the name still stand for the file that was read, with the bytes that were read? */
static int verify_source(const struct work *work, struct pvk_error *err)
{
	struct stat st;

	if (fstatat(work->apply->boot->fd, work->kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pvk_fail_errno(err, errno, "cannot find it any more");
	if (st.st_dev != work->file.st.st_dev || st.st_ino != work->file.st.st_ino)
		return pvk_fail(err, PVK_E_CHANGED, "was replaced by somebody else meanwhile");
	return infile_verify_unchanged(&work->file, err);
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
	int r;

	if (work->apply->config->originals == ORIGINALS_NONE)
		return 0;
	r = stash_keep(work->apply->boot, work->kernel, &work->file, err);
	if (r == 0)
		work->outcome->has_packaged = true;
	return r;
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
		return 0;
	}
	r = replace(work, &record, err);
	if (r < 0)
		return r;
	outcome->kind = OUTCOME_PREPARED;
	outcome->wrote = true;
	store_record(work, &record);
	return 0;
}

static int prepare(struct work *work, struct pvk_error *err)
{
	int r;

	if (is_done_already(work))
		return 0;
	r = read_source(work, err);
	if (r < 0)
		return r;
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
	static const char *const names[] = {"failed",	"prepared",	 "already",
					    "kept",	"would-prepare", "restored",
					    "would-restore", "packaged"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == OUTCOME_COUNT, "a name for each");
	return names[kind];
}
