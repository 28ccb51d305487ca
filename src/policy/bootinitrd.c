/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootinitrd.c - bootchecks_initrds(), see bootchecks.h: would the kernel find its root with them?
 */
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "bootchecks.h"
#include "bootcure.h"

enum grub_answer bootchecks_is_builtin(const struct bootworld *world, const char *version,
				       const char *driver)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], name[64];
	size_t size;

	(void)snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", version);
	if (root_read_file(world->request->root, path, 1 << 20, &text, &size) < 0)
		return GRUB_UNKNOWN;
	(void)snprintf(name, sizeof(name), "/%.50s.ko", driver);
	return strstr(text, name) ? GRUB_YES : GRUB_NO;
}

/* The block driver of a PV guest. */
static enum grub_answer has_builtin_blkfront(const struct bootworld *world, const char *version)
{
	return bootchecks_is_builtin(world, version, "xen-blkfront");
}

static void initrd_problem(struct bootmodel *model, const char *path, const char *version,
			   enum boot_verdict verdict, const char *code, const char *reason)
{
	char buf[BOOTCURE_MAX];

	bootmodel_find(model, SEVERITY_ERROR, code,
		       version[0] ? bootcure_initrd(version, buf) : NULL, "%s: %s",
		       text_escape(path).s, reason);
	bootmodel_worsen(model, verdict);
}

static void check_initrd(const struct bootworld *world, struct bootmodel *model,
			 const struct grub_load *load, const char *version, struct initrd_sum *sum)
{
	const char *shown = model->boot.initrd[model->boot.initrd_count - 1];
	const struct guestfs_volume *volume;
	char rdinit[256];
	const char *init =
		bootchecks_find_option(model->boot.cmdline, "rdinit", rdinit, sizeof(rdinit));
	struct initrd initrd = {0};
	struct pvk_error err = {0};
	uint64_t size = 0;
	bool is_usable;
	int r;

	if (guestfs_find_volume(&world->guest, load->device, &volume) != GUESTFS_FOUND) {
		sum->is_sound = false;
		initrd_problem(model, shown, version, VERDICT_UNKNOWN, "initrd-unreadable",
			       "its device cannot be read");
		return;
	}
	r = bootworld_examine_initrd(world, volume, load->path, version, init, &initrd, &size,
				     &err);
	sum->size += size;
	if (r < 0) {
		sum->is_sound = false;
		initrd_problem(model, shown, version, VERDICT_UNKNOWN, "initrd-unreadable",
			       err.msg);
		return;
	}
	if (!initrd.is_complete && initrd.is_junk_behind && initrd.has_init) {
		bootmodel_find(
			model, SEVERITY_WARNING, "initrd-junk", NULL,
			"%s: %s; the kernel will say \"Initramfs unpacking failed\" and go on with what comes before",
			text_escape(shown).s, initrd.problem.msg);
	} else if (!initrd.is_complete) {
		const bool is_bad = initrd_is_bad(&initrd);

		sum->is_sound = false;
		initrd_problem(model, shown, version, is_bad ? VERDICT_FAILS : VERDICT_UNKNOWN,
			       is_bad ? "initrd-damaged" : "initrd-unknown", initrd.problem.msg);
		return;
	}
	if (initrd.has_init) {
		sum->has_init = true;
		sum->init_fault = initrd.init_fault;
	}
	sum->may_have_init |= initrd.may_have_init;
	if (initrd.maker != INITRD_MAKER_UNKNOWN)
		sum->maker = initrd.maker;
	/* A module of another kernel cannot be loaded. */
	is_usable = initrd.has_modules || initrd.modules_version[0] == '\0';
	sum->has_modules |= initrd.has_modules;
	sum->has_blkfront |= initrd.has_blkfront && is_usable;
	for (size_t i = 0; i < INITRD_FS_COUNT; i++)
		sum->has_fs[i] |= initrd.has_fs[i] && is_usable;
	if (!initrd.has_modules && initrd.modules_version[0])
		bootmodel_find(model, SEVERITY_WARNING, "initrd-version", NULL,
			       "%s holds modules of kernel %s, not of %s", text_escape(shown).s,
			       text_escape(initrd.modules_version).s, text_escape(version).s);
}

/* The root disk of a PV guest needs xen-blkfront: in the kernel, or in an initrd that is run. */
static void check_blkfront(const struct bootworld *world, struct bootmodel *model,
			   const char *version, const struct initrd_sum *sum)
{
	const bool has_initrd = model->boot.initrd_count > 0;
	const char *initrd = has_initrd ? model->boot.initrd[0] : "no initrd";

	if ((sum->has_blkfront && sum->is_run) || !sum->is_sound)
		return;
	switch (has_builtin_blkfront(world, version)) {
	case GRUB_YES:
		return;
	case GRUB_NO:
		initrd_problem(
			model, initrd, version, VERDICT_FAILS,
			has_initrd ? "initrd-without-blkfront" : "initrd-missing",
			has_initrd && !sum->is_run
				? "the driver of the root disk (xen-blkfront) is not in the kernel, which does not use this initrd"
				: "the driver of the root disk (xen-blkfront) is neither in it nor in the kernel");
		return;
	case GRUB_UNKNOWN:
		initrd_problem(
			model, initrd, version, VERDICT_UNKNOWN, "blkfront-unknown",
			"cannot tell whether the driver of the root disk (xen-blkfront) is there: not in it, and no modules.builtin says that the kernel has it");
	}
}

/*
 * Linux init/main.c, kernel_init_freeable(): an /init (or what rdinit= names) that is not there, or
 * a link to nothing, is passed over, and the kernel mounts root= by itself, as with microcode
 * alone; one that cannot be run ends in a panic, or in a shell.
 */
static void judge_init(struct bootmodel *model, const char *version, struct initrd_sum *sum)
{
	const char *shown = model->boot.initrd[0];

	sum->is_run = model->boot.initrd_count > 0;
	if (!sum->is_run || !sum->is_sound)
		return;
	if (sum->has_init && sum->init_fault == INITRD_INIT_NOT_EXECUTABLE)
		initrd_problem(model, shown, version, VERDICT_FAILS, "initrd-without-init",
			       "its /init is not executable");
	else if (sum->has_init && sum->init_fault == INITRD_INIT_EMPTY)
		initrd_problem(model, shown, version, VERDICT_FAILS, "initrd-without-init",
			       "its /init is empty");
	else if (!sum->has_init && sum->may_have_init)
		initrd_problem(model, shown, version, VERDICT_UNKNOWN, "initrd-unknown",
			       "cannot tell whether what rdinit= names is in it");
	/* A link may lead into another initrd. */
	else if (!sum->has_init ||
		 (sum->init_fault == INITRD_INIT_DANGLING && model->boot.initrd_count == 1)) {
		sum->is_run = false;
		bootmodel_find(
			model, SEVERITY_INFO, "initrd-without-init", NULL,
			"%s has no /init that could be run: the kernel mounts root= by itself",
			text_escape(shown).s);
	}
}

void bootchecks_initrds(struct bootworld *world, struct bootmodel *model,
			const struct grub_boot *boot, const char *version, struct initrd_sum *ret)
{
	struct initrd_sum sum = {.is_sound = true};

	for (size_t i = 0; i < boot->n_initrds && i < BOOT_INITRDS_MAX; i++) {
		const struct guestfs_volume *volume;
		char *shown = model->boot.initrd[model->boot.initrd_count++];

		if (guestfs_find_volume(&world->guest, boot->initrds[i].device, &volume) ==
		    GUESTFS_FOUND)
			guestfs_guest_path(&world->guest, volume, boot->initrds[i].path, shown,
					   PATH_MAX);
		else
			(void)snprintf(shown, PATH_MAX, "(%s)%s", boot->initrds[i].device,
				       boot->initrds[i].path);
		check_initrd(world, model, &boot->initrds[i], version, &sum);
	}
	judge_init(model, version, &sum);
	if (boot->failed_initrd) {
		sum.is_run = false;
		initrd_problem(
			model, boot->failed_initrd, version,
			has_builtin_blkfront(world, version) == GRUB_YES ? VERDICT_BOOTS
									 : VERDICT_FAILS,
			"initrd-missing",
			"the loader cannot load this initrd, and starts the kernel without it");
	} else {
		check_blkfront(world, model, version, &sum);
	}
	*ret = sum;
}
