/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubcommands.c - the commands of GRUB 2.06 for x86_64-xen.
 *
 * The table is that platform's command.lst (Debian package grub-xen-bin) and the commands of its
 * core; what is not in it "can't be found", as linux16, chainloader, serial or blscfg. Of commands
 * that cannot change what is started only the success matters; where nobody can know it, it is
 * asked for only if the script tests it.
 */
#include "grubeval.h"

struct command {
	const char *name;
	int (*run)(struct grub_eval *ev, const struct grub_call *call);
	bool is_extractor; /* allowed inside extract_entries_* */
};

const char *grubcommands_unknown_arg(const struct grub_call *call)
{
	for (size_t i = 0; i < call->n_args; i++)
		if (call->args[i].unknown)
			return call->args[i].unknown;
	return NULL;
}

/* The value of a digit in any base up to 36; 99 for none. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10 : 99;
}

unsigned long grubcommands_number(struct grub_eval *ev, const char *text, int base,
				  const char **ret_end)
{
	unsigned long number = 0;
	bool is_found = false;

	text += strspn(text, " \t\n\v\f\r");
	if (text[0] == '0' && text[1] == 'x' && (base == 0 || base == 16)) {
		base = 16;
		text += 2;
	} else if (base == 0 && text[0] == '0' && text[1] >= '0' && text[1] <= '7') {
		base = 8;
	}
	if (base == 0)
		base = 10;
	for (; digit_value(*text) < (unsigned)base; text++) {
		is_found = true;
		if (__builtin_mul_overflow(number, (unsigned long)base, &number) ||
		    __builtin_add_overflow(number, digit_value(*text), &number)) {
			(void)grubeval_fail(ev, GRUB_OUT_OF_RANGE, "overflow is detected");
			number = ~0UL;
			break;
		}
	}
	if (!is_found)
		(void)grubeval_fail(ev, GRUB_BAD_NUMBER, "unrecognized number");
	if (ret_end)
		*ret_end = text;
	return number;
}

static int succeed(struct grub_eval *ev, const struct grub_call *call)
{
	(void)ev;
	(void)call;
	return GRUB_OK;
}

static int fail_test(struct grub_eval *ev, const struct grub_call *call)
{
	(void)call;
	return grubeval_fail(ev, GRUB_TEST_FAILURE, "false");
}

/* Exists, decides nothing, and may or may not succeed. */
static int may_succeed(struct grub_eval *ev, const struct grub_call *call)
{
	return grubeval_unknown(ev, arena_printf(&ev->arena, "whether `%s' succeeds", call->name));
}

/* Exists, and could change anything. */
static int cannot_follow(struct grub_eval *ev, const struct grub_call *call)
{
	grubeval_stop(ev, GRUB_END_UNKNOWN,
		      arena_printf(&ev->arena, "what `%s' does", call->name));
}

static int wait_for_keys(struct grub_eval *ev, const struct grub_call *call)
{
	grubeval_stop(ev, GRUB_END_WAITS,
		      arena_printf(&ev->arena, "`%s' waits for somebody to type", call->name));
}

static int leave(struct grub_eval *ev, const struct grub_call *call)
{
	grubeval_stop(ev, GRUB_END_LEAVES, arena_printf(&ev->arena, "`%s'", call->name));
}

static int run_set(struct grub_eval *ev, const struct grub_call *call)
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

static int run_unset(struct grub_eval *ev, const struct grub_call *call)
{
	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	grubvars_unset(ev, call->args[0].text);
	return GRUB_OK;
}

static int run_export(struct grub_eval *ev, const struct grub_call *call)
{
	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "one argument expected");
	for (size_t i = 0; i < call->n_args; i++)
		grubvars_export(ev, call->args[i].text);
	return GRUB_OK;
}

/* insmod says success even when it prints an error (kern/corecmd.c). */
static int run_insmod(struct grub_eval *ev, const struct grub_call *call)
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

static int run_break(struct grub_eval *ev, const struct grub_call *call)
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

static int run_return(struct grub_eval *ev, const struct grub_call *call)
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

static int run_shift(struct grub_eval *ev, const struct grub_call *call)
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

static int run_setparams(struct grub_eval *ev, const struct grub_call *call)
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

static int run_eval(struct grub_eval *ev, const struct grub_call *call)
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

static int run_sleep(struct grub_eval *ev, const struct grub_call *call)
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
static int run_loadfont(struct grub_eval *ev, const struct grub_call *call)
{
	const char *name, *device, *path, *unknown = grubcommands_unknown_arg(call);
	struct grub_value prefix = grubvars_get(ev, "prefix");
	uint64_t size;

	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	name = call->args[0].text;
	if (unknown || ((!prefix.text || prefix.unknown) && !strchr("(/+", name[0])))
		return may_succeed(ev, call);
	if (!strchr("(/+", name[0]) || !name[0])
		name = arena_printf(&ev->arena, "%s/fonts/%s.pf2", prefix.text, name);
	if (!grubfile_resolve(ev, (struct grub_value){.text = name}, &device, &path))
		return ev->error;
	if (grubfile_stat(ev, device, path, &size) != GRUB_FILE_NONE)
		return may_succeed(ev, call);
	return grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", path);
}

static int run_cat(struct grub_eval *ev, const struct grub_call *call)
{
	const char *device, *path, *unknown = grubcommands_unknown_arg(call);
	uint64_t size;

	if (call->n_args == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	if (unknown)
		return grubeval_unknown(ev, unknown);
	if (call->args[0].text[0] == '-')
		return may_succeed(ev, call);
	if (!grubfile_resolve(ev, call->args[0], &device, &path))
		return ev->error;
	switch (grubfile_stat(ev, device, path, &size)) {
	case GRUB_FILE_REGULAR:
		return GRUB_OK;
	case GRUB_FILE_NONE:
		return grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", path);
	default:
		return may_succeed(ev, call);
	}
}

/* Sets a variable to something that only GRUB sees: probe --set, net_get_dhcp_option. */
static int run_probe(struct grub_eval *ev, const struct grub_call *call)
{
	static const struct grub_option options[] = {
		{"set", 's', GRUB_OPTION_STRING}, {"driver", 'd', 0}, {"partmap", 'p', 0},
		{"fs", 'f', 0},			  {"fs-uuid", 'u', 0}, {"label", 'l', 0},
		{"part-uuid", 0, 0},		  {0}};
	struct grub_options parsed;
	const char *why = "what `probe' finds";

	if (!gruboptions_parse(ev, call, options, 0, &parsed))
		return ev->error;
	if (parsed.counts[0] > 0)
		grubvars_set_value(ev, parsed.values[0][0].text, (struct grub_value){"?", why});
	return grubeval_unknown(ev, why);
}

static int run_authenticate(struct grub_eval *ev, const struct grub_call *call)
{
	return grubvars_text(ev, "superusers") ? wait_for_keys(ev, call) : GRUB_OK;
}

static const struct command commands[] = {
	{".", grubconfig_source, false},
	{"[", grubtest_run, true},
	{"authenticate", run_authenticate, false},
	{"background_color", may_succeed, false},
	{"background_image", may_succeed, false},
	{"backtrace", succeed, false},
	{"blocklist", may_succeed, false},
	{"boot", grubload_boot, false},
	{"break", run_break, false},
	{"cat", run_cat, false},
	{"clear", succeed, false},
	{"cmp", may_succeed, false},
	{"configfile", grubconfig_source, false},
	{"continue", run_break, false},
	{"cpuid", may_succeed, false},
	{"crc", may_succeed, false},
	{"cryptomount", cannot_follow, false},
	{"date", may_succeed, false},
	{"distrust", may_succeed, false},
	{"dump", may_succeed, false},
	{"echo", succeed, false},
	{"eval", run_eval, false},
	{"exit", leave, false},
	{"export", run_export, false},
	{"extract_entries_configfile", grubconfig_source, false},
	{"extract_entries_source", grubconfig_source, false},
	{"extract_legacy_entries_configfile", grubconfig_legacy, false},
	{"extract_legacy_entries_source", grubconfig_legacy, false},
	{"extract_syslinux_entries_configfile", cannot_follow, false},
	{"extract_syslinux_entries_source", cannot_follow, false},
	{"false", fail_test, false},
	{"file", may_succeed, false},
	{"gettext", succeed, false},
	{"gptsync", may_succeed, false},
	{"halt", leave, false},
	{"hashsum", may_succeed, false},
	{"help", may_succeed, false},
	{"hexdump", may_succeed, false},
	{"initrd", grubload_initrd, false},
	{"insmod", run_insmod, false},
	{"keystatus", may_succeed, false},
	{"legacy_check_password", wait_for_keys, false},
	{"legacy_configfile", grubconfig_legacy, false},
	{"legacy_initrd", grubload_legacy_initrd, false},
	{"legacy_initrd_nounzip", grubload_legacy_initrd_nounzip, false},
	{"legacy_kernel", grubload_legacy_kernel, false},
	{"legacy_password", may_succeed, false},
	{"legacy_source", grubconfig_legacy, false},
	{"linux", grubload_kernel, false},
	{"list_env", grubloadenv_list, false},
	{"list_trusted", may_succeed, false},
	{"load_env", grubloadenv_load, false},
	{"loadfont", run_loadfont, false},
	{"loopback", may_succeed, false},
	{"ls", may_succeed, false},
	{"lsfonts", succeed, false},
	{"lsmmap", may_succeed, false},
	{"lsmod", succeed, false},
	{"macppcbless", may_succeed, false},
	{"mactelbless", may_succeed, false},
	{"md5sum", may_succeed, false},
	{"menuentry", grubmenu_define, true},
	{"module", grubload_module, false},
	{"multiboot", grubload_kernel, false},
	{"net_add_addr", may_succeed, false},
	{"net_add_dns", may_succeed, false},
	{"net_add_route", may_succeed, false},
	{"net_bootp", may_succeed, false},
	{"net_bootp6", may_succeed, false},
	{"net_del_addr", may_succeed, false},
	{"net_del_dns", may_succeed, false},
	{"net_del_route", may_succeed, false},
	{"net_dhcp", may_succeed, false},
	{"net_get_dhcp_option", may_succeed, false},
	{"net_ipv6_autoconf", may_succeed, false},
	{"net_ls_addr", may_succeed, false},
	{"net_ls_cards", may_succeed, false},
	{"net_ls_dns", may_succeed, false},
	{"net_ls_routes", may_succeed, false},
	{"net_nslookup", may_succeed, false},
	{"normal", grubconfig_normal, false},
	{"normal_exit", cannot_follow, false},
	{"parttool", may_succeed, false},
	{"password", may_succeed, false},
	{"password_pbkdf2", may_succeed, false},
	{"probe", run_probe, false},
	{"read", wait_for_keys, false},
	{"read_byte", may_succeed, false},
	{"read_dword", may_succeed, false},
	{"read_word", may_succeed, false},
	{"reboot", leave, false},
	{"regexp", grubregexp_run, false},
	{"return", run_return, false},
	{"rmmod", may_succeed, false},
	{"save_env", grubloadenv_save, false},
	{"search", grubsearch_run, true},
	{"search.file", grubsearch_run_simple, false},
	{"search.fs_label", grubsearch_run_simple, false},
	{"search.fs_uuid", grubsearch_run_simple, false},
	{"set", run_set, true},
	{"setparams", run_setparams, false},
	{"sha1sum", may_succeed, false},
	{"sha256sum", may_succeed, false},
	{"sha512sum", may_succeed, false},
	{"shift", run_shift, false},
	{"sleep", run_sleep, false},
	{"source", grubconfig_source, false},
	{"submenu", grubmenu_define, true},
	{"syslinux_configfile", cannot_follow, false},
	{"syslinux_source", cannot_follow, false},
	{"terminal_input", may_succeed, false},
	{"terminal_output", may_succeed, false},
	{"terminfo", may_succeed, false},
	{"test", grubtest_run, true},
	{"testload", may_succeed, false},
	{"testspeed", may_succeed, false},
	{"time", cannot_follow, false},
	{"tr", cannot_follow, false},
	{"true", succeed, false},
	{"trust", may_succeed, false},
	{"unset", run_unset, false},
	{"verify_detached", may_succeed, false},
	{"videoinfo", may_succeed, false},
	{"videotest", may_succeed, false},
	{"write_byte", cannot_follow, false},
	{"write_dword", cannot_follow, false},
	{"write_word", cannot_follow, false},
	{"xen_cat", may_succeed, false},
	{"xen_ls", may_succeed, false},
	{"xnu_uuid", may_succeed, false},
	{"zfs-bootfs", cannot_follow, false},
	{"zfsinfo", may_succeed, false},
	{"zfskey", cannot_follow, false},
};

static int compare_name(const void *name, const void *command)
{
	return strcmp(name, ((const struct command *)command)->name);
}

bool grubcommands_run(struct grub_eval *ev, const struct grub_call *call, int *ret_status)
{
	const struct command *command =
		bsearch(call->name, commands, sizeof(commands) / sizeof(commands[0]),
			sizeof(commands[0]), compare_name);

	if (!command)
		return false;
	if (ev->extractors > 0 && !command->is_extractor)
		*ret_status = grubeval_fail(ev, GRUB_EXTRACTOR,
					    "%s isn't allowed to execute in an extractor",
					    call->name);
	else
		*ret_status = command->run(ev, call);
	return true;
}
