/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menulstrules.c - the commands of menu.lst that GRUB 2 knows, and the script that each becomes
 * (lib/legacy_parse.c). */
#include "grubeval.h"
#include "menulsttext.h"

#define ARGS_MAX 4

enum {
	RULE_IGNORE_REST = 1, /* the last argument is one word, not the rest of the line */
	RULE_TOP_ONLY = 2,
	RULE_ENTRY_ONLY = 4,
	RULE_FALLBACK = 8, /* the next rule is for when the last argument is missing */
	RULE_INVERT = 16,  /* the second argument is made of the first */
};

/*
 * One character of `args` per argument: F file, f file that also begins the rest, P partition,
 * R rest of the line as words, V text, I integer, B boolean, K option of `kernel`, C --force,
 * A --no-apm, D --with-configfile, O any option, M video mode.
 */
struct rule {
	const char *name, *args, *script, *suffix;
	int flags;
	int suffix_arg;
};

static const char dhcp_script[] = "net_bootp; net_ls_addr; if [ x%1 = x--with-configfile ]; then "
				  "if net_get_dhcp_option configfile_name pxe 150 string; then "
				  "configfile $configfile_name; fi; fi\n";
static const char password_script[] =
	"if [ \"$superusers\" = ]; then superusers=legacy; fi;\nlegacy_password %1 '%2'\n";

static const struct rule rules[] = {
	{"blocklist", "F", "blocklist '%1'\n", NULL, 0, 0},
	{"boot", "", "boot\n", NULL, 0, 0},
	{"bootp", "D", dhcp_script, NULL, RULE_IGNORE_REST, 0},
	{"cat", "F", "cat '%1'\n", NULL, 0, 0},
	{"chainloader", "CF", "chainloader %1 '%2'\n", NULL, 0, 0},
	{"clear", "", "clear\n", NULL, 0, 0},
	{"cmp", "FF", "cmp '%1' '%2'\n", NULL, RULE_IGNORE_REST, 0},
	{"color", "VV", "set color_normal='%1'; set color_highlight='%2'\n", NULL,
	 RULE_IGNORE_REST | RULE_FALLBACK, 0},
	{"color", "V", "set color_normal='%1'; set color_highlight='%2'\n", NULL,
	 RULE_IGNORE_REST | RULE_INVERT, 0},
	{"configfile", "F", "legacy_configfile '%1'\n", NULL, 0, 0},
	{"debug", "", "if [ -z \"$debug\" ]; then set debug=all; else set debug=; fi\n", NULL, 0,
	 0},
	{"default", "V",
	 "set default='%1'; if [ x\"$default\" = xsaved ]; then load_env; "
	 "set default=\"$saved_entry\"; fi\n",
	 NULL, 0, 0},
	{"dhcp", "D", dhcp_script, NULL, RULE_IGNORE_REST, 0},
	{"displayapm", "", "lsapm\n", NULL, 0, 0},
	{"displaymem", "", "lsmmap\n", NULL, 0, 0},
	{"fallback", "V", "set fallback='%1'\n", NULL, 0, 0},
	{"find", "F", "search -f '%1'\n", NULL, 0, 0},
	{"geometry", "V", "insmod regexp; ls -l (%1*)\n", NULL, 0, 0},
	{"halt", "A", "halt %1\n", NULL, 0, 0},
	{"hiddenmenu", "", NULL, "if sleep -i $timeout; then timeout=0; else timeout=-1; fi\n", 0,
	 0},
	{"hide", "P", "parttool '%1' hidden+\n", NULL, 0, 0},
	{"initrd", "fR", "legacy_initrd '%1' %2\n", NULL, 0, 0},
	{"kernel", "KKfR", "legacy_kernel %1 %2 '%3' %4\n", NULL, 0, 0},
	{"lock", "", "if ! authenticate legacy; then return; fi", NULL, 0, 0},
	{"makeactive", "", "parttool \"$root\" boot+\n", NULL, 0, 0},
	{"map", "PP", "drivemap '%1' '%2'\n", NULL, RULE_IGNORE_REST, 0},
	{"module", "fR", "legacy_initrd '%1' %2\n", NULL, 0, 0},
	{"modulenounzip", "fR", "legacy_initrd_nounzip '%1' %2\n", NULL, 0, 0},
	{"pager", "B", "set pager=%1; echo\n", NULL, RULE_FALLBACK, 0},
	{"pager", "", "if [ \"$pager\" = 1 ]; then pager=0; else pager=1; fi\n", NULL, 0, 0},
	{"parttype", "PI", "parttool '%1' type=%2\n", NULL, 0, 0},
	{"password", "OVF", password_script,
	 "menuentry \"Superuser menu\" --users \"legacy\" { configfile '%1'; }\n",
	 RULE_IGNORE_REST | RULE_FALLBACK | RULE_TOP_ONLY, 2},
	{"password", "OV", password_script, NULL, RULE_IGNORE_REST | RULE_TOP_ONLY, 0},
	{"password", "OVF",
	 "if legacy_check_password %1 '%2'; then configfile '%3'; else return; fi\n", NULL,
	 RULE_IGNORE_REST | RULE_FALLBACK | RULE_ENTRY_ONLY, 0},
	{"password", "OV", "if ! legacy_check_password %1 '%2'; then return fi;\n", NULL,
	 RULE_IGNORE_REST | RULE_ENTRY_ONLY, 0},
	{"pause", "R", "echo %1; if ! sleep -i 60; then return; fi\n", NULL, 0, 0},
	{"print", "R", "echo %1\n", NULL, 0, 0},
	{"read", "I", "read_dword %1\n", NULL, 0, 0},
	{"reboot", "", "reboot\n", NULL, 0, 0},
	{"root", "PI", "set root='%1'; set legacy_hdbias='%2'\n", NULL, RULE_FALLBACK, 0},
	{"root", "", "echo \"$root\"\n", NULL, 0, 0},
	{"rootnoverify", "PI", "set root='%1'; set legacy_hdbias='%2'\n", NULL, 0, 0},
	{"savedefault", "", "saved_entry=${chosen}; save_env saved_entry\n", NULL, 0, 0},
	{"serial", "R", "serial %1\n", NULL, 0, 0},
	{"testload", "F", "testload '%1'\n", NULL, 0, 0},
	{"testvbe", "M", "insmod vbe; videotest '%1'\n", NULL, 0, 0},
	{"timeout", "I", "set timeout=%1\n", NULL, 0, 0},
	{"unhide", "P", "parttool '%1' hidden-\n", NULL, 0, 0},
	{"uuid", "V", "search --set=root --fs-uuid '%1'\n", NULL, 0, 0},
	{"vbeprobe", "M", "insmod vbe; videoinfo '%1'\n", NULL, RULE_FALLBACK, 0},
	{"vbeprobe", "", "insmod vbe; videoinfo\n", NULL, 0, 0},
};

#define RULES_COUNT (sizeof(rules) / sizeof(rules[0]))

/* The text as it may stand between single quotes. */
static void add_escaped(struct grub_eval *ev, struct arena_text *out, const char *s, size_t len)
{
	arena_text_add(&ev->arena, out, "", 0);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\'')
			arena_text_add(&ev->arena, out, "'\\''", 4);
		else
			arena_text_add(&ev->arena, out, s + i, 1);
	}
}

/* "(hd0,0)/path": GRUB 2 counts partitions from 1, and BSD ones by number. */
static const char *translate_file(struct grub_eval *ev, const char *s, size_t len)
{
	size_t comma = strcspn(s, ",)");
	struct arena_text out = {0};
	const char *rest;
	unsigned long part;

	if (s[0] != '(' || comma >= len || (s[comma] != ',' && strncmp(s, "(nd)", 4) != 0)) {
		add_escaped(ev, &out, s, len);
		return out.s;
	}
	if (s[comma] == ')') {
		arena_text_add(&ev->arena, &out, "(tftp)", 6);
		arena_text_add(&ev->arena, &out, s + 4, len - 4);
		return out.s;
	}
	part = grubcommands_number(ev, s + comma + 1, 0, &rest);
	ev->error = GRUB_OK;
	if (rest > s + len)
		rest = s + len;
	arena_text_add(&ev->arena, &out, s, comma + 1);
	if (rest + 1 < s + len && rest[0] == ',' && rest[1] >= 'a' && rest[1] <= 'z') {
		const char *number =
			arena_printf(&ev->arena, "%d,%d", (int)part + 1, rest[1] - 'a' + 1);

		arena_text_add(&ev->arena, &out, number, strlen(number));
		rest += 2;
	} else {
		const char *number = arena_printf(&ev->arena, "%d", (int)part + 1);

		arena_text_add(&ev->arena, &out, number, strlen(number));
	}
	arena_text_add(&ev->arena, &out, rest, (size_t)(s + len - rest));
	return out.s;
}

/* Every word in quotes of its own. */
static const char *quote_words(struct grub_eval *ev, const char *s)
{
	struct arena_text out = {0};

	arena_text_add(&ev->arena, &out, "", 0);
	while (*s) {
		const char *end;

		s = skip_space(s);
		end = skip_word(s);
		arena_text_add(&ev->arena, &out, " '", out.len > 0 ? 2 : 0);
		arena_text_add(&ev->arena, &out, "'", out.len > 0 ? 0 : 1);
		add_escaped(ev, &out, s, (size_t)(end - s));
		arena_text_add(&ev->arena, &out, "'", 1);
		s = *end ? end + 1 : end;
	}
	return out.s;
}

static bool is_option(char type, const char *s, size_t len)
{
	static const char *const kernel[] = {
		"--type=netbsd",   "--type=freebsd",   "--type=openbsd", "--type=linux",
		"--type=biglinux", "--type=multiboot", "--no-mem-option"};
	const char *only = type == 'C' ? "--force" : type == 'A' ? "--no-apm" : "--with-configfile";

	if (type == 'O')
		return len >= 2 && s[0] == '-' && s[1] == '-';
	if (type != 'K')
		return strlen(only) == len && memcmp(s, only, len) == 0;
	for (size_t i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++)
		if (strlen(kernel[i]) == len && memcmp(s, kernel[i], len) == 0)
			return true;
	return false;
}

/* The digits that the number begins with: decimal, 0octal, 0xhex. */
static const char *read_int(struct grub_eval *ev, const char *s, size_t len)
{
	bool is_hex = len > 1 && s[0] == '0' && s[1] == 'x';
	size_t n = is_hex ? 2 : 0;
	const char *digits = is_hex	   ? "0123456789abcdefABCDEF"
			     : s[0] == '0' ? "01234567"
					   : "0123456789";

	while (n < len && strchr(digits, s[n]))
		n++;
	return n > 0 ? arena_strndup(&ev->arena, s, n) : "0";
}

static const char *default_arg(char type)
{
	return type == 'B' || type == 'I' ? "0" : type == 'M' ? "auto" : "";
}

/* Reads the argument at s. *ret_hold: it was none of this type, or also belongs to the next. */
static const char *read_arg(struct grub_eval *ev, char type, const char *s, size_t len,
			    bool *ret_hold)
{
	struct arena_text out = {0};

	*ret_hold = false;
	switch (type) {
	case 'f':
		*ret_hold = true;
		return translate_file(ev, s, len);
	case 'F':
	case 'P':
		return translate_file(ev, s, len);
	case 'R':
		return quote_words(ev, s);
	case 'V':
		add_escaped(ev, &out, s, len);
		return out.s;
	case 'I':
		return read_int(ev, s, len);
	case 'B':
		return len == 2 && strncmp(s, "on", 2) == 0 ? "1" : "0";
	case 'M':
		return "auto";
	default:
		*ret_hold = !is_option(type, s, len);
		return *ret_hold ? "" : arena_strndup(&ev->arena, s, len);
	}
}

/* Fills the arguments that the line has; the others stay NULL. */
static void read_args(struct grub_eval *ev, const struct rule *rule, const char *s,
		      const char *args[ARGS_MAX])
{
	size_t count = strlen(rule->args), len;

	for (size_t i = 0; i < count; i++) {
		const char *end;
		bool is_held;

		s = skip_space(s);
		if (!*s)
			return;
		end = skip_word(s);
		len = (size_t)(end - s);
		if (i + 1 == count && !(rule->flags & RULE_IGNORE_REST)) {
			len = strlen(s);
			while (len > 0 && is_space(s[len - 1]))
				len--;
		}
		args[i] = read_arg(ev, rule->args[i], s, len, &is_held);
		if (!is_held)
			s = *end ? end + 1 : end;
	}
}

/* "%1".."%4" in the pattern become the arguments. */
static const char *fill(struct grub_eval *ev, const char *pattern, const char *const *args)
{
	struct arena_text out = {0};

	arena_text_add(&ev->arena, &out, "", 0);
	for (; *pattern; pattern++) {
		if (*pattern == '%') {
			const char *arg = args[*++pattern - '1'];

			arena_text_add(&ev->arena, &out, arg, strlen(arg));
		} else {
			arena_text_add(&ev->arena, &out, pattern, 1);
		}
	}
	return out.s;
}

/* "a/b" to "b/a". False: there is no '/', which GRUB takes for an error. */
static bool invert_color(struct grub_eval *ev, const char *args[ARGS_MAX])
{
	const char *slash = strchr(args[0], '/');

	if (!slash) {
		(void)grubeval_fail(ev, GRUB_BAD_ARGUMENT, "invalid color specification `%s'",
				    args[0]);
		return false;
	}
	args[1] = arena_printf(&ev->arena, "%s/%.*s", slash + 1, (int)(slash - args[0]), args[0]);
	return true;
}

static const struct rule *find_rule(const char *name, size_t len, int refused)
{
	for (size_t i = 0; i < RULES_COUNT; i++)
		if (strlen(rules[i].name) == len && memcmp(rules[i].name, name, len) == 0 &&
		    !(rules[i].flags & refused))
			return &rules[i];
	return NULL;
}

bool menulstrules_translate(struct grub_eval *ev, const char *name, size_t len, const char *rest,
			    bool is_in_entry, struct menulst_line *ret)
{
	const struct rule *rule =
		find_rule(name, len, is_in_entry ? RULE_TOP_ONLY : RULE_ENTRY_ONLY);
	const char *args[ARGS_MAX + 1] = {NULL};
	size_t count;

	*ret = (struct menulst_line){0};
	if (!rule)
		return false;
	read_args(ev, rule, rest, args);
	count = strlen(rule->args);
	if ((rule->flags & RULE_FALLBACK) && count > 0 && !args[count - 1] &&
	    !args[strlen(rule[1].args)])
		rule++;
	for (size_t i = 0; i < ARGS_MAX; i++)
		if (!args[i])
			args[i] = i < strlen(rule->args) ? default_arg(rule->args[i]) : "";
	if ((rule->flags & RULE_INVERT) && !invert_color(ev, args))
		return true;
	/* A rule with a suffix gives nothing else: even the password itself gets lost. */
	if (rule->suffix)
		ret->suffix = fill(ev, rule->suffix, &args[rule->suffix_arg]);
	else
		ret->script = fill(ev, rule->script, args);
	return true;
}
