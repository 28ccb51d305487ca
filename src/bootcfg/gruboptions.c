/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gruboptions.c - options of commands, as lib/arg.c takes them apart. */
#include "grubeval.h"

static const struct grub_option help_option = {"help", 'h', 0}, usage_option = {"usage", 'u', 0};

static const struct grub_option *find_letter(const struct grub_option *options, char letter)
{
	for (; options->name; options++)
		if (options->letter == letter)
			return options;
	if (letter == help_option.letter)
		return &help_option;
	return letter == usage_option.letter ? &usage_option : NULL;
}

static const struct grub_option *find_name(const struct grub_option *options, const char *name,
					   size_t len)
{
	for (; options->name; options++)
		if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
			return options;
	if (len == 4 && memcmp(name, "help", len) == 0)
		return &help_option;
	return len == 5 && memcmp(name, "usage", len) == 0 ? &usage_option : NULL;
}

struct state {
	struct grub_eval *ev;
	const struct grub_call *call;
	const struct grub_option *options;
	int flags;
	struct grub_options *out;
	size_t at; /* the argument being looked at */
};

/* Notes the option. False: an error, or help was asked for. */
static bool store(struct state *s, const struct grub_option *option, const struct grub_value *value)
{
	bool has_value = value && value->text;
	size_t i;

	if (option == &help_option || option == &usage_option)
		return false;
	if ((option->flags & GRUB_OPTION_STRING) && !has_value &&
	    !(option->flags & GRUB_OPTION_OPTIONAL)) {
		(void)grubeval_fail(s->ev, GRUB_BAD_ARGUMENT, "missing mandatory option for `%s'",
				    option->name);
		return false;
	}
	if (!(option->flags & GRUB_OPTION_STRING) && has_value) {
		(void)grubeval_fail(s->ev, GRUB_BAD_ARGUMENT,
				    "a value was assigned to the argument `%s' while it doesn't "
				    "require an argument",
				    s->call->args[s->at].text);
		return false;
	}
	i = (size_t)(option - s->options);
	if (!s->out->values[i])
		s->out->values[i] = arena_alloc(&s->ev->arena,
						(s->call->n_args + 1) * sizeof(struct grub_value));
	if (!(option->flags & GRUB_OPTION_REPEATABLE))
		s->out->counts[i] = 0;
	s->out->values[i][s->out->counts[i]++] = has_value ? *value : (struct grub_value){0};
	return true;
}

static bool parse_letters(struct state *s, const char *letters)
{
	const struct grub_value *next = NULL;
	const struct grub_option *option;

	for (; *letters; letters++) {
		option = find_letter(s->options, *letters);
		if (!option) {
			(void)grubeval_fail(s->ev, GRUB_BAD_ARGUMENT, "unknown argument `-%c'",
					    *letters);
			return false;
		}
		if (letters[1]) {
			if (!store(s, option, NULL))
				return false;
			continue;
		}
		if ((option->flags & GRUB_OPTION_STRING) && s->at + 1 < s->call->n_args) {
			next = &s->call->args[s->at + 1];
			if ((option->flags & GRUB_OPTION_OPTIONAL) && next->text[0] == '-' &&
			    next->text[1])
				next = NULL;
		}
		if (!store(s, option, next))
			return false;
		s->at += next != NULL;
	}
	return true;
}

static bool are_letters_known(const struct state *s, const char *letters)
{
	for (; *letters; letters++)
		if (!find_letter(s->options, *letters))
			return false;
	return true;
}

/* "--name", "--name=value" or "--name value". */
static bool parse_long(struct state *s, const struct grub_value *arg, bool *ret_is_argument)
{
	const char *name = arg->text + 2, *equals = strchr(name, '=');
	const struct grub_option *option;
	struct grub_value value = {0};

	*ret_is_argument = false;
	option = find_name(s->options, name, equals ? (size_t)(equals - name) : strlen(name));
	if (equals)
		value = (struct grub_value){equals + 1, arg->unknown};
	if (!option && (s->flags & GRUB_OPTIONS_DASH)) {
		*ret_is_argument = true;
		return true;
	}
	if (!option) {
		(void)grubeval_fail(s->ev, GRUB_BAD_ARGUMENT, "unknown argument `%s'", arg->text);
		return false;
	}
	if (!equals && (option->flags & GRUB_OPTION_STRING) && s->at + 1 < s->call->n_args &&
	    arg[1].text[0] != '-') {
		if (!store(s, option, &arg[1]))
			return false;
		s->at++;
		return true;
	}
	return store(s, option, &value);
}

static bool parse_one(struct state *s)
{
	const struct grub_value *arg = &s->call->args[s->at];
	bool is_argument = arg->text[0] != '-' || !arg->text[1] ||
			   (s->out->n_args > 0 && (s->flags & GRUB_OPTIONS_AT_START));

	if (!is_argument && arg->text[1] == '-' && !arg->text[2]) {
		while (++s->at < s->call->n_args)
			s->out->args[s->out->n_args++] = s->call->args[s->at];
		return true;
	}
	if (!is_argument && arg->text[1] == '-') {
		if (!parse_long(s, arg, &is_argument))
			return false;
	} else if (!is_argument) {
		is_argument =
			(s->flags & GRUB_OPTIONS_DASH) && !are_letters_known(s, arg->text + 1);
		if (!is_argument && !parse_letters(s, arg->text + 1))
			return false;
	}
	if (is_argument)
		s->out->args[s->out->n_args++] = *arg;
	return true;
}

bool gruboptions_parse(struct grub_eval *ev, const struct grub_call *call,
		       const struct grub_option *options, int flags, struct grub_options *ret)
{
	struct state state = {
		.ev = ev, .call = call, .options = options, .flags = flags, .out = ret};

	*ret = (struct grub_options){0};
	ret->args = arena_alloc(&ev->arena, (call->n_args + 1) * sizeof(*ret->args));
	for (; state.at < call->n_args; state.at++)
		if (!parse_one(&state))
			return false;
	return true;
}
