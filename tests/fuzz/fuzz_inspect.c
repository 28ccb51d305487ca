/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a kernel file, through all of --inspect: both jobs, the checks of their answers, the
 * judgement and the report. The worker is this process (noworker.c).
 */
#include <assert.h>

#include "../../src/formats/elfcheck.h"
#include "../../src/formats/loaders.h"
#include "../../src/policy/jobs.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Enough for every seed. What says that it is larger is not examined: time is better spent. */
#define ROOM (4u << 20)

static uint8_t output[ROOM];

/* What passes must pass root's own look too, and start everywhere. */
static void check_accepted(struct bytes file, const struct image *image)
{
	const struct bytes elf =
		image_needs_sink(image)
			? bytes_make(output, (size_t)image->image_size)
			: bytes_make(file.data + image->payload_start, (size_t)image->payload_size);

	if (loaders_accept_elf(&image->elf, NULL) == 0)
		assert(elfcheck_is_pv_kernel(elf, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes file = bytes_make(data, size);
	struct pvk_error err = {0};
	struct image image;
	int r = jobs_identify(file, &image, &err);

	assert(r != -PVK_E_WORKER); /* our own answer is plausible */
	if (r == 0 && image.decoder_memory > 64u << 20)
		return 0;
	if (r == 0) {
		const size_t room =
			image.image_size_max < ROOM ? (size_t)image.image_size_max : ROOM;

		r = jobs_examine(file, output, room, &image, NULL, &err);
		assert(r != -PVK_E_WORKER);
	}
	if (r == 0)
		check_accepted(file, &image);
	assert(r == 0 || (err.code != 0 && err.msg[0] != '\0'));
	report_check_image(&image);
	return 0;
}
