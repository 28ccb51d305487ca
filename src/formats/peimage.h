/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peimage.h - the two EFI containers that are not a bzImage: a UKI (systemd-stub with a `.linux`
 * section) and an EFI zboot image. Recognised and named; no PV loader reads either.
 *
 * Sources: Microsoft PE/COFF specification, sections 3 and 4; UAPI "Unified Kernel Image"
 * specification; Linux drivers/firmware/efi/libstub/zboot-header.S.
 */
#ifndef PVK_PEIMAGE_H
#define PVK_PEIMAGE_H

#include <stdbool.h>

#include "../base/bytes.h"

/* A PE file with a section named `.linux`: true, and *ret_linux is that section's content. */
bool peimage_find_linux(struct bytes file, struct bytes *ret_linux);

/* "MZ" and "zimg": true, with the name of the compression (at most 31 bytes) in name[32]. */
bool peimage_is_zboot(struct bytes file, char name[32]);

#endif
