/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * menulst.c - menu.lst as GRUB 2's legacy_configfile takes it (lib/legacy_parse.c,
 * commands/legacycfg.c): each line becomes a line of script. What it gets wrong on the way (`lock`
 * and `password` in an entry make broken script, `password` at the top locks nothing) is kept.
 */
#include "menulst.h"

#include "grubeval.h"
#include "menulsttext.h"

static const char *translate_terminal(struct grub_eval *ev, const char *s)
{
	bool serial = false, console = false, hercules = false, graphics = false;

	for (s = skip_space(s); *s; s = skip_space(skip_word(s))) {
		console |= strncmp(s, "console", 7) == 0;
		serial |= strncmp(s, "serial", 6) == 0;
		hercules |= strncmp(s, "hercules", 8) == 0;
		graphics |= strncmp(s, "graphics", 8) == 0;
	}
	if (!console && !serial && !hercules && !graphics)
		return "terminal_input; terminal_output; terminfo\n";
	return arena_printf(&ev->arena, "%sterminal_input %s%s; terminal_output %s%s%s%s; %s\n",
			    graphics ? "insmod all_video; " : "", serial ? "serial " : "",
			    console || hercules || graphics ? "console " : "",
			    serial ? "serial " : "", console ? "console " : "",
			    hercules ? "mda_text " : "", graphics ? "gfxterm " : "",
			    serial ? "terminfo serial; " : "");
}

struct reader {
	struct grub_eval *ev;
	struct grub_menu *menu;
	const char *title; /* of the entry being read; NULL: none yet */
	unsigned title_line;
	bool has_source; /* some line came since the first title: GRUB crashes without one */
	struct arena_text source, suffix;
};

/* All entries but the last may be booted by "legacy" only; that matters if superusers is set. */
static void finish_entry(struct reader *reader, const char *users)
{
	struct grub_eval *ev = reader->ev;
	const char **args = arena_alloc(&ev->arena, sizeof(*args));
	struct grub_entry entry = {.title = reader->title,
				   .id = reader->title,
				   .args = args,
				   .n_args = 1,
				   .users = users,
				   .line = reader->title_line,
				   .file = ev->file};

	if (!reader->title)
		return;
	if (!reader->has_source && users)
		grubeval_stop(ev, GRUB_END_LEAVES,
			      "GRUB crashes at a `title' that has nothing below it");
	args[0] = reader->title;
	entry.source = reader->has_source ? reader->source.s : "(null)";
	grubmenu_add(ev, reader->menu, &entry);
	reader->source = (struct arena_text){0};
	arena_text_add(&ev->arena, &reader->source, "", 0);
}

static void start_entry(struct reader *reader, const char *title)
{
	size_t len = strlen(title);

	while (len > 0 && is_space(title[len - 1]))
		len--;
	finish_entry(reader, "legacy");
	reader->title = arena_strndup(&reader->ev->arena, title, len);
	reader->title_line = reader->ev->line;
}

static void run_line(struct reader *reader, const char *line)
{
	struct grub_eval *ev = reader->ev;
	const char *name = skip_space(line), *end, *script;
	struct menulst_line translated = {0};
	size_t len;

	if (!*name || *name == '#') {
		script = arena_printf(&ev->arena, "%s\n", name);
	} else {
		end = name + strcspn(name, " \t\n\v\f\r=");
		len = (size_t)(end - name);
		end += strspn(end, " \t\n\v\f\r=");
		if (strncmp(name, "title", 5) == 0 &&
		    (is_space(name[5]) || name[5] == '=' || !name[5])) {
			start_entry(reader, end);
			return;
		}
		if (strncmp(name, "terminal", 8) == 0 &&
		    (is_space(name[8]) || name[8] == '=' || !name[8]))
			script = translate_terminal(ev, end);
		else if (menulstrules_translate(ev, name, len, end, reader->title != NULL,
						&translated))
			script = translated.script;
		else
			script = "# unsupported\n";
		if (translated.suffix)
			arena_text_add(&ev->arena, &reader->suffix, translated.suffix,
				       strlen(translated.suffix));
	}
	if (script && !reader->title) {
		(void)grubeval_run_text(ev, script, NULL);
	} else if (script) {
		arena_text_add(&ev->arena, &reader->source, script, strlen(script));
		reader->has_source = true;
	}
	grubeval_print_error(ev);
}

void menulst_run(struct grub_eval *ev, struct bytes file)
{
	struct reader reader = {.ev = ev, .menu = grubmenu_current(ev)};
	size_t pos = 0;

	for (unsigned number = 1; pos < file.size; number++) {
		size_t end = pos, used = 0;
		char *line;

		while (end < file.size && file.data[end] != '\n')
			end++;
		line = arena_alloc(&ev->arena, end - pos + 1);
		for (size_t i = pos; i < end && file.data[i]; i++)
			if (file.data[i] != '\r')
				line[used++] = (char)file.data[i];
		pos = end + 1;
		ev->line = number;
		run_line(&reader, line);
	}
	finish_entry(&reader, NULL);
	if (reader.suffix.len > 0)
		(void)grubeval_run_text(ev, reader.suffix.s, NULL);
	grubeval_print_error(ev);
}
