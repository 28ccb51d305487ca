/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_pvboot.c - the pvboot images: what is to be done about each; see entries.h, pvboot.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entries_internal.h"
#include "pvboot_make.h"

#define ASIDE ".broken"

struct pvboot {
	struct entries_work *work;
	enum pvboot_arch arch;
	const struct pvboot_place *place;
	struct entry *entry;
	struct entry_file image, core;
	bool is_core_good;
	bool is_in_use; /* grub-xen is what this guest boots with, or is meant to */
};

static void pvboot_done(struct pvboot *pvboot)
{
	entry_file_close(&pvboot->image);
	entry_file_close(&pvboot->core);
}

/* The architecture that grub-xen's postinst installs for. */
static bool is_native(enum pvboot_arch arch)
{
#ifdef __i386__
	return arch == PVBOOT_I386;
#else
	return arch == PVBOOT_X86_64;
#endif
}

static bool is_in_use(const struct pvboot *pvboot)
{
	return entry_file_exists(&pvboot->core) ||
	       (is_native(pvboot->arch) &&
		root_has(pvboot->work->apply->root, pvboot->place->modules) &&
		root_has(pvboot->work->apply->root, "/var/lib/dpkg/info/grub-xen.list"));
}

static bool is_same(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool is_older(const struct entry_file *a, const struct entry_file *b)
{
	return a->st.st_mtim.tv_sec != b->st.st_mtim.tv_sec
		       ? a->st.st_mtim.tv_sec < b->st.st_mtim.tv_sec
		       : a->st.st_mtim.tv_nsec < b->st.st_mtim.tv_nsec;
}

/*
 * An image of grub-mkimage is put where grub-install keeps its own, too: it does what that one
 * does, and the next look finds the two alike.
 */
static void make(struct pvboot *pvboot, const char *why)
{
	struct entries_work *work = pvboot->work;
	struct entry core_entry = {.path = pvboot->place->core};
	struct bytes made = {0};
	struct pvk_error err;
	char reason[PVK_ERROR_MSG_MAX];

	(void)snprintf(reason, sizeof(reason), "%.300s; made by grub-mkimage", why);
	if (work->apply->dry_run) {
		entry_set(pvboot->entry, ENTRY_WOULD_WRITE, "%s", reason);
		return;
	}
	if (pvboot_make(work->apply->root, pvboot->arch, work->facts.fs_uuid,
			work->facts.is_boot_separate, &made, &err) < 0 ||
	    pvboot_judge(pvboot->arch, made, work->apply->watch, &err) < 0) {
		entry_set(pvboot->entry,
			  entry_file_exists(&pvboot->image) ? ENTRY_BROKEN : ENTRY_FAILED,
			  "%.200s: %.250s", why, err.msg);
	} else {
		entries_put(work, &core_entry, &pvboot->core, made, "");
		if (core_entry.state == ENTRY_FAILED)
			entry_set(pvboot->entry, ENTRY_FAILED, "%s", core_entry.reason);
		else
			entries_put(work, pvboot->entry, &pvboot->image, made, reason);
	}
	free((void *)(uintptr_t)made.data);
	free(core_entry.diff);
}

/* From grub-install's own result, or anew. False: neither can be had. */
static bool renew(struct pvboot *pvboot, const char *why)
{
	const struct entries_work *work = pvboot->work;
	char reason[PVK_ERROR_MSG_MAX];

	if (pvboot->is_core_good) {
		(void)snprintf(reason, sizeof(reason), "%.300s; grub-install's image", why);
		entries_put(pvboot->work, pvboot->entry, &pvboot->image, pvboot->core.bytes,
			    reason);
		return true;
	}
	if (!work->apply->root->is_live || !pvboot_can_make(work->apply->root, pvboot->arch) ||
	    (!pvboot->is_in_use && work->apply->config->pvboot != KEEP_ALWAYS))
		return false;
	make(pvboot, why);
	return true;
}

static void move_aside(struct pvboot *pvboot, const char *why)
{
	struct pvk_error err;

	if (pvboot->work->apply->dry_run) {
		entry_set(pvboot->entry, ENTRY_WOULD_MOVE, "%s", why);
	} else if (entry_file_move_aside(&pvboot->image, ASIDE, &err) < 0) {
		entry_set(pvboot->entry, ENTRY_FAILED, "%s; %s", why, err.msg);
	} else {
		pvboot->work->ret->wrote = true;
		entry_set(pvboot->entry, ENTRY_MOVED, "%s; it is %s" ASIDE " now", why,
			  pvboot->image.path);
	}
}

static void settle_present(struct pvboot *pvboot)
{
	struct pvk_error err;

	if (pvboot_judge(pvboot->arch, pvboot->image.bytes, pvboot->work->apply->watch, &err) < 0) {
		if (renew(pvboot, err.msg))
			return;
		if (pvboot->work->apply->force)
			move_aside(pvboot, err.msg);
		else
			entry_set(
				pvboot->entry, ENTRY_BROKEN,
				"%.300s; it comes first, fails and costs a pause: pvkprep --prepare --entries-only --force moves it aside",
				err.msg);
		return;
	}
	if (!pvboot->is_core_good || is_same(pvboot->image.bytes, pvboot->core.bytes))
		entry_set(pvboot->entry, ENTRY_CURRENT, "%s", "");
	else if (is_older(&pvboot->image, &pvboot->core))
		(void)renew(pvboot, "was older than grub-install's image");
	else
		entry_set(pvboot->entry, ENTRY_CURRENT,
			  "newer than grub-install's image: somebody else's, left as it is");
}

static void settle_missing(struct pvboot *pvboot)
{
	const struct entries_work *work = pvboot->work;
	const bool always = work->apply->config->pvboot == KEEP_ALWAYS && is_native(pvboot->arch);

	if (!pvboot->is_in_use && !always)
		entry_set(pvboot->entry, ENTRY_ABSENT, "grub-xen is not in use");
	else if (!work->has_grub_cfg)
		entry_set(pvboot->entry, ENTRY_ABSENT, "there is no grub.cfg that it could read");
	else if (!renew(pvboot, "was missing"))
		entry_set(
			pvboot->entry, always ? ENTRY_INCOMPLETE : ENTRY_ABSENT,
			work->apply->root->is_live
				? "cannot be made: install grub-xen-bin and grub-common"
				: "cannot be made outside of the running system: run pvkprep in the guest");
}

static void settle(struct entries_work *work, enum pvboot_arch arch)
{
	_cleanup_(pvboot_done) struct pvboot pvboot = {
		.work = work,
		.arch = arch,
		.place = &pvboot_places[arch],
		.image = ENTRY_FILE_INIT,
		.core = ENTRY_FILE_INIT,
	};

	/* Another width's is worth a word only where it is there. */
	if (!is_native(arch) && !root_has(work->apply->root, pvboot.place->image) &&
	    !root_has(work->apply->root, pvboot.place->core))
		return;
	pvboot.entry = entries_add(work, pvboot.place->image);
	if (work->apply->config->pvboot == KEEP_NEVER) {
		entry_set(pvboot.entry, ENTRY_OFF, "pvboot = never");
		return;
	}
	if (!entries_open(work, pvboot.entry, PVBOOT_SIZE_MAX, &pvboot.image))
		return;
	if (entry_file_open(work->apply->root, pvboot.place->core, PVBOOT_SIZE_MAX, &pvboot.core,
			    NULL) < 0)
		pvboot.core = ENTRY_FILE_INIT;
	else
		entries_sweep(work, &pvboot.core);
	/* Without its modules it would start, and stop at its rescue prompt. */
	pvboot.is_core_good = entry_file_exists(&pvboot.core) &&
			      root_has(work->apply->root, pvboot.place->normal) &&
			      pvboot_judge(arch, pvboot.core.bytes, work->apply->watch, NULL) == 0;
	pvboot.is_in_use = is_in_use(&pvboot);
	if (entry_file_exists(&pvboot.image))
		settle_present(&pvboot);
	else
		settle_missing(&pvboot);
}

void entries_settle_pvboot(struct entries_work *work)
{
	if (!entries_reads_pvboot(work) || work->request->is_kernel_hook)
		return;
	for (enum pvboot_arch arch = 0; arch < PVBOOT_ARCH_COUNT; arch++)
		settle(work, arch);
}
