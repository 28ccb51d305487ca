/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenario.c - see scenario.h */
#include "scenario.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void run_to_success(struct world *world, const char *mode)
{
	char *const saved = world->argv[3];
	char *const saved_end = world->argv[4];
	char argument[32];
	int status;

	(void)snprintf(argument, sizeof(argument), "%s", mode);
	world->argv[3] = argument;
	world->argv[4] = NULL;
	status = world_run(world, NULL, 60);
	world->argv[3] = saved;
	world->argv[4] = saved_end;
	if (status != 0)
		errx(2, "%s: setting up with %s failed", world->scenario->name, mode);
}

static void set_up_packaged(struct world *world)
{
	tree_write(world->root, IMAGE, world->image, world->image_size);
}

static void set_up_prepared(struct world *world)
{
	set_up_packaged(world);
	run_to_success(world, "--prepare");
}

static void set_up_replaced(struct world *world, const void *data)
{
	char path[PATH_MAX];

	set_up_prepared(world);
	(void)snprintf(path, sizeof(path), "%.4000s/" IMAGE, world->root);
	if (unlink(path) < 0)
		err(2, "%s", path);
	tree_write(world->root, IMAGE, data, world->other_size);
}

/* The package was upgraded without a hook of ours: another image stands in the old one's place. */
static void set_up_upgraded(struct world *world)
{
	set_up_replaced(world, world->other);
}

/* The same with a damaged one, while the good one of before is kept. */
static void set_up_spoilt(struct world *world)
{
	set_up_replaced(world, world->damaged);
}

/* Two kernels, one of them a link's target. */
static void set_up_two(struct world *world)
{
	char path[PATH_MAX];

	set_up_packaged(world);
	tree_write(world->root, "boot/vmlinuz-2", world->other, world->other_size);
	(void)snprintf(path, sizeof(path), "%.4000s/boot/vmlinuz", world->root);
	if (symlink("vmlinuz-2", path) < 0)
		err(2, "%s", path);
}

/* Nothing was prepared before, and the newer of two is damaged. */
static void set_up_half_damaged(struct world *world)
{
	set_up_packaged(world);
	tree_write(world->root, IMAGE_2, world->damaged, world->other_size);
}

/* A new kernel came, and is damaged. */
static void set_up_damaged(struct world *world)
{
	set_up_prepared(world);
	tree_write(world->root, IMAGE_2, world->damaged, world->other_size);
}

/* The kernel is prepared, and its entry in the menu is missing. */
static void set_up_unlisted(struct world *world)
{
	static const char *const gone[] = {"boot/grub/menu.lst", "boot/grub/menu.lst~",
					   "boot/pvkprep/entries"};
	char path[PATH_MAX];

	set_up_prepared(world);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		(void)snprintf(path, sizeof(path), "%.4000s/%s", world->root, gone[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			err(2, "%s", path);
	}
	tree_write_text(world->root, "boot/grub/menu.lst", world->scenario->menu);
}

static void set_up_owned(struct world *world)
{
	set_up_packaged(world);
	tree_write_text(world->root, "var/lib/dpkg/status", "");
	tree_write_text(world->root, "var/lib/dpkg/info/linux-image-1.list",
			"/.\n/boot\n/" IMAGE "\n");
}

static void set_up_diverted(struct world *world)
{
	set_up_owned(world);
	run_to_success(world, "--prepare");
}

static const char our_menu[] = "default 0\ntimeout 3\n\n"
			       "### BEGIN AUTOMAGIC KERNELS LIST\n"
			       "## ## Start Default Options ##\n"
			       "# kopt=root=/dev/xvda1 ro console=hvc0\n"
			       "## ## End Default Options ##\n\n"
			       "### END DEBIAN AUTOMAGIC KERNELS LIST\n";

static const char menu_of_two[] = "default 0\ntimeout 3\n"
				  "title 2\nroot (hd0)\n"
				  "kernel /boot/vmlinuz-2 root=/dev/xvda1 ro console=hvc0\n"
				  "title 1\nroot (hd0)\n"
				  "kernel /boot/vmlinuz-1 root=/dev/xvda1 ro console=hvc0\n"
				  "initrd /boot/initrd.img-1\n";

static const struct handicap no_links[] = {{SYS_linkat, EPERM}, {0, 0}};
static const struct handicap no_openat2[] = {{SYS_openat2, ENOSYS}, {0, 0}};

const struct scenario scenarios[] = {
	{.name = "prepare", .args = {"--prepare"}, .setup = set_up_packaged},
	{.name = "prepare two", .args = {"--prepare"}, .menu = menu_of_two, .setup = set_up_two},
	{.name = "prepare again", .args = {"--prepare"}, .setup = set_up_prepared},
	{.name = "prepare after an upgrade",
	 .args = {"--prepare"},
	 .setup = set_up_upgraded,
	 .keeps_other = true},
	{.name = "prepare without links",
	 .args = {"--prepare"},
	 .setup = set_up_packaged,
	 .handicaps = no_links},
	{.name = "prepare without openat2",
	 .args = {"--prepare"},
	 .setup = set_up_packaged,
	 .handicaps = no_openat2},
	{.name = "prepare and divert",
	 .args = {"--prepare"},
	 .setup = set_up_owned,
	 .may_lag = "var/lib/dpkg/diversions"},
	{.name = "hybrid",
	 .args = {"--prepare"},
	 .config = "[kernel]\nformat = hybrid\n",
	 .needs = "hybrid",
	 .setup = set_up_packaged},
	{.name = "entries",
	 .args = {"--prepare", "--entries-only"},
	 .needs = "--entries-only",
	 .menu = our_menu,
	 .setup = set_up_unlisted},
	{.name = "prepare and entries",
	 .args = {"--prepare"},
	 .needs = "--entries-only",
	 .menu = our_menu,
	 .setup = set_up_packaged},
	{.name = "hook, a grub.cfg of our own",
	 .args = {"--hook", "apt"},
	 .config = "[boot]\nprofile = debian\n",
	 .fstab = "/dev/xvda1 / ext4 defaults 0 1\n",
	 .setup = set_up_packaged,
	 .is_hook = true},
	{.name = "hook",
	 .args = {"--hook", "kernel-postinst", "1"},
	 .menu = our_menu,
	 .setup = set_up_owned,
	 .may_lag = "var/lib/dpkg/diversions",
	 .is_hook = true},
	{.name = "hook, a damaged kernel",
	 .args = {"--hook", "kernel-postinst", "2"},
	 .menu = our_menu,
	 .setup = set_up_damaged,
	 .has_damaged = true,
	 .is_hook = true},
	{.name = "apt hook, a damaged kernel",
	 .args = {"--hook", "apt"},
	 .menu = our_menu,
	 .setup = set_up_half_damaged,
	 .has_damaged = true,
	 .is_hook = true},
	{.name = "hook, a damaged update",
	 .args = {"--hook", "kernel-postinst", "1"},
	 .menu = our_menu,
	 .setup = set_up_spoilt,
	 .has_refused = true,
	 .is_hook = true},
	{.name = "restore",
	 .args = {"--restore"},
	 .setup = set_up_prepared,
	 .may_lag = "boot/pvkprep"},
	{.name = "restore and undivert",
	 .args = {"--restore"},
	 .setup = set_up_diverted,
	 .may_lag = "boot/pvkprep"},
	{.name = "restore out of a hybrid",
	 .args = {"--restore"},
	 .config = "[kernel]\nformat = hybrid\noriginals = none\n",
	 .setup = set_up_prepared,
	 .may_lag = "boot/pvkprep",
	 .is_in_hybrid = true},
	{.name = "pvkprep goes", .args = {"--hook", "package-remove"}, .setup = set_up_prepared},
	{.name = "pvkprep goes, and its diversion",
	 .args = {"--hook", "package-remove"},
	 .setup = set_up_diverted,
	 .may_lag = "boot/pvkprep",
	 .gives_up_original = true},
	{.name = NULL},
};
