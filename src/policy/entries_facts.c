/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_facts.c - see entries_facts.h */
#include "entries_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "guestfs.h"
#include "withhold.h"

#define SMALL_FILE_MAX 65536

/* --- kernels --- */

/* 1 for a regular file, 0 for anything else. A file that cannot be looked at is no absent one: a
 * menu without it would replace one that has it. */
static int look_at(const struct bootdir *boot, const char *name, struct stat *ret,
		   struct pvk_error *err)
{
	struct stat st;

	if (fstatat(boot->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : pvk_fail_errno(err, errno, "cannot look at '/boot/%s'",
							text_escape(name).s);
	*ret = st;
	return S_ISREG(st.st_mode);
}

/* The names under which grub-mkconfig looks for an initrd (util/grub.d/10_linux.in), common ones.
 */
static int find_initrd(const struct bootdir *boot, struct entries_kernel *kernel,
		       struct pvk_error *err)
{
	static const char *const forms[][2] = {
		{"initrd.img-", ""}, {"initrd-", ".img"}, {"initrd-", ""}, {"initramfs-", ".img"}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		int r;

		if (snprintf(kernel->initrd_name, sizeof(kernel->initrd_name), "%s%s%s",
			     forms[i][0], kernel->kernel->version,
			     forms[i][1]) >= (int)sizeof(kernel->initrd_name))
			continue;
		r = look_at(boot, kernel->initrd_name, &kernel->initrd, err);
		if (r != 0) {
			kernel->has_initrd = r > 0;
			return r;
		}
	}
	return 0;
}

/* 1 if the loader can start it now, or could. */
static int is_ready(const struct apply *apply, const struct kernel *kernel, bool assume_prepared,
		    struct stat *st, struct pvk_error *err)
{
	int r = look_at(apply->boot, kernel->file, st, err);

	if (r <= 0 || assume_prepared)
		return r;
	return withhold_look(apply, kernel, err);
}

static void name_paths(const struct entries_facts *facts, struct entries_kernel *kernel)
{
	const char *prefix = facts->is_boot_separate ? "" : "/boot";

	(void)snprintf(kernel->kernel_path, sizeof(kernel->kernel_path), "%s/%s", prefix,
		       kernel->kernel->file);
	(void)snprintf(kernel->initrd_path, sizeof(kernel->initrd_path), "%s/%s", prefix,
		       kernel->initrd_name);
}

static int list_kernels(const struct apply *apply, bool assume_prepared,
			struct entries_facts *facts, struct pvk_error *err)
{
	int r = bootdir_list(apply->boot, &facts->list, err);

	if (r < 0)
		return r;
	facts->kernels = calloc(facts->list.count + 1, sizeof(*facts->kernels));
	facts->listed = calloc(facts->list.count + 1, sizeof(*facts->listed));
	if (!facts->kernels || !facts->listed)
		return pvk_fail(err, ENOMEM, "no memory for the list of kernels");
	for (int with_initrd = 1; with_initrd >= 0; with_initrd--) {
		for (size_t i = 0; i < facts->list.count; i++) {
			struct entries_kernel *kernel = &facts->kernels[facts->count];

			*kernel = (struct entries_kernel){.kernel = &facts->list.items[i]};
			r = find_initrd(apply->boot, kernel, err);
			if (r < 0)
				return r;
			if (kernel->has_initrd != with_initrd)
				continue;
			r = is_ready(apply, kernel->kernel, assume_prepared, &kernel->image, err);
			if (r < 0)
				return r;
			if (r == 0)
				continue;
			name_paths(facts, kernel);
			facts->listed[facts->count++] = (struct bootgen_kernel){
				.version = kernel->kernel->version,
				.kernel = kernel->kernel_path,
				.initrd = with_initrd ? kernel->initrd_path : NULL,
			};
		}
	}
	return 0;
}

/* --- the root device --- */

#define OPTIONS_MAX 1023 /* of a line of fstab, as sscanf() is told */

static bool is_device(const char *spec)
{
	static const char *const beginnings[] = {"/dev/",
						 "UUID=", "LABEL=", "PARTUUID=", "PARTLABEL="};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
		if (strncmp(spec, beginnings[i], strlen(beginnings[i])) == 0)
			return bootgen_is_plain(spec);
	return false;
}

/* fstab(5): UUID="…" may have quotes. */
static void drop_quotes(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '"')
			*to++ = *text;
	*to = '\0';
}

/* Else of a btrfs the default subvolume would be mounted. False: it cannot be told to a kernel. */
static bool take_subvolume(char *options, char *flags, size_t size)
{
	const bool is_cut = strlen(options) >= OPTIONS_MAX;
	char *option, *rest = options;
	int length = 0;

	while ((option = strsep(&rest, ",")) != NULL)
		if (strncmp(option, "subvol=", 7) == 0 ||
		    (flags[0] == '\0' && strncmp(option, "subvolid=", 9) == 0))
			length = snprintf(flags, size, "rootflags=%s", option);
	return !is_cut && (size_t)length < size && (length == 0 || bootgen_is_plain(flags));
}

static bool root_from_fstab(const struct root *root, struct entries_facts *facts)
{
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	size_t ignored;

	if (root_read_file(root, "/etc/fstab", SMALL_FILE_MAX, &text, &ignored) < 0)
		return false;
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		char device[256], target[256], options[OPTIONS_MAX + 1] = "";

		if (sscanf(line, "%255s %255s %*s %1023s", device, target, options) < 2 ||
		    device[0] == '#' || strcmp(target, "/") != 0)
			continue;
		drop_quotes(device);
		if (take_subvolume(options, facts->root_flags, sizeof(facts->root_flags)) &&
		    is_device(device))
			(void)snprintf(facts->root_spec, sizeof(facts->root_spec), "%s", device);
		else
			facts->root_flags[0] = '\0';
		return true;
	}
	return false;
}

/* What the running kernel was told; the last root= counts. */
static void root_from_cmdline(const struct root *root, struct entries_facts *facts)
{
	_cleanup_free_ char *text = NULL;
	char *word, *rest;
	size_t ignored;

	if (root_read_file(root, "/proc/cmdline", SMALL_FILE_MAX, &text, &ignored) < 0)
		return;
	for (rest = text; (word = strsep(&rest, " \n")) != NULL;)
		if (strncmp(word, "root=", 5) == 0 && is_device(word + 5))
			(void)snprintf(facts->root_spec, sizeof(facts->root_spec), "%s", word + 5);
		else if (strncmp(word, "rootflags=", 10) == 0 && bootgen_is_plain(word) &&
			 strlen(word) < sizeof(facts->root_flags))
			(void)snprintf(facts->root_flags, sizeof(facts->root_flags), "%s", word);
}

void entries_facts_options(const struct entries_facts *facts, char buf[ENTRIES_OPTIONS_MAX])
{
	const bool is_known = facts->root_spec[0] != '\0';
	const bool has_flags = is_known && facts->root_flags[0] != '\0';

	(void)snprintf(buf, ENTRIES_OPTIONS_MAX, "%s%s%s%s%sro", is_known ? "root=" : "",
		       facts->root_spec, is_known ? " " : "", has_flags ? facts->root_flags : "",
		       has_flags ? " " : "");
}

/* --- the file system of /boot --- */

static const struct guestfs_volume *boot_volume(const struct guestfs *guest)
{
	const struct guestfs_volume *top = NULL;

	for (size_t i = 0; i < guest->count; i++) {
		const struct filesystem *fs = guest->volumes[i].fs;

		if (strcmp(fs->mountpoint, "/boot") == 0)
			return &guest->volumes[i];
		if (strcmp(fs->mountpoint, "/") == 0)
			top = &guest->volumes[i];
	}
	return top;
}

/*
 * The system is in a subvolume, and a loader's paths begin above it: then they have its name in
 * them, which is not written here; unless a link up there makes /boot the same for both.
 */
static bool is_below_boot(const struct root *root, const struct guestfs *guest,
			  const struct guestfs_volume *volume)
{
	_cleanup_close_ int fd = root_openat(root, "/boot", O_PATH | O_DIRECTORY);
	struct stat boot, seen;

	if (volume->fs->subtree[0] == '\0')
		return false;
	return strcmp(volume->fs->mountpoint, "/") != 0 || fd < 0 || fstat(fd, &boot) < 0 ||
	       guestfs_look(guest, volume, "/boot", &seen) != GUESTFS_FOUND ||
	       seen.st_dev != boot.st_dev || seen.st_ino != boot.st_ino;
}

/* Off PV the disks of the running system are those of a builder: then fstab counts, as in a tree.
 */
static void look_at_disks(const struct root *root, enum guest_mode mode,
			  struct entries_facts *facts)
{
	_cleanup_guestfs_ struct guestfs guest = {0};
	struct root seen = *root; /* its descriptor is borrowed */
	const struct guestfs_volume *volume = NULL;
	char name[GUESTFS_NAME_MAX];

	(void)snprintf(facts->groot, sizeof(facts->groot), "(hd0,0)");
	seen.is_live = root->is_live && mode == GUEST_PV;
	if (guestfs_open(&seen, &guest, NULL) < 0 || !(volume = boot_volume(&guest)))
		return;
	facts->is_in_subvolume = is_below_boot(root, &guest, volume);
	if (facts->is_in_subvolume)
		return;
	facts->is_boot_separate = strcmp(volume->fs->mountpoint, "/boot") == 0;
	(void)snprintf(facts->fs_uuid, sizeof(facts->fs_uuid), "%s", volume->fs->uuid);
	facts->is_groot_known = guestfs_has_name(&guest, volume);
	if (!facts->is_groot_known)
		return;
	guestfs_legacy_name(&guest, volume, name, sizeof(name));
	(void)snprintf(facts->groot, sizeof(facts->groot), "(%.60s)", name);
}

/* --- the system's name --- */

/* Takes the value of the last line KEY=VALUE for the title, if it is one without a shell. */
static void read_title(const struct root *root, const char *path, const char *key, char *title,
		       size_t size)
{
	const size_t len = strlen(key);
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	size_t ignored;

	if (root_read_file(root, path, SMALL_FILE_MAX, &text, &ignored) < 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		if (strncmp(line, key, len) != 0 || line[len] != '=')
			continue;
		line += len + 1;
		drop_quotes(line);
		if (line[0] == '\'' && line[1] != '\0' && line[strlen(line) - 1] == '\'') {
			line[strlen(line) - 1] = '\0';
			line++;
		}
		/* A shell's escapes are in no distribution's name. */
		if (*line && line[strcspn(line, "'\\$`\t\r")] == '\0')
			(void)snprintf(title, size, "%s", line);
	}
}

/* os-release(5): NAME="Debian GNU/Linux". What update-menu-lst took from its own file wins, for it
 * is in the titles that are there (pv-grub-menu, /usr/sbin/update-menu-lst). */
static void find_title(const struct root *root, char *title, size_t size)
{
	(void)snprintf(title, size, "Linux");
	read_title(root, "/etc/os-release", "NAME", title, size);
	read_title(root, "/etc/default/grub", "title", title, size);
}

int entries_facts_gather(const struct apply *apply, enum guest_mode guest, bool assume_prepared,
			 struct entries_facts *ret, struct pvk_error *err)
{
	struct entries_facts facts = {0};
	int r;

	look_at_disks(apply->root, guest, &facts);
	r = list_kernels(apply, assume_prepared, &facts, err);
	if (r < 0) {
		entries_facts_done(&facts);
		return r;
	}
	facts.has_fstab_root = root_from_fstab(apply->root, &facts);
	if (facts.root_spec[0] == '\0' && apply->root->is_live && guest == GUEST_PV)
		root_from_cmdline(apply->root, &facts);
	find_title(apply->root, facts.title, sizeof(facts.title));
	*ret = facts;
	return 0;
}

void entries_facts_done(struct entries_facts *facts)
{
	kernel_list_done(&facts->list);
	free(facts->kernels);
	free(facts->listed);
	*facts = (struct entries_facts){0};
}
