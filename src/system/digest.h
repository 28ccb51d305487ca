/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * digest.h - MD5, because that is what dpkg records, and XXH3 for our own records. Neither is
 * there against an attacker (who can write /boot owns the guest): both find accidents. XXH3 reads
 * an image at the speed of memory, SHA-256 in software takes a quarter of a second for it.
 */
#ifndef PVK_DIGEST_H
#define PVK_DIGEST_H

#include "../base/bytes.h"

struct digest_text {
	char s[48];
};

/* 32 lower case hexadecimal digits, as md5sum prints them. */
struct digest_text digest_md5(struct bytes bytes);

/* "xxh128:<32 digits as xxh128sum prints them>"; built with xxHash before 0.8: "xxh64:...". */
struct digest_text digest_fast(struct bytes bytes);

#endif
