/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loaders.h - would this image start as a PV guest, loader family by loader family, and if not,
 * with which words does the loader refuse it?
 *
 * Sources: GRUB grub-core/loader/i386/{xen,xen_file,xen_fileXX}.c, grub-core/io, versions
 * 2.02 to 2.14; Xen tools/libs/guest/xg_dom_{core,bzimageloader,elfloader}.c,
 * xen/common/libelf, 4.11 to 4.20. Where a loader starts what must crash, the outcome says so.
 */
#ifndef PVK_LOADERS_H
#define PVK_LOADERS_H

#include "image.h"

enum loader_family {
	LOADER_PVGRUB,	    /* GRUB 2.02 to 2.12 for x86_64-xen, gzio and xzio loaded */
	LOADER_PVGRUB_2_14, /* GRUB 2.14, whose new zstdio corrupts its heap */
	LOADER_XEN,	    /* Xen's domain builder: pygrub, direct kernel boot, pv-grub */
	LOADER_COUNT
};

enum loader_outcome {
	LOADER_STARTS,
	LOADER_REFUSES,	   /* with `error` on the console, if its words are known */
	LOADER_CRASHES,	   /* it is started, and the guest crashes at once */
	LOADER_UNRELIABLE, /* may or may not start: a defect of the loader */
};

struct loader_verdict {
	enum loader_outcome outcome;
	char error[192];  /* the loader's own text; empty when it starts, or not known for sure */
	char reason[192]; /* ours: why, or a caution although it starts; may be empty */
};

/* "pvgrub", "pvgrub-2.14", "xen": stable names for JSON. */
const char *loader_name(enum loader_family family);

/* "pvgrub 2.02-2.12", ...: for people. */
const char *loader_title(enum loader_family family);

/* "starts", "refuses", "crashes", "unreliable". */
const char *loader_outcome_name(enum loader_outcome outcome);

/* Judges an image as far as it was identified and examined. */
void loader_judge(enum loader_family family, const struct image *image, struct loader_verdict *ret);

/*
 * Is this ELF a kernel that every family starts when it lies in /boot as a bare ELF? 0, or
 * -PVK_E_NOT_PV with the reason. Strict on purpose: what --prepare installs passes here, though
 * some loader may be content with less.
 */
int loaders_accept_elf(const struct elfimage *elf, struct pvk_error *err);

#endif
