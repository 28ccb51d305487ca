/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootroot.c - see bootroot.h */
#include "bootroot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../base/text.h"

void bootroot_fail(struct bootmodel *model, const char *code, const char *fix, const char *root,
		   const char *why)
{
	bootmodel_find(model, SEVERITY_ERROR, code, fix, "root=%s %s", text_escape(root).s, why);
	bootmodel_worsen(model, VERDICT_FAILS);
}

const char *bootroot_cure(const struct bootworld *world, const struct bootmodel *model)
{
	return model->boot.via == VIA_GRUB_CFG &&
			       root_has(world->request->root, "/usr/sbin/update-grub")
		       ? "update-grub"
		       : NULL;
}

/* The last of rootflags= that chooses a subvolume (Linux Documentation/filesystems/btrfs.rst);
 * *ret_key and the result are parts of flags. */
static const char *find_subvolume(char *flags, const char **ret_key)
{
	const char *found = NULL;
	char *word, *rest = flags;

	while ((word = strsep(&rest, ",")) != NULL) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value = '\0';
		if (strcmp(word, "subvol") == 0 || strcmp(word, "subvolid") == 0) {
			*ret_key = word;
			found = value + 1;
		}
	}
	return found;
}

static enum grub_answer take_top(const struct guestfs_volume *volume, struct guestfs_volume *ret)
{
	const int fd = fcntl(volume->top.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return GRUB_UNKNOWN;
	*ret = *volume;
	ret->top = (struct root){.fd = fd};
	return GRUB_YES;
}

/*
 * What is mounted of the volume: of a btrfs another part than the guest has mounted now, maybe.
 * YES: *ret, whose top is the caller's; NO: there is no such subvolume; UNKNOWN. *ret_is_named:
 * rootflags= names one.
 */
static enum grub_answer open_root(const struct bootworld *world, const char *cmdline,
				  const struct guestfs_volume *volume, bool *ret_is_named,
				  struct guestfs_volume *ret)
{
	const char *subvolume = NULL, *key = NULL;
	char flags[512];
	int fd;

	*ret_is_named = false;
	if (volume->top.fd < 0 && volume->fs->subtree[0] == '\0')
		return GRUB_UNKNOWN;
	if (strcmp(volume->fs->type, "btrfs") != 0 && volume->fs->subtree[0] == '\0')
		return take_top(volume, ret);
	if (bootchecks_find_option(cmdline, "rootflags", flags, sizeof(flags)))
		subvolume = find_subvolume(flags, &key);
	*ret_is_named = subvolume != NULL;
	fd = filesystem_open_subvolume(world->request->root, volume->fs, key, subvolume);
	if (fd >= 0) {
		*ret = *volume;
		ret->top = (struct root){.fd = fd};
		ret->is_bare = true;
		return GRUB_YES;
	}
	if (fd == -ENOENT && subvolume)
		return GRUB_NO;
	/* All of it is mounted, or in a tree nothing is. */
	return volume->fs->subtree[0] == '\0' && (subvolume || !volume->fs->is_part)
		       ? take_top(volume, ret)
		       : GRUB_UNKNOWN;
}

static void tell_subvolume(const struct bootworld *world, struct bootmodel *model, const char *root,
			   const struct filesystem *fs, bool is_named, enum grub_answer answer,
			   enum boot_verdict verdict)
{
	const char *subtree = fs->subtree + (fs->subtree[0] == '/');

	if (is_named)
		bootmodel_find(
			model, SEVERITY_ERROR, "root-subvolume", bootroot_cure(world, model),
			"rootflags= names a subvolume of root=%s that is not there, or has no system in it (no /etc)",
			text_escape(root).s);
	else
		bootmodel_find(
			model, SEVERITY_ERROR, "root-subvolume", bootroot_cure(world, model),
			"rootflags=subvol=%s is not on the command line: of root=%s the default subvolume is mounted, %s",
			subtree[0] ? text_escape(subtree).s : "...", text_escape(root).s,
			answer == GRUB_UNKNOWN ? "and whether that is the system cannot be told"
			: verdict == VERDICT_FAILS
				? "which has no system in it (no /etc)"
				: "which has no system in it, unless the initrd chooses another by itself");
	bootmodel_worsen(model, verdict);
}

/* Every system has an /etc. */
static bool has_system(const struct bootworld *world, const struct guestfs_volume *mounted)
{
	return guestfs_look(&world->guest, mounted, "/etc", NULL) != GUESTFS_ABSENT;
}

void bootroot_check(const struct bootworld *world, struct bootmodel *model, const char *root,
		    const struct guestfs_volume *volume, const struct initrd_sum *initrds)
{
	/* dracut's may hold a command line of its own. */
	const bool is_all_told = !initrds->is_run || initrds->maker == INITRD_INITRAMFS_TOOLS;
	struct guestfs_volume mounted = {.top.fd = -1};
	bool is_named, is_part, is_system;
	const enum grub_answer answer =
		open_root(world, model->boot.cmdline, volume, &is_named, &mounted);

	is_part = is_named || volume->fs->subtree[0] != '\0' || volume->fs->is_part;
	is_system = answer == GRUB_YES && has_system(world, &mounted);
	if (!is_system && !bootchecks_has_other_boot(model) &&
	    (answer != GRUB_UNKNOWN || (is_part && !is_named))) {
		if (is_part)
			tell_subvolume(world, model, root, volume->fs, is_named, answer,
				       answer != GRUB_UNKNOWN && (is_named || is_all_told)
					       ? VERDICT_FAILS
					       : VERDICT_UNKNOWN);
		else
			bootroot_fail(model, "root-not-found", bootroot_cure(world, model), root,
				      "names a file system with no system in it (no /etc)");
	}
	bootchecks_init(world, model, is_system ? &mounted : NULL, initrds);
	root_close(&mounted.top);
}
