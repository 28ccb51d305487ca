/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.c - see work.h: where the image that is prepared comes from. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "jobs.h"
#include "work.h"

void work_done(struct work *work)
{
	infile_close(&work->in_place);
	infile_close(&work->kept);
	free(work->cut);
	scratch_unmap(&work->unwrapped);
}

static int read_file(int dirfd, const char *name, struct infile *file, struct pvk_error *err)
{
	int r = 0;

	if (file->bytes.data)
		return 0;
	if (file->fd < 0)
		r = infile_open(dirfd, name, INFILE_TRUSTED, file, err);
	return r < 0 ? r : infile_read(file, err);
}

bool source_open_in_place(struct work *work)
{
	return work->in_place.fd >= 0 || infile_open(work->apply->boot->fd, work->kernel->file,
						     INFILE_TRUSTED, &work->in_place, NULL) == 0;
}

bool source_read_in_place(struct work *work)
{
	return read_file(work->apply->boot->fd, work->kernel->file, &work->in_place, NULL) == 0;
}

bool source_read_kept(struct work *work)
{
	return work->apply->boot->own_fd >= 0 &&
	       read_file(work->apply->boot->own_fd, work->kernel->packaged, &work->kept, NULL) == 0;
}

/*
 * A bzImage that is compressed once more, which loaders unpack in two steps: what is decoded is the
 * inner one. Anything else that is compressed stays what it is.
 */
static int unwrap(struct work *work, struct pvk_error *err)
{
	const struct apply *apply = work->apply;
	struct image judged, inner;
	uint64_t size;
	int r;

	r = jobs_examine_for_judging(work->source, &judged, apply->watch, NULL);
	if (r < 0 || judged.wrap_count != 1 || judged.container != IMAGE_BZIMAGE)
		return 0;
	size = judged.wraps[0].plain_size;
	r = scratch_map(apply->dry_run ? NULL : apply->root, size, &work->unwrapped, err);
	if (r == 0)
		r = jobs_decode(work->source, judged.wraps[0].codec, work->unwrapped.data, size,
				apply->watch, err);
	if (r < 0)
		return r;
	work->inside = bytes_make(work->unwrapped.data, (size_t)size);
	r = jobs_identify(work->inside, &inner, err);
	inner.wrap_count = 1;
	inner.wraps[0] = judged.wraps[0];
	work->outcome->image = inner;
	return r;
}

static int take(struct work *work, const struct infile *file, struct bytes source,
		struct pvk_error *err)
{
	struct outcome *outcome = work->outcome;
	int r;

	work->file = file;
	work->source = work->inside = source;
	outcome->old_size = source.size;
	r = jobs_identify(source, &outcome->image, err);
	outcome->has_image = true;
	if (r == 0 && outcome->image.container == IMAGE_COMPRESSED)
		r = unwrap(work, err);
	return r < 0 ? r : image_check_whole(&outcome->image, err);
}

int source_take_kept(struct work *work, struct pvk_error *err)
{
	int r = read_file(work->apply->boot->own_fd, work->kernel->packaged, &work->kept, err);

	return r < 0 ? r : take(work, &work->kept, work->kept.bytes, err);
}

int source_take_cut(struct work *work, struct pvk_error *err)
{
	_cleanup_free_ uint8_t *cut = NULL;
	struct image image;
	uint64_t size;
	int r;

	r = hybrid_cut(work->in_place.bytes, &cut, &size, err);
	if (r == 0)
		r = jobs_identify(bytes_make(cut, (size_t)size), &image, err);
	if (r == 0)
		r = image_check_whole(&image, err);
	if (r < 0)
		return r;
	work->cut = TAKE_PTR(cut);
	work->source = work->inside = bytes_make(work->cut, (size_t)size);
	work->outcome->image = image;
	work->outcome->old_size = size;
	return 0;
}

int source_find(struct work *work, struct pvk_error *err)
{
	const struct apply *apply = work->apply;
	int r;

	r = originals_look(apply->root, apply->boot, work->kernel, &work->originals, err);
	if (r < 0)
		return r;
	work->outcome->was_absent = !work->originals.in_place;
	if (originals_is_source(&work->originals))
		return source_take_kept(work, err);
	r = read_file(apply->boot->fd, work->kernel->file, &work->in_place, err);
	return r < 0 ? r : take(work, &work->in_place, work->in_place.bytes, err);
}

static int verify_file(const struct infile *file, int dirfd, const char *name,
		       struct pvk_error *err)
{
	struct stat st;

	if (file->fd < 0)
		return 0;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return pvk_fail_errno(err, errno, "cannot find it any more");
	if (st.st_dev != file->st.st_dev || st.st_ino != file->st.st_ino)
		return pvk_fail(err, PVK_E_CHANGED, "was replaced by somebody else meanwhile");
	return infile_verify_unchanged(file, err);
}

int source_verify(const struct work *work, struct pvk_error *err)
{
	const struct bootdir *boot = work->apply->boot;
	int r = verify_file(&work->in_place, boot->fd, work->kernel->file, err);

	if (r == 0 && work->file == &work->kept)
		r = verify_file(&work->kept, boot->own_fd, work->kernel->packaged, err);
	return r;
}

void source_describe(const struct image *image, struct bytes bytes, struct record *record)
{
	(void)snprintf(record->container, sizeof(record->container), "%s",
		       image_container_name(image));
	(void)snprintf(record->payload, sizeof(record->payload), "%s", image_payload_name(image));
	record->source_size = bytes.size;
	record->source_digest = digest_fast(bytes);
}
