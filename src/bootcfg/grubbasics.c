/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubbasics.c - the small commands: variables, flow of control, and a few that only may fail
 * (kern/corecmd.c, script/execute.c, commands/{eval,sleep,minicmd,probe,time,tr}.c,
 * font/font_cmd.c). */
#include "grubeval.h"

static int may_succeed(struct grub_eval *ev, const char *name)
{
	return grubeval_unknown(ev, arena_printf(&ev->arena, "whether `%s' succeeds", name));
}

int grubbasics_set(struct grub_eval *ev, const struct grub_call *call)
{
	const char *equals;

	if (call->n_args == 0)
		return GRUB_OK;
	equals = strchr(call->args[0].text, '=');
	if (!equals)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "not an assignment");
	grubvars_set_value(ev,
			   arena_strndup(&ev->arena, call->args[0].text,
					 (size_t)(equals - call->args[0].text)),
			   (struct grub_value){equals + 1, call->args[0].unknown});
	return GRUB_OK;
}

int grubbasics_unset(struct grub_eval *ev, const struct grub_call *call)
{
	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	grubvars_unset(ev, call->args[0].text);
	return GRUB_OK;
}

int grubbasics_export(struct grub_eval *ev, const struct grub_call *call)
{
	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	for (size_t i = 0; i < call->n_args; i++)
		grubvars_export(ev, call->args[i].text);
	return GRUB_OK;
}

/* insmod says success even when it prints an error (kern/corecmd.c). */
int grubbasics_insmod(struct grub_eval *ev, const struct grub_call *call)
{
	enum grub_answer answer = GRUB_YES;
	const char **list;
	size_t n = ev->out->n_modules;

	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	if (ev->host->module)
		answer = ev->host->module(ev->host->context, call->args[0].text);
	if (answer == GRUB_NO) {
		(void)grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s.mod' not found",
				    call->args[0].text);
		return GRUB_OK;
	}
	list = arena_alloc(&ev->arena, (n + 1) * sizeof(*list));
	if (n > 0)
		memcpy(list, ev->out->modules, n * sizeof(*list));
	list[n] = call->args[0].text;
	ev->out->modules = list;
	ev->out->n_modules = n + 1;
	return GRUB_OK;
}

int grubbasics_break(struct grub_eval *ev, const struct grub_call *call)
{
	unsigned long count = 1;
	const char *end;

	if (call->n_args > 1)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	if (call->n_args == 1) {
		count = grubcommands_number(ev, call->args[0].text, 10, &end);
		if (ev->error != GRUB_OK)
			return ev->error;
		if (*end)
			return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "unrecognized number");
		if (count == 0)
			return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "can't break 0 loops");
	}
	ev->is_continue = strcmp(call->name, "continue") == 0;
	ev->breaks = count < ev->loops ? count : ev->loops;
	return GRUB_OK;
}

int grubbasics_return(struct grub_eval *ev, const struct grub_call *call)
{
	unsigned long status;
	const char *end;
	struct grub_value last = grubvars_get(ev, "?");

	if (!ev->scope || call->n_args > 1)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "not in function body");
	if (call->n_args == 0) {
		ev->is_returning = true;
		if (last.unknown)
			return grubeval_unknown(ev, last.unknown);
		return last.text ? (int)strtol(last.text, NULL, 10) : GRUB_OK;
	}
	status = grubcommands_number(ev, call->args[0].text, 10, &end);
	if (ev->error != GRUB_OK)
		return ev->error;
	if (*end)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "unrecognized number");
	ev->is_returning = true;
	return status ? grubeval_fail(ev, (int)(status & 0x7fffffff), "false") : GRUB_OK;
}

int grubbasics_shift(struct grub_eval *ev, const struct grub_call *call)
{
	unsigned long count = 1;
	const char *end;

	if (!ev->scope)
		return GRUB_OK;
	if (call->n_args > 1)
		return GRUB_BAD_ARGUMENT;
	if (call->n_args == 1) {
		count = grubcommands_number(ev, call->args[0].text, 10, &end);
		if (*end)
			return GRUB_BAD_ARGUMENT;
	}
	if (count > ev->scope->n_args)
		return GRUB_BAD_ARGUMENT;
	ev->scope->args += count;
	ev->scope->n_args -= count;
	return GRUB_OK;
}

int grubbasics_setparams(struct grub_eval *ev, const struct grub_call *call)
{
	struct grub_value *args;

	if (!ev->scope)
		return GRUB_INVALID_COMMAND;
	args = arena_alloc(&ev->arena, (call->n_args + 1) * sizeof(*args));
	if (call->n_args > 0)
		memcpy(args, call->args, call->n_args * sizeof(*args));
	*ev->scope = (struct grub_scope){.args = args, .n_args = call->n_args};
	return GRUB_OK;
}

int grubbasics_eval(struct grub_eval *ev, const struct grub_call *call)
{
	struct arena_text text = {0};
	const char *unknown = grubcommands_unknown_arg(call);
	int status;

	if (unknown)
		grubeval_stop(ev, GRUB_END_UNKNOWN, unknown);
	for (size_t i = 0; i < call->n_args; i++) {
		if (i > 0)
			arena_text_add(&ev->arena, &text, " ", 1);
		arena_text_add(&ev->arena, &text, call->args[i].text, strlen(call->args[i].text));
	}
	if (call->n_args == 0)
		return GRUB_OK;
	if (++ev->nesting > GRUB_NESTING_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "eval nested too deeply");
	status = grubeval_run_text(ev, arena_printf(&ev->arena, "%s\n", text.s), NULL);
	ev->nesting--;
	return status;
}

int grubbasics_sleep(struct grub_eval *ev, const struct grub_call *call)
{
	static const struct grub_option options[] = {
		{"verbose", 'v', 0}, {"interruptible", 'i', 0}, {0}};
	struct grub_options parsed;

	if (!gruboptions_parse(ev, call, options, 0, &parsed))
		return ev->error;
	if (parsed.n_args != 1)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	/* A bad number is no sleep, and an error that is printed; the status stays 0. */
	ev->out->pause += (double)(unsigned)grubcommands_number(ev, parsed.args[0].text, 10, NULL);
	return GRUB_OK;
}

/* A font without a path is looked for in $prefix/fonts; if the file is not there, that is sure. */
int grubbasics_loadfont(struct grub_eval *ev, const struct grub_call *call)
{
	const char *name, *device, *path, *unknown = grubcommands_unknown_arg(call);
	struct grub_value prefix = grubvars_get(ev, "prefix");
	uint64_t size;

	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	name = call->args[0].text;
	if (unknown || ((!prefix.text || prefix.unknown) && !strchr("(/+", name[0])))
		return may_succeed(ev, call->name);
	if (!strchr("(/+", name[0]) || !name[0])
		name = arena_printf(&ev->arena, "%s/fonts/%s.pf2", prefix.text, name);
	if (!grubfile_resolve(ev, (struct grub_value){.text = name}, &device, &path))
		return ev->error;
	if (grubfile_stat(ev, device, path, &size) != GRUB_FILE_NONE)
		return may_succeed(ev, call->name);
	return grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", path);
}

int grubbasics_cat(struct grub_eval *ev, const struct grub_call *call)
{
	const char *device, *path, *unknown = grubcommands_unknown_arg(call);
	uint64_t size;

	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	if (unknown)
		return grubeval_unknown(ev, unknown);
	if (call->args[0].text[0] == '-')
		return may_succeed(ev, call->name);
	if (!grubfile_resolve(ev, call->args[0], &device, &path))
		return ev->error;
	switch (grubfile_stat(ev, device, path, &size)) {
	case GRUB_FILE_REGULAR:
		return GRUB_OK;
	case GRUB_FILE_NONE:
		return grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", path);
	default:
		return may_succeed(ev, call->name);
	}
}

/* loopback [-d] DEVICE FILE: the file system in an image file is one that nobody here reads. */
int grubbasics_loopback(struct grub_eval *ev, const struct grub_call *call)
{
	static const struct grub_option options[] = {
		{"delete", 'd', 0}, {"decompress", 'D', 0}, {0}};
	const char *device, *path;
	struct grub_options parsed;
	uint64_t size;

	if (!gruboptions_parse(ev, call, options, 0, &parsed))
		return ev->error;
	if (parsed.n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "device name required");
	if (parsed.counts[0] > 0)
		return may_succeed(ev, call->name);
	if (parsed.n_args < 2)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	if (!grubfile_resolve(ev, parsed.args[1], &device, &path))
		return ev->error;
	if (grubfile_stat(ev, device, path, &size) == GRUB_FILE_NONE)
		return grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", path);
	grubeval_stop(
		ev, GRUB_END_UNKNOWN,
		arena_printf(&ev->arena, "what is in the image file '%s'", parsed.args[1].text));
}

static const char *translate(struct grub_eval *ev, const char *from, const char *to,
			     const char *text)
{
	char *result = arena_strndup(&ev->arena, text, strlen(text));

	for (char *c = result; *c; c++) {
		const char *at = strchr(from, *c);

		if (at)
			*c = to[at - from];
	}
	return result;
}

/* tr [--set VARIABLE] [-U|-D] [SET1 SET2] [TEXT]; the text may also be the variable's. */
int grubbasics_tr(struct grub_eval *ev, const struct grub_call *call)
{
	static const struct grub_option options[] = {
		{"set", 's', GRUB_OPTION_STRING}, {"upcase", 'U', 0}, {"downcase", 'D', 0}, {0}};
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz",
			  upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *from = NULL, *to = NULL, *variable = NULL, *unknown;
	struct grub_value text = {0};
	struct grub_options parsed;

	if (!gruboptions_parse(ev, call, options, 0, &parsed))
		return ev->error;
	if (parsed.n_args > 3)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "too many parameters");
	if (parsed.counts[0] > 0) {
		variable = parsed.values[0][0].text;
		text = grubvars_get(ev, variable);
	}
	if (parsed.counts[1] > 0)
		from = lower, to = upper;
	if (parsed.counts[2] > 0)
		from = upper, to = lower;
	if (parsed.n_args >= 2)
		from = parsed.args[0].text, to = parsed.args[1].text;
	if (parsed.n_args % 2 == 1)
		text = parsed.args[parsed.n_args - 1];
	if (!from || !text.text)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "missing parameters");
	unknown = grubcommands_unknown_arg(call);
	if (!unknown && strlen(from) != strlen(to))
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "set sizes did not match");
	if (variable && (unknown || text.unknown))
		grubvars_set_value(ev, variable,
				   (struct grub_value){"?", unknown ? unknown : text.unknown});
	else if (variable)
		grubvars_set(ev, variable, translate(ev, from, to, text.text));
	return unknown ? grubeval_unknown(ev, unknown) : GRUB_OK;
}

/* Runs a command, but no function, and without its block. */
int grubbasics_time(struct grub_eval *ev, const struct grub_call *call)
{
	struct grub_call timed;
	int status;

	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "no command is specified");
	if (call->args[0].unknown)
		grubeval_stop(ev, GRUB_END_UNKNOWN, call->args[0].unknown);
	timed = (struct grub_call){
		.name = call->args[0].text, .args = call->args + 1, .n_args = call->n_args - 1};
	if (++ev->nesting > GRUB_NESTING_MAX)
		grubeval_stop(ev, GRUB_END_LIMIT, "time nested too deeply");
	if (!grubcommands_run(ev, &timed, &status))
		status = grubeval_fail(ev, GRUB_UNKNOWN_COMMAND, "can't find command `%s'",
				       timed.name);
	ev->nesting--;
	return status == GRUB_STATUS_UNKNOWN ? status : ev->error;
}

/* Sets a variable to something that only GRUB sees: probe --set, net_get_dhcp_option. */
int grubbasics_probe(struct grub_eval *ev, const struct grub_call *call)
{
	static const struct grub_option options[] = {{"set", 's', GRUB_OPTION_STRING},
						     {"driver", 'd', 0},
						     {"partmap", 'p', 0},
						     {"fs", 'f', 0},
						     {"fs-uuid", 'u', 0},
						     {"label", 'l', 0},
						     {"part-uuid", 0, 0},
						     {0}};
	struct grub_options parsed;
	const char *why = "what `probe' finds";

	if (!gruboptions_parse(ev, call, options, 0, &parsed))
		return ev->error;
	if (parsed.counts[0] > 0)
		grubvars_set_value(ev, parsed.values[0][0].text, (struct grub_value){"?", why});
	return grubeval_unknown(ev, why);
}
