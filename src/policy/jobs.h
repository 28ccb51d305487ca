/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs.h - the two steps of image.h, each run in a worker of its own. What comes back is checked
 * before anybody relies on it: enums in range, texts terminated, ranges inside the file, sizes
 * within what was allowed.
 */
#ifndef PVK_JOBS_H
#define PVK_JOBS_H

#include "../formats/image.h"
#include "../formats/initrd.h"
#include "../system/worker.h"

/*
 * Reads the headers. As image_identify(): *ret is filled as far as it could be even when the
 * result is negative, unless the worker itself failed (-PVK_E_WORKER: *ret is all zero then).
 */
int jobs_identify(struct bytes file, struct image *ret, struct pvk_error *err);

/*
 * Decodes into output (shared memory; data may be NULL where image_needs_sink() is false) and
 * fills the rest of *image. As image_examine().
 */
int jobs_examine(struct bytes file, uint8_t *output, size_t output_size, struct image *image,
		 const struct worker_watch *watch, struct pvk_error *err);

/*
 * The same into memory of its own, for whom only the judgement counts: it takes as much memory as
 * the image is large.
 */
int jobs_examine_in_memory(struct bytes file, struct image *image, const struct worker_watch *watch,
			   struct pvk_error *err);

/*
 * Everything about a file, for whom only the judgement counts: jobs_identify(), then
 * image_examine_layers() in memory of its own.
 */
int jobs_examine_for_judging(struct bytes file, struct image *ret, const struct worker_watch *watch,
			     struct pvk_error *err);

/*
 * Decodes a stream that is to give exactly output_size bytes into output (shared memory), whatever
 * they are.
 */
int jobs_decode(struct bytes stream, enum codec codec, uint8_t *output, uint64_t output_size,
		const struct worker_watch *watch, struct pvk_error *err);

/*
 * Compresses an image into output (shared memory) as the payload of a hybrid; hybrid_gzip() in a
 * worker, since the image is what a worker made of untrusted bytes.
 */
int jobs_gzip(struct bytes plain, uint8_t *output, uint64_t output_size,
	      const struct worker_watch *watch, uint64_t *ret_size, struct pvk_error *err);

/*
 * Looks into an initrd, for a kernel of that version; as initrd_examine(). It takes as much memory
 * as the initrd is large when unpacked.
 */
int jobs_examine_initrd(struct bytes file, const char *kernel_version, const char *init,
			const struct worker_watch *watch, struct initrd *ret,
			struct pvk_error *err);

#endif
