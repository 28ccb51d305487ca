/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootpygrub.c - bootchecks_pygrub(), see bootchecks.h: pygrub in dom0 picks an entry, copies
 * kernel and initrd out of the guest, and Xen's domain builder starts them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../bootcfg/pygrub.h"
#include "bootchecks.h"

/* RLIMIT_FSIZE of a depriv'ed pygrub (Xen 4.18): what is copied out must be smaller. */
#define PYGRUB_FILE_MAX (UINT64_C(128) << 20)

static bool end_step(struct bootmodel *model, struct boot_step *step, enum boot_verdict verdict,
		     const char *reason)
{
	step->state = STEP_FAILED;
	(void)snprintf(step->reason, sizeof(step->reason), "%s", reason);
	bootmodel_find(model, SEVERITY_ERROR, "pygrub-fails", NULL, "%s: %s",
		       text_escape(step->guest_path).s, reason);
	bootmodel_worsen(model, verdict);
	return true;
}

/* pygrub has no shell: a file that is not there ends it. */
static bool is_there(struct bootworld *world, const struct guestfs_volume *volume, const char *path)
{
	uint64_t size;

	return world->host.stat(world->host.context, volume->name, path, &size) ==
	       GRUB_FILE_REGULAR;
}

static void boot_entry(struct bootworld *world, struct bootmodel *model, struct boot_step *step,
		       const struct guestfs_volume *volume, const struct pygrub_entry *entry)
{
	const struct grub_load initrd = {
		.kind = GRUB_LOAD_INITRD,
		.device = volume->name,
		.path = entry->initrd,
	};
	const struct grub_boot boot = {
		.device = volume->name,
		.path = entry->kernel,
		.cmdline = entry->args,
		.initrds = &initrd,
		.n_initrds = entry->initrd ? 1 : 0,
	};

	step->state = STEP_USED;
	(void)snprintf(step->reason, sizeof(step->reason), "entry '%.200s'",
		       text_escape(entry->title).s);
	model->boot.via = step->via;
	(void)snprintf(model->boot.config, sizeof(model->boot.config), "%s", step->guest_path);
	(void)snprintf(model->boot.title, sizeof(model->boot.title), "%s", entry->title);
	(void)snprintf(model->boot.entry, sizeof(model->boot.entry), "%s", entry->title);
	bootchecks_target(world, model, &boot);
	if (model->boot.image.file_size > PYGRUB_FILE_MAX)
		bootmodel_find(
			model, SEVERITY_WARNING, "pygrub-file-size", NULL,
			"the kernel file is %s: a pygrub of Xen 4.18 or later copies no more than %s",
			text_size(model->boot.image.file_size).s, text_size(PYGRUB_FILE_MAX).s);
}

static enum pygrub_kind kind_of(enum boot_via via)
{
	return via == VIA_GRUB_CFG   ? PYGRUB_GRUB_CFG
	       : via == VIA_EXTLINUX ? PYGRUB_EXTLINUX
				     : PYGRUB_MENU_LST;
}

bool bootchecks_pygrub(struct bootworld *world, struct bootmodel *model, struct boot_step *step,
		       const struct guestfs_volume *volume, const char *path)
{
	_cleanup_(pygrub_free_pointer) struct pygrub_config *config = NULL;
	const struct pygrub_entry *entry;
	struct pvk_error err;
	struct bytes file;

	if (world->host.read(world->host.context, volume->name, path, &file) != GRUB_YES)
		return end_step(model, step, VERDICT_UNKNOWN, "cannot be read");
	if (pygrub_parse(file, kind_of(step->via), &config, &err) < 0)
		return end_step(model, step, VERDICT_FAILS, err.msg);
	entry = pygrub_choose(config);
	if (!entry || !entry->kernel)
		return end_step(model, step, VERDICT_FAILS, "no entry in it that pygrub can start");
	if (!is_there(world, volume, entry->kernel) ||
	    (entry->initrd && !is_there(world, volume, entry->initrd)))
		return end_step(
			model, step, VERDICT_FAILS,
			"its entry names a kernel or initrd that is not on this file system");
	boot_entry(world, model, step, volume, entry);
	return true;
}
