/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refuse.c - see refuse.h */
#include "refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../formats/loaders.h"
#include "../system/dpkgdb.h"
#include "../system/infile.h"
#include "jobs.h"
#include "record.h"
#include "stash.h"

/* record.kept: the kept image is that of before the one that was refused. */
#define KEPT_EARLIER "earlier"

/* Is another image kept for it than the one in /boot? */
static bool has_other_kept(const struct apply *apply, const struct kernel *kernel)
{
	const struct bootdir *boot = apply->boot;
	struct stat kept, st;

	return boot->own_fd >= 0 &&
	       fstatat(boot->own_fd, kernel->packaged, &kept, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(kept.st_mode) &&
	       fstatat(boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (st.st_dev != kept.st_dev || st.st_ino != kept.st_ino);
}

/* Could it be started if it were prepared: whole, for PV, and its package's? 1, 0, or that it
 * cannot be told now, which says nothing of the file. */
static int is_sound(const struct apply *apply, const struct kernel *kernel,
		    const struct infile *image, struct pvk_error *err)
{
	struct image facts;
	struct dpkg_md5 listed;
	int r;

	if (dpkgdb_find_md5(apply->root, kernel->version, &listed, NULL) == 1 &&
	    strcmp(digest_md5(image->bytes).s, listed.md5) != 0)
		return 0;
	r = jobs_examine_for_judging(image->bytes, &facts, apply->watch, err);
	if (r < 0)
		return pvk_error_is_of_file(r) ? 0 : r;
	return loaders_accept_elf(&facts.elf, NULL) == 0;
}

/* The image in /boot, and whether it is sound. */
static int look(const struct apply *apply, const struct kernel *kernel, struct infile *ret,
		struct pvk_error *err)
{
	int r = infile_open(apply->boot->fd, kernel->file, INFILE_TRUSTED, ret, err);

	if (r == 0)
		r = infile_read(ret, err);
	return r < 0 ? r : is_sound(apply, kernel, ret, err);
}

/* The kept image, unless the record speaks of another one. */
static bool is_known(const struct apply *apply, const struct kernel *kernel, struct infile *ret)
{
	struct record record;

	return infile_open(apply->boot->own_fd, kernel->packaged, INFILE_TRUSTED, ret, NULL) == 0 &&
	       infile_read(ret, NULL) == 0 &&
	       (record_load(apply->boot, kernel, &record) == 0 ||
		strcmp(digest_fast(ret->bytes).s, record.source_digest.s) == 0);
}

/* st: what the record speaks of; all zero: of nothing that is in place. */
static int note_in_force(const struct apply *apply, const struct kernel *kernel,
			 struct record *record, const struct stat *st, struct pvk_error *err)
{
	(void)snprintf(record->kept, sizeof(record->kept), KEPT_EARLIER);
	return record_store(apply->boot, kernel, record, st, err);
}

/* Before anything is done, so that a run that is cut off is known for what it was. */
static int announce(const struct apply *apply, const struct kernel *kernel,
		    const struct digest_text *kept, struct pvk_error *err)
{
	const struct stat nothing = {0};
	struct record record = {.state = RECORD_PREPARED};

	(void)record_load(apply->boot, kernel, &record);
	record.source_digest = *kept;
	return note_in_force(apply, kernel, &record, &nothing, err);
}

int refuse_update(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err)
{
	_cleanup_infile_ struct infile image = INFILE_INIT, kept = INFILE_INIT;
	struct digest_text earlier;
	struct apply forced = *apply;
	struct outcome outcome;
	int r;

	if (!has_other_kept(apply, kernel))
		return 0;
	r = look(apply, kernel, &image, err);
	if (r < 0 && !pvk_error_is_of_file(r))
		return r;
	if (r != 0 || !is_known(apply, kernel, &kept))
		return 0;
	earlier = digest_fast(kept.bytes);
	r = announce(apply, kernel, &earlier, err);
	if (r == 0)
		r = stash_keep_refused(apply->boot, kernel, &image, err);
	/* The kept image at once, so that the name stands for a whole one all the time. */
	if (r == 0)
		r = stash_place(apply->boot, kernel, &kept, err);
	if (r < 0)
		return r;
	/* dpkg may list the MD5 sum of the update by now; this one was prepared before. */
	forced.force = true;
	r = apply_prepare(&forced, kernel, &outcome);
	if (r < 0) {
		if (err)
			*err = outcome.error;
		return r;
	}
	refuse_follow(apply, kernel, &earlier);
	return 1;
}

bool refuse_is_in_force(const struct apply *apply, const struct kernel *kernel,
			struct digest_text *ret_kept)
{
	struct record record;

	if (!stash_has_refused(apply->boot, kernel) ||
	    record_load(apply->boot, kernel, &record) != 1 ||
	    strcmp(record.kept, KEPT_EARLIER) != 0)
		return false;
	if (ret_kept)
		*ret_kept = record.source_digest;
	return true;
}

void refuse_follow(const struct apply *apply, const struct kernel *kernel,
		   const struct digest_text *kept)
{
	struct record record;
	struct stat st;

	if (record_load(apply->boot, kernel, &record) != 1 ||
	    fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !record_matches(&record, &st))
		return;
	if (kept && strcmp(record.source_digest.s, kept->s) == 0)
		(void)note_in_force(apply, kernel, &record, &st, NULL);
	else
		stash_remove_refused(apply->boot, kernel);
}

int refuse_take_out(const struct apply *apply, const struct kernel *kernel, struct pvk_error *err)
{
	_cleanup_infile_ struct infile image = INFILE_INIT;
	int r;

	if (!has_other_kept(apply, kernel))
		return 0;
	r = look(apply, kernel, &image, err);
	if (r < 0 && !pvk_error_is_of_file(r))
		return r;
	if (r == 1)
		return 0;
	r = stash_set_refused_aside(apply->boot, kernel, err);
	return r < 0 ? r : 1;
}
