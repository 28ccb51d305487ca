/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootplaces.h - where the loader of a profile looks, in its order. The sources of the orders are
 * in bootmodel.h.
 */
#ifndef PVK_BOOTPLACES_H
#define PVK_BOOTPLACES_H

#include "bootmodel.h"

struct boot_place {
	enum boot_via via;
	const char *path; /* on a volume; NULL ends the list */
};

/* Is the guest started by a loader for real machines: its own GRUB, or a PVH GRUB? */
bool bootplaces_is_native(const struct bootmodel_request *request);

const struct boot_place *bootplaces_of(const struct bootmodel_request *request);

/* Is there a place of that kind among them? */
bool bootplaces_have(const struct bootmodel_request *request, enum boot_via via);

#endif
