/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubmenu.c - menu entries, and what the menu does with nobody at the keyboard (commands/
 * menuentry.c, normal/menu.c). */
#include "grubeval.h"

/* grub_wait_after_message(), and DEFAULT_ENTRY_ERROR_DELAY_MS of normal/menu.c. */
#define PAUSE_AFTER_ERROR     10.0
#define PAUSE_BEFORE_FALLBACK 2.5

enum {
	OPT_CLASS,
	OPT_USERS,
	OPT_HOTKEY,
	OPT_SOURCE,
	OPT_ID,
	OPT_UNRESTRICTED,
};

static const struct grub_option entry_options[] = {
	[OPT_CLASS] = {"class", 0, GRUB_OPTION_STRING | GRUB_OPTION_REPEATABLE},
	[OPT_USERS] = {"users", 0, GRUB_OPTION_STRING},
	[OPT_HOTKEY] = {"hotkey", 0, GRUB_OPTION_STRING},
	[OPT_SOURCE] = {"source", 0, GRUB_OPTION_STRING},
	[OPT_ID] = {"id", 0, GRUB_OPTION_STRING},
	[OPT_UNRESTRICTED] = {"unrestricted", 0, 0},
	{0},
};

struct grub_menu *grubmenu_current(struct grub_eval *ev)
{
	if (!ev->context->menu)
		ev->context->menu = ARENA_NEW(&ev->arena, struct grub_menu);
	return ev->context->menu;
}

void grubmenu_add(struct grub_eval *ev, struct grub_menu *menu, const struct grub_entry *entry)
{
	struct grub_entry **tail = &menu->entries;

	if (menu->n_entries == GRUB_ENTRIES_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "too many menu entries");
	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(&ev->arena, struct grub_entry);
	**tail = *entry;
	(*tail)->next = NULL;
	menu->n_entries++;
}

static void set_args(struct grub_eval *ev, struct grub_entry *entry, const struct grub_value *args,
		     size_t count)
{
	const char **texts = arena_alloc(&ev->arena, (count + 1) * sizeof(*texts));

	for (size_t i = 0; i < count; i++) {
		texts[i] = args[i].text;
		if (args[i].unknown && i == 0)
			entry->unknown = args[i].unknown;
		else if (args[i].unknown)
			entry->args_unknown = args[i].unknown;
	}
	entry->args = texts;
	entry->n_args = count;
	entry->title = count > 0 ? texts[0] : "";
}

/* menuentry, submenu. The arguments are those in front of the block. */
int grubmenu_define(struct grub_eval *ev, const struct grub_call *call)
{
	struct grub_entry entry = {.line = ev->line, .file = ev->file};
	struct grub_options options;
	const struct grub_value *id = NULL;

	if (!gruboptions_parse(ev, call, entry_options, GRUB_OPTIONS_DASH, &options))
		return ev->error;
	if (options.n_args == 0 && !call->block)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "missing arguments");
	if (options.counts[OPT_SOURCE] > 0 && call->block)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "multiple menuentry definitions");
	if (options.counts[OPT_SOURCE] == 0 && !call->block)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "no menuentry definition");
	if (!ev->context->menu)
		return grubeval_fail(ev, GRUB_MENU, "no menu context");
	if (options.n_args == 0)
		return grubeval_fail(ev, GRUB_MENU, "menuentry is missing title");
	set_args(ev, &entry, options.args, options.n_args);
	if (options.counts[OPT_ID] > 0)
		id = &options.values[OPT_ID][0];
	entry.id = id ? id->text : entry.title;
	if (id && id->unknown)
		entry.unknown = id->unknown;
	if (options.counts[OPT_USERS] > 0)
		entry.users = options.values[OPT_USERS][0].text;
	else if (options.counts[OPT_UNRESTRICTED] == 0)
		entry.users = "";
	entry.source = call->block ? call->block->source : options.values[OPT_SOURCE][0].text;
	entry.is_submenu = call->name[0] == 's';
	grubmenu_add(ev, ev->context->menu, &entry);
	return GRUB_OK;
}

bool grubmenu_entry_matches(const char *id, const char *spec)
{
	for (;; id++, spec++) {
		if (*spec == '>' && spec[1] != '>')
			return *id == '\0';
		if (*spec == '>')
			spec++;
		if (*id != *spec)
			return false;
		if (*id == '\0')
			return true;
	}
}

/* The value of a variable that decides; an unknown one cannot be followed. */
static const char *deciding(struct grub_eval *ev, const char *name)
{
	struct grub_value value = grubvars_get(ev, name);

	if (value.unknown)
		grubeval_stop(ev, GRUB_END_UNKNOWN, value.unknown);
	return value.text;
}

/* A number at the start of the text. False: there is none, or it is too large. */
static bool read_number(struct grub_eval *ev, const char *text, int *ret, const char **ret_end)
{
	unsigned long number = grubcommands_number(ev, text, 0, ret_end);
	int error = ev->error;

	ev->error = GRUB_OK;
	*ret = (int)(unsigned)number;
	return error == GRUB_OK;
}

/* A number wins over a title that begins with one; whatever is not in the menu: the first. */
static struct grub_entry *choose_default(struct grub_eval *ev, struct grub_menu *menu)
{
	const char *spec = deciding(ev, "default");
	struct grub_entry *entry = menu->entries;
	int number;

	if (!spec)
		return entry;
	if (!read_number(ev, spec, &number, NULL)) {
		(void)grubcommands_number(ev, spec, 0, NULL);
		number = ev->error == GRUB_BAD_NUMBER ? 0 : -1;
		ev->error = GRUB_OK;
		for (; entry && number == 0; entry = entry->next) {
			if (entry->unknown)
				grubeval_stop(ev, GRUB_END_UNKNOWN, entry->unknown);
			if (grubmenu_entry_matches(entry->title, spec) ||
			    grubmenu_entry_matches(entry->id, spec))
				return entry;
		}
		return menu->entries;
	}
	for (; entry && number > 0; number--)
		entry = entry->next;
	return entry && number == 0 ? entry : menu->entries;
}

static int read_timeout(struct grub_eval *ev)
{
	const char *text = deciding(ev, "timeout");
	int seconds;

	if (!text)
		return -1;
	if (read_number(ev, text, &seconds, NULL))
		return seconds;
	grubvars_unset(ev, "timeout");
	return -1;
}

/* "a>b" of ids, a '>' inside one doubled: what savedefault would save. */
static const char *join_path(struct grub_eval *ev, const char *outer, const char *id)
{
	struct arena_text path = {0};

	if (outer) {
		arena_text_add(&ev->arena, &path, outer, strlen(outer));
		arena_text_add(&ev->arena, &path, ">", 1);
	}
	arena_text_add(&ev->arena, &path, "", 0);
	for (; *id; id++)
		arena_text_add(&ev->arena, &path, *id == '>' ? ">>" : id, *id == '>' ? 2 : 1);
	return path.s;
}

/* What is left of `default` behind the first '>' that separates. */
static const char *rest_of_default(const char *spec)
{
	for (; spec && *spec; spec++) {
		if (spec[0] == '>' && spec[1] == '>')
			spec++;
		else if (spec[0] == '>')
			return spec[1] ? spec + 1 : NULL;
	}
	return NULL;
}

/* GRUB asks for a name and a password as soon as `superusers` is set at all (normal/auth.c). */
static void check_authentication(struct grub_eval *ev, const struct grub_entry *entry)
{
	struct grub_value superusers = grubvars_get(ev, "superusers");

	if (entry->users && superusers.text)
		grubeval_stop(
			ev, GRUB_END_WAITS,
			arena_printf(&ev->arena, "entry '%s' asks for a password", entry->title));
}

static void run_body(struct grub_eval *ev, const struct grub_entry *entry)
{
	struct grub_value *args = arena_alloc(&ev->arena, (entry->n_args + 1) * sizeof(*args));
	struct grub_scope scope = {.args = args, .n_args = entry->n_args}, *outer = ev->scope;
	unsigned printed = ev->errors_printed;
	const char *file = ev->file;
	const struct grub_call boot = {.name = "boot"};

	for (size_t i = 0; i < entry->n_args; i++)
		args[i] = (struct grub_value){entry->args[i],
					      i == 0 ? entry->unknown : entry->args_unknown};
	ev->scope = &scope;
	ev->file = entry->file;
	(void)grubeval_run_source(ev, entry->source);
	ev->scope = outer;
	if (ev->errors_printed != printed)
		ev->out->pause += PAUSE_AFTER_ERROR;
	/* What an entry loaded is started, whatever else went wrong in it. */
	if (ev->is_loaded)
		(void)grubload_boot(ev, &boot);
	ev->file = file;
}

static void restore(struct grub_eval *ev, const char *name, const char *value)
{
	if (value)
		grubvars_set(ev, name, value);
	else
		grubvars_unset(ev, name);
}

/* Returns when the entry did not boot. */
static void run_entry(struct grub_eval *ev, const struct grub_entry *entry)
{
	const char *chosen = grubvars_text(ev, "chosen"), *spec = grubvars_text(ev, "default");
	const char *path = join_path(ev, chosen, entry->id);

	check_authentication(ev, entry);
	ev->out->tried++;
	ev->out->entry = path;
	ev->out->title = entry->title;
	if (entry->is_submenu) {
		grubvars_open(ev, false);
		(void)grubmenu_current(ev);
		grubvars_set(ev, "timeout", "0");
	}
	grubvars_set(ev, "chosen", path);
	grubvars_export(ev, "chosen");
	restore(ev, "default", rest_of_default(spec));
	run_body(ev, entry);
	if (entry->is_submenu) {
		if (ev->context->menu->n_entries > 0)
			grubmenu_show(ev, ev->context->menu, true);
		grubvars_close(ev);
	}
	restore(ev, "chosen", chosen);
	restore(ev, "default", spec);
	grubvars_unset(ev, "timeout");
}

/* The next number of `fallback`, which it loses; false: there is none. */
static bool take_fallback(struct grub_eval *ev, int *ret)
{
	const char *value = deciding(ev, "fallback"), *end;

	if (!value)
		return false;
	if (!read_number(ev, value, ret, &end)) {
		grubvars_unset(ev, "fallback");
		return false;
	}
	grubvars_set(ev, "fallback", end + strspn(end, " \t\n\v\f\r"));
	return *ret >= 0;
}

static void run_with_fallback(struct grub_eval *ev, struct grub_menu *menu,
			      struct grub_entry *entry)
{
	int number;

	run_entry(ev, entry);
	while (take_fallback(ev, &number)) {
		for (entry = menu->entries; entry && number > 0; number--)
			entry = entry->next;
		if (!entry)
			grubeval_stop(ev, GRUB_END_LEAVES,
				      "`fallback' names an entry that is not there: GRUB crashes");
		ev->out->pause += PAUSE_BEFORE_FALLBACK;
		run_entry(ev, entry);
	}
}

static void note_menu(struct grub_eval *ev, struct grub_menu *menu)
{
	struct grub_menu *copy;

	if (ev->out->menu)
		return;
	copy = ARENA_NEW(&ev->arena, struct grub_menu);
	*copy = *menu;
	copy->default_value = grubvars_text(ev, "default");
	copy->fallback = grubvars_text(ev, "fallback");
	copy->timeout = grubvars_text(ev, "timeout");
	copy->timeout_style = grubvars_text(ev, "timeout_style");
	ev->out->menu = copy;
	if (ev->forced_entry) {
		grubvars_set(ev, "default", ev->forced_entry);
		grubvars_set(ev, "timeout", "0");
	}
	copy->chosen = choose_default(ev, menu);
	copy->seconds = read_timeout(ev);
}

void grubmenu_show(struct grub_eval *ev, struct grub_menu *menu, bool is_auto)
{
	if (++ev->nesting > GRUB_NESTING_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "menus nested too deeply");
	note_menu(ev, menu);
	do {
		struct grub_entry *entry = choose_default(ev, menu);
		int seconds = read_timeout(ev);

		if (seconds < 0 && ev->out->tried > 0)
			grubeval_stop(
				ev, GRUB_END_WAITS,
				"no entry that GRUB tried could be started: it stays at its menu");
		if (seconds < 0)
			grubeval_stop(ev, GRUB_END_WAITS,
				      "no timeout is set: the menu waits for a key for ever");
		ev->out->pause += seconds;
		if (seconds > 0)
			grubvars_unset(ev, "timeout");
		run_with_fallback(ev, menu, entry);
		/* Only a submenu that was entered by itself gives up. */
	} while (!is_auto);
	ev->nesting--;
}
