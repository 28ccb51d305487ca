/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * menulst.h - menu.lst as GRUB 0.97 itself reads it: the pv-grub stub domain of Xen.
 *
 * Sources: GRUB 0.97 stage2/{stage2,cmdline,builtins}.c, Xen stubdom/grub/{mini-os,kexec}.c. For
 * GRUB 2's legacy_configfile, which is another thing, see grubscript.h.
 */
#ifndef PVK_MENULST_H
#define PVK_MENULST_H

#include "grubscript.h"

/*
 * Follows the file to the end, with nobody at the keyboard. `root` is the device that the loader
 * starts with ("hd0,0": partitions count from 0 here, and the host is asked with these names).
 * A file that cannot be read ends at a prompt: GRUB_END_WAITS. Returns as grubscript_predict().
 */
int menulst_predict(const struct grub_host *host, const char *root, const char *path,
		    const char *entry, struct grub_prediction **ret, struct pvk_error *err);

#endif
