/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - --list: one line a kernel. Reads headers only, writes nothing. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../policy/originals.h"
#include "../policy/survey.h"
#include "command.h"

static void print_row(const struct kernel *kernel, const struct survey_row *row)
{
	const bool has_payload = row->payload[0] != '\0' && strcmp(row->payload, "none") != 0 &&
				 strcmp(row->payload, row->container) != 0;
	char image[72];

	(void)snprintf(image, sizeof(image), "%s%s%s", row->container[0] ? row->container : "-",
		       has_payload ? "/" : "", has_payload ? row->payload : "");
	(void)printf("%-36s %-12s %-14s %10s%s\n", text_escape(kernel->version).s, row->state,
		     image, text_size(row->file_size).s,
		     row->packaged_kept ? "  packaged image kept" : "");
}

int cmd_list(struct command *command)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	json_object *kernels = NULL;
	int status = EXIT_DONE;
	struct pvk_error err;

	if (command->json) {
		kernels = json_object_new_array();
		(void)json_object_object_add(command->json, "kernels", kernels);
	}
	if (bootdir_open(&command->root, &boot, &err) < 0 ||
	    originals_list(&command->root, &boot, &list, &err) < 0) {
		log_error("%s", err.msg);
		return EXIT_FAILED;
	}
	if (list.count == 0)
		log_warning("'%s/boot': no kernel image (" PVK_IMAGE_PREFIX "VERSION) in it",
			    text_escape(command->root.path).s);
	for (size_t i = 0; i < list.count; i++) {
		char path[PATH_MAX + NAME_MAX + 16];
		struct survey_row row;

		command_boot_path(command, list.items[i].file, path, sizeof(path));
		if (survey_kernel(&boot, &command->config, &list.items[i], &row) < 0) {
			command_report_failure(command, list.items[i].file, &row.error);
			status = EXIT_FAILED;
		}
		if (kernels)
			(void)json_object_array_add(kernels,
						    survey_json(path, &list.items[i], &row));
		else
			print_row(&list.items[i], &row);
	}
	return status;
}
