/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dpkgdb.h - what dpkg knows of a kernel image: the MD5 sum that its package was built with.
 *
 * Format: deb-md5sums(5), "<32 hex digits>  <path without leading slash>" a line, in
 * /var/lib/dpkg/info/<package>[:<arch>].md5sums. Only the lists of packages that have the kernel's
 * version in their name are read, so that the answer costs a directory listing.
 */
#ifndef PVK_DPKGDB_H
#define PVK_DPKGDB_H

#include "root.h"

struct dpkg_md5 {
	char md5[33];
	char package[128];
};

/*
 * Looks for boot/vmlinuz-<version>. 1 and *ret when it is listed, 0 when no list names it (or the
 * tree has no dpkg), negative when a list could not be read.
 */
int dpkgdb_find_md5(const struct root *root, const char *version, struct dpkg_md5 *ret,
		    struct pvk_error *err);

/*
 * The same from the package that dpkg is unpacking right now: its lists are still in
 * /var/lib/dpkg/tmp.ci (dpkg, src/main/unpack.c), those in info are the old version's.
 */
int dpkgdb_find_unpacked_md5(const struct root *root, const char *version, struct dpkg_md5 *ret,
			     struct pvk_error *err);

/* The package that the kernel's modules came in, even if they are gone: 1 or 0. */
int dpkgdb_find_modules(const struct root *root, const char *version, char ret_package[128],
			struct pvk_error *err);

/* Does an installed package own /boot/vmlinuz-<version> (<package>.list names it)? 1 or 0. */
int dpkgdb_owns_image(const struct root *root, const char *version, struct pvk_error *err);

#endif
