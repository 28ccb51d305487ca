/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_off.c - see hook_off.h */
#include "hook_off.h"

#include <stdio.h>

#include "../policy/notice.h"
#include "../policy/originals.h"
#include "hook_report.h"
#include "hook_undone.h"

bool hook_off_is_so(const struct command *command)
{
	if (command->options.force || command->config.when == WHEN_ALWAYS)
		return false;
	return command->config.when == WHEN_NEVER || command->guest != GUEST_PV;
}

/* P6: one plain line where somebody looks, none at the end of every apt run. */
static void say_so(const struct command *command)
{
	if (command->config.when == WHEN_NEVER)
		(void)printf("pvkprep: nothing to do: the configuration says when = never\n");
	else
		(void)printf(
			"pvkprep: nothing to do: this is %s, kernels stay as they are packaged\n",
			guest_mode_text(command->guest));
}

/* dpkg makes no directory for a diversion: without it the unpack would fail. */
static void serve_diversion(const struct apply *apply, const struct kernel *kernel)
{
	struct originals originals;
	struct pvk_error err;

	if (originals_look(apply->root, apply->boot, kernel, &originals, NULL) == 0 &&
	    originals.diversion == DIVERT_OURS && bootdir_make_own(apply->boot, &err) < 0)
		log_warning("%s", err.msg);
}

static void add_all(const struct apply *apply, char *notice, size_t size)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};

	if (originals_list(apply->root, apply->boot, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.count; i++)
		hook_undone_add_diverted(notice, size, apply, &list.items[i], false);
}

void hook_off_run(struct command *command, enum hook_task task, const struct kernel *kernel)
{
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	const struct apply apply = {
		.root = &command->root, .config = &command->config, .boot = &boot};
	const bool has_boot = bootdir_open(&command->root, &boot, NULL) == 0;
	char notice[NOTICE_MAX] = "";

	if (has_boot && task == HOOK_DIVERT)
		serve_diversion(&apply, kernel);
	else if (has_boot && task == HOOK_PREPARE)
		hook_undone_add_diverted(notice, sizeof(notice), &apply, kernel, true);
	else if (has_boot && (task == HOOK_BACKSTOP || task == HOOK_INSTALL))
		add_all(&apply, notice, sizeof(notice));
	if (notice[0] == '\0' && (task == HOOK_PREPARE || task == HOOK_INSTALL))
		say_so(command);
	if (task == HOOK_PREPARE && notice[0] != '\0') {
		hook_report_block(notice);
		(void)notice_set(apply.root, notice, NULL);
	} else if (task == HOOK_BACKSTOP || task == HOOK_INSTALL) {
		hook_undone_tell(apply.root, notice);
	}
}
