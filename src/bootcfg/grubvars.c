/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubvars.c - GRUB's environment (kern/env.c, normal/context.c): variables, and the contexts that
 * `configfile` and submenus open, into which only exported variables are carried. */
#include "grubeval.h"

static struct grub_variable *find(struct grub_eval *ev, const char *name)
{
	struct grub_variable *variable = ev->context->variables;

	if (++ev->lookups > GRUB_LOOKUPS_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "too many uses of variables");
	while (variable && strcmp(variable->name, name) != 0)
		variable = variable->next;
	return variable;
}

/* Variables with a hook are emptied, not removed, by `unset`. */
static bool is_hooked(const char *name)
{
	static const char *const hooked[] = {"root", "prefix", "pager", "color_normal",
					     "color_highlight"};

	for (size_t i = 0; i < sizeof(hooked) / sizeof(hooked[0]); i++)
		if (strcmp(name, hooked[i]) == 0)
			return true;
	return false;
}

struct grub_value grubvars_get(struct grub_eval *ev, const char *name)
{
	struct grub_variable *variable = find(ev, name);

	return variable ? variable->value : (struct grub_value){0};
}

const char *grubvars_text(struct grub_eval *ev, const char *name)
{
	return grubvars_get(ev, name).text;
}

void grubvars_set_value(struct grub_eval *ev, const char *name, struct grub_value value)
{
	struct grub_variable *variable = find(ev, name);
	size_t len = strlen(value.text);

	if (!variable) {
		if (++ev->context->n_variables > GRUB_VARIABLES_MAX)
			grubeval_stop(ev, GRUB_END_LIMIT, "too many variables");
		variable = ARENA_NEW(&ev->arena, struct grub_variable);
		variable->name = arena_strdup(&ev->arena, name);
		variable->next = ev->context->variables;
		ev->context->variables = variable;
	}
	/* root takes "(hd0,1)" and "hd0,1" alike (kern/main.c). */
	if (len >= 2 && value.text[0] == '(' && value.text[len - 1] == ')' &&
	    strcmp(name, "root") == 0)
		value.text = arena_strndup(&ev->arena, value.text + 1, len - 2);
	else
		value.text = arena_strndup(&ev->arena, value.text, len);
	variable->value = value;
}

void grubvars_set(struct grub_eval *ev, const char *name, const char *text)
{
	grubvars_set_value(ev, name, (struct grub_value){.text = text});
}

void grubvars_unset(struct grub_eval *ev, const char *name)
{
	struct grub_variable **link = &ev->context->variables;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	if (!*link)
		return;
	if (is_hooked(name)) {
		grubvars_set(ev, name, "");
		return;
	}
	*link = (*link)->next;
	ev->context->n_variables--;
}

void grubvars_export(struct grub_eval *ev, const char *name)
{
	struct grub_variable *variable = find(ev, name);

	if (!variable) {
		grubvars_set(ev, name, "");
		variable = ev->context->variables; /* a new one comes first */
	}
	variable->is_exported = true;
}

void grubvars_open(struct grub_eval *ev, bool is_all)
{
	struct grub_context *inner = ARENA_NEW(&ev->arena, struct grub_context);
	struct grub_variable **tail = &inner->variables;

	if (++ev->nesting > GRUB_NESTING_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "configurations nested too deeply");
	inner->outer = ev->context;
	for (struct grub_variable *v = ev->context->variables; v; v = v->next) {
		if (!is_all && !v->is_exported)
			continue;
		*tail = ARENA_NEW(&ev->arena, struct grub_variable);
		**tail = *v;
		(*tail)->next = NULL;
		(*tail)->is_exported = true;
		tail = &(*tail)->next;
		inner->n_variables++;
	}
	ev->context = inner;
}

void grubvars_close(struct grub_eval *ev)
{
	ev->context = ev->context->outer;
	ev->nesting--;
}
