/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_check.c - --check: will the guest come back from its next start? Writes nothing. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../policy/bootcure.h"
#include "../policy/bootmodel.h"
#include "../policy/jobs.h"
#include "../policy/originals.h"
#include "../policy/survey.h"
#include "../system/infile.h"
#include "command.h"

/* Is there a finding about this kernel already? */
static bool is_told(const struct bootmodel *model, const char *path)
{
	char refused[PATH_MAX + NAME_MAX + 8];
	const size_t len = strlen(path);

	(void)snprintf(refused, sizeof(refused), " %s: \"", path);
	for (size_t i = 0; i < model->finding_count; i++) {
		const char *code = model->findings[i].code, *message = model->findings[i].message;

		if (strcmp(code, "kernel-refused") == 0 && strstr(message, refused))
			return true;
		if ((strcmp(code, "kernel-crashes") == 0 ||
		     strcmp(code, "kernel-unreliable") == 0) &&
		    strncmp(message, path, len) == 0 && message[len] == ' ')
			return true;
	}
	return false;
}

static int examine(const struct bootdir *boot, const struct kernel *kernel, bool is_withheld,
		   struct image *ret, struct pvk_error *err)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	int r = infile_open(is_withheld ? boot->own_fd : boot->fd,
			    is_withheld ? kernel->packaged : kernel->file, INFILE_ANY, &file, err);

	if (r == 0)
		r = infile_read(&file, err);
	return r < 0 ? r : jobs_examine_for_judging(file.bytes, ret, NULL, err);
}

/* Its headers are sound. Whether --prepare would take it only what is packed in it tells. */
static void find_packed(const struct command *command, const struct bootdir *boot,
			const struct kernel *kernel, const struct survey_row *row,
			struct bootmodel *model)
{
	const bool is_withheld = strcmp(row->state, "withheld") == 0;
	char path[PATH_MAX + NAME_MAX], cure[BOOTCURE_MAX];
	const char *fix = NULL;
	struct image image = {0};
	struct pvk_error why = {0};
	int r = examine(boot, kernel, is_withheld, &image, &why);

	(void)snprintf(path, sizeof(path), "/boot/%s", kernel->file);
	if (r == 0 || pvk_error_is_of_file(r))
		fix = bootcure_refused(&command->root, path, &image, cure);
	if (r == 0 && image_check_whole(&image, &why) == 0)
		(void)bootcure_is_for_pv(&image, &why);
	bootmodel_find(model, SEVERITY_WARNING, "kernel-not-loadable", fix, "%s (%s, %s) %s%s%s",
		       text_escape(path).s, row->container, row->payload,
		       is_withheld ? "could not be prepared and is withheld" : "cannot be loaded",
		       why.code ? ": " : "", why.msg);
}

/* Kernels that the loader would not take: told, since the next update-grub may choose them. */
static void find_unprepared(const struct command *command, const struct bootdir *boot,
			    const struct kernel *kernel, const struct survey_row *row,
			    struct bootmodel *model)
{
	char named[PATH_MAX + NAME_MAX], cure[BOOTCURE_MAX];

	(void)snprintf(named, sizeof(named), "/boot/%s", kernel->file);
	if (row->loadable || command->guest != GUEST_PV || is_told(model, named))
		return;
	if (row->error.code == 0)
		find_packed(command, boot, kernel, row, model);
	else
		bootmodel_find(model, SEVERITY_WARNING, "kernel-not-loadable",
			       row->error.code == PVK_E_UNSUPPORTED
				       ? NULL
				       : bootcure_damaged(&command->root, kernel->version, cure),
			       "/boot/%s cannot be loaded: %s", text_escape(kernel->file).s,
			       row->error.msg);
}

static json_object *kernel_json(const char *path, const struct kernel *kernel,
				const struct survey_row *row, const struct bootmodel *model)
{
	json_object *object = survey_json(path, kernel, row);

	(void)json_object_object_add(object, "default",
				     json_object_new_boolean(survey_is_default(kernel, model)));
	return object;
}

static void survey_all(const struct command *command, struct bootmodel *model)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	json_object *kernels = NULL;
	char cure[BOOTCURE_MAX];
	struct pvk_error err;

	if (command->json) {
		kernels = json_object_new_array();
		(void)json_object_object_add(command->json, "kernels", kernels);
	}
	if (bootdir_open(&command->root, &boot, &err) < 0 ||
	    originals_list(&command->root, &boot, &list, &err) < 0) {
		bootmodel_find(model, SEVERITY_WARNING, "boot-unreadable", NULL, "%s", err.msg);
		return;
	}
	if (list.count == 0 && command->guest == GUEST_PV)
		bootmodel_find(model, SEVERITY_WARNING, "no-kernel",
			       model->verdict == VERDICT_FAILS
				       ? bootcure_no_kernel(&command->root, cure)
				       : NULL,
			       "/boot: %s", command_no_kernel);
	for (size_t i = 0; i < list.count; i++) {
		char path[PATH_MAX + NAME_MAX + 16];
		struct survey_row row;

		command_boot_path(command, list.items[i].file, path, sizeof(path));
		(void)survey_kernel(&boot, &command->config, &list.items[i], &row);
		find_unprepared(command, &boot, &list.items[i], &row, model);
		if (kernels)
			(void)json_object_array_add(kernels,
						    kernel_json(path, &list.items[i], &row, model));
	}
}

static int exit_status(enum boot_verdict verdict)
{
	switch (verdict) {
	case VERDICT_BOOTS:
		return EXIT_DONE;
	case VERDICT_FAILS:
		return EXIT_FAILED;
	case VERDICT_UNKNOWN:
		break;
	}
	return EXIT_UNKNOWN;
}

/* Nothing was predicted, and why. */
static void doubt(struct bootmodel *model, enum boot_severity severity, const char *code,
		  const char *why)
{
	memset(model, 0, sizeof(*model));
	model->verdict = VERDICT_UNKNOWN;
	bootmodel_find(model, severity, code, NULL, "%s", why);
}

int cmd_check(struct command *command)
{
	const struct bootmodel_request request = {
		.root = &command->root,
		.config = &command->config,
		.guest = command->guest == GUEST_NOT_XEN ? GUEST_PV : command->guest,
		.watch = command->progress.enabled ? &command->progress.watch : NULL,
	};
	_cleanup_free_ struct bootmodel *model = calloc(1, sizeof(*model));
	struct pvk_error err;

	if (!model) {
		log_error("no memory");
		return EXIT_UNKNOWN;
	}
	progress_begin(&command->progress, "checking the next boot");
	/* Nobody said which loader to think of: no rule of ours applies. */
	if (command->guest == GUEST_NOT_XEN && !command->options.profile)
		doubt(model, SEVERITY_INFO, "not-xen",
		      "this is not a Xen guest: nothing is known of its boot loader (--profile judges it as a PV guest all the same)");
	else if (bootmodel_predict(&request, model, &err) < 0)
		doubt(model, SEVERITY_ERROR, "boot-unreadable", err.msg);
	progress_end(&command->progress);
	survey_all(command, model);
	if (command->json)
		report_check_json(command->json, model, command->config.profile);
	else
		report_check(stdout, model,
			     command->options.profile ? request.guest : command->guest,
			     command->config.profile, &command->style);
	return exit_status(model->verdict);
}
