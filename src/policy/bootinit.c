/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootinit.c - bootchecks_init(), see bootchecks.h: what is started once the root is there, and
 * does the guest come to a login? A shell on the console is no guest that comes back. */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "bootchecks.h"

#define WORD_MAX 256

/* The next word of a command line into buf; blanks in quotes part none. False at its end. */
static bool next_word(const char **at, char buf[WORD_MAX])
{
	const char *text = *at + strspn(*at, " ");
	bool is_quoted = false;
	size_t used = 0;

	if (*text == '\0')
		return false;
	for (; *text && (is_quoted || *text != ' '); text++) {
		is_quoted ^= *text == '"';
		if (*text != '"' && used < WORD_MAX - 1)
			buf[used++] = *text;
	}
	buf[used] = '\0';
	*at = text;
	return true;
}

static void tell_stop(struct bootmodel *model, const char *word, const char *where,
		      enum boot_verdict verdict)
{
	bootmodel_find(
		model, SEVERITY_ERROR, "stops-at-shell", NULL,
		"'%s' on the command line: the guest %s %s on its console, without network and login",
		text_escape(word).s, verdict == VERDICT_FAILS ? "stops" : "may stop", where);
	bootmodel_worsen(model, verdict);
}

/* --- in the initrd --- */

/* initramfs-tools' init and scripts/functions, maybe_break(). */
static bool is_initramfs_break(const char *word)
{
	static const char *const places[] = {"top",	  "modules", "premount", "mount",
					     "mountroot", "bottom",  "init",	 NULL};

	if (strcmp(word, "break") == 0)
		return true;
	if (strncmp(word, "break=", 6) != 0)
		return false;
	for (word += 6; *word; word += *word == ',') {
		const size_t len = strcspn(word, ",");

		if (text_is_one_of(word, len, places))
			return true;
		word += len;
	}
	return false;
}

/* dracut.cmdline(7) */
static bool is_dracut_break(const char *word)
{
	static const char *const places[] = {"cmdline",	  "pre-udev",  "pre-trigger",
					     "initqueue", "pre-mount", "mount",
					     "pre-pivot", "cleanup",   NULL};

	if (strcmp(word, "rd.break") == 0)
		return true;
	return strncmp(word, "rd.break=", 9) == 0 &&
	       text_is_one_of(word + 9, strlen(word + 9), places);
}

static void check_breaks(struct bootmodel *model, const struct initrd_sum *initrds)
{
	const char *at = model->boot.cmdline;
	char word[WORD_MAX] = "";

	while (initrds->is_run && next_word(&at, word)) {
		const enum initrd_maker reader = is_initramfs_break(word) ? INITRD_INITRAMFS_TOOLS
						 : is_dracut_break(word)  ? INITRD_DRACUT
									  : INITRD_MAKER_UNKNOWN;

		if (reader == INITRD_MAKER_UNKNOWN ||
		    (initrds->maker != INITRD_MAKER_UNKNOWN && initrds->maker != reader))
			continue;
		tell_stop(model, word, "at a shell in its initrd",
			  initrds->maker == reader ? VERDICT_FAILS : VERDICT_UNKNOWN);
	}
}

/* --- instead of an init --- */

static bool is_shell(const char *path)
{
	static const char *const shells[] = {"sh",   "bash", "dash",  "ash",	 "ksh",
					     "mksh", "zsh",  "rbash", "sulogin", NULL};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return text_is_one_of(name, strlen(name), shells);
}

static bool check_shell(struct bootmodel *model, const char *option)
{
	char path[WORD_MAX], word[WORD_MAX + 16];

	if (!bootchecks_find_option(model->boot.cmdline, option, path, sizeof(path)) ||
	    !is_shell(path))
		return false;
	(void)snprintf(word, sizeof(word), "%s=%s", option, path);
	/* What follows is for the shell: perhaps a script that does more. */
	tell_stop(model, word, "at a shell",
		  strstr(model->boot.cmdline, " -- ") ? VERDICT_UNKNOWN : VERDICT_FAILS);
	return true;
}

/* --- single-user mode --- */

static const char *const usual_inits[] = {"/sbin/init",
					  "/etc/init",
					  "/bin/init",
					  "/usr/sbin/init",
					  "/lib/systemd/systemd",
					  "/usr/lib/systemd/systemd",
					  NULL};

static enum grub_answer is_init_systemd(const struct bootworld *world,
					const struct guestfs_volume *volume, const char *path)
{
	struct stat init, systemd;

	if (!volume || guestfs_look(&world->guest, volume, path, &init) != GUESTFS_FOUND)
		return GRUB_UNKNOWN;
	switch (guestfs_look(&world->guest, volume, "/lib/systemd/systemd", &systemd)) {
	case GUESTFS_FOUND:
		return init.st_dev == systemd.st_dev && init.st_ino == systemd.st_ino ? GRUB_YES
										      : GRUB_NO;
	case GUESTFS_ABSENT:
		return GRUB_NO;
	case GUESTFS_UNKNOWN:
		break;
	}
	return GRUB_UNKNOWN;
}

/* The last of them counts: systemd(1), "Kernel Command Line"; sysvinit's init(8). */
static const struct mode_word {
	const char *word;
	bool is_single;
	bool is_systemds; /* no other init knows it */
} mode_words[] = {
	{"single", true, false},
	{"s", true, false},
	{"S", true, false},
	{"1", true, false},
	{"-s", true, false},
	{"emergency", true, false},
	{"-b", true, false},
	{"2", false, false},
	{"3", false, false},
	{"4", false, false},
	{"5", false, false},
	{"rescue", true, true},
	{"systemd.unit=rescue.target", true, true},
	{"systemd.unit=emergency.target", true, true},
	{"systemd.unit=runlevel1.target", true, true},
};

static const struct mode_word *find_mode_word(const char *word)
{
	static const struct mode_word other_unit = {"systemd.unit=", false, true};

	for (size_t i = 0; i < sizeof(mode_words) / sizeof(mode_words[0]); i++)
		if (strcmp(mode_words[i].word, word) == 0)
			return &mode_words[i];
	return strncmp(word, "systemd.unit=", 13) == 0 ? &other_unit : NULL;
}

static void check_mode(const struct bootworld *world, struct bootmodel *model,
		       const struct guestfs_volume *volume)
{
	char path[WORD_MAX], word[WORD_MAX];
	const char *init = bootchecks_find_option(model->boot.cmdline, "init", path, sizeof(path));
	const enum grub_answer is_systemd =
		is_init_systemd(world, volume, init ? init : "/sbin/init");
	const struct mode_word *last = NULL, *found;
	const char *at = model->boot.cmdline;

	while (next_word(&at, word)) {
		found = find_mode_word(word);
		if (found && (!found->is_systemds || is_systemd != GRUB_NO))
			last = found;
	}
	/* Another init may know none of them. */
	if (last && last->is_single)
		tell_stop(model, last->word, "in single-user mode",
			  (last->is_systemds && is_systemd != GRUB_YES) ||
					  (init && !text_is_one_of(init, strlen(init), usual_inits))
				  ? VERDICT_UNKNOWN
				  : VERDICT_FAILS);
}

/* --- the file --- */

/* On another file system, which an initrd may mount. */
static bool is_elsewhere(const struct bootworld *world, const char *path)
{
	for (size_t i = 0; i < world->guest.count; i++) {
		const struct filesystem *fs = world->guest.volumes[i].fs;
		const char *place = fs->mountpoint[0] ? fs->mountpoint : fs->wanted;
		const size_t len = strlen(place);

		if (len > 1 && strncmp(path, place, len) == 0 && path[len] == '/')
			return true;
	}
	return false;
}

/* Why it cannot be run; NULL: nothing is known against it. */
static const char *find_fault(const struct bootworld *world, const struct guestfs_volume *volume,
			      const char *path)
{
	struct stat st;

	switch (guestfs_look(&world->guest, volume, path, &st)) {
	case GUESTFS_ABSENT:
		return "is not there";
	case GUESTFS_FOUND:
		return !S_ISREG(st.st_mode)	      ? "is no file"
		       : !(st.st_mode & (mode_t)0111) ? "is not executable"
						      : NULL;
	case GUESTFS_UNKNOWN:
		break;
	}
	return NULL;
}

/* Linux init/main.c: an init= that cannot be run is a panic. Of initrds, initramfs-tools' goes on
 * with the usual names, systemd's in dracut's does not. */
static void tell_fault(struct bootmodel *model, const char *init, const char *fault,
		       const struct initrd_sum *initrds)
{
	const bool is_passed_over = initrds->is_run && initrds->maker == INITRD_INITRAMFS_TOOLS;

	bootmodel_find(model, is_passed_over ? SEVERITY_WARNING : SEVERITY_ERROR, "init-missing",
		       NULL, "init=%s %s in the root file system: %s", text_escape(init).s, fault,
		       is_passed_over	 ? "the initrd goes on with /sbin/init"
		       : initrds->is_run ? "whether the initrd goes on without it cannot be told"
					 : "the kernel panics");
	if (!is_passed_over)
		bootmodel_worsen(model, initrds->is_run ? VERDICT_UNKNOWN : VERDICT_FAILS);
}

static bool has_usual_init(const struct bootworld *world, const struct guestfs_volume *volume)
{
	for (size_t i = 0; usual_inits[i]; i++)
		if (guestfs_look(&world->guest, volume, usual_inits[i], NULL) != GUESTFS_ABSENT)
			return true;
	return false;
}

/* Where /usr is another file system, nothing is said. */
static void check_file(const struct bootworld *world, struct bootmodel *model,
		       const struct guestfs_volume *volume, const struct initrd_sum *initrds)
{
	char init[WORD_MAX], root[WORD_MAX] = "";

	if (!volume || bootchecks_has_other_boot(model) ||
	    guestfs_look(&world->guest, volume, "/usr/bin", NULL) != GUESTFS_FOUND)
		return;
	if (bootchecks_find_option(model->boot.cmdline, "init", init, sizeof(init))) {
		const char *fault =
			is_elsewhere(world, init) ? NULL : find_fault(world, volume, init);

		if (!fault)
			return;
		tell_fault(model, init, fault, initrds);
		if (!initrds->is_run || initrds->maker != INITRD_INITRAMFS_TOOLS)
			return;
	}
	if (has_usual_init(world, volume))
		return;
	(void)bootchecks_find_option(model->boot.cmdline, "root", root, sizeof(root));
	bootmodel_find(model, SEVERITY_ERROR, "root-without-init", NULL,
		       "root=%s names a file system without an init (no /sbin/init)",
		       text_escape(root).s);
	bootmodel_worsen(model, VERDICT_FAILS);
}

void bootchecks_init(const struct bootworld *world, struct bootmodel *model,
		     const struct guestfs_volume *volume, const struct initrd_sum *initrds)
{
	check_breaks(model, initrds);
	if ((initrds->is_run && check_shell(model, "rdinit")) || check_shell(model, "init"))
		return;
	check_mode(world, model, volume);
	check_file(world, model, volume, initrds);
}
