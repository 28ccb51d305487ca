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

struct digest_text digest_fast(struct bytes bytes)
{
	struct digest_text text;
#if XXH_VERSION_NUMBER >= 800 /* XXH3 has its final form since 0.8.0 */
	const XXH128_hash_t hash = XXH3_128bits(bytes.data, bytes.size);

	(void)snprintf(text.s, sizeof(text.s), "xxh128:%016llx%016llx",
		       (unsigned long long)hash.high64, (unsigned long long)hash.low64);
#else
	(void)snprintf(text.s, sizeof(text.s), "xxh64:%016llx",
		       (unsigned long long)XXH64(bytes.data, bytes.size, 0));
#endif
	return text;
}
