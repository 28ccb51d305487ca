/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_kernels.h - the kernels of a hook's run: they are prepared, and what cannot be is kept from
 * being what boots, and told.
 */
#ifndef PVK_HOOK_KERNELS_H
#define PVK_HOOK_KERNELS_H

#include "../policy/hook.h"
#include "../policy/notice.h"
#include "command.h"

struct hook {
	struct command *command;
	struct apply apply;
	enum hook_task task;
	bool wrote; /* the disk is to be settled */
	char notice[NOTICE_MAX];
};

bool hook_is_quiet(const struct hook *hook);

/* The package of this kernel is being configured: what fails is told at once. */
void hook_prepare_named(struct hook *hook, const struct kernel *kernel);

/* dpkg is not through with the package: what cannot be done now is done when it is configured. */
void hook_prepare_early(struct hook *hook, const struct kernel *kernel);

/* dpkg is about to unpack the package: its image is to come to us. */
void hook_divert(struct hook *hook, const struct kernel *kernel);

/* All of them, newest first; what fails is added to the notice, and becomes of it what the others
 * allow once they are prepared. */
void hook_prepare_each(struct hook *hook, const struct kernel_list *list);

#endif
