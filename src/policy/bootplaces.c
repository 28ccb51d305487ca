/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootplaces.c - see bootplaces.h */
#include "bootplaces.h"

#define ROOM(places) _Static_assert(sizeof(places) / sizeof((places)[0]) <= BOOT_STEPS_MAX, "room")

static const struct boot_place bitfolk_places[] = {
	{VIA_PVBOOT, "/boot/xen/pvboot-x86_64.elf"},
	{VIA_PVBOOT, "/xen/pvboot-x86_64.elf"},
	{VIA_GRUB_CFG, "/boot/grub/grub.cfg"},
	{VIA_GRUB_CFG, "/grub/grub.cfg"},
	{VIA_MENU_LST, "/boot/grub/menu.lst"},
	{VIA_MENU_LST, "/grub/menu.lst"},
	{0, NULL},
};

/* grub2's debian/grub-xen-host_grub.cfg: no menu.lst. */
static const struct boot_place debian_places[] = {
	{VIA_PVBOOT, "/boot/xen/pvboot-x86_64.elf"},
	{VIA_PVBOOT, "/xen/pvboot-x86_64.elf"},
	{VIA_GRUB_CFG, "/boot/grub/grub.cfg"},
	{VIA_GRUB_CFG, "/grub/grub.cfg"},
	{0, NULL},
};

/* pygrub: per partition the first that exists. */
static const struct boot_place pygrub_places[] = {
	{VIA_GRUB_CFG, "/boot/grub/grub.cfg"},
	{VIA_GRUB_CFG, "/grub/grub.cfg"},
	{VIA_GRUB_CFG, "/boot/grub2/grub.cfg"},
	{VIA_GRUB_CFG, "/grub2/grub.cfg"},
	{VIA_EXTLINUX, "/boot/isolinux/isolinux.cfg"},
	{VIA_EXTLINUX, "/boot/extlinux/extlinux.conf"},
	{VIA_EXTLINUX, "/boot/extlinux.conf"},
	{VIA_EXTLINUX, "/extlinux/extlinux.conf"},
	{VIA_EXTLINUX, "/extlinux.conf"},
	{VIA_MENU_LST, "/boot/grub/menu.lst"},
	{VIA_MENU_LST, "/boot/grub/grub.conf"},
	{VIA_MENU_LST, "/grub/menu.lst"},
	{VIA_MENU_LST, "/grub/grub.conf"},
	{0, NULL},
};

static const struct boot_place pv_grub_places[] = {
	{VIA_MENU_LST, "/boot/grub/menu.lst"},
	{VIA_MENU_LST, "/grub/menu.lst"},
	{0, NULL},
};

/* A guest that is not PV is started by its own GRUB, or by a PVH GRUB that reads grub.cfg only. */
static const struct boot_place native_places[] = {
	{VIA_GRUB_CFG, "/boot/grub/grub.cfg"},
	{VIA_GRUB_CFG, "/grub/grub.cfg"},
	{0, NULL},
};

bool bootplaces_is_native(const struct bootmodel_request *request)
{
	return request->guest == GUEST_PVH || request->guest == GUEST_HVM;
}

const struct boot_place *bootplaces_of(const struct bootmodel_request *request)
{
	if (bootplaces_is_native(request))
		return native_places;
	switch (request->config->profile) {
	case PROFILE_DEBIAN:
		return debian_places;
	case PROFILE_PYGRUB:
		return pygrub_places;
	case PROFILE_PV_GRUB:
		return pv_grub_places;
	case PROFILE_BITFOLK:
		break;
	}
	return bitfolk_places;
}

ROOM(bitfolk_places);
ROOM(pygrub_places);

bool bootplaces_have(const struct bootmodel_request *request, enum boot_via via)
{
	const struct boot_place *place = bootplaces_of(request);

	while (place->path && place->via != via)
		place++;
	return place->path != NULL;
}
