/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore.c - apply_restore(), see apply.h: the packaged image back under its own name. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/disk.h"
#include "../system/dpkgdb.h"
#include "../system/infile.h"
#include "../system/outfile.h"
#include "apply.h"
#include "jobs.h"
#include "originals.h"
#include "record.h"
#include "stash.h"

/* Is the image that is in place now the result that the record speaks of? */
static bool is_our_result(const struct apply *apply, const struct kernel *kernel,
			  const struct record *record, struct pvk_error *err)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct stat st;

	if (record->state != RECORD_PREPARED)
		return false;
	if (fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (record_matches(record, &st))
		return true;
	return (uint64_t)st.st_size == record->result_size &&
	       infile_open(apply->boot->fd, kernel->file, INFILE_ANY, &file, err) == 0 &&
	       infile_read(&file, err) == 0 &&
	       strcmp(digest_fast(file.bytes).s, record->result_digest.s) == 0;
}

/* Does the hybrid in place hold the very image that is kept? */
static bool is_in_hybrid(const struct apply *apply, const struct kernel *kernel, struct bytes kept)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	_cleanup_free_ uint8_t *original = NULL;
	uint64_t size;

	return infile_open(apply->boot->fd, kernel->file, INFILE_ANY, &file, NULL) == 0 &&
	       infile_read(&file, NULL) == 0 &&
	       hybrid_cut(file.bytes, &original, &size, NULL) == 0 && size == kept.size &&
	       memcmp(original, kept.data, kept.size) == 0;
}

/*
 * The kept image is put back only when it is known to be the right one: dpkg lists its MD5, or the
 * record has its digest and the image in place was made from it, which a hybrid tells by itself.
 */
static int verify_kept(const struct apply *apply, const struct kernel *kernel, struct bytes kept,
		       struct pvk_error *err)
{
	struct record record = {0};
	struct dpkg_md5 listed;
	int r;

	r = dpkgdb_find_md5(apply->root, kernel->version, &listed, err);
	if (r < 0)
		return r;
	if (r == 1 && strcmp(digest_md5(kept).s, listed.md5) == 0)
		return 0;
	if (r == 1)
		return pvk_fail(
			err, PVK_E_REFUSED,
			"the kept image is not the one of package %s: damaged, or of an older version (--force puts it back all the same; better: apt-get install --reinstall %s)",
			text_escape(listed.package).s, text_escape(listed.package).s);
	if (fstatat(apply->boot->fd, kernel->file, &(struct stat){0}, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* withheld: nothing is replaced by it */
	if (is_in_hybrid(apply, kernel, kept))
		return 0;
	if (record_load(apply->boot, kernel, &record) != 1)
		return pvk_fail(
			err, PVK_E_REFUSED,
			"nothing tells that the kept image is the right one: no record, no MD5 in dpkg's lists (--force puts it back all the same)");
	if (strcmp(digest_fast(kept).s, record.source_digest.s) != 0)
		return pvk_fail(
			err, PVK_E_REFUSED,
			"the kept image is damaged: its digest is not the recorded one (--force puts it back all the same)");
	if (!is_our_result(apply, kernel, &record, NULL))
		return pvk_fail(
			err, PVK_E_REFUSED,
			"the image in place was not made from the kept one (--force puts it back all the same)");
	return 0;
}

static void forget(const struct apply *apply, const struct kernel *kernel, struct outcome *outcome)
{
	outcome->wrote = true;
	record_remove(apply->boot, kernel);
	/* The last one takes the directory along; not empty is the usual answer, and fine. */
	(void)unlinkat(apply->boot->fd, PVK_OWN_DIR, AT_REMOVEDIR);
}

/* Where dpkg says what it installed, that is what must come back. */
static int check_listed_md5(const struct apply *apply, const struct kernel *kernel,
			    struct bytes original, struct pvk_error *err)
{
	struct dpkg_md5 listed;
	int r = dpkgdb_find_md5(apply->root, kernel->version, &listed, err);

	if (r <= 0)
		return r;
	if (apply->force || strcmp(digest_md5(original).s, listed.md5) == 0)
		return 0;
	return pvk_fail(
		err, PVK_E_REFUSED,
		"the image that the hybrid holds is not the one of package %s (--force puts it back all the same; better: apt-get install --reinstall %s)",
		text_escape(listed.package).s, text_escape(listed.package).s);
}

static int replace_hybrid(const struct apply *apply, const struct kernel *kernel,
			  const struct infile *hybrid, struct bytes original, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	uint64_t missing;
	int r;

	r = disk_check_space(apply->boot->fd, original.size, &missing, err);
	if (r < 0)
		return r;
	r = outfile_begin(apply->boot->fd, original.size, &out, err);
	if (r < 0)
		return r;
	memcpy(out.data, original.data, original.size);
	r = infile_verify_unchanged(hybrid, err);
	return r < 0 ? r : outfile_commit(&out, hybrid->fd, kernel->file, err);
}

/* The packaged image out of the hybrid in place: its MD5 sum is in there, too. */
static int cut_out(const struct apply *apply, const struct kernel *kernel,
		   const struct infile *hybrid, struct outcome *outcome, struct pvk_error *err)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct bytes original;
	uint64_t size;
	int r;

	r = hybrid_cut(hybrid->bytes, &data, &size, err);
	if (r < 0)
		return r;
	original = bytes_make(data, (size_t)size);
	r = check_listed_md5(apply, kernel, original, err);
	if (r < 0)
		return r;
	outcome->new_size = size;
	outcome->kind = apply->dry_run ? OUTCOME_WOULD_RESTORE : OUTCOME_RESTORED;
	if (apply->dry_run)
		return 0;
	r = replace_hybrid(apply, kernel, hybrid, original, err);
	if (r == 0)
		forget(apply, kernel, outcome);
	return r;
}

/* Nothing is kept: fine where the image in place is not of our making, or holds its original. */
static int find_packaged(const struct apply *apply, const struct kernel *kernel,
			 struct outcome *outcome, struct pvk_error *err)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct record record;
	int r;

	r = infile_open(apply->boot->fd, kernel->file, INFILE_ANY, &file, err);
	if (r == 0)
		r = infile_read(&file, err);
	if (r == 0)
		r = jobs_identify(file.bytes, &outcome->image, err);
	if (r < 0)
		return r;
	if (outcome->image.hybrid.has_trailer)
		return cut_out(apply, kernel, &file, outcome, err);
	if (outcome->image.container == IMAGE_ELF &&
	    record_load(apply->boot, kernel, &record) == 1 && record.state == RECORD_PREPARED)
		return pvk_fail(
			err, PVK_E_REFUSED,
			"no packaged image is kept for it (apt-get install --reinstall brings it back)");
	outcome->has_image = true;
	outcome->new_size = outcome->old_size;
	outcome->kind = OUTCOME_PACKAGED;
	return 0;
}

static int restore(const struct apply *apply, const struct kernel *kernel, struct outcome *outcome,
		   struct pvk_error *err)
{
	_cleanup_infile_ struct infile kept = INFILE_INIT;
	bool is_in_place;
	struct stat st = {0};
	int r;

	if (fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) == 0)
		outcome->old_size = (uint64_t)st.st_size;
	else
		outcome->was_absent = true;
	if (stash_size(apply->boot, kernel) == 0) {
		r = apply->dry_run ? 0 : originals_undivert(apply->root, kernel, err);
		return r < 0 ? r : find_packaged(apply, kernel, outcome, err);
	}
	r = infile_open(apply->boot->own_fd, kernel->packaged, INFILE_TRUSTED, &kept, err);
	if (r == 0)
		r = infile_read(&kept, err);
	/* Two names of one file, as a run leaves them that failed at its end: nothing to prove. */
	is_in_place = r == 0 && st.st_dev == kept.st.st_dev && st.st_ino == kept.st.st_ino;
	if (r == 0 && !apply->force && !is_in_place)
		r = verify_kept(apply, kernel, kept.bytes, err);
	if (r < 0)
		return r;
	outcome->new_size = kept.bytes.size;
	outcome->kind = apply->dry_run ? OUTCOME_WOULD_RESTORE : OUTCOME_RESTORED;
	if (apply->dry_run)
		return 0;
	/* From here on dpkg takes the image in /boot for its own, and a run that is cut off here is
	 * simply repeated. */
	r = originals_undivert(apply->root, kernel, err);
	if (r == 0)
		r = stash_put_back(apply->boot, kernel, err);
	if (r < 0)
		return r;
	forget(apply, kernel, outcome);
	return 0;
}

int apply_restore(const struct apply *apply, const struct kernel *kernel, struct outcome *ret)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	r = restore(apply, kernel, ret, &ret->error);
	if (r < 0)
		ret->kind = OUTCOME_FAILED;
	return r;
}
