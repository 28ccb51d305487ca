/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * originals.h - where the packaged image of a kernel is, and how it is kept.
 *
 * It is kept as /boot/pvkprep/packaged-<version> either way. Diverted: dpkg itself puts it there
 * and reads it there for --verify, so an update never touches the image that boots. Stashed: dpkg
 * (or whoever made the image) still writes /boot/vmlinuz-<version>; we keep a second link.
 */
#ifndef PVK_ORIGINALS_H
#define PVK_ORIGINALS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "../system/divert.h"
#include "../system/infile.h"
#include "bootdir.h"
#include "config.h"

struct originals {
	bool in_place;	   /* vmlinuz-<version> is there */
	bool is_packaged;  /* packaged-<version> is there, a regular file */
	bool is_set_aside; /* the record says that we took the image out of /boot */
	enum divert_owner diversion;
	struct stat packaged; /* with is_packaged */
};

/* Looks; cheap but for one small file of dpkg's. */
int originals_look(const struct root *root, const struct bootdir *boot, const struct kernel *kernel,
		   struct originals *ret, struct pvk_error *err);

/* Is the kept file what an update of the package writes, and so what is to be prepared? */
bool originals_is_source(const struct originals *originals);

/* Is the kernel installed, but kept out of /boot and so out of every menu? */
bool originals_is_withheld(const struct originals *originals);

/* Is there an image of it at all, in /boot or kept out of it? */
bool originals_have_any(const struct originals *originals);

/* bootdir_list() and the withheld kernels, newest first. */
int originals_list(const struct root *root, const struct bootdir *boot, struct kernel_list *ret,
		   struct pvk_error *err);

/* How the original came to be kept; the words of the record. */
const char *originals_kept_name(const struct config *config, const struct originals *originals,
				bool is_owned);

/*
 * Keeps the image that `original` (/boot/vmlinuz-<version>) holds open, and diverts it where the
 * configuration wants that and dpkg owns it. A diversion that cannot be had is no failure: the
 * image is stashed then, and *ret_why (may be NULL) tells why. The name in /boot is never absent.
 */
int originals_keep(const struct root *root, const struct bootdir *boot, const struct kernel *kernel,
		   const struct config *config, const struct infile *original, bool is_owned,
		   struct pvk_error *ret_why, struct pvk_error *err);

/* Registers the diversion of this kernel, or takes it away. */
int originals_divert(const struct root *root, const struct kernel *kernel, struct pvk_error *err);
int originals_undivert(const struct root *root, const struct kernel *kernel, struct pvk_error *err);

/* Takes away the diversions of ours that lead to no file. */
int originals_sweep_diversions(const struct root *root, const struct bootdir *boot,
			       struct pvk_error *err);

#endif
