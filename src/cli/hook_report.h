/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_report.h - what the administrator of an upgrade reads: one line for a kernel that is ready,
 * a block that cannot be overlooked for one that is not. The block without its frame is also the
 * notice (notice.h).
 */
#ifndef PVK_HOOK_REPORT_H
#define PVK_HOOK_REPORT_H

#include "../policy/apply.h"
#include "../policy/leave.h"
#include "../policy/withhold.h"

/* The kernel is ready for the next boot; nothing for one that was so before. */
void hook_report_ready(const struct kernel *kernel, const struct outcome *outcome);

/* Appends to a text of blocks, as far as there is room. */
void hook_report_add(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* How the worst of blocks begins. */
#define HOOK_REPORT_WILL_FAIL "THE NEXT BOOT WILL FAIL"

/* How the line begins that says what boots next. */
#define HOOK_REPORT_NEXT_BOOT "  next boot  "

/* Appends the block of one kernel that is not ready to `text`. */
void hook_report_add_failure(char *text, size_t size, const struct apply *apply,
			     const struct kernel *kernel, const struct outcome *outcome,
			     const struct withhold *withhold);

/* Prints such a text in its frame. */
void hook_report_block(const char *text);

/* What became of one kernel when pvkprep goes. */
void hook_report_leave(const struct kernel *kernel, const struct leave *leave);

#endif
