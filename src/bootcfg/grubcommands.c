/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubcommands.c - the commands of GRUB 2.06 for x86_64-xen, and the two that 2.12 adds.
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
	grubeval_stop(ev, GRUB_END_UNKNOWN, arena_printf(&ev->arena, "what `%s' does", call->name));
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
	{"break", grubbasics_break, false},
	{"cat", grubbasics_cat, false},
	{"clear", succeed, false},
	{"cmp", may_succeed, false},
	{"configfile", grubconfig_source, false},
	{"continue", grubbasics_break, false},
	{"cpuid", may_succeed, false},
	{"crc", may_succeed, false},
	{"cryptomount", cannot_follow, false},
	{"date", may_succeed, false},
	{"distrust", may_succeed, false},
	{"dump", may_succeed, false},
	{"echo", succeed, false},
	{"eval", grubbasics_eval, false},
	{"exit", leave, false},
	{"export", grubbasics_export, false},
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
	{"insmod", grubbasics_insmod, false},
	{"keystatus", fail_test, false}, /* the xen console cannot tell of keys held down */
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
	{"loadfont", grubbasics_loadfont, false},
	{"loopback", grubbasics_loopback, false},
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
	{"net_set_vlan", may_succeed, false}, /* 2.12 */
	{"normal", grubconfig_normal, false},
	{"normal_exit", cannot_follow, false},
	{"parttool", may_succeed, false},
	{"password", may_succeed, false},
	{"password_pbkdf2", may_succeed, false},
	{"plainmount", cannot_follow, false}, /* 2.12 */
	{"probe", grubbasics_probe, false},
	{"read", wait_for_keys, false},
	{"read_byte", may_succeed, false},
	{"read_dword", may_succeed, false},
	{"read_word", may_succeed, false},
	{"reboot", leave, false},
	{"regexp", grubregexp_run, false},
	{"return", grubbasics_return, false},
	{"rmmod", may_succeed, false},
	{"save_env", grubloadenv_save, false},
	{"search", grubsearch_run, true},
	{"search.file", grubsearch_run_simple, false},
	{"search.fs_label", grubsearch_run_simple, false},
	{"search.fs_uuid", grubsearch_run_simple, false},
	{"set", grubbasics_set, true},
	{"setparams", grubbasics_setparams, false},
	{"sha1sum", may_succeed, false},
	{"sha256sum", may_succeed, false},
	{"sha512sum", may_succeed, false},
	{"shift", grubbasics_shift, false},
	{"sleep", grubbasics_sleep, false},
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
	{"time", grubbasics_time, false},
	{"tr", grubbasics_tr, false},
	{"true", succeed, false},
	{"trust", may_succeed, false},
	{"unset", grubbasics_unset, false},
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
		*ret_status =
			grubeval_fail(ev, GRUB_EXTRACTOR,
				      "%s isn't allowed to execute in an extractor", call->name);
	else
		*ret_status = command->run(ev, call);
	return true;
}
