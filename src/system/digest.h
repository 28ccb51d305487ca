/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * digest.h - MD5, because that is what dpkg records, and XXH64 for our own records. Neither is
 * there against an attacker (who can write /boot owns the guest): both find accidents, and XXH64
 * costs 5 ms for an image that SHA-256 would take a quarter of a second to read.
 */
#ifndef PVK_DIGEST_H
#define PVK_DIGEST_H

#include "../base/bytes.h"

struct digest_text {
	char s[33]; /* lower case hexadecimal, as md5sum and xxh64sum print it */
};

struct digest_text digest_md5(struct bytes bytes);
struct digest_text digest_xxh64(struct bytes bytes);

#endif
