/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubconfig.c - commands that read another configuration (commands/configfile.c, legacycfg.c,
 * normal/main.c). */
#include "grubeval.h"

#include "grublex.h"

/* Reads and runs a script; a file that cannot be opened is no more than an error message. */
static void read_script(struct grub_eval *ev, struct grub_value name)
{
	const char *old_file = ev->file, *file = grubvars_text(ev, "config_file");
	const char *directory = grubvars_text(ev, "config_directory"), *full, *text, *slash;
	unsigned line = ev->line;
	const unsigned *lines;
	struct bytes content;

	(void)grubmenu_current(ev);
	if (!grubfile_read(ev, name, &content)) {
		/* grub_normal_execute() forgets the error without printing it. */
		ev->error = GRUB_OK;
		return;
	}
	full = name.text[0] == '('
		       ? name.text
		       : arena_printf(&ev->arena, "(%s)%s", grubvars_text(ev, "root"), name.text);
	slash = strrchr(full, '/');
	grubvars_set(ev, "config_file", full);
	grubvars_set(
		ev, "config_directory",
		arena_strndup(&ev->arena, full, slash ? (size_t)(slash - full) : strlen(full)));
	grubvars_export(ev, "config_file");
	grubvars_export(ev, "config_directory");
	text = grublex_clean_file(&ev->arena, content, &lines);
	ev->file = full;
	(void)grubeval_run_text(ev, text, lines);
	ev->file = old_file;
	ev->line = line;
	if (file)
		grubvars_set(ev, "config_file", file);
	else
		grubvars_unset(ev, "config_file");
	if (directory)
		grubvars_set(ev, "config_directory", directory);
	else
		grubvars_unset(ev, "config_directory");
}

static void enter(struct grub_eval *ev)
{
	if (++ev->nesting > GRUB_NESTING_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "configurations nested too deeply");
}

/* extract_entries_source: the entries go to the menu outside. */
static void close_extractor(struct grub_eval *ev, bool is_source)
{
	struct grub_menu *menu = is_source ? ev->context->menu : NULL;

	grubvars_close(ev);
	for (struct grub_entry *e = menu ? menu->entries : NULL; e; e = e->next)
		grubmenu_add(ev, grubmenu_current(ev), e);
	ev->extractors--;
}

static int run_config(struct grub_eval *ev, const struct grub_call *call, bool is_source,
		      void (*read)(struct grub_eval *ev, struct grub_value name))
{
	bool is_extractor = strncmp(call->name, "extract_", 8) == 0;

	if (call->n_args != 1)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	enter(ev);
	if (is_extractor) {
		ev->extractors++;
		grubvars_open(ev, is_source);
	} else if (!is_source) {
		grubvars_open(ev, false);
	}
	read(ev, call->args[0]);
	if (!is_source && ev->context->menu && ev->context->menu->n_entries > 0)
		grubmenu_show(ev, ev->context->menu, false);
	if (is_extractor)
		close_extractor(ev, is_source);
	else if (!is_source)
		grubvars_close(ev);
	ev->nesting--;
	return GRUB_OK;
}

int grubconfig_source(struct grub_eval *ev, const struct grub_call *call)
{
	bool is_source = strcmp(call->name, "configfile") != 0 &&
			 strcmp(call->name, "extract_entries_configfile") != 0;

	return run_config(ev, call, is_source, read_script);
}

/* Reads a menu.lst line by line; unlike read_script() it leaves its error to be printed. */
static void read_legacy(struct grub_eval *ev, struct grub_value name)
{
	const char *old_file = ev->file;
	unsigned line = ev->line;
	struct bytes content;

	if (!grubfile_read(ev, name, &content))
		return;
	ev->file = arena_strdup(&ev->arena, name.text);
	menulst_run(ev, content);
	ev->file = old_file;
	ev->line = line;
}

int grubconfig_legacy(struct grub_eval *ev, const struct grub_call *call)
{
	bool is_source = !strstr(call->name, "configfile");
	int status = run_config(ev, call, is_source, read_legacy);

	return status != GRUB_OK ? status : ev->error;
}

/* Reads into the menu that is there, shows it, and ends at a prompt. */
int grubconfig_normal(struct grub_eval *ev, const struct grub_call *call)
{
	struct grub_value name, prefix = grubvars_get(ev, "prefix");

	enter(ev);
	if (call->n_args > 0) {
		name = call->args[0];
	} else if (prefix.text) {
		name.text = arena_printf(&ev->arena, "%s/grub.cfg", prefix.text);
		name.unknown = prefix.unknown;
	} else {
		grubeval_stop(ev, GRUB_END_WAITS, "`normal' ends at GRUB's prompt");
	}
	read_script(ev, name);
	if (grubmenu_current(ev)->n_entries > 0)
		grubmenu_show(ev, ev->context->menu, false);
	grubeval_stop(ev, GRUB_END_WAITS, "`normal' ends at GRUB's prompt");
}
