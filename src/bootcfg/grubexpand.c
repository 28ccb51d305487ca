/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubexpand.c - the words of a command become its arguments (script/execute.c:
 * grub_script_arglist_to_argv).
 *
 * As in GRUB, arguments are built in a form in which a backslash protects the next character, so
 * that quoted text is safe from the file name patterns that follow; the last step takes the
 * backslashes away.
 */
#include "grubeval.h"

/* One argument in the making. Not present: nothing was added yet, not even "". */
struct slot {
	bool is_present;
	struct arena_text text;
	const char *unknown;
};

struct slots {
	struct grub_eval *ev;
	struct slot *slot;
	size_t count, room;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Begins an argument, unless the last one is still without anything. */
static void begin(struct slots *slots)
{
	if (slots->count > 0 && !slots->slot[slots->count - 1].is_present)
		return;
	if (slots->count == slots->room) {
		size_t room = slots->room > 0 ? slots->room * 2 : 8;
		struct slot *grown = arena_alloc(&slots->ev->arena, room * sizeof(*grown));

		if (slots->count > 0)
			memcpy(grown, slots->slot, slots->count * sizeof(*grown));
		slots->slot = grown;
		slots->room = room;
	}
	slots->slot[slots->count++] = (struct slot){0};
}

static void add(struct slots *slots, const char *text, size_t len)
{
	struct slot *last = &slots->slot[slots->count - 1];

	last->is_present = true;
	arena_text_add(&slots->ev->arena, &last->text, text, len);
}

static void add_protected(struct slots *slots, const char *text)
{
	add(slots, "", 0);
	for (; *text; text++) {
		if (strchr("*?\\", *text))
			add(slots, "\\", 1);
		add(slots, text, 1);
	}
}

/* What stands in an unquoted variable may be a pattern; its backslashes are plain ones. */
static void add_unquoted(struct slots *slots, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			add(slots, "\\", 1);
		if (text[i] == '\\' && i + 1 < len && strchr("?*", text[i + 1]))
			add(slots, "\\", 1);
		add(slots, text + i, 1);
	}
}

/* Splits at blanks. Blanks at the ends do not separate from what stands beside the variable. */
static void add_split(struct slots *slots, const char *text)
{
	while (is_blank(*text))
		text++;
	while (*text) {
		const char *start = text;

		while (*text && !is_blank(*text))
			text++;
		add_unquoted(slots, start, (size_t)(text - start));
		while (is_blank(*text))
			text++;
		if (*text)
			begin(slots);
	}
}

static void add_value(struct slots *slots, struct grub_value value, bool is_quoted)
{
	if (value.unknown) {
		add_protected(slots, value.text);
		slots->slot[slots->count - 1].unknown = value.unknown;
	} else if (value.text && is_quoted && value.text[0]) {
		add_protected(slots, value.text);
	} else if (value.text) {
		add_split(slots, value.text);
	}
}

static void add_all_args(struct slots *slots, const struct grub_scope *scope, bool is_quoted,
			 bool is_joined)
{
	for (size_t i = 0; i < scope->n_args; i++) {
		if (i > 0 && is_joined)
			add(slots, " ", 1);
		else if (i > 0)
			begin(slots);
		/* A quoted "$@" keeps its empty arguments. */
		if (is_quoted)
			add(slots, "", 0);
		add_value(slots, scope->args[i], is_quoted);
	}
}

static void add_variable(struct slots *slots, const char *name, bool is_quoted)
{
	struct grub_eval *ev = slots->ev;
	const struct grub_scope *scope = ev->scope;
	bool is_number = name[0] >= '0' && name[0] <= '9';

	if (!is_number && !strchr("#*@", name[0])) {
		add_value(slots, grubvars_get(ev, name), is_quoted);
	} else if (!scope) {
		return;
	} else if (name[0] == '#') {
		add_protected(slots, arena_printf(&ev->arena, "%zu", scope->n_args));
	} else if (!is_number) {
		add_all_args(slots, scope, is_quoted, name[0] == '*' && is_quoted);
	} else {
		unsigned long number = strtoul(name, NULL, 10);

		if (number >= 1 && number <= scope->n_args)
			add_value(slots, scope->args[number - 1], is_quoted);
	}
}

/* $"...": variables are replaced; there is no translation, for no `lang` is set at this point. */
static void add_gettext(struct slots *slots, const char *s)
{
	add(slots, "", 0);
	while (*s) {
		size_t len, brace = s[0] == '$' && s[1] == '{';
		const char *name = s + 1 + brace;
		struct grub_value value;

		if (s[0] == '\\' && s[1] != '\0') {
			char plain[3] = {s[0], s[1], '\0'};

			add_protected(slots, strchr("\\$", s[1]) ? plain + 1 : plain);
			s += 2;
			continue;
		}
		len = strspn(name,
			     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
		if (*s != '$' || len == 0) {
			char plain[2] = {*s++, '\0'};

			add_protected(slots, plain);
			continue;
		}
		value = grubvars_get(slots->ev, arena_strndup(&slots->ev->arena, name, len));
		if (value.text && value.text[0])
			add_value(slots, value, true);
		s = name + len + (brace && name[len] == '}');
	}
}

static void add_word(struct slots *slots, const struct grub_word *word)
{
	begin(slots);
	for (const struct grub_part *part = word->parts; part; part = part->next) {
		switch (part->kind) {
		case GRUB_PART_TEXT:
			add(slots, part->text, strlen(part->text));
			break;
		case GRUB_PART_QUOTED:
			add_protected(slots, part->text);
			break;
		case GRUB_PART_VAR:
			add_variable(slots, part->text, false);
			break;
		case GRUB_PART_DQVAR:
			add_variable(slots, part->text, true);
			break;
		case GRUB_PART_GETTEXT:
			add_gettext(slots, part->text);
			break;
		}
	}
}

static const char *strip_backslashes(struct grub_eval *ev, const char *text)
{
	char *out = arena_alloc(&ev->arena, strlen(text) + 1), *to = out;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		*to++ = *text;
	}
	return out;
}

struct grub_value *grubexpand_words(struct grub_eval *ev, const struct grub_word *words,
				    size_t *ret_count)
{
	struct slots slots = {.ev = ev};
	struct grub_value *args;
	size_t count = 0, room;

	for (; words; words = words->next)
		add_word(&slots, words);
	if (slots.count > 0 && !slots.slot[slots.count - 1].is_present)
		slots.count--;
	room = slots.count + 1;
	args = arena_alloc(&ev->arena, room * sizeof(*args));
	for (size_t i = 0; i < slots.count; i++) {
		const char *word = slots.slot[i].text.s, *unknown = slots.slot[i].unknown;
		const char *const *names = NULL;
		size_t n_names = 0;

		if (!unknown && grubwild_has_pattern(word))
			names = grubwild_expand(ev, word, &n_names, &unknown);
		if (n_names == 0) {
			args[count++] = (struct grub_value){strip_backslashes(ev, word), unknown};
			continue;
		}
		room += n_names;
		struct grub_value *grown = arena_alloc(&ev->arena, room * sizeof(*grown));

		memcpy(grown, args, count * sizeof(*grown));
		args = grown;
		for (size_t j = 0; j < n_names; j++)
			args[count++] = (struct grub_value){names[j], NULL};
	}
	*ret_count = count;
	return args;
}
