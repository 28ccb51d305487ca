/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - what main() has ready for each mode, and the modes: one cmd_<mode>.c each.
 */
#ifndef PVK_COMMAND_H
#define PVK_COMMAND_H

#include "../policy/apply.h"
#include "../policy/bootdir.h"
#include "../policy/config.h"
#include "../policy/report.h"
#include "../system/guest.h"
#include "../system/root.h"
#include "options.h"
#include "progress.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_UNKNOWN = 3
};

struct command {
	struct options options;
	struct root root;
	struct config config;
	enum guest_mode guest;
	struct report_style style; /* of stdout */
	struct progress progress;
	json_object *json; /* what --json prints at the end; NULL without it; owned by main */
};

/* What is said of an empty /boot. */
extern const char command_no_kernel[];

int cmd_prepare(struct command *command);
int cmd_restore(struct command *command);
int cmd_inspect(struct command *command);
int cmd_list(struct command *command);
int cmd_check(struct command *command);
int cmd_hook(struct command *command);

/* Prints "'<root>/boot/<file>': <message>" as an error. */
void command_report_failure(const struct command *command, const char *file,
			    const struct pvk_error *err);

/* "<root>/boot/<file>", as it is shown. */
void command_boot_path(const struct command *command, const char *file, char *buf, size_t size);

/* /boot has a kernel more or less: update-grub and its kin, with a warning when that fails. */
void command_refresh_menus(const struct command *command);

/*
 * --prepare and --restore alike: lock /boot, resolve or list the kernels, apply one after the
 * other, report each, settle the disk. Returns the exit status.
 */
int command_apply(struct command *command,
		  int (*apply_one)(const struct apply *, const struct kernel *, struct outcome *));

#endif
