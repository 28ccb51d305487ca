/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * divert.h - dpkg's diversions: from then on dpkg puts the file of a package that belongs at one
 * path at another one. Reading parses the register directly; changing goes through dpkg-divert(1),
 * which owns it.
 *
 * Register: <admindir>/diversions, three lines a record: the path, where it is diverted to, the
 * package that diverts (":" for the local administrator). dpkg, lib/dpkg/db-fsys-divert.c.
 */
#ifndef PVK_DIVERT_H
#define PVK_DIVERT_H

#include <stdbool.h>

#include "root.h"

/* Whose diversions are ours. */
#define PVK_PACKAGE "pvkprep"

enum divert_owner {
	DIVERT_NOBODY,
	DIVERT_OURS,  /* by our package, to just that other path */
	DIVERT_OTHER, /* by somebody else, or to another path */
};

/* Who diverts `path`? `to`: where we would divert it. A tree without dpkg diverts nothing. */
int divert_find(const struct root *root, const char *path, const char *to, enum divert_owner *ret,
		struct pvk_error *err);

/*
 * Calls `see` for each diversion of our package; a negative answer ends the walk and is returned.
 * The register is read whole before the first call, so `see` may change it.
 */
int divert_each(const struct root *root,
		int (*see)(void *context, const char *path, const char *to), void *context,
		struct pvk_error *err);

/*
 * Registers or removes our diversion; no file is moved. Already so: fine. Negative when there is
 * no dpkg-divert, or it refuses; the message has its own words.
 */
int divert_add(const struct root *root, const char *path, const char *to, struct pvk_error *err);
int divert_remove(const struct root *root, const char *path, const char *to, struct pvk_error *err);

#endif
