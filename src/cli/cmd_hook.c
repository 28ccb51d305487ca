/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_hook.c - --hook PHASE [VERSION [IMAGE]], the internal mode for the scripts of packages. The
 * exit status is 0 whatever happens, since a hook that fails leaves the kernel package half
 * configured; only the removal of pvkprep itself may fail, for a diversion without its package
 * would keep new kernels out of /boot for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../policy/entries.h"
#include "../policy/hook.h"
#include "../policy/notice.h"
#include "../policy/originals.h"
#include "../policy/refuse.h"
#include "../system/disk.h"
#include "../system/signals.h"
#include "command.h"
#include "entries_report.h"
#include "hook_kernels.h"
#include "hook_off.h"
#include "hook_report.h"
#include "hook_undone.h"

static void settle_entries(struct hook *hook)
{
	const bool is_last = hook->task == HOOK_BACKSTOP || hook->task == HOOK_INSTALL;

	if (!signals_pending())
		hook->wrote |= entries_report_hook(hook->command, &hook->apply, is_last,
						   hook->notice, sizeof(hook->notice));
}

/* --- one kernel --- */

static void say_removed(void *context, const struct kernel *kernel,
			const struct leave_removed *removed)
{
	struct hook *hook = context;

	hook->wrote |= removed->image || removed->other;
	if (hook_is_quiet(hook))
		return;
	if (removed->image)
		(void)printf("pvkprep: %s: prepared image removed with its package\n",
			     text_escape(kernel->version).s);
	if (removed->image_stays)
		(void)printf(
			"pvkprep: %s: no package's any more, and not of pvkprep's making: stays\n",
			text_escape(kernel->version).s);
}

static void forget(struct hook *hook, const struct kernel *kernel)
{
	struct leave_removed removed = {0};
	struct pvk_error err;

	if (leave_kernel(&hook->apply, kernel, hook->task == HOOK_ABORTED, &removed, &err) < 0)
		log_warning("%s: cannot clean up: %s", text_escape(kernel->version).s, err.msg);
	say_removed(hook, kernel, &removed);
}

/* --- all kernels --- */

static void prepare_all(struct hook *hook)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct pvk_error err;

	leave_orphans(&hook->apply, say_removed, hook);
	if (originals_list(hook->apply.root, hook->apply.boot, &list, &err) < 0) {
		log_error("%s", err.msg);
		return;
	}
	hook_prepare_each(hook, &list);
	settle_entries(hook);
	if (!signals_pending())
		hook_undone_tell(hook->apply.root, hook->notice);
	if (hook->task == HOOK_INSTALL && list.count == 0)
		(void)printf(
			"pvkprep: no kernel in /boot yet: each is prepared when it is installed\n");
	if (hook->task == HOOK_INSTALL && hook->wrote)
		(void)printf(
			"pvkprep: the packaged images are kept in /boot/" PVK_OWN_DIR
			"; 'pvkprep --check' tells whether the next boot works, pvkprep(8) all the rest\n");
}

static int leave(struct hook *hook)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	const bool needs_prepared =
		hook->command->guest == GUEST_PV || hook->command->config.when == WHEN_ALWAYS;
	bool stays_prepared = false;
	struct pvk_error err;
	int r;

	r = originals_list(hook->apply.root, hook->apply.boot, &list, &err);
	for (size_t i = 0; i < list.count && r == 0; i++) {
		struct leave what;

		r = leave_for_good(&hook->apply, &list.items[i], needs_prepared, &what, &err);
		if (r < 0) {
			pvk_error_prefix(&err, "%s", text_escape(list.items[i].version).s);
			break;
		}
		hook_report_leave(&list.items[i], &what);
		stays_prepared |= what.kind == LEAVE_PREPARED || what.kind == LEAVE_ABSENT ||
				  what.kind == LEAVE_UNLOADABLE;
	}
	if (r == 0)
		r = originals_sweep_diversions(hook->apply.root, hook->apply.boot, &err);
	if (r < 0) {
		log_error("cannot leave: %s", err.msg);
		return EXIT_FAILED;
	}
	entries_forget(hook->apply.boot);
	leave_own_dir(hook->apply.boot);
	(void)notice_set(hook->apply.root, "", NULL);
	hook->wrote = true;
	if (stays_prepared)
		(void)printf(
			"pvkprep: FROM NOW ON KERNEL UPGRADES ARE NOT PREPARED: the next one may leave this guest unbootable\n");
	return EXIT_DONE;
}

/* --- dispatch --- */

static int run_task(struct hook *hook, const struct kernel *kernel)
{
	switch (hook->task) {
	case HOOK_NOTHING:
		break;
	case HOOK_DIVERT:
		hook_divert(hook, kernel);
		break;
	case HOOK_PREPARE_EARLY:
		hook_prepare_early(hook, kernel);
		break;
	case HOOK_PREPARE:
		hook_prepare_named(hook, kernel);
		settle_entries(hook);
		break;
	case HOOK_ABORTED:
	case HOOK_FORGET:
		entries_forget(hook->apply.boot);
		forget(hook, kernel);
		settle_entries(hook);
		break;
	case HOOK_BACKSTOP:
	case HOOK_INSTALL:
		prepare_all(hook);
		break;
	case HOOK_LEAVE:
		return leave(hook);
	}
	return EXIT_DONE;
}

/* A kernel of another kind of name, or installed elsewhere, is none of ours. */
static bool is_image_of(const char *image, const struct kernel *kernel)
{
	const char *slash = image ? strrchr(image, '/') : NULL;

	return !image || strcmp(slash ? slash + 1 : image, kernel->file) == 0;
}

/* Is there anything to prepare? installkernel may put images into another directory. */
static bool is_known(const struct hook *hook, const struct kernel *kernel)
{
	struct originals originals;

	return originals_look(hook->apply.root, hook->apply.boot, kernel, &originals, NULL) < 0 ||
	       originals_have_any(&originals);
}

/* Longer than by hand (lock.h); said, lest apt seem to hang. */
static int lock(struct bootdir *boot, struct pvk_error *err)
{
	int r = bootdir_lock(boot, 1, err);

	if (r == -PVK_E_BUSY)
		(void)printf("pvkprep: waiting for another run of pvkprep to end\n");
	return r == -PVK_E_BUSY ? bootdir_lock(boot, PVK_LOCK_HOOK_SECONDS, err) : r;
}

static int run_locked(struct hook *hook, const struct kernel *kernel)
{
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	struct pvk_error err;
	int status;

	if (bootdir_open(&hook->command->root, &boot, &err) < 0 || lock(&boot, &err) < 0) {
		log_error("%s%s", err.msg,
			  hook->task == HOOK_LEAVE
				  ? ""
				  : ", going on without: the next apt run tries again");
		return EXIT_FAILED;
	}
	hook->apply.boot = &boot;
	if ((hook->task == HOOK_PREPARE || hook->task == HOOK_PREPARE_EARLY) &&
	    !is_known(hook, kernel))
		return EXIT_DONE;
	status = run_task(hook, kernel);
	if (hook->wrote)
		disk_settle(boot.fd);
	return status;
}

int cmd_hook(struct command *command)
{
	char **operands = command->options.operands;
	const int count = command->options.operand_count;
	struct hook hook = {
		.command = command,
		.apply = {.root = &command->root,
			  .config = &command->config,
			  .force = command->options.force,
			  .watch = command->progress.enabled ? &command->progress.watch : NULL},
	};
	struct kernel kernel = {0};
	enum hook_phase phase;
	struct pvk_error err;
	int status;

	if (!hook_parse_phase(operands[0], &phase)) {
		log_error("--hook: no such phase: %s", text_quote(operands[0]).s);
		return EXIT_USAGE;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* in step with what the package's script says */
	hook.task = hook_choose_task(phase, getenv("DEB_MAINT_PARAMS"));
	if (hook.task == HOOK_NOTHING)
		return EXIT_DONE;
	if (hook_phase_has_kernel(phase) &&
	    (count < 2 || bootdir_name_kernel(operands[1], &kernel, &err) < 0 ||
	     operands[1][0] == '\0' || strchr(operands[1], '/'))) {
		log_error("--hook %s: names no kernel version", operands[0]);
		return EXIT_DONE;
	}
	if (hook_phase_has_kernel(phase) && !is_image_of(count > 2 ? operands[2] : NULL, &kernel))
		return EXIT_DONE;
	/* What we made goes with its package everywhere; the rest is for PV guests. */
	if (hook_off_is_so(command) && hook.task != HOOK_FORGET && hook.task != HOOK_ABORTED &&
	    hook.task != HOOK_LEAVE) {
		hook_off_run(command, hook.task, &kernel);
		return EXIT_DONE;
	}
	status = run_locked(&hook, &kernel);
	return hook.task == HOOK_LEAVE ? status : EXIT_DONE;
}
