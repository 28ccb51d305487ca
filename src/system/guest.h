/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h - what kind of machine this is, since only a PV guest needs its kernels unpacked.
 *
 * Source: Linux Documentation/ABI/stable/sysfs-hypervisor-xen. /sys/hypervisor/guest_type (Linux
 * 4.13) says PV, PVH or HVM; before, the feature bit auto_translated_physmap (bit 2,
 * xen/include/public/features.h) is set for every guest that is not PV.
 */
#ifndef PVK_GUEST_H
#define PVK_GUEST_H

#include "root.h"

enum guest_mode {
	GUEST_PV,
	GUEST_PVH,
	GUEST_HVM,
	GUEST_NOT_XEN, /* KVM, bare metal, another hypervisor, or dom0's own hardware */
};

/* Asks the running system; for a tree that is not live it is GUEST_PV by definition. */
enum guest_mode guest_detect(const struct root *root);

/* The same from another place than /sys/hypervisor, for tests. */
enum guest_mode guest_detect_in(const struct root *root, const char *hypervisor_dir);

/* "pv", "pvh", "hvm", "none". */
const char *guest_mode_name(enum guest_mode mode);

/* "a PVH guest", "no Xen guest": to complete a sentence. */
const char *guest_mode_text(enum guest_mode mode);

#endif
