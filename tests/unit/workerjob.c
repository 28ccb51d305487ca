/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workerjob.c - see workerjob.h */
#include "workerjob.h"

#include <string.h>

int workerjob_run(workerjob_function *run, void *context, void *reply, size_t reply_size,
		  bool *answered, struct pvk_error *err)
{
	const struct worker_job job = {
		.run = run,
		.context = context,
		.reply_size = reply_size,
		.memory = 16u << 20,
		.cpu_seconds = 1,
	};

	memset(err, 0, sizeof(*err));
	memset(reply, 0, reply_size);
	return worker_run(&job, reply, answered, err);
}
