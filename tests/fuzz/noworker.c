/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noworker.c - the worker is this process: what it does is seen by the fuzzer (ld --wrap, see
 * fuzz.mk). */
#include <assert.h>

#include "../../src/system/worker.h"

int __wrap_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err);

int __wrap_worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
		      struct pvk_error *err)
{
	_Atomic uint64_t progress = 0;

	assert(job->reply_size <= WORKER_REPLY_MAX);
	*ret_answered = true;
	return job->run(job->context, reply, &progress, err);
}
