/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpio.h - the entries of a cpio archive in the two ASCII formats that Linux unpacks at boot:
 * "newc" (070701) and "crc" (070702).
 *
 * Specification: Linux Documentation/driver-api/early-userspace/buffer-format.rst; what the kernel
 * makes of it: init/initramfs.c. Entries are views into the archive: nothing is copied.
 */
#ifndef PVK_CPIO_H
#define PVK_CPIO_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/bytes.h"
#include "../base/errors.h"

/* Entries begin at multiples of it, counted from the start of the buffer. */
#define CPIO_ALIGN 4

struct cpio_entry {
	uint32_t mode;	   /* as st_mode */
	uint32_t links;	   /* as st_nlink: of several names for a file only the last has a body */
	struct bytes name; /* without its NUL; never empty, no NUL inside */
	struct bytes body;
	uint64_t end; /* offset behind the entry and its padding; at most the archive's size */
};

/*
 * The entry at `off`. What does not lie inside the archive is PVK_E_TRUNCATED; no cpio header is
 * PVK_E_FORMAT, one of another cpio format PVK_E_UNSUPPORTED; a field that is no number of eight
 * hexadecimal digits, a name that is empty, without NUL or longer than PATH_MAX (the kernel passes
 * over the last), and a wrong checksum in a "crc" archive are PVK_E_CORRUPT.
 */
int cpio_read(struct bytes archive, uint64_t off, struct cpio_entry *ret, struct pvk_error *err);

/* Is it the entry that ends an archive? */
bool cpio_is_trailer(const struct cpio_entry *entry);

/* The first offset from `off` on, or the size, where the byte is not 0. */
uint64_t cpio_skip_padding(struct bytes archive, uint64_t off);

#endif
