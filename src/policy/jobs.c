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
	enum codec codec;
};

static int identify(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err)
{
	const struct job *job = context;

	(void)progress;
	return image_identify(job->file, reply, err);
}

static struct decode_sink make_sink(uint8_t *output, size_t size, _Atomic uint64_t *progress)
{
	return (struct decode_sink){
		.data = output,
		.capacity = size,
		.memory_limit = PVK_MAX_DECODER_MEMORY,
		.progress = progress,
	};
}

static int examine(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err)
{
	const struct job *job = context;
	struct image *image = reply;
	struct decode_sink sink = make_sink(job->output, job->output_size, progress);
	struct bytes elf;

	*image = *job->identified;
	return image_examine(job->file, &sink, image, &elf, err);
}

/* A bool may hold nothing but 0 and 1, and what a worker sends is any byte. */
static void straighten(bool *flag)
{
	unsigned char byte;

	memcpy(&byte, flag, sizeof(byte));
	*flag = byte != 0;
}

static void make_image_safe(struct image *image)
{
	struct xen_notes *notes = &image->elf.notes;

	straighten(&image->has_size_word);
	straighten(&image->is_decoded);
	straighten(&image->is_elf);
	straighten(&image->hybrid.has_trailer);
	pvk_error_make_safe(&image->problem);

	image->version[sizeof(image->version) - 1] = '\0';
	image->detail[sizeof(image->detail) - 1] = '\0';
	image->elf.kernel_version[sizeof(image->elf.kernel_version) - 1] = '\0';
	notes->guest_os[sizeof(notes->guest_os) - 1] = '\0';
	notes->guest_version[sizeof(notes->guest_version) - 1] = '\0';
	notes->xen_version[sizeof(notes->xen_version) - 1] = '\0';
	notes->loader[sizeof(notes->loader) - 1] = '\0';
	notes->pae_mode[sizeof(notes->pae_mode) - 1] = '\0';
	notes->features[sizeof(notes->features) - 1] = '\0';
}

static bool wraps_are_plausible(const struct image *image)
{
	if (image->wrap_count > IMAGE_WRAPS_MAX || image->payload_wrap.codec >= CODEC_COUNT)
		return false;
	for (uint8_t i = 0; i < image->wrap_count; i++)
		if (!image_is_wrap(image->wraps[i].codec) ||
		    image->wraps[i].plain_size > PVK_MAX_OUTPUT)
			return false;
	return true;
}

/* Could a worker that does its job have sent this about this file? */
static bool is_plausible(const struct image *image, struct bytes file)
{
	return image->container <= IMAGE_ZBOOT && image->codec < CODEC_COUNT &&
	       image->file_size == file.size && wraps_are_plausible(image) &&
	       range_is_inside(image->payload_start, image->payload_size,
			       image_inner_size(image)) &&
	       (!image->hybrid.has_trailer || image->hybrid.original_size <= file.size) &&
	       image->image_size_max <= (file.size > PVK_MAX_OUTPUT ? file.size : PVK_MAX_OUTPUT) &&
	       (image->image_size <= image->image_size_max || image->problem.code != 0) &&
	       image->elf.notes.source <= XEN_NOTES_XEN_GUEST &&
	       (image->elf.defects & ~(uint32_t)ELF_DEFECTS_ALL) == 0;
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
	make_image_safe(&image);
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

/* --- a stream around an image --- */

static int decode(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err)
{
	const struct job *job = context;
	struct decode_sink sink = make_sink(job->output, job->output_size, progress);
	uint64_t *length = reply;
	int r = decoder_get(job->codec)->decode(job->file, &sink, err);

	*length = sink.length;
	return r;
}

int jobs_decode(struct bytes stream, enum codec codec, uint8_t *output, uint64_t output_size,
		const struct worker_watch *watch, struct pvk_error *err)
{
	struct job job = {
		.file = stream,
		.codec = codec,
		.output = output,
		.output_size = (size_t)output_size,
	};
	const struct worker_job worker = {
		.run = decode,
		.context = &job,
		.reply_size = sizeof(uint64_t),
		.memory = PVK_MAX_DECODER_MEMORY + WORKER_SLACK,
		.watch = watch,
	};
	uint64_t length = 0;
	bool answered;
	int r = worker_run(&worker, &length, &answered, err);

	if (r == 0 && length != output_size)
		return pvk_fail(err, PVK_E_SIZE, "unpacks to another size than before");
	return r;
}

/* --- the payload of a hybrid --- */

static int gzip(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err)
{
	const struct job *job = context;

	(void)progress;
	return hybrid_gzip(job->file, job->output, job->output_size, reply, err);
}

int jobs_gzip(struct bytes plain, uint8_t *output, uint64_t output_size,
	      const struct worker_watch *watch, uint64_t *ret_size, struct pvk_error *err)
{
	struct job job = {.file = plain, .output = output, .output_size = (size_t)output_size};
	const struct worker_job worker = {
		.run = gzip,
		.context = &job,
		.reply_size = sizeof(uint64_t),
		.memory = WORKER_SLACK,
		.watch = watch,
	};
	uint64_t size = 0;
	bool answered;
	int r = worker_run(&worker, &size, &answered, err);

	if (r < 0)
		return r;
	if (size == 0 || size > output_size)
		return pvk_fail(err, PVK_E_WORKER, "the worker sent an impossible answer");
	*ret_size = size;
	return 0;
}

/* --- initrds --- */

struct initrd_job {
	struct bytes file;
	const char *kernel_version, *init;
	uint8_t *output;
	size_t output_size;
};

static int examine_initrd(void *context, void *reply, _Atomic uint64_t *progress,
			  struct pvk_error *err)
{
	const struct initrd_job *job = context;
	struct decode_sink sink = make_sink(job->output, job->output_size, progress);

	return initrd_examine(job->file, job->kernel_version, job->init, &sink, reply, err);
}

/*
 * Memory for a worker alone (scratch.h has it for both sides): private, so that only the worker's
 * copy is ever touched, and goes with it. It is taken as the decoder fills it, so a large limit
 * costs nothing.
 */
struct room {
	uint8_t *data;
	size_t size;
};

static void room_unmap(struct room *room)
{
	if (room->data)
		(void)munmap(room->data, room->size);
}

static int room_map(size_t size, struct room *ret, struct pvk_error *err)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED)
		return pvk_fail_errno(err, errno, "no memory to unpack it");
	/* Fewer page faults, where there are huge pages; a PV guest has none. */
	(void)madvise(map, size, MADV_HUGEPAGE);
	*ret = (struct room){.data = map, .size = size};
	return 0;
}

int jobs_examine_in_memory(struct bytes file, struct image *image, const struct worker_watch *watch,
			   struct pvk_error *err)
{
	_cleanup_(room_unmap) struct room room = {0};
	int r;

	if (!image_needs_sink(image) || image->image_size_max == 0)
		return jobs_examine(file, NULL, 0, image, watch, err);
	r = room_map((size_t)image->image_size_max, &room, err);
	if (r < 0)
		return r;
	return jobs_examine(file, room.data, room.size, image, watch, err);
}

static int examine_layers(void *context, void *reply, _Atomic uint64_t *progress,
			  struct pvk_error *err)
{
	const struct job *job = context;
	struct image *image = reply;
	struct decode_sink sink = make_sink(job->output, job->output_size, progress);

	*image = *job->identified;
	return image_examine_layers(job->file, &sink, image, err);
}

int jobs_examine_for_judging(struct bytes file, struct image *ret, const struct worker_watch *watch,
			     struct pvk_error *err)
{
	_cleanup_(room_unmap) struct room room = {0};
	struct job job = {.file = file, .identified = ret};
	const struct worker_job worker = {
		.run = examine_layers,
		.context = &job,
		.reply_size = sizeof(struct image),
		.memory = PVK_MAX_DECODER_MEMORY + WORKER_SLACK,
		.watch = watch,
	};
	struct image examined;
	int r = jobs_identify(file, ret, err);

	if (r < 0 && !image_may_have_layers(ret))
		return r;
	if (!image_needs_sink(ret))
		return jobs_examine(file, NULL, 0, ret, watch, err);
	r = room_map(PVK_MAX_OUTPUT, &room, err);
	if (r < 0)
		return r;
	job.output = room.data;
	job.output_size = room.size;
	examined = *ret;
	r = run(&worker, file, &examined, err);
	if (r == 0 && (!examined.is_decoded || !examined.is_elf))
		return pvk_fail(err, PVK_E_WORKER, "the worker sent an impossible answer");
	*ret = examined;
	return r;
}

static void make_initrd_safe(struct initrd *initrd)
{
	straighten(&initrd->is_complete);
	straighten(&initrd->has_init);
	straighten(&initrd->may_have_init);
	straighten(&initrd->has_blkfront);
	straighten(&initrd->has_modules);
	for (size_t i = 0; i < INITRD_FS_COUNT; i++)
		straighten(&initrd->has_fs[i]);
	straighten(&initrd->is_junk_behind);
	pvk_error_make_safe(&initrd->problem);
	initrd->modules_version[sizeof(initrd->modules_version) - 1] = '\0';
}

int jobs_examine_initrd(struct bytes file, const char *kernel_version, const char *init,
			const struct worker_watch *watch, struct initrd *ret, struct pvk_error *err)
{
	_cleanup_(room_unmap) struct room room = {0};
	struct initrd_job job = {.file = file, .kernel_version = kernel_version, .init = init};
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

	r = room_map(PVK_MAX_OUTPUT, &room, err);
	if (r < 0)
		return r;
	job.output = room.data;
	job.output_size = room.size;
	r = worker_run(&worker, &initrd, &answered, err);
	if (!answered)
		return r;
	make_initrd_safe(&initrd);
	if (initrd.codec >= CODEC_COUNT || initrd.init_fault >= INITRD_FAULT_COUNT ||
	    initrd.maker >= INITRD_MAKER_COUNT)
		return pvk_fail(err, PVK_E_WORKER, "the worker sent an impossible answer");
	*ret = initrd;
	return r;
}
