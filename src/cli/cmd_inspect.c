/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_inspect.c - --inspect FILE...: what an image is, and who can load it. Writes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../policy/jobs.h"
#include "../system/infile.h"
#include "../system/reopen.h"
#include "../system/signals.h"
#include "command.h"

/* With --root a path of the tree; else of the running system, relative ones as the shell means. */
static int open_file(const struct command *command, const char *path, struct infile *ret,
		     struct pvk_error *err)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = command->options.root ? root_openat(&command->root, path, flags)
				       : reopen_openat(AT_FDCWD, path, flags);

	if (fd < 0)
		return pvk_fail_errno(err, -fd, "cannot open");
	return infile_take(fd, INFILE_ANY, ret, err);
}

static int examine(struct command *command, const char *path, struct image *image,
		   struct pvk_error *err)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	int r;

	memset(image, 0, sizeof(*image));
	r = open_file(command, path, &file, err);
	if (r == 0)
		r = infile_read(&file, err);
	if (r == 0)
		r = jobs_examine_for_judging(
			file.bytes, image,
			command->progress.enabled ? &command->progress.watch : NULL, err);
	if (r == 0) {
		r = image_check_whole(image, &image->problem);
		*err = image->problem;
	}
	return r;
}

/* The version in a file's name, for those that have one. */
static const char *version_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const size_t prefix = sizeof(PVK_IMAGE_PREFIX) - 1;

	return strncmp(name, PVK_IMAGE_PREFIX, prefix) == 0 ? name + prefix : "";
}

/* A UKI or a zboot image is told, not a failure; what could not be read at all has no block. */
static bool is_told(const struct image *image)
{
	return image->file_size > 0 && image->container != IMAGE_UNKNOWN;
}

static int inspect(struct command *command, const char *argument)
{
	char path[2 * PATH_MAX];
	struct pvk_error err = {0};
	struct image image;
	int r;

	(void)snprintf(path, sizeof(path), "%s%s%s", command->root.path,
		       command->root.path[0] && argument[0] != '/' ? "/" : "", argument);
	progress_begin(&command->progress, path);
	r = examine(command, argument, &image, &err);
	progress_end(&command->progress);
	if (command->json && is_told(&image))
		(void)json_object_array_add(command->json,
					    report_image_json(path, version_of(path), &image));
	else if (is_told(&image))
		report_image(stdout, path, &image, &command->style);
	if (r < 0 && r != -PVK_E_UNSUPPORTED)
		log_error("%s: %s", text_quote(path).s, err.msg);
	return r == -PVK_E_UNSUPPORTED ? 0 : r;
}

int cmd_inspect(struct command *command)
{
	int status = EXIT_DONE;

	if (command->json) { /* an array of images, not an object */
		(void)json_object_put(command->json);
		command->json = json_object_new_array();
	}
	for (int i = 0; i < command->options.operand_count && !signals_pending(); i++)
		if (inspect(command, command->options.operands[i]) < 0)
			status = EXIT_FAILED;
	return status;
}
