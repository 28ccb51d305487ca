/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest.h - a guest's tree made of one input, for the targets of what reads a whole one. The first
 * byte chooses the loader's profile; then follow texts, each ended by a NUL byte: grub.cfg,
 * menu.lst, extlinux.conf, grubenv, fstab, os-release. The rest is the kernel, if it is an ELF file
 * (packed ones are for other targets), else that is a text. What is empty is not there; an initrd
 * with nothing in it, a second one with an init, and an init in the root file system are.
 */
#ifndef PVK_FUZZ_GUEST_H
#define PVK_FUZZ_GUEST_H

#include "../../src/policy/bootmodel.h"

#define GUEST_GRUB_CFG "boot/grub/grub.cfg"
#define GUEST_MENU_LST "boot/grub/menu.lst"

/* Writes the tree of tree.h anew and fills the configuration. */
void guest_write(const uint8_t *data, size_t size, struct config *ret);

/* Predicts, and checks what holds for every prediction and for what is printed of it. */
enum boot_verdict guest_check(const struct config *config);

#endif
