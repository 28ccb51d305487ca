/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.h - takes from the calling process everything that decoding bytes does not need.
 *
 * For a freshly forked, single-threaded worker. In this order: limits on memory, processor time,
 * files and processes; unprivileged user and group ids (when root); no_new_privs; a system call
 * filter that kills the process for any call that is not on the list in sandbox.c. SECURITY.md
 * gives the reason for each entry.
 */
#ifndef PVK_SANDBOX_H
#define PVK_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/errors.h"

struct sandbox_limits {
	uint64_t memory;      /* bytes of address space that may be added to what is mapped now */
	unsigned cpu_seconds; /* then the kernel kills the worker */
};

/* One row of the filter's list, for the tests and the documentation. */
struct sandbox_rule {
	int syscall;
	const char *name;
	const char *reason;
};

/* The list, ended by a row whose name is NULL. */
const struct sandbox_rule *sandbox_rules(void);

/*
 * There is no way back. On failure the worker must end: it is only partly confined. Where the
 * running kernel has no seccomp at all (prctl(2): PR_GET_SECCOMP answers EINVAL) the rest still
 * applies and *ret_filtered is false.
 */
int sandbox_enter(const struct sandbox_limits *limits, bool *ret_filtered, struct pvk_error *err);

#endif
