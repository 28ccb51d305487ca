/* SPDX-License-Identifier: GPL-2.0-or-later */
/* provenance.c - see provenance.h */
#include "provenance.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../formats/loaders.h"
#include "../system/dpkgdb.h"
#include "../system/scratch.h"
#include "jobs.h"
#include "plan.h"

bool apply_is_current(const struct record *record, const struct config *config)
{
	if (record->state == RECORD_PREPARED)
		return plan_accepts_format(record->format, record->container, config);
	if (record->state != RECORD_KEPT)
		return false;
	/* An image that was left as it is may have to go under another configuration. */
	for (enum codec codec = CODEC_GZIP; codec < CODEC_COUNT; codec++)
		if (strcmp(record->payload, codec_name(codec)) == 0 && config->convert >> codec & 1)
			return false;
	return strcmp(record->loader, loader_name(config_loader(config))) == 0;
}

static bool has_digest(struct bytes bytes, const struct digest_text *digest)
{
	return strcmp(digest_fast(bytes).s, digest->s) == 0;
}

/* --- the record --- */

/* The kept file; false: there is none. */
static bool stat_packaged(const struct work *work, struct stat *ret)
{
	const struct bootdir *boot = work->apply->boot;

	return boot->own_fd >= 0 &&
	       fstatat(boot->own_fd, work->kernel->packaged, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool stat_in_place(const struct work *work, struct stat *ret)
{
	return fstatat(work->apply->boot->fd, work->kernel->file, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && infile_is_same_state(a, b);
}

/* Does the kept file have the bytes that the record calls the source? By its digest. */
static bool holds_source(const struct work *work, const struct record *record)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;

	return infile_open(work->apply->boot->own_fd, work->kernel->packaged, INFILE_TRUSTED, &file,
			   NULL) == 0 &&
	       infile_read(&file, NULL) == 0 && has_digest(file.bytes, &record->source_digest);
}

/* Or has dpkg, which diverts its image to there, brought another one meanwhile? */
static bool is_source(const struct work *work, const struct record *record, const struct stat *st)
{
	return (work->file && is_same_file(st, &work->file->st)) ||
	       (work->kept.fd >= 0 && is_same_file(st, &work->kept.st)) ||
	       record_matches_source(record, st) || holds_source(work, record);
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
	if (!stat_packaged(work, &st))
		record_set_source(record, NULL);
	else if (is_source(work, record, &st))
		record_set_source(record, &st);
	else /* nothing that is found there matches: the next run looks again */
		record_set_source(record, &(struct stat){0});
	(void)snprintf(record->kept, sizeof(record->kept), "%s",
		       originals_kept_name(work->apply->config, originals, work->is_owned));
}

void provenance_store(struct work *work, struct record *record, const struct stat *made)
{
	struct bootdir *boot = work->apply->boot;
	struct stat st;

	if (work->apply->dry_run || bootdir_make_own(boot, NULL) < 0 || !stat_in_place(work, &st) ||
	    !is_same_file(&st, made))
		return;
	(void)snprintf(record->loader, sizeof(record->loader), "%s",
		       loader_name(config_loader(work->apply->config)));
	note_kept(work, record);
	if (record_store(boot, work->kernel, record, &st, NULL) == 0)
		work->outcome->wrote = true;
}

/* An original that an earlier run, or another configuration, could only stash. */
static void divert_later(struct work *work, const struct stat *in_place)
{
	const struct apply *apply = work->apply;

	if (apply->dry_run || apply->config->originals != ORIGINALS_DIVERT ||
	    strcmp(work->record.kept, "stash") != 0 || !work->outcome->has_packaged)
		return;
	work->is_owned = true;
	if (originals_divert(apply->root, work->kernel, &work->outcome->stash_reason) == 0)
		provenance_store(work, &work->record, in_place);
}

/* A bare ELF whose original is gone stays what it is, whatever form is wanted. */
static bool must_stay(const struct record *record, bool has_packaged)
{
	return record->state == RECORD_PREPARED && !has_packaged &&
	       strcmp(record->format, config_format_name(FORMAT_ELF)) == 0;
}

static void take_record(struct work *work)
{
	const struct record *record = &work->record;
	struct outcome *outcome = work->outcome;

	outcome->old_size = record->source_size;
	outcome->new_size = record->result_size;
	outcome->kind = record->state == RECORD_PREPARED ? OUTCOME_ALREADY : OUTCOME_KEPT;
	outcome->format = strcmp(record->format, config_format_name(FORMAT_HYBRID)) == 0
				  ? FORMAT_HYBRID
				  : FORMAT_ELF;
	outcome->lacks_original =
		!plan_accepts_format(record->format, record->container, work->apply->config) &&
		record->state == RECORD_PREPARED;
}

bool provenance_is_current(struct work *work)
{
	const struct record *record = &work->record;
	struct outcome *outcome = work->outcome;
	struct stat st, packaged;
	bool has_packaged;

	work->has_record = record_load(work->apply->boot, work->kernel, &work->record) == 1;
	if (!work->has_record || !stat_in_place(work, &st) || !record_matches(record, &st))
		return false;
	/* dpkg may have put a new image beside it (no hook of ours ran): that one is to be
	 * prepared. */
	has_packaged = stat_packaged(work, &packaged);
	work->is_recorded = record_matches_source(record, has_packaged ? &packaged : NULL);
	if (!work->is_recorded ||
	    (!apply_is_current(record, work->apply->config) && !must_stay(record, has_packaged)))
		return false;
	outcome->has_packaged = has_packaged;
	outcome->is_diverted = strcmp(record->kept, "divert") == 0;
	take_record(work);
	divert_later(work, &st);
	return true;
}

/* --- the files --- */

/* Told by its first bytes: a bare ELF is large, and need not be read to be another thing. */
static bool is_elf_in_place(struct work *work)
{
	uint8_t magic[4];

	return source_open_in_place(work) &&
	       pread(work->in_place.fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       elfimage_is(bytes_make(magic, sizeof(magic)));
}

/* Recorded as the bare ELF that this one is: another size is another image, other bytes are damage.
 * A hybrid proves itself. */
static bool is_recorded_elf(struct work *work)
{
	const struct record *record = &work->record;
	struct stat st;

	return record->state == RECORD_PREPARED &&
	       strcmp(record->format, config_format_name(FORMAT_ELF)) == 0 &&
	       stat_in_place(work, &st) && (uint64_t)st.st_size == record->result_size &&
	       is_elf_in_place(work);
}

/* The record's inodes and times are gone (a /boot that was copied or restored), its digests hold.
 */
static bool find_by_record(struct work *work)
{
	const struct record *record = &work->record;
	bool has_original;
	struct stat st;

	if (!work->has_record || record->state != RECORD_PREPARED || !stat_in_place(work, &st) ||
	    (uint64_t)st.st_size != record->result_size)
		return false;
	has_original =
		source_read_kept(work) && has_digest(work->kept.bytes, &record->source_digest);
	/* Where dpkg writes the kept image, another one there is an update. */
	if ((work->file == &work->kept && !has_original) || !source_read_in_place(work))
		return false;
	if (!has_digest(work->in_place.bytes, &record->result_digest)) {
		work->has_original = has_original && is_recorded_elf(work); /* made again */
		return false;
	}
	work->has_original = has_original;
	return true;
}

bool provenance_is_damaged(const struct apply *apply, const struct kernel *kernel)
{
	_cleanup_work_ struct work work = WORK_INIT(apply, kernel);
	struct stat st;

	return record_load(apply->boot, kernel, &work.record) == 1 && stat_in_place(&work, &st) &&
	       !record_matches(&work.record, &st) && is_recorded_elf(&work) &&
	       source_read_in_place(&work) &&
	       !has_digest(work.in_place.bytes, &work.record.result_digest);
}

/* The trailer speaks for the original only: the payload must start, too. */
static bool is_sound_hybrid(struct work *work)
{
	struct image image;

	return jobs_identify(work->in_place.bytes, &image, NULL) == 0 &&
	       jobs_examine_in_memory(work->in_place.bytes, &image, work->apply->watch, NULL) ==
		       0 &&
	       plan_may_stay(&image, work->apply->config, NULL) == 0;
}

static void set_record(struct work *work, enum config_format format, const struct image *image,
		       struct bytes original)
{
	struct record record = {.state = RECORD_PREPARED};

	(void)snprintf(record.format, sizeof(record.format), "%s", config_format_name(format));
	source_describe(image, original, &record);
	work->record = record;
}

static bool find_by_trailer(struct work *work)
{
	_cleanup_free_ uint8_t *cut = NULL;
	struct bytes original;
	struct image image;
	uint64_t size;

	if (is_elf_in_place(work) || !source_read_in_place(work) ||
	    hybrid_cut(work->in_place.bytes, &cut, &size, NULL) < 0)
		return false;
	original = bytes_make(cut, (size_t)size);
	/* True of a damaged payload, too: then that is what it is made of again. */
	work->has_original = source_read_kept(work) && work->kept.bytes.size == size &&
			     memcmp(work->kept.bytes.data, cut, original.size) == 0;
	if ((work->file == &work->kept && !work->has_original) || !is_sound_hybrid(work) ||
	    jobs_identify(original, &image, NULL) < 0)
		return false;
	set_record(work, FORMAT_HYBRID, &image, original);
	return true;
}

/* Does the kept image decode to the bare ELF in place, byte for byte? */
static bool find_by_decoding(struct work *work)
{
	_cleanup_scratch_ struct scratch scratch = {0};
	struct image image;
	struct bytes elf;

	if (!is_elf_in_place(work) || !source_read_kept(work) ||
	    jobs_identify(work->kept.bytes, &image, NULL) < 0 || !image_needs_sink(&image))
		return false;
	/* An update that needs no preparing takes its place as it is. */
	if (work->file == &work->kept && plan_image(&image, work->apply->config) == PLAN_KEEP)
		return false;
	/* The declared size differs: no need to decode. */
	if ((image.image_size != 0 && image.image_size != (uint64_t)work->in_place.st.st_size) ||
	    !source_read_in_place(work))
		return false;
	elf = work->in_place.bytes;
	if (scratch_map(work->apply->dry_run ? NULL : work->apply->root, elf.size, &scratch, NULL) <
		    0 ||
	    jobs_examine(work->kept.bytes, scratch.data, scratch.size, &image, work->apply->watch,
			 NULL) < 0 ||
	    image.image_size != elf.size || memcmp(scratch.data, elf.data, elf.size) != 0)
		return false;
	work->has_original = true;
	work->is_update =
		work->has_record && !has_digest(work->kept.bytes, &work->record.source_digest);
	set_record(work, FORMAT_ELF, &image, work->kept.bytes);
	return true;
}

bool provenance_find(struct work *work)
{
	work->is_ours = work->originals.in_place &&
			(find_by_record(work) || find_by_trailer(work) || find_by_decoding(work));
	return work->is_ours;
}

static bool is_same(struct bytes a, struct bytes b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

bool provenance_is_foreign(const struct apply *apply, const struct kernel *kernel)
{
	_cleanup_work_ struct work work = WORK_INIT(apply, kernel);
	struct image image;
	struct stat packaged;

	/* A bare ELF or a hybrid may be ours, and damaged: then it is made again. */
	return record_load(apply->boot, kernel, &work.record) == 1 &&
	       stat_packaged(&work, &packaged) && record_matches_source(&work.record, &packaged) &&
	       source_read_in_place(&work) && source_read_kept(&work) &&
	       !is_same(work.in_place.bytes, work.kept.bytes) &&
	       !has_digest(work.in_place.bytes, &work.record.result_digest) &&
	       jobs_identify(work.in_place.bytes, &image, NULL) == 0 &&
	       image.container == IMAGE_BZIMAGE && image_check_whole(&image, NULL) == 0;
}

void provenance_confirm(struct work *work)
{
	struct record *record = &work->record;

	record->result_size = work->in_place.bytes.size;
	record->result_digest = digest_fast(work->in_place.bytes);
	work->is_owned = dpkgdb_owns_image(work->apply->root, work->kernel->version, NULL) > 0;
	work->outcome->has_packaged = work->originals.is_packaged;
	work->outcome->is_diverted = work->originals.diversion == DIVERT_OURS;
	take_record(work);
	if (work->is_update && !work->apply->dry_run)
		work->outcome->kind = OUTCOME_PREPARED;
	if (!work->is_recorded)
		provenance_store(work, record, &work->in_place.st);
}
