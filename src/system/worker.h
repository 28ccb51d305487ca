/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h - runs one job on untrusted bytes in a forked, confined process (sandbox.h).
 *
 * The worker sees what the parent had in memory when it forked, may write into shared mappings
 * made before (the output file's, the progress counter's), and answers with one record of fixed
 * size through a pipe. A worker that is killed, runs out of time, or does not send its whole
 * record is an error, with the reason; its half work is never used.
 */
#ifndef PVK_WORKER_H
#define PVK_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/errors.h"

/* A reply must go through the pipe in one piece (PIPE_BUF). */
#define WORKER_REPLY_MAX 3072

/* Called in the parent about ten times a second while the worker is at work. */
struct worker_watch {
	void (*tick)(void *context, uint64_t done);
	void *context;
};

struct worker_job {
	/* Runs in the worker. Fills reply (zeroed before); its return value is handed on. */
	int (*run)(void *context, void *reply, _Atomic uint64_t *progress, struct pvk_error *err);
	void *context;
	size_t reply_size;		  /* at most WORKER_REPLY_MAX */
	uint64_t memory;		  /* address space it may add, bytes */
	unsigned cpu_seconds;		  /* 0: PVK_WORKER_CPU_SECONDS */
	const struct worker_watch *watch; /* may be NULL */
};

/* XZ at 50 MB/s needs two seconds for a kernel; a slow, shared processor twenty times that. */
#define PVK_WORKER_CPU_SECONDS 300

/*
 * Runs the job. Returns its result (reply filled, also when the job itself failed with an error
 * of its own), -PVK_E_WORKER when the worker died or its answer is not whole, -PVK_E_INTERRUPTED
 * when a termination signal arrived meanwhile (signals.h). *ret_answered tells whether reply holds
 * an answer.
 */
int worker_run(const struct worker_job *job, void *reply, bool *ret_answered,
	       struct pvk_error *err);

/* Did a worker of this process have to run without a system call filter? */
bool worker_was_unfiltered(void);

#endif
