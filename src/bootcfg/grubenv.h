/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubenv.h - the environment block that load_env and grub-editenv read and write.
 *
 * Format (GRUB grub-core/lib/envblk.c, include/grub/lib/envblk.h): the signature line
 * "# GRUB Environment Block", then NAME=VALUE lines; in a value a backslash protects the next
 * byte, so that a newline can be part of it; the rest is filled up with '#'. GRUB makes it 1024
 * bytes long, and reads any length.
 */
#ifndef PVK_GRUBENV_H
#define PVK_GRUBENV_H

#include "../base/bytes.h"

#define GRUBENV_SIZE 1024

struct grubenv_reader {
	struct bytes block;
	size_t pos;
};

struct grubenv_pair {
	struct bytes name;
	struct bytes value; /* still with its backslashes */
};

/* False: no environment block. */
bool grubenv_open(struct grubenv_reader *ret, struct bytes file);

/* The next pair, in order; false at the end or where the block is broken, as GRUB stops there. */
bool grubenv_next(struct grubenv_reader *reader, struct grubenv_pair *ret);

/* Writes the plain value, terminated, into buf of at least value.size + 1 bytes. */
void grubenv_unescape(struct bytes value, char *buf);

#endif
