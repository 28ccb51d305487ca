/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workerjob.h - one job in a worker of its own, for tests. */
#ifndef PVK_TESTS_WORKERJOB_H
#define PVK_TESTS_WORKERJOB_H

#include "../../src/system/worker.h"

#define WORKER_JOB(name)                                                        \
	static int name(void *context, void *reply, _Atomic uint64_t *progress, \
			struct pvk_error *err)

typedef int workerjob_function(void *context, void *reply, _Atomic uint64_t *progress,
			       struct pvk_error *err);

/* worker_run() with 16 MiB and a second. What it may fill is zeroed before. */
int workerjob_run(workerjob_function *run, void *context, void *reply, size_t reply_size,
		  bool *answered, struct pvk_error *err);

#endif
