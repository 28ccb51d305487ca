/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initrd_content.h - what the entries of an initrd mean, for initrd.c alone. */
#ifndef PVK_INITRD_CONTENT_H
#define PVK_INITRD_CONTENT_H

#include "cpio.h"
#include "initrd.h"

/*
 * Which last components the names in the file have: a bit for the hash of each. Two may share a
 * bit, so a link may pass for one that leads somewhere, never the other way round.
 */
#define INITRD_NAME_BITS (1u << 19)

struct initrd_content {
	const char *version; /* of the kernel; NULL: any */
	const char *init;    /* what the kernel starts, without the slash before it */
	uint8_t names[INITRD_NAME_BITS / 8];
	bool is_init_link;
	uint32_t init_target; /* of a link: the bit of what it names; INITRD_NAME_BITS: not known */
};

/* Adds what one entry tells. */
void initrd_note_entry(struct initrd_content *content, const struct cpio_entry *entry,
		       struct initrd *initrd);

/* After the last: does what the kernel starts, where it is a link, lead to anything; and where it
 * is not there, may it be elsewhere? */
void initrd_judge_init(const struct initrd_content *content, struct initrd *initrd);

#endif
