/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootcmdline.c - bootchecks_cmdline(), see bootchecks.h: will the kernel, or its initrd, find its
 * root with what it is told? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/text.h"
#include "bootchecks.h"
#include "bootcure.h"
#include "bootroot.h"

const char *bootchecks_find_option(const char *cmdline, const char *name, char *buf, size_t size)
{
	const size_t len = strlen(name);
	const char *found = NULL;

	for (const char *word = cmdline + strspn(cmdline, " "); *word;) {
		const size_t word_len = strcspn(word, " ");

		if (strncmp(word, name, len) == 0 && word[len] == '=') {
			(void)snprintf(buf, size, "%.*s", (int)(word_len - len - 1),
				       word + len + 1);
			found = buf;
		}
		word += word_len;
		word += strspn(word, " ");
	}
	return found;
}

/* The value behind the prefix, or NULL. */
static const char *strip(const char *text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* "vg/root" as the device mapper has it: "mapper/vg-root", dashes of the names doubled. */
static void name_mapped(const char *name, char *buf, size_t size)
{
	size_t used = (size_t)snprintf(buf, size, "mapper/");

	for (; *name && used + 3 < size; name++) {
		buf[used++] = *name;
		if (*name == '/')
			buf[used - 1] = '-';
		else if (*name == '-')
			buf[used++] = '-';
	}
	buf[used] = '\0';
}

/* Is `have`, which may be unknown, what is asked for? */
static enum grub_answer compare(const char *have, const char *want)
{
	if (have[0] == '\0')
		return GRUB_UNKNOWN;
	return strcmp(have, want) == 0 ? GRUB_YES : GRUB_NO;
}

/* How disks of that kind are called: "xvd", "sd", "nvme". */
static size_t kind_length(const char *device)
{
	static const char *const kinds[] = {"xvd", "sd", "hd", "vd"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strip(device, kinds[i]))
			return strlen(kinds[i]);
	return strcspn(device, "0123456789-/");
}

/* In a tree only fstab names devices, and may have a name of the root that it had elsewhere: xvda1
 * was sda1 under older versions of Xen. */
static bool is_renamed(const struct filesystem *fs, const char *root)
{
	const char *want = strip(root, "/dev/");
	size_t len;

	if (strcmp(fs->mountpoint, "/") != 0 || fs->device[0] == '\0' || !want ||
	    (strchr(want, '/') && !strip(want, "mapper/")))
		return false;
	len = kind_length(fs->device);
	return len != kind_length(want) || strncmp(fs->device, want, len) != 0;
}

/* PARTUUIDs are compared without case (Linux block/early-lookup.c). */
static enum grub_answer compare_partuuid(const char *have, const char *want)
{
	if (have[0] == '\0' || strchr(want, '/')) /* …/PARTNROFF=1 */
		return GRUB_UNKNOWN;
	return strcasecmp(have, want) == 0 ? GRUB_YES : GRUB_NO;
}

/* Is this file system what root=… names? */
static enum grub_answer answers_to(const struct filesystem *fs, const char *root)
{
	char mapped[160];
	const char *want;

	if ((want = strip(root, "UUID=")) || (want = strip(root, "/dev/disk/by-uuid/")))
		/* A UUID in other letters is found by some programs (dracut) and not by others. */
		return strcmp(fs->uuid, want) != 0 && strcasecmp(fs->uuid, want) == 0
			       ? GRUB_UNKNOWN
			       : compare(fs->uuid, want);
	if ((want = strip(root, "LABEL=")) || (want = strip(root, "/dev/disk/by-label/")))
		return compare(fs->label, want);
	if ((want = strip(root, "PARTUUID=")) || (want = strip(root, "/dev/disk/by-partuuid/")))
		return compare_partuuid(fs->partuuid, want);
	want = strip(root, "/dev/");
	if (!want || strip(want, "disk/") || strip(want, "block/") || strcmp(want, "root") == 0 ||
	    strcmp(want, "nfs") == 0)
		return GRUB_UNKNOWN; /* PARTLABEL, NFS, ZFS and others: not looked up */
	if (strchr(want, '/') && !strip(want, "mapper/")) {
		name_mapped(want, mapped, sizeof(mapped));
		return compare(fs->device, mapped) == GRUB_YES ? GRUB_YES : GRUB_UNKNOWN;
	}
	/* A mapped device that was mounted by its number has its name elsewhere. */
	if (strip(fs->device, "dm-") && strip(want, "mapper/"))
		return GRUB_UNKNOWN;
	return compare(fs->device, want);
}

/* UNKNOWN with *ret: that one, if it has another name by now. */
static enum grub_answer find_root(const struct bootworld *world, const char *root,
				  const struct guestfs_volume **ret)
{
	bool is_any_unknown = !world->guest.is_complete;

	for (size_t i = 0; i < world->guest.count; i++) {
		const struct guestfs_volume *volume = &world->guest.volumes[i];
		enum grub_answer answer =
			volume->fs->is_blank ? GRUB_NO : answers_to(volume->fs, root);

		if (answer == GRUB_YES) {
			*ret = volume;
			return GRUB_YES;
		}
		is_any_unknown |= answer == GRUB_UNKNOWN;
		if (answer == GRUB_NO && !world->request->root->is_live &&
		    is_renamed(volume->fs, root))
			*ret = volume;
	}
	return is_any_unknown || *ret ? GRUB_UNKNOWN : GRUB_NO;
}

static void tell_not_checked(struct bootmodel *model, const char *root,
			     const struct filesystem *renamed)
{
	if (!renamed) {
		bootmodel_find(model, SEVERITY_INFO, "root-not-checked", NULL,
			       "root=%s cannot be looked up from here, and is taken for right",
			       text_escape(root).s);
		return;
	}
	bootmodel_find(
		model, SEVERITY_WARNING, "root-not-checked", NULL,
		"root=%s is not what fstab names, /dev/%s: whether that is the same disk cannot be told from here",
		text_escape(root).s, text_escape(renamed->device).s);
	bootmodel_worsen(model, VERDICT_UNKNOWN);
}

/* Names that only a program in an initrd can look up (Linux init/do_mounts.c: the kernel takes
 * /dev/NAME, PARTUUID=, PARTLABEL= and MAJOR:MINOR). */
static bool takes_initrd(const char *root)
{
	const char *device = strip(root, "/dev/");

	return strip(root, "UUID=") || strip(root, "LABEL=") || (device && strchr(device, '/'));
}

/* Does the kernel come to its root by itself? */
static void check_without_initrd(const struct bootworld *world, struct bootmodel *model,
				 const char *root, const struct guestfs_volume *volume,
				 const char *version)
{
	const char *type = volume ? volume->fs->type : "";
	char buf[BOOTCURE_MAX];
	const char *fix = bootcure_initrd(version, buf);

	if (takes_initrd(root))
		bootroot_fail(
			model, "root-needs-initrd", fix, root,
			"is looked up by programs of an initrd, and none is run: the kernel does not find it");
	else if (initrd_find_fs(type) < INITRD_FS_COUNT &&
		 bootchecks_is_builtin(world, version, type) == GRUB_NO)
		bootroot_fail(model, "root-needs-initrd", fix, root,
			      "has a file system whose driver is a module, and no initrd is run");
}

bool bootchecks_has_other_boot(const struct bootmodel *model)
{
	char value[64];

	return bootchecks_find_option(model->boot.cmdline, "boot", value, sizeof(value)) &&
	       strcmp(value, "local") != 0;
}

/* The kernel is Debian's, with a list of what is built in; the initrd has modules of it, and among
 * them not the one that mounts the root. */
static void check_driver(const struct bootworld *world, struct bootmodel *model, const char *root,
			 const struct guestfs_volume *volume, const char *version,
			 const struct initrd_sum *initrds)
{
	const enum initrd_fs fs = initrd_find_fs(volume->fs->type);
	char buf[BOOTCURE_MAX];

	if (fs == INITRD_FS_COUNT || !initrds->is_sound || !initrds->has_modules ||
	    initrds->has_fs[fs] || bootchecks_has_other_boot(model) ||
	    bootchecks_is_builtin(world, version, volume->fs->type) != GRUB_NO ||
	    bootchecks_is_builtin(world, version, "binfmt_script") != GRUB_YES)
		return;
	bootroot_fail(model, "initrd-without-fs", bootcure_initrd(version, buf), root,
		      "has a file system whose driver is neither in the initrd nor in the kernel");
}

static void check_root(const struct bootworld *world, struct bootmodel *model, const char *version,
		       const struct initrd_sum *initrds)
{
	const bool has_initrd = initrds->is_run;
	const struct guestfs_volume *volume = NULL;
	char root[256];

	if (!bootchecks_find_option(model->boot.cmdline, "root", root, sizeof(root))) {
		bootmodel_find(
			model, SEVERITY_ERROR, "root-not-named", bootroot_cure(world, model),
			"the command line names no root=: %s",
			has_initrd
				? "few initrds find the root file system without (initramfs-tools' does not)"
				: "the kernel does not find its root file system");
		bootmodel_worsen(model, has_initrd ? VERDICT_UNKNOWN : VERDICT_FAILS);
		return;
	}
	switch (find_root(world, root, &volume)) {
	case GRUB_NO:
		bootroot_fail(model, "root-not-found", bootroot_cure(world, model), root,
			      "names no file system of this guest");
		return;
	case GRUB_UNKNOWN:
		tell_not_checked(model, root, volume ? volume->fs : NULL);
		bootchecks_init(world, model, NULL, initrds);
		break;
	case GRUB_YES:
		bootroot_check(world, model, root, volume, initrds);
		if (has_initrd)
			check_driver(world, model, root, volume, version, initrds);
		break;
	}
	if (!has_initrd)
		check_without_initrd(world, model, root, volume, version);
}

static bool has_console(const char *cmdline)
{
	for (const char *at = cmdline; (at = strstr(at, "console=hvc0")) != NULL; at++)
		if (at == cmdline || at[-1] == ' ')
			return true;
	return false;
}

void bootchecks_cmdline(const struct bootworld *world, struct bootmodel *model,
			const struct grub_boot *boot, const char *version,
			const struct initrd_sum *initrds)
{
	if (boot->cmdline_unknown) {
		bootmodel_find(model, SEVERITY_WARNING, "cmdline-unknown", NULL,
			       "a part of the command line cannot be known: %s",
			       text_escape(boot->cmdline_unknown).s);
		bootmodel_worsen(model, VERDICT_UNKNOWN);
	}
	if (boot->is_cmdline_cut)
		bootmodel_find(
			model, SEVERITY_WARNING, "cmdline-too-long", NULL,
			"the command line is longer than %d bytes: the loader silently drops its end",
			GRUB_CMDLINE_MAX);
	check_root(world, model, version, initrds);
	if (world->request->guest == GUEST_PV && !has_console(model->boot.cmdline))
		bootmodel_find(
			model, SEVERITY_WARNING, "no-console", NULL,
			"no console=hvc0 on the command line: the hoster's console may stay silent");
}
