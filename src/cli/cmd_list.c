/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - --list: one line a kernel. Reads headers only, writes nothing. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../formats/loaders.h"
#include "../policy/jobs.h"
#include "../policy/record.h"
#include "../policy/stash.h"
#include "../system/infile.h"
#include "command.h"

struct row {
	const char *state; /* prepared, loadable, not-loadable, damaged, unreadable */
	char container[32], payload[32];
	uint64_t file_size, image_size;
	bool loadable, kept;
	struct pvk_error error;
};

static void fill_from_image(const struct command *command, const struct image *image,
			    struct row *row)
{
	struct loader_verdict verdict;

	(void)snprintf(row->container, sizeof(row->container), "%s", image_container_name(image));
	(void)snprintf(row->payload, sizeof(row->payload), "%s", image_payload_name(image));
	row->image_size = image->image_size;
	loader_judge(config_loader(&command->config), image, &verdict);
	row->loadable = verdict.outcome == LOADER_STARTS;
	row->state = row->loadable ? "loadable" : "not-loadable";
}

/* Headers only: unpacking ten XZ kernels for a list would take ten seconds. */
static int look(const struct command *command, const struct bootdir *boot,
		const struct kernel *kernel, struct row *row)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct image image = {0};
	int r;

	r = infile_open(boot->fd, kernel->file, INFILE_ANY, &file, &row->error);
	if (r == 0)
		r = infile_read(&file, &row->error);
	if (r < 0) {
		row->state = "unreadable";
		return r;
	}
	row->file_size = file.bytes.size;
	r = jobs_identify(file.bytes, &image, &row->error);
	if (r == 0 && !image_needs_sink(&image))
		r = jobs_examine(file.bytes, NULL, 0, &image, NULL, &row->error);
	fill_from_image(command, &image, row);
	if (r < 0)
		row->state = r == -PVK_E_UNSUPPORTED ? "not-loadable" : "damaged";
	return r;
}

static int fill_row(const struct command *command, const struct bootdir *boot,
		    const struct kernel *kernel, struct row *row)
{
	struct record record = {0};
	struct stat st;

	memset(row, 0, sizeof(*row));
	row->kept = stash_size(boot, kernel) > 0;
	if (record_load(boot, kernel, &record) != 1 || record.state != RECORD_PREPARED ||
	    fstatat(boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !record_matches(&record, &st))
		return look(command, boot, kernel, row);
	row->state = "prepared";
	row->loadable = true;
	(void)snprintf(row->container, sizeof(row->container), "elf");
	(void)snprintf(row->payload, sizeof(row->payload), "none");
	row->file_size = row->image_size = record.result_size;
	return 0;
}

static json_object *row_json(const char *path, const struct kernel *kernel, const struct row *row)
{
	json_object *object = json_object_new_object();

	(void)json_object_object_add(object, "path", json_object_new_string(text_escape(path).s));
	(void)json_object_object_add(object, "version",
				     json_object_new_string(text_escape(kernel->version).s));
	(void)json_object_object_add(object, "container", json_object_new_string(row->container));
	(void)json_object_object_add(object, "payload", json_object_new_string(row->payload));
	(void)json_object_object_add(object, "file_size",
				     json_object_new_int64((int64_t)row->file_size));
	(void)json_object_object_add(object, "image_size",
				     json_object_new_int64((int64_t)row->image_size));
	(void)json_object_object_add(object, "loadable", json_object_new_boolean(row->loadable));
	(void)json_object_object_add(object, "state", json_object_new_string(row->state));
	(void)json_object_object_add(object, "packaged_kept", json_object_new_boolean(row->kept));
	(void)json_object_object_add(
		object, "error", row->error.code ? json_object_new_string(row->error.msg) : NULL);
	return object;
}

static void print_row(const struct kernel *kernel, const struct row *row)
{
	char image[72];

	(void)snprintf(image, sizeof(image), "%s%s%s", row->container,
		       strcmp(row->payload, "none") == 0 || strcmp(row->payload, row->container) == 0 ? "" : "/",
		       strcmp(row->payload, "none") == 0 || strcmp(row->payload, row->container) == 0 ? "" : row->payload);
	(void)printf("%-36s %-12s %-14s %10s%s\n", text_escape(kernel->version).s, row->state,
		     image[0] ? image : "-", text_size(row->file_size).s,
		     row->kept ? "  packaged image kept" : "");
}

int cmd_list(struct command *command)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	json_object *kernels = json_object_new_array();
	int status = EXIT_DONE;
	struct pvk_error err;

	if (command->json)
		(void)json_object_object_add(command->json, "kernels", kernels);
	if (bootdir_open(&command->root, &boot, &err) < 0 || bootdir_list(&boot, &list, &err) < 0) {
		log_error("%s", err.msg);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < list.count; i++) {
		char path[PATH_MAX + NAME_MAX + 16];
		struct row row;

		command_boot_path(command, list.items[i].file, path, sizeof(path));
		if (fill_row(command, &boot, &list.items[i], &row) < 0) {
			command_report_failure(command, list.items[i].file, &row.error);
			status = EXIT_FAILED;
		}
		if (command->json)
			(void)json_object_array_add(kernels, row_json(path, &list.items[i], &row));
		else
			print_row(&list.items[i], &row);
	}
	return status;
}
