/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_undone.h - what a hook had to leave undone, as texts for the block and the notice
 * (hook_report.h): a kernel that could not even be kept out of /boot, and updates that do not get
 * there while pvkprep is switched off.
 */
#ifndef PVK_HOOK_UNDONE_H
#define PVK_HOOK_UNDONE_H

#include "../policy/apply.h"

/* Appends the block of a kernel that could not be prepared, nor withheld: `why`. */
void hook_undone_add_unsettled(char *text, size_t size, const struct kernel *kernel,
			       const struct outcome *outcome, const struct pvk_error *why);

/*
 * Appends a block if dpkg, by a diversion of ours, put an update of this kernel where nothing takes
 * it from as long as pvkprep is switched off. is_new: dpkg has just done so, which tells where no
 * record does.
 */
void hook_undone_add_diverted(char *text, size_t size, const struct apply *apply,
			      const struct kernel *kernel, bool is_new);

/* Appends a block as long as the last update of the kernel is one that was refused (refuse.h). */
void hook_undone_add_refused(char *text, size_t size, const struct apply *apply,
			     const struct kernel *kernel);

/* At the end of a run: the block once, when it is news; a line as long as nothing has changed. */
void hook_undone_tell(const struct root *root, const char *text);

#endif
