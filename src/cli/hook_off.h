/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_off.h - a hook where pvkprep is switched off: no PV guest, or when = never. Kernels are left
 * alone; only dpkg, which goes on serving the diversions of before, gets the directory for it, and
 * an update that ends up in there is told.
 */
#ifndef PVK_HOOK_OFF_H
#define PVK_HOOK_OFF_H

#include "../policy/hook.h"
#include "command.h"

bool hook_off_is_so(const struct command *command);

/* kernel: of a task that concerns one. */
void hook_off_run(struct command *command, enum hook_task task, const struct kernel *kernel);

#endif
