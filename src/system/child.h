/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h - runs one of the system's own programs (dpkg-divert, update-grub): no shell, a fixed
 * environment, nothing on its input, and a bounded piece of its output for a message.
 */
#ifndef PVK_CHILD_H
#define PVK_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/errors.h"

#define CHILD_OUTPUT_MAX 1024

struct child {
	const char *const *argv; /* argv[0] is an absolute path; NULL at the end */
	const int *fds;		 /* descriptors that it inherits, e.g. for /proc/self/fd paths */
	size_t fd_count;
	unsigned seconds; /* then it is killed, with all that it has started; 0: a minute */
	int stdout_fd;	  /* where its stdout goes; 0: into `output` */
	bool must_finish; /* a signal that asks us to stop (signals.h) does not stop it */
};

/*
 * Waits for its end. Returns its exit status; -ENOENT when there is no such program; -ETIMEDOUT;
 * -PVK_E_INTERRUPTED when a termination signal waits: it is killed then, or not started; another
 * negative when it could not be run or was killed. `output` (CHILD_OUTPUT_MAX
 * bytes) gets the beginning of what it wrote to stdout and stderr, always terminated.
 */
int child_run(const struct child *child, char output[CHILD_OUTPUT_MAX], struct pvk_error *err);

#endif
