/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - see digest.h */
#include "digest.h"

#include <md5.h>
#include <stdio.h>
#include <xxhash.h>

struct digest_text digest_md5(struct bytes bytes)
{
	struct digest_text text = {""};
	uint8_t digest[MD5_DIGEST_LENGTH];
	MD5_CTX context;

	MD5Init(&context);
	MD5Update(&context, bytes.data, bytes.size);
	MD5Final(digest, &context);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(text.s + 2 * i, 3, "%02x", digest[i]);
	return text;
}

struct digest_text digest_xxh64(struct bytes bytes)
{
	struct digest_text text;

	(void)snprintf(text.s, sizeof(text.s), "%016llx",
		       (unsigned long long)XXH64(bytes.data, bytes.size, 0));
	return text;
}
