/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_apply.c - the modes that write: --prepare and --restore. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../policy/entries.h"
#include "../policy/notice.h"
#include "../policy/originals.h"
#include "../system/disk.h"
#include "../system/signals.h"
#include "command.h"
#include "entries_report.h"

typedef int apply_one_fn(const struct apply *apply, const struct kernel *kernel,
			 struct outcome *ret);

struct tally {
	unsigned failed;
	bool wrote;
	bool appeared;	     /* a withheld kernel is in /boot now */
	uint64_t missing;    /* bytes, for the last kernel that did not fit */
	struct kernel unfit; /* that one */
};

void command_boot_path(const struct command *command, const char *file, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s/boot/%s", command->root.path, file);
}

void command_report_failure(const struct command *command, const char *file,
			    const struct pvk_error *err)
{
	char path[PATH_MAX + NAME_MAX + 16];

	command_boot_path(command, file, path, sizeof(path));
	log_error("%s: %s", text_quote(path).s, err->msg);
}

static void report(struct command *command, const struct kernel *kernel,
		   const struct outcome *outcome)
{
	char path[PATH_MAX + NAME_MAX + 16];

	command_boot_path(command, kernel->file, path, sizeof(path));
	if (outcome->kind == OUTCOME_FAILED) {
		log_error("%s: %s", text_quote(path).s, outcome->error.msg);
	} else if (outcome->is_md5_overridden) {
		log_warning(
			"%s: its MD5 sum is not the one that dpkg lists for package %s; prepared because of --force",
			text_quote(path).s, text_escape(outcome->md5_package).s);
	} else if (outcome->wrote) {
		log_journal("%s: %s, %s, now %s", text_quote(path).s, outcome_name(outcome->kind),
			    text_size(outcome->old_size).s, text_size(outcome->new_size).s);
	}
	log_verbose("%s: %s in %.3f s, %s before, %s after%s", text_quote(path).s,
		    outcome_name(outcome->kind), outcome->seconds, text_size(outcome->old_size).s,
		    text_size(outcome->new_size).s,
		    outcome->md5_package[0] && !outcome->is_md5_overridden
			    ? ", MD5 sum as dpkg lists it"
			    : "");
	if (command->json)
		(void)json_object_array_add(json_object_object_get(command->json, "kernels"),
					    report_outcome_json(path, kernel, outcome));
	else if (command->options.level > LOG_LEVEL_QUIET || outcome->kind == OUTCOME_PREPARED ||
		 outcome->kind == OUTCOME_RESTORED)
		report_outcome(stdout, path, kernel, outcome, &command->style);
}

static void apply_to(struct command *command, const struct apply *apply, apply_one_fn *apply_one,
		     const struct kernel *kernel, struct tally *tally)
{
	struct outcome outcome;

	progress_begin(&command->progress, kernel->file);
	if (apply_one(apply, kernel, &outcome) < 0)
		tally->failed++;
	progress_end(&command->progress);
	tally->wrote |= outcome.wrote;
	tally->appeared |= outcome.was_absent && outcome.wrote;
	if (outcome.missing > 0) {
		tally->missing = outcome.missing;
		tally->unfit = *kernel;
	}
	report(command, kernel, &outcome);
}

/* The kernels named on the command line; each fault is told, and the others are still done. */
static void apply_to_named(struct command *command, const struct apply *apply,
			   apply_one_fn *apply_one, struct tally *tally)
{
	for (int i = 0; i < command->options.operand_count && !signals_pending(); i++) {
		struct kernel kernel;
		struct pvk_error err;

		if (bootdir_resolve(&command->root, apply->boot, command->options.operands[i],
				    &kernel, &err) == 0) {
			apply_to(command, apply, apply_one, &kernel, tally);
			continue;
		}
		log_error("%s", err.msg);
		tally->failed++;
	}
}

static int apply_to_all(struct command *command, const struct apply *apply, apply_one_fn *apply_one,
			struct tally *tally)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct pvk_error err;

	if (originals_list(&command->root, apply->boot, &list, &err) < 0) {
		log_error("%s", err.msg);
		return EXIT_FAILED;
	}
	if (list.count == 0)
		log_warning("'%s/boot': %s", text_escape(command->root.path).s, command_no_kernel);
	for (size_t i = 0; i < list.count && !signals_pending(); i++)
		apply_to(command, apply, apply_one, &list.items[i], tally);
	return EXIT_DONE;
}

void command_refresh_menus(const struct command *command)
{
	struct pvk_error err;

	if (entries_refresh_menus(&command->root, &err) < 0)
		log_warning("the boot menus could not be written anew: %s", err.msg);
	else if (!command->root.is_live)
		log_warning("the kernels in this tree have changed: run its update-grub");
}

/* The boot entries for what is in /boot now. Returns the exit status that they mean. */
static int settle_entries(struct command *command, const struct apply *apply, struct tally *tally)
{
	const bool only = command->options.entries_only;
	const struct entries_request request = {
		.apply = apply,
		.guest = command->guest,
		.want_diffs = only || apply->dry_run,
		.look_anyway = only,
		.assume_prepared = apply->dry_run && !only,
	};
	_cleanup_entries_ struct entries entries = {0};
	int status = EXIT_DONE;

	progress_begin(&command->progress, "boot entries");
	if (entries_settle(&request, &entries) < 0)
		status = EXIT_FAILED;
	progress_end(&command->progress);
	tally->wrote |= entries.wrote;
	entries_report_files(command, &entries,
			     only || command->options.level == LOG_LEVEL_VERBOSE);
	if (command->json)
		entries_report_json(command->json, &entries);
	return entries_report_verdict(&entries) == EXIT_FAILED ? EXIT_FAILED : status;
}

static int apply_to_kernels(struct command *command, const struct apply *apply,
			    apply_one_fn *apply_one, struct tally *tally)
{
	int status = EXIT_DONE;

	if (command->options.entries_only)
		return EXIT_DONE;
	if (command->options.operand_count > 0)
		apply_to_named(command, apply, apply_one, tally);
	else
		status = apply_to_all(command, apply, apply_one, tally);
	if (tally->missing > 0)
		report_space_hint(stderr, &command->root, apply->boot, &tally->unfit);
	return status;
}

/* Every field is there, also when the run ends before it has anything to put into them. */
static void begin_json(struct command *command)
{
	if (!command->json)
		return;
	(void)json_object_object_add(command->json, "kernels", json_object_new_array());
	if (command->options.mode == MODE_PREPARE)
		entries_report_json(command->json, &(struct entries){0});
}

int command_apply(struct command *command, apply_one_fn *apply_one)
{
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	const struct apply apply = {
		.root = &command->root,
		.config = &command->config,
		.boot = &boot,
		.force = command->options.force,
		.dry_run = command->options.dry_run,
		.watch = command->progress.enabled ? &command->progress.watch : NULL,
	};
	struct tally tally = {0};
	struct pvk_error err;
	int status = EXIT_DONE;

	begin_json(command);
	if (bootdir_open(&command->root, &boot, &err) < 0 ||
	    (!apply.dry_run && bootdir_lock(&boot, PVK_LOCK_SECONDS, &err) < 0)) {
		log_error("%s", err.msg);
		return EXIT_FAILED;
	}
	log_verbose("%s; loader profile %s; tree '%s/'", guest_mode_text(command->guest),
		    config_profile_name(command->config.profile),
		    text_escape(command->root.path).s);
	if (apply_one == apply_restore && !apply.dry_run)
		entries_forget(&boot);
	status = apply_to_kernels(command, &apply, apply_one, &tally);
	if (apply_one == apply_restore && command->options.operand_count == 0 && !apply.dry_run &&
	    originals_sweep_diversions(&command->root, &boot, &err) < 0)
		log_warning("a diversion is left: %s", err.msg);
	if (apply_one == apply_prepare && !signals_pending() &&
	    settle_entries(command, &apply, &tally) == EXIT_FAILED)
		status = EXIT_FAILED;
	else if (apply_one == apply_restore && tally.appeared)
		command_refresh_menus(command);
	if (apply_one == apply_restore && !apply.dry_run && !signals_pending())
		entries_warn_of_restored(command, &apply);
	if (tally.wrote)
		disk_settle(boot.fd);
	if (apply_one == apply_prepare && command->options.operand_count == 0 && !apply.dry_run &&
	    !command->options.entries_only && tally.failed == 0 && status == EXIT_DONE)
		(void)notice_set(&command->root, "", NULL);
	return tally.failed > 0 || signals_pending() ? EXIT_FAILED : status;
}

/* P6: where the loader is not a PV loader, nothing is to be done and nothing is touched. */
static bool is_unneeded(const struct command *command)
{
	if (command->options.force || command->config.when == WHEN_ALWAYS)
		return false;
	if (command->config.when == WHEN_NEVER) {
		if (command->options.level > LOG_LEVEL_QUIET && !command->json)
			(void)printf(
				"pvkprep: nothing to do: the configuration says when = never\n");
		return true;
	}
	if (command->guest == GUEST_PV)
		return false;
	if (command->options.level > LOG_LEVEL_QUIET && !command->json)
		(void)printf(
			"pvkprep: nothing to do: this is %s%s (--force prepares all the same)\n",
			guest_mode_text(command->guest),
			command->guest == GUEST_NOT_XEN
				? ""
				: ", whose loader reads kernels as they are packaged");
	return true;
}

int cmd_prepare(struct command *command)
{
	if (is_unneeded(command)) {
		begin_json(command);
		return EXIT_DONE;
	}
	return command_apply(command, apply_prepare);
}

int cmd_restore(struct command *command)
{
	return command_apply(command, apply_restore);
}
