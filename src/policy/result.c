/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.c - see result.h */
#include "result.h"

#include <string.h>

#include "../formats/elfcheck.h"
#include "../formats/loaders.h"
#include "jobs.h"

void result_done(struct result *result)
{
	scratch_unmap(&result->scratch);
}

/* After the worker is gone, so nobody can change the bytes between this look and the rename. */
static int verify_elf(const struct image *image, struct bytes elf, struct pvk_error *err)
{
	int r = loaders_accept_elf(&image->elf, err);

	return r < 0 ? r : elfcheck_is_pv_kernel(elf, err);
}

static int unpack(struct work *work, uint8_t *data, size_t size, struct pvk_error *err)
{
	struct image *image = &work->outcome->image;
	int r = jobs_examine(work->inside, data, size, image, work->apply->watch, err);

	return r < 0 ? r : verify_elf(image, bytes_make(data, size), err);
}

/* --- a bare ELF --- */

void result_plan_elf(const struct work *work, struct result *ret)
{
	*ret = (struct result){.format = FORMAT_ELF, .size = work->outcome->image.image_size};
}

static int write_elf(struct work *work, struct result *result, struct outfile *out,
		     struct pvk_error *err)
{
	int r = unpack(work, out->data, out->size, err);

	if (r == 0)
		result->digest = digest_fast(bytes_make(out->data, out->size));
	return r;
}

/* --- a hybrid --- */

static int pack(struct work *work, struct result *result, struct pvk_error *err)
{
	const size_t elf_size = (size_t)work->outcome->image.image_size;
	struct scratch *scratch = &result->scratch;
	uint8_t *gzip;
	uint64_t size;
	int r;

	/* A dry run makes no file, not even one without a name. */
	r = scratch_map(work->apply->dry_run ? NULL : work->apply->root,
			elf_size + hybrid_gzip_bound(elf_size), scratch, err);
	if (r == 0)
		r = unpack(work, scratch->data, elf_size, err);
	if (r < 0)
		return r;
	gzip = scratch->data + elf_size;
	result->elf = bytes_make(scratch->data, elf_size);
	result->elf_digest = digest_fast(result->elf);
	r = jobs_gzip(result->elf, gzip, scratch->size - elf_size, work->apply->watch, &size, err);
	if (r == 0)
		r = hybrid_check_size(work->source, size, err);
	if (r < 0)
		return r;
	result->gzip = bytes_make(gzip, (size_t)size);
	result->size = hybrid_size(work->source.size, size);
	return 0;
}

int result_pack_hybrid(struct work *work, struct result *ret, struct pvk_error *err)
{
	_cleanup_result_ struct result result = {.format = FORMAT_HYBRID};
	int r = pack(work, &result, err);

	if (r < 0)
		return r;
	*ret = result;
	result.scratch = (struct scratch){0};
	return 0;
}

static int fail_proof(const char *what, struct pvk_error *err)
{
	return pvk_fail(err, PVK_E_CORRUPT, "the hybrid made of it is not in order: %s", what);
}

/* Through the finished file's own header, as a loader reads it, into the room of the first ELF. */
static int unpack_again(struct work *work, struct bytes file, const struct result *result,
			struct image *ret, struct pvk_error *err)
{
	int r = jobs_identify(file, ret, err);

	if (r < 0)
		return r;
	if (ret->container != IMAGE_HYBRID || !ret->hybrid.has_trailer ||
	    ret->image_size != result->elf.size)
		return fail_proof("it is not recognised", err);
	/* What is compared next must have come out of the file. */
	memset(result->scratch.data, 0, result->elf.size);
	return jobs_examine(file, result->scratch.data, result->elf.size, ret, work->apply->watch,
			    err);
}

static int every_family_starts(const struct image *image, struct pvk_error *err)
{
	struct loader_verdict verdict;

	for (enum loader_family family = 0; family < LOADER_COUNT; family++) {
		loader_judge(family, image, &verdict);
		if (verdict.outcome != LOADER_STARTS)
			return fail_proof(loader_title(family), err);
	}
	return 0;
}

static int holds_source(const struct work *work, struct bytes file, struct pvk_error *err)
{
	_cleanup_free_ uint8_t *cut = NULL;
	uint64_t size;
	int r = hybrid_cut(file, &cut, &size, err);

	if (r < 0)
		return r;
	if (size != work->source.size || memcmp(cut, work->source.data, work->source.size) != 0)
		return fail_proof("the packaged image cannot be cut out of it", err);
	return 0;
}

static int verify_hybrid(struct work *work, const struct result *result, struct bytes file,
			 struct pvk_error *err)
{
	struct image image;
	int r = unpack_again(work, file, result, &image, err);

	if (r == 0 && strcmp(digest_fast(result->elf).s, result->elf_digest.s) != 0)
		r = fail_proof("it decodes to something else", err);
	if (r == 0)
		r = every_family_starts(&image, err);
	if (r == 0)
		r = verify_elf(&image, result->elf, err);
	if (r == 0)
		r = holds_source(work, file, err);
	/* The worker could have written into the file, too. */
	if (r == 0 && strcmp(digest_fast(file).s, result->digest.s) != 0)
		r = fail_proof("it changed meanwhile", err);
	return r;
}

static int write_hybrid(struct work *work, struct result *result, struct outfile *out,
			struct pvk_error *err)
{
	const struct bytes file = bytes_make(out->data, out->size);
	int r;

	hybrid_assemble(work->source, result->gzip, out->data);
	result->digest = digest_fast(file);
	r = verify_hybrid(work, result, file, err);
	/* Before the fsync: nobody needs these pages on disk. */
	scratch_unmap(&result->scratch);
	return r;
}

int result_write(struct work *work, struct result *result, struct outfile *out,
		 struct pvk_error *err)
{
	return result->format == FORMAT_HYBRID ? write_hybrid(work, result, out, err)
					       : write_elf(work, result, out, err);
}
