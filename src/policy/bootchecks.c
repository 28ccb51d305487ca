/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootchecks.c - see bootchecks.h */
#include "bootchecks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "bootcure.h"
#include "bootdir.h"
#include "bootplaces.h"
#include "plan.h"
#include "provenance.h"

/* The kernel's own version: the first word of its version text. */
static void version_of(const struct image *image, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%.*s", (int)strcspn(image->version, " "), image->version);
}

/* --- the kernel --- */

/* What no packing changes comes first: it is not for PV. */
static void describe_refusal(const struct judged_kernel *kernel, bool is_native, char *buf,
			     size_t size)
{
	const char *reason = kernel->loader.reason;
	struct pvk_error why = {0};

	if (is_native || bootcure_is_for_pv(&kernel->image, &why))
		why.msg[0] = '\0';
	if (strstr(why.msg, reason)) /* said already, or empty */
		reason = "";
	(void)snprintf(buf, size, "\"%s\"%s%s%s%s", kernel->loader.error, why.msg[0] ? ", " : "",
		       why.msg, reason[0] ? ", " : "", reason);
}

static void tell_refused(const struct bootworld *world, struct bootmodel *model,
			 const struct judged_kernel *kernel, const char *guest_path)
{
	const bool is_native = bootplaces_is_native(world->request);
	char buf[BOOTCURE_MAX], refusal[512];
	const char *cure;

	/* A bare ELF that no loader outside PV starts is one that we made: its original starts. */
	if (is_native)
		cure = kernel->image.container == IMAGE_ELF ? "pvkprep --restore" : NULL;
	else
		cure = bootcure_refused(world->request->root, guest_path, &kernel->image, buf);
	describe_refusal(kernel, is_native, refusal, sizeof(refusal));
	bootmodel_find(model, SEVERITY_ERROR, "kernel-refused", cure, "the loader refuses %s: %s",
		       text_escape(guest_path).s, refusal);
}

static void check_kernel(const struct bootworld *world, struct bootmodel *model,
			 const struct judged_kernel *kernel)
{
	const char *shown = model->boot.kernel;
	char cure[BOOTCURE_MAX];

	model->boot.image = kernel->image;
	model->boot.loader = kernel->loader;
	switch (kernel->loader.outcome) {
	case LOADER_STARTS:
		model->has_boot = true;
		if (kernel->loader.reason[0])
			bootmodel_find(model, SEVERITY_WARNING, "kernel-caution", NULL, "%s: %s",
				       text_escape(shown).s, kernel->loader.reason);
		break;
	case LOADER_CRASHES:
		bootmodel_find(model, SEVERITY_ERROR, "kernel-crashes", NULL,
			       "%s is started and crashes at once: %s", text_escape(shown).s,
			       kernel->loader.reason);
		bootmodel_worsen(model, VERDICT_FAILS);
		break;
	case LOADER_REFUSES:
		tell_refused(world, model, kernel, shown);
		bootmodel_worsen(model, VERDICT_FAILS);
		break;
	case LOADER_UNRELIABLE:
		bootmodel_find(model, SEVERITY_ERROR, "kernel-unreliable",
			       bootcure_refused(world->request->root, shown, &kernel->image, cure),
			       "%s may or may not start: %s", text_escape(shown).s,
			       kernel->loader.reason);
		bootmodel_worsen(model, VERDICT_UNKNOWN);
		break;
	}
}

/* The loader looks at its headers only; what pvkprep made is known to the byte. */
static void check_bytes(const struct bootworld *world, struct bootmodel *model)
{
	_cleanup_bootdir_ struct bootdir boot = BOOTDIR_INIT;
	struct apply apply = {
		.root = world->request->root, .boot = &boot, .config = world->request->config};
	char buf[BOOTCURE_MAX];
	struct kernel kernel;

	if (!bootdir_is_image_path(model->boot.kernel, &kernel) ||
	    bootdir_open(world->request->root, &boot, NULL) < 0 ||
	    !provenance_is_damaged(&apply, &kernel))
		return;
	bootmodel_find(model, SEVERITY_ERROR, "kernel-damaged",
		       bootcure_damaged(world->request->root, kernel.version, buf),
		       "%s is damaged: as large as what pvkprep made, with other bytes",
		       text_escape(model->boot.kernel).s);
	bootmodel_worsen(model, VERDICT_FAILS);
}

/* --- modules --- */

static void check_modules(const struct bootworld *world, struct bootmodel *model,
			  const char *version)
{
	char path[PATH_MAX], cure[BOOTCURE_MAX];

	(void)snprintf(path, sizeof(path), "/lib/modules/%s", version);
	if (version[0] == '\0' || root_has(world->request->root, path))
		return;
	bootmodel_find(model, SEVERITY_WARNING, "modules-missing",
		       bootcure_modules(world->request->root, version, cure),
		       "%s is not there: the kernel starts without its modules (no network?)",
		       text_escape(path).s);
}

/* --- memory --- */

/* What the kernel needs at start: its image in place, the initrd, and a little to live on. */
#define MEMORY_TO_LIVE (UINT64_C(48) << 20)

/* mem=: no memory above it is used (Linux Documentation, kernel-parameters.txt); 0: not given. */
static uint64_t find_memory_limit(const struct bootmodel *model)
{
	static const char units[] = "KMGT";
	char value[64], *end;
	const char *unit;
	uint64_t limit;

	if (!bootchecks_find_option(model->boot.cmdline, "mem", value, sizeof(value)))
		return 0;
	limit = strtoull(value, &end, 0);
	unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	return unit && limit < UINT64_C(1) << 20 ? limit << 10 * (unit - units + 1) : limit;
}

static void check_memory_limit(struct bootmodel *model, uint64_t initrd_size)
{
	const uint64_t limit = find_memory_limit(model);
	const uint64_t needed = model->boot.image.elf.paddr_end + initrd_size;

	if (limit == 0 || !model->boot.image.is_elf || needed <= limit)
		return;
	bootmodel_find(model, SEVERITY_ERROR, "memory-short", NULL,
		       "mem= on the command line leaves %s, kernel and initrd are %s",
		       text_size(limit).s, text_size(needed).s);
	bootmodel_worsen(model, VERDICT_FAILS);
}

static void check_memory(const struct bootworld *world, struct bootmodel *model,
			 uint64_t initrd_size)
{
	const struct elfimage *elf = &model->boot.image.elf;
	_cleanup_free_ char *text = NULL;
	uint64_t total, needed;
	const char *line;
	size_t size;

	if (!world->request->root->is_live ||
	    root_read_file(world->request->root, "/proc/meminfo", 65536, &text, &size) < 0)
		return;
	line = strstr(text, "MemTotal:");
	total = line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * 1024 : 0;
	needed = elf->paddr_end + initrd_size + MEMORY_TO_LIVE;
	if (total == 0 || !model->boot.image.is_elf || needed <= total)
		return;
	bootmodel_find(model, SEVERITY_WARNING, "memory-short", NULL,
		       "kernel and initrd need about %s at start, the guest has %s",
		       text_size(needed).s, text_size(total).s);
}

/* --- all of it --- */

void bootchecks_target(struct bootworld *world, struct bootmodel *model,
		       const struct grub_boot *boot)
{
	const struct guestfs_volume *volume;
	const struct judged_kernel *kernel = NULL;
	struct initrd_sum initrds;
	char version[128];

	(void)snprintf(model->boot.kernel, sizeof(model->boot.kernel), "(%s)%s", boot->device,
		       boot->path);
	(void)snprintf(model->boot.cmdline, sizeof(model->boot.cmdline), "%s",
		       boot->cmdline ? boot->cmdline : "");
	if (guestfs_find_volume(&world->guest, boot->device, &volume) == GUESTFS_FOUND) {
		kernel = bootworld_judge(world, volume, boot->path);
		guestfs_guest_path(&world->guest, volume, boot->path, model->boot.kernel,
				   sizeof(model->boot.kernel));
	}
	if (!kernel || !kernel->is_readable) {
		bootmodel_find(model, SEVERITY_ERROR, "kernel-unreadable", NULL,
			       "%s cannot be read: %s", text_escape(model->boot.kernel).s,
			       kernel ? kernel->error.msg : "its device is not known");
		bootmodel_worsen(model, VERDICT_UNKNOWN);
		return;
	}
	check_kernel(world, model, kernel);
	if (!model->has_boot || world->request->is_quick)
		return;
	version_of(&kernel->image, version, sizeof(version));
	bootchecks_initrds(world, model, boot, version, &initrds);
	check_bytes(world, model);
	check_modules(world, model, version);
	bootchecks_cmdline(world, model, boot, version, &initrds);
	check_memory_limit(model, initrds.size);
	check_memory(world, model, initrds.size);
}

static bool loads_module(const struct grub_prediction *prediction, const char *name)
{
	for (size_t i = 0; i < prediction->n_modules; i++)
		if (strcmp(prediction->modules[i], name) == 0)
			return true;
	return false;
}

/* What would pack the kernel no longer, or otherwise; NULL: nothing that --prepare does. */
static const char *cure_of_filter(const struct bootworld *world, const struct image *image)
{
	const struct config *config = world->request->config;

	return plan_image(image, config) == PLAN_CONVERT ? "pvkprep --prepare" : NULL;
}

/*
 * A stream needs its filter loaded in the GRUB that reads it. gzio GRUB loads by itself before it
 * reads a configuration (normal/main.c, GRUB_MOD_INIT); a hoster's GRUB may have the others built
 * in, one that the guest's grub-install made has not (Debian's update-grub writes insmod lines).
 */
static void check_filter(const struct bootworld *world, struct bootmodel *model,
			 const struct grub_prediction *prediction, enum codec codec)
{
	const char *module = codec == CODEC_XZ ? "xzio" : codec == CODEC_LZO ? "lzopio" : NULL;
	const bool is_own = model->boot.via == VIA_PVBOOT;

	if (!module || loads_module(prediction, module))
		return;
	bootmodel_find(
		model, is_own ? SEVERITY_ERROR : SEVERITY_INFO, "filter-not-loaded",
		cure_of_filter(world, &model->boot.image),
		"the kernel is packed with %s and the configuration does not load %s: it boots only where the loader has that built in",
		codec_name(codec), module);
	if (is_own)
		bootmodel_worsen(model, VERDICT_UNKNOWN);
}

static void check_filters(const struct bootworld *world, struct bootmodel *model,
			  const struct grub_prediction *prediction)
{
	const struct image *image = &model->boot.image;

	for (uint8_t i = 0; i < image->wrap_count; i++)
		check_filter(world, model, prediction, image->wraps[i].codec);
	if (image->wrap_count == 0 || image->codec != image->wraps[0].codec)
		check_filter(world, model, prediction, image->codec);
}

void bootchecks_prediction(struct bootworld *world, struct bootmodel *model,
			   const struct grub_prediction *prediction)
{
	if (world->request->guest == GUEST_PV)
		check_filters(world, model, prediction);
	for (const struct grub_message *message = prediction->messages; message;
	     message = message->next)
		bootmodel_find(model, message->is_guess ? SEVERITY_INFO : SEVERITY_WARNING,
			       "loader-error", NULL,
			       "the loader %s say \"error: %s\" (%s, line %u)",
			       message->is_guess ? "may" : "will", text_escape(message->text).s,
			       message->file ? text_escape(message->file).s : "?", message->line);
	if (prediction->tried > 1)
		bootmodel_find(model, SEVERITY_WARNING, "fallback-used", NULL,
			       "the default entry fails; entry '%s' is started instead",
			       text_escape(model->boot.title).s);
}

void bootchecks_refused(const struct bootworld *world, struct bootmodel *model)
{
	for (size_t i = 0; i < world->kernel_count; i++) {
		const struct judged_kernel *kernel = world->kernels[i];
		const struct guestfs_volume *volume;
		char path[PATH_MAX];

		if (!kernel->is_readable || kernel->loader.outcome != LOADER_REFUSES ||
		    guestfs_find_volume(&world->guest, kernel->volume, &volume) != GUESTFS_FOUND)
			continue;
		guestfs_guest_path(&world->guest, volume, kernel->path, path, sizeof(path));
		tell_refused(world, model, kernel, path);
	}
}

void bootchecks_native(const struct bootworld *world, struct bootmodel *model)
{
	bootmodel_find(
		model, SEVERITY_INFO, "not-pv", NULL,
		"this is %s: its loader starts bzImages with any payload; what pvkprep prepares for PV as a bare ELF does not start here",
		guest_mode_text(world->request->guest));
}
