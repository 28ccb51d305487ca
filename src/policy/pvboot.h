/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvboot.h - /boot/xen/pvboot-<arch>.elf: the guest's own GRUB, which a hoster's pvgrub starts
 * before it looks for any configuration.
 *
 * Sources: Xen docs/misc/x86-xenpv-bootloader.pandoc (an ELF of the right width with the Xen notes
 * of a PV guest); Debian's grub2 patch grub-install-pvxen-paths: grub-install puts its core image
 * into /boot/grub/<arch>-xen/core.elf and copies it to /boot/xen/pvboot-<arch>.elf; grub-xen's
 * postinst succeeds also where grub-install could not.
 */
#ifndef PVK_PVBOOT_H
#define PVK_PVBOOT_H

#include <stdbool.h>

#include "../base/bytes.h"
#include "../base/errors.h"
#include "../system/worker.h"

enum pvboot_arch {
	PVBOOT_X86_64,
	PVBOOT_I386,
	PVBOOT_ARCH_COUNT
};

struct pvboot_place {
	const char *image;   /* /boot/xen/pvboot-x86_64.elf */
	const char *core;    /* what grub-install made it from */
	const char *normal;  /* a module that such an image loads from beside it */
	const char *modules; /* of grub-xen-bin */
	const char *format;  /* for grub-mkimage -O */
};

extern const struct pvboot_place pvboot_places[PVBOOT_ARCH_COUNT];

#define PVBOOT_SIZE_MAX ((size_t)32 << 20)

/* Would a hoster's GRUB of that width start this image? 0, or negative with the reason. */
int pvboot_judge(enum pvboot_arch arch, struct bytes image, const struct worker_watch *watch,
		 struct pvk_error *err);

/*
 * Is it a GRUB that reads no configuration without modules beside it? Its kernel has the pattern of
 * their names (grub-core/kern/dl.c, grub_dl_load), and an image with the module normal inside has
 * the names of that one's functions (linked by name, kern/dl.c). False for what is no GRUB.
 */
bool pvboot_needs_modules(enum pvboot_arch arch, struct bytes image);

#endif
