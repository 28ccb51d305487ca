/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - --list: one line a kernel, and which of them boots next. Unpacks nothing, writes
 * nothing. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../policy/originals.h"
#include "../policy/survey.h"
#include "command.h"

const char command_no_kernel[] =
	"no kernel image (" PVK_IMAGE_PREFIX "VERSION) in it; is a separate /boot not mounted?";

/* What boots next, by the headers; all zero with VERDICT_UNKNOWN where nobody can know. */
static void predict(const struct command *command, struct bootmodel *model)
{
	const struct bootmodel_request request = {
		.root = &command->root,
		.config = &command->config,
		.guest = command->guest == GUEST_NOT_XEN ? GUEST_PV : command->guest,
		.is_quick = true,
	};

	if ((command->guest == GUEST_NOT_XEN && !command->options.profile) ||
	    bootmodel_predict(&request, model, NULL) < 0) {
		memset(model, 0, sizeof(*model));
		model->verdict = VERDICT_UNKNOWN;
	}
}

/* Of the columns: as wide as they must be, so that most lists fit into 80. */
struct widths {
	int version, state, image, size;
};

static void describe_image(const struct survey_row *row, char *buf, size_t size)
{
	const bool has_payload = row->payload[0] != '\0' && strcmp(row->payload, "none") != 0 &&
				 strcmp(row->payload, row->container) != 0;

	(void)snprintf(buf, size, "%s%s%s", row->container[0] ? row->container : "-",
		       has_payload ? "/" : "", has_payload ? row->payload : "");
}

static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

static void measure_row(const struct kernel *kernel, const struct survey_row *row,
			struct widths *widths)
{
	char image[72];

	describe_image(row, image, sizeof(image));
	widen(&widths->version, text_escape(kernel->version).s);
	widen(&widths->state, row->state);
	widen(&widths->image, image);
	widen(&widths->size, text_size(row->file_size).s);
}

static void print_row(const struct kernel *kernel, const struct survey_row *row,
		      const struct widths *widths, bool is_default)
{
	char image[72];

	describe_image(row, image, sizeof(image));
	(void)printf("%-*s  %-*s  %-*s  %*s%s%s\n", widths->version, text_escape(kernel->version).s,
		     widths->state, row->state, widths->image, image, widths->size,
		     text_size(row->file_size).s, is_default ? "  boots next" : "",
		     row->packaged_kept ? "  packaged image kept" : "");
}

static json_object *row_json(const char *path, const struct kernel *kernel,
			     const struct survey_row *row, const struct bootmodel *model)
{
	const bool is_default = survey_is_default(kernel, model);
	json_object *object = survey_json(path, kernel, row);

	(void)json_object_object_add(object, "default",
				     !is_default && model->verdict == VERDICT_UNKNOWN
					     ? NULL
					     : json_object_new_boolean(is_default));
	return object;
}

static int list_kernels(struct command *command, const struct bootmodel *model,
			json_object *kernels)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	_cleanup_free_ struct survey_row *rows = NULL;
	struct widths widths = {0};
	int status = EXIT_DONE;
	struct pvk_error err;

	if (bootdir_open(&command->root, &boot, &err) < 0 ||
	    originals_list(&command->root, &boot, &list, &err) < 0) {
		log_error("%s", err.msg);
		return EXIT_FAILED;
	}
	if (list.count == 0)
		log_warning("'%s/boot': %s", text_escape(command->root.path).s, command_no_kernel);
	rows = calloc(list.count + 1, sizeof(*rows));
	if (!rows) {
		log_error("no memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (survey_kernel(&boot, &command->config, &list.items[i], &rows[i]) < 0) {
			command_report_failure(command, list.items[i].file, &rows[i].error);
			status = EXIT_FAILED;
		}
		measure_row(&list.items[i], &rows[i], &widths);
	}
	for (size_t i = 0; i < list.count; i++) {
		const struct kernel *kernel = &list.items[i];
		char path[PATH_MAX + NAME_MAX + 16];

		command_boot_path(command, kernel->file, path, sizeof(path));
		if (kernels)
			(void)json_object_array_add(kernels,
						    row_json(path, kernel, &rows[i], model));
		else
			print_row(kernel, &rows[i], &widths, survey_is_default(kernel, model));
	}
	return status;
}

int cmd_list(struct command *command)
{
	_cleanup_free_ struct bootmodel *model = calloc(1, sizeof(*model));
	json_object *kernels = NULL;

	if (!model) {
		log_error("no memory");
		return EXIT_FAILED;
	}
	if (command->json) {
		kernels = json_object_new_array();
		(void)json_object_object_add(command->json, "kernels", kernels);
	}
	predict(command, model);
	return list_kernels(command, model, kernels);
}
