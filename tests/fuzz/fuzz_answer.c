/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the answers of a worker that was taken over: what passes the checks of jobs.c can be
 * judged, reported and printed. The input is what the worker sends (ld --wrap, see fuzz.mk); for
 * the second job the same.
 */
#include <string.h>

#include "../../src/formats/initrd.h"
#include "../../src/policy/jobs.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err);

static const uint8_t file[4096];
static struct bytes answer;

int __wrap_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err)
{
	(void)err;
	memcpy(reply, answer.data, answer.size < job->reply_size ? answer.size : job->reply_size);
	*ret_answered = true;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t output[64];
	struct image image;
	struct initrd initrd;
	struct pvk_error err;

	answer = bytes_make(data, size);
	if (size == 0)
		return 0;
	if (jobs_identify(bytes_make(file, sizeof(file)), &image, &err) == 0) {
		report_check_image(&image);
		if (jobs_examine(bytes_make(file, sizeof(file)), output, sizeof(output), &image,
				 NULL, &err) == 0)
			report_check_image(&image);
	}
	if (jobs_examine_initrd(bytes_make(file, sizeof(file)), "1", NULL, NULL, &initrd, &err) ==
	    0) {
		(void)initrd_is_bad(&initrd);
		if (strlen(initrd.modules_version) >= sizeof(initrd.modules_version) ||
		    strlen(initrd.problem.msg) >= sizeof(initrd.problem.msg))
			__builtin_trap();
	}
	return 0;
}
