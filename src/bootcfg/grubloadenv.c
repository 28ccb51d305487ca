/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubloadenv.c - load_env, save_env, list_env (commands/loadenv.c). Nothing is saved, of course:
 * a later load_env of the same evaluation would see the old values, which no known file does. */
#include "grubenv.h"
#include "grubeval.h"

enum {
	OPT_FILE,
	OPT_SKIP_SIGNATURE,
};

static const struct grub_option env_options[] = {
	[OPT_FILE] = {"file", 'f', GRUB_OPTION_STRING},
	[OPT_SKIP_SIGNATURE] = {"skip-sig", 's', 0},
	{0},
};

/* Opens --file, or $prefix/grubenv. False: an error is set. */
static bool open_block(struct grub_eval *ev, const struct grub_call *call,
		       struct grub_options *ret_options, struct grubenv_reader *ret)
{
	struct grub_value name, prefix;
	struct bytes file;

	if (!gruboptions_parse(ev, call, env_options, 0, ret_options))
		return false;
	if (ret_options->counts[OPT_FILE] > 0) {
		name = ret_options->values[OPT_FILE][0];
	} else {
		prefix = grubvars_get(ev, "prefix");
		if (!prefix.text) {
			(void)grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "variable `prefix' isn't set");
			return false;
		}
		name.text = arena_printf(&ev->arena, "%s/grubenv", prefix.text);
		name.unknown = prefix.unknown;
	}
	if (!grubfile_read(ev, name, &file))
		return false;
	if (grubenv_open(ret, file))
		return true;
	(void)grubeval_fail(ev, GRUB_BAD_FILE_TYPE, "invalid environment block");
	return false;
}

static bool is_wanted(const struct grub_options *options, const char *name)
{
	for (size_t i = 0; i < options->n_args; i++)
		if (strcmp(options->args[i].text, name) == 0)
			return true;
	return options->n_args == 0;
}

int grubloadenv_load(struct grub_eval *ev, const struct grub_call *call)
{
	struct grubenv_reader reader;
	struct grubenv_pair pair;
	struct grub_options options;

	if (!open_block(ev, call, &options, &reader))
		return ev->error;
	while (grubenv_next(&reader, &pair)) {
		const char *name =
			arena_strndup(&ev->arena, (const char *)pair.name.data, pair.name.size);
		char *value = arena_alloc(&ev->arena, pair.value.size + 1);

		grubenv_unescape(pair.value, value);
		if (is_wanted(&options, name))
			grubvars_set(ev, name, value);
	}
	return GRUB_OK;
}

int grubloadenv_save(struct grub_eval *ev, const struct grub_call *call)
{
	struct grubenv_reader reader;
	struct grub_options options;

	if (!gruboptions_parse(ev, call, env_options, 0, &options))
		return ev->error;
	if (options.n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "no variable is specified");
	if (!open_block(ev, call, &options, &reader))
		return ev->error;
	/* Writing can fail for reasons of the disk's layout. */
	return grubeval_unknown(ev, "whether save_env can write");
}

int grubloadenv_list(struct grub_eval *ev, const struct grub_call *call)
{
	struct grubenv_reader reader;
	struct grub_options options;

	return open_block(ev, call, &options, &reader) ? GRUB_OK : ev->error;
}
