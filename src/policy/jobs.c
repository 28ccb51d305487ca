/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.c - see jobs.h */
#include "jobs.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/cleanup.h"
#include "../formats/limits.h"

/* libelf, the C library, and room to breathe. */
#define WORKER_SLACK (UINT64_C(64) << 20)

_Static_assert(sizeof(struct image) <= WORKER_REPLY_MAX, "an image goes through the pipe");

struct job {
	struct bytes file;
	uint8_t *output;
	size_t output_size;
	const struct image *identified;
};

static int identify(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err)
{
	const struct job *job = context;

	(void)progress;
	return image_identify(job->file, reply, err);
}

static int examine(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err)
{
	const struct job *job = context;
	struct image *image = reply;
	struct decode_sink sink = {
		.data = job->output,
		.capacity = job->output_size,
		.memory_limit = PVK_MAX_DECODER_MEMORY,
		.progress = progress,
	};
	struct bytes elf;

	*image = *job->identified;
	return image_examine(job->file, &sink, image, &elf, err);
}

static void terminate_texts(struct image *image)
{
	struct xen_notes *notes = &image->elf.notes;

	image->version[sizeof(image->version) - 1] = '\0';
	image->detail[sizeof(image->detail) - 1] = '\0';
	image->problem.msg[sizeof(image->problem.msg) - 1] = '\0';
	image->elf.kernel_version[sizeof(image->elf.kernel_version) - 1] = '\0';
	notes->guest_os[sizeof(notes->guest_os) - 1] = '\0';
	notes->guest_version[sizeof(notes->guest_version) - 1] = '\0';
	notes->xen_version[sizeof(notes->xen_version) - 1] = '\0';
	notes->loader[sizeof(notes->loader) - 1] = '\0';
	notes->pae_mode[sizeof(notes->pae_mode) - 1] = '\0';
	notes->features[sizeof(notes->features) - 1] = '\0';
}

/* Could a worker that does its job have sent this about this file? */
static bool is_plausible(const struct image *image, struct bytes file)
{
	return image->container <= IMAGE_ZBOOT && image->codec < CODEC_COUNT &&
	       image->file_size == file.size &&
	       range_is_inside(image->payload_start, image->payload_size, file.size) &&
	       image->image_size_max <= (file.size > PVK_MAX_OUTPUT ? file.size : PVK_MAX_OUTPUT) &&
	       (image->image_size <= image->image_size_max || image->problem.code != 0) &&
	       image->elf.notes.source <= XEN_NOTES_XEN_GUEST;
}

static int run(const struct worker_job *job, struct bytes file, struct image *ret,
	       struct pvk_error *err)
{
	struct image image = {0};
	bool answered;
	int r;

	r = worker_run(job, &image, &answered, err);
	if (!answered)
		return r;
	terminate_texts(&image);
	if (!is_plausible(&image, file))
		return pvk_fail(err, PVK_E_WORKER, "the worker sent an impossible answer");
	*ret = image;
	return r;
}

int jobs_identify(struct bytes file, struct image *ret, struct pvk_error *err)
{
	struct job job = {.file = file};
	const struct worker_job worker = {
		.run = identify,
		.context = &job,
		.reply_size = sizeof(struct image),
		.memory = WORKER_SLACK,
	};

	memset(ret, 0, sizeof(*ret));
	return run(&worker, file, ret, err);
}

int jobs_examine(struct bytes file, uint8_t *output, size_t output_size, struct image *image,
		 const struct worker_watch *watch, struct pvk_error *err)
{
	struct job job = {
		.file = file,
		.output = output,
		.output_size = output_size,
		.identified = image,
	};
	const struct worker_job worker = {
		.run = examine,
		.context = &job,
		.reply_size = sizeof(struct image),
		.memory = PVK_MAX_DECODER_MEMORY + WORKER_SLACK,
		.watch = watch,
	};
	struct image examined = *image;
	int r = run(&worker, file, &examined, err);

	/* What was found by the headers does not change by decoding. */
	if (r == 0 && (examined.container != image->container || examined.codec != image->codec ||
		       (image->image_size > 0 && examined.image_size != image->image_size) ||
		       !examined.is_decoded || !examined.is_elf))
		return pvk_fail(err, PVK_E_WORKER, "the worker sent an impossible answer");
	*image = examined;
	return r;
}

/* --- initrds --- */

struct initrd_job {
	struct bytes file;
	const char *kernel_version;
	uint8_t *output;
	size_t output_size;
};

static int examine_initrd(void *context, void *reply, _Atomic uint64_t *progress,
			  struct pvk_error *err)
{
	const struct initrd_job *job = context;
	struct decode_sink sink = {
		.data = job->output,
		.capacity = job->output_size,
		.memory_limit = PVK_MAX_DECODER_MEMORY,
		.progress = progress,
	};

	return initrd_examine(job->file, job->kernel_version, &sink, reply, err);
}

struct scratch {
	uint8_t *data;
	size_t size;
};

static void scratch_unmap(struct scratch *scratch)
{
	if (scratch->data)
		(void)munmap(scratch->data, scratch->size);
}

/*
 * Private memory: only the worker's copy is ever touched, and goes with it. It is taken as the
 * decoder fills it, so a large limit costs nothing.
 */
static int scratch_map(size_t size, struct scratch *ret, struct pvk_error *err)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return pvk_fail_errno(err, errno, "no memory to unpack it");
	*ret = (struct scratch){.data = map, .size = size};
	return 0;
}

int jobs_examine_in_memory(struct bytes file, struct image *image, const struct worker_watch *watch,
			   struct pvk_error *err)
{
	_cleanup_(scratch_unmap) struct scratch scratch = {0};
	int r;

	if (!image_needs_sink(image) || image->image_size_max == 0)
		return jobs_examine(file, NULL, 0, image, watch, err);
	r = scratch_map((size_t)image->image_size_max, &scratch, err);
	if (r < 0)
		return r;
	return jobs_examine(file, scratch.data, scratch.size, image, watch, err);
}

int jobs_examine_initrd(struct bytes file, const char *kernel_version,
			const struct worker_watch *watch, struct initrd *ret, struct pvk_error *err)
{
	_cleanup_(scratch_unmap) struct scratch scratch = {0};
	struct initrd_job job = {.file = file, .kernel_version = kernel_version};
	const struct worker_job worker = {
		.run = examine_initrd,
		.context = &job,
		.reply_size = sizeof(struct initrd),
		.memory = PVK_MAX_DECODER_MEMORY + WORKER_SLACK,
		.watch = watch,
	};
	struct initrd initrd = {0};
	bool answered;
	int r;

	r = scratch_map(PVK_MAX_OUTPUT, &scratch, err);
	if (r < 0)
		return r;
	job.output = scratch.data;
	job.output_size = scratch.size;
	r = worker_run(&worker, &initrd, &answered, err);
	if (!answered)
		return r;
	initrd.modules_version[sizeof(initrd.modules_version) - 1] = '\0';
	initrd.problem.msg[sizeof(initrd.problem.msg) - 1] = '\0';
	*ret = initrd;
	return r;
}
