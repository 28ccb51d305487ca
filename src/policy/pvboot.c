/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pvboot.c - see pvboot.h */
#include "pvboot.h"

#include <stdio.h>
#include <string.h>

#include "../formats/loaders.h"
#include "jobs.h"

const struct pvboot_place pvboot_places[PVBOOT_ARCH_COUNT] = {
	[PVBOOT_X86_64] = {"/boot/xen/pvboot-x86_64.elf", "/boot/grub/x86_64-xen/core.elf",
			   "/boot/grub/x86_64-xen/normal.mod", "/usr/lib/grub/x86_64-xen",
			   "x86_64-xen"},
	[PVBOOT_I386] = {"/boot/xen/pvboot-i386.elf", "/boot/grub/i386-xen/core.elf",
			 "/boot/grub/i386-xen/normal.mod", "/usr/lib/grub/i386-xen", "i386-xen"},
};

/* elf.h: ELFCLASS32 1, ELFCLASS64 2; EM_386 3, EM_X86_64 62. */
static bool has_width(const struct elfimage *elf, enum pvboot_arch arch)
{
	return arch == PVBOOT_X86_64 ? elf->ident_class == 2 && elf->machine == 62
				     : elf->ident_class == 1 && elf->machine == 3;
}

static int judge_elf(enum pvboot_arch arch, const struct image *image, struct pvk_error *err)
{
	/* The notes of every i386-xen image of grub-mkimage 2.06 end behind their segment. */
	const uint32_t harmless = arch == PVBOOT_I386 ? ELF_DEFECT_NOTE_BROKEN : 0;
	const struct elfimage *elf = &image->elf;
	const char *defect = elf_defect_text(elf->defects & ~harmless);
	struct loader_verdict verdict;

	if (!has_width(elf, arch))
		return pvk_fail(err, PVK_E_NOT_PV, "is not an ELF file of %s bits",
				arch == PVBOOT_X86_64 ? "64" : "32");
	if (defect)
		return pvk_fail(err, PVK_E_CORRUPT, "%s", defect);
	if (!elfimage_is_pv_capable(elf) || strncmp(elf->notes.loader, "generic", 7) != 0)
		return pvk_fail(err, PVK_E_NOT_PV, "has not the Xen notes of a PV guest");
	if (arch != PVBOOT_X86_64)
		return 0;
	loader_judge(LOADER_PVGRUB, image, &verdict);
	if (verdict.outcome != LOADER_STARTS)
		return pvk_fail(err, PVK_E_NOT_PV, "the loader %s it%s%s%s",
				loader_outcome_name(verdict.outcome), verdict.reason[0] ? " (" : "",
				verdict.reason, verdict.reason[0] ? ")" : "");
	return 0;
}

int pvboot_judge(enum pvboot_arch arch, struct bytes image, const struct worker_watch *watch,
		 struct pvk_error *err)
{
	struct image found;
	int r;

	if (image.size == 0)
		return pvk_fail(err, PVK_E_TRUNCATED, "is empty");
	r = jobs_identify(image, &found, err);
	if (r == 0 && found.container != IMAGE_ELF)
		return pvk_fail(err, PVK_E_FORMAT, "is no ELF file");
	if (r == 0)
		r = jobs_examine_in_memory(image, &found, watch, err);
	return r < 0 ? r : judge_elf(arch, &found, err);
}

bool pvboot_needs_modules(enum pvboot_arch arch, struct bytes image)
{
	static const char normal[] = "grub_normal_execute";
	char pattern[32];
	const int len =
		snprintf(pattern, sizeof(pattern), "%%s/%s/%%s.mod", pvboot_places[arch].format);

	return image.data && memmem(image.data, image.size, pattern, (size_t)len) &&
	       !memmem(image.data, image.size, normal, sizeof(normal) - 1);
}
