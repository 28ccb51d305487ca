/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubfile.c - files by GRUB path: "/path" on $root, or "(device)/path" (kern/file.c). */
#include "grubeval.h"

bool grubfile_resolve(struct grub_eval *ev, struct grub_value name, const char **ret_device,
		      const char **ret_path)
{
	const char *close;
	struct grub_value root;

	if (name.unknown)
		grubeval_stop(ev, GRUB_END_UNKNOWN, name.unknown);
	if (name.text[0] == '(') {
		close = strchr(name.text, ')');
		if (!close) {
			(void)grubeval_fail(ev, GRUB_BAD_FILENAME, "missing `)' symbol");
			return false;
		}
		*ret_device =
			arena_strndup(&ev->arena, name.text + 1, (size_t)(close - name.text - 1));
		*ret_path = close + 1;
		return true;
	}
	root = grubvars_get(ev, "root");
	if (root.unknown)
		grubeval_stop(ev, GRUB_END_UNKNOWN, root.unknown);
	if (!root.text || !root.text[0]) {
		(void)grubeval_fail(ev, GRUB_BAD_DEVICE, "variable `root' isn't set");
		return false;
	}
	*ret_device = root.text;
	*ret_path = name.text;
	return true;
}

enum grub_file_kind grubfile_stat(struct grub_eval *ev, const char *device, const char *path,
				  uint64_t *ret_size)
{
	uint64_t size = 0;
	enum grub_file_kind kind = GRUB_FILE_UNKNOWN;

	if (ev->host->stat)
		kind = ev->host->stat(ev->host->context, device, path, &size);
	*ret_size = size;
	return kind;
}

bool grubfile_read(struct grub_eval *ev, struct grub_value name, struct bytes *ret)
{
	enum grub_answer answer = GRUB_UNKNOWN;
	const char *device, *path;
	struct bytes content = {0};

	if (!grubfile_resolve(ev, name, &device, &path))
		return false;
	if (path[0] != '/') {
		/* Anything else is a list of disk blocks. */
		(void)grubeval_fail(ev, GRUB_BAD_FILENAME, "invalid file name `%s'", path);
		return false;
	}
	if (ev->host->read)
		answer = ev->host->read(ev->host->context, device, path, &content);
	if (answer == GRUB_UNKNOWN)
		grubeval_stop(ev, GRUB_END_UNKNOWN,
			      arena_printf(&ev->arena, "what is in the file '%s'", name.text));
	if (answer == GRUB_NO) {
		(void)grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", path);
		return false;
	}
	if (content.size > GRUB_CONFIG_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT,
			      arena_printf(&ev->arena, "file '%s' is too large", name.text));
	*ret = content;
	return true;
}
