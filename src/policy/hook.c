/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook.c - see hook.h; the arguments are those of Debian Policy 6.5, as kernel packages pass them
 * on. */
#include "hook.h"

#include <stddef.h>
#include <string.h>

bool hook_parse_phase(const char *name, enum hook_phase *ret)
{
	static const char *const names[] = {
		"kernel-preinst", "kernel-postinst", "kernel-postrm", "apt",
		"trigger",	  "package-install", "package-remove"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == HOOK_PHASE_COUNT, "a name for each");
	for (enum hook_phase phase = 0; phase < HOOK_PHASE_COUNT; phase++)
		if (strcmp(name, names[phase]) == 0) {
			*ret = phase;
			return true;
		}
	return false;
}

bool hook_phase_has_kernel(enum hook_phase phase)
{
	return phase == HOOK_KERNEL_PREINST || phase == HOOK_KERNEL_POSTINST ||
	       phase == HOOK_KERNEL_POSTRM;
}

/* The first word, without the quotes that may stand around it. Empty: there is none. */
static void take_first_word(const char *text, char *word, size_t size)
{
	size_t used = 0;

	text += strspn(text, " \t\n\"'");
	while (used < size - 1 && *text && !strchr(" \t\n\"'", *text))
		word[used++] = *text++;
	word[used] = '\0';
}

struct rule {
	enum hook_phase phase;
	const char *word;
	enum hook_task task;
};

static const struct rule rules[] = {
	{HOOK_KERNEL_PREINST, "", HOOK_DIVERT},
	{HOOK_KERNEL_PREINST, "install", HOOK_DIVERT},
	{HOOK_KERNEL_PREINST, "upgrade", HOOK_DIVERT},
	{HOOK_KERNEL_POSTINST, "", HOOK_PREPARE},
	{HOOK_KERNEL_POSTINST, "configure", HOOK_PREPARE},
	{HOOK_KERNEL_POSTRM, "upgrade", HOOK_PREPARE_EARLY},
	{HOOK_KERNEL_POSTRM, "remove", HOOK_FORGET},
	{HOOK_KERNEL_POSTRM, "purge", HOOK_FORGET},
	{HOOK_KERNEL_POSTRM, "disappear", HOOK_FORGET},
	{HOOK_KERNEL_POSTRM, "abort-install", HOOK_ABORTED},
	/* abort-upgrade: the old image is in place, prepared as it was. */
};

enum hook_task hook_choose_task(enum hook_phase phase, const char *maint_params)
{
	char word[32];

	if (phase == HOOK_APT || phase == HOOK_TRIGGER)
		return HOOK_BACKSTOP;
	if (phase == HOOK_PACKAGE_INSTALL)
		return HOOK_INSTALL;
	if (phase == HOOK_PACKAGE_REMOVE)
		return HOOK_LEAVE;
	take_first_word(maint_params ? maint_params : "", word, sizeof(word));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].phase == phase && strcmp(rules[i].word, word) == 0)
			return rules[i].task;
	return HOOK_NOTHING;
}
