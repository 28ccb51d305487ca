/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hybrids. By its first byte the input is
 *   0  a file: what can be cut out of it makes the same file again;
 *   1  a packaged image: it is found again in the hybrid that is made of it;
 *   2  bytes over the trailer of a good hybrid, from an offset on (the second byte), and the
 *      checksum mended: the right image comes out, or none. Who knows the MD5 sum can have the two
 *      fields that the trailer keeps as he likes, and nothing else.
 */
#include <assert.h>
#include <md5.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/bzimage.h"
#include "../../src/formats/hybrid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRAILER	      64
#define TRAILER_MD5   40
#define TRAILER_CRC   60
#define FIELDS	      0x248
#define FIELDS_END    0x250
#define ORIGINAL_SIZE 2000

static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};

static uint8_t *assemble(struct bytes original, struct bytes payload, size_t *ret_size)
{
	uint8_t *out;

	*ret_size = (size_t)hybrid_size(original.size, payload.size);
	out = malloc(*ret_size);
	assert(out);
	hybrid_assemble(original, payload, out);
	return out;
}

static void try_file(struct bytes file)
{
	_cleanup_free_ uint8_t *cut = NULL, *again = NULL;
	struct bzimage header;
	struct hybrid hybrid;
	struct bytes payload;
	uint64_t cut_size;
	size_t size;

	if (hybrid_cut(file, &cut, &cut_size, NULL) < 0)
		return;
	assert(hybrid_read(file, &hybrid) && hybrid.original_size == cut_size);
	assert(bzimage_parse(file, &header, NULL) == 0);
	assert(bytes_sub(file, header.payload_start, header.payload_size, &payload));
	if (hybrid_check_size(bytes_make(cut, (size_t)cut_size), payload.size, NULL) < 0)
		return; /* of a packaged image that is none */
	again = assemble(bytes_make(cut, (size_t)cut_size), payload, &size);
	assert(size == file.size && memcmp(again, file.data, size) == 0);
}

static void assert_holds(struct bytes file, struct bytes original)
{
	_cleanup_free_ uint8_t *cut = NULL;
	uint64_t size;

	assert(hybrid_cut(file, &cut, &size, NULL) == 0);
	assert(size == original.size && memcmp(cut, original.data, original.size) == 0);
}

static void try_original(struct bytes original)
{
	_cleanup_free_ uint8_t *file = NULL;
	size_t size;

	if (hybrid_check_size(original, sizeof(gzip), NULL) < 0)
		return;
	file = assemble(original, bytes_make(gzip, sizeof(gzip)), &size);
	assert_holds(bytes_make(file, size), original);
}

/* The least that bzimage_parse() takes. */
static void make_original(uint8_t original[ORIGINAL_SIZE])
{
	for (size_t i = 0; i < ORIGINAL_SIZE; i++)
		original[i] = (uint8_t)i;
	original[0x1f1] = 1;			   /* setup_sects */
	memcpy(original + 0x1f4, "\x01\0\0\0", 4); /* syssize */
	memcpy(original + 0x1fe, "\x55\xaa", 2);
	memcpy(original + 0x202, "HdrS\x0f\x02", 6);
	memset(original + 0x20e, 0, 2); /* no version */
	memcpy(original + FIELDS, "\x10\0\0\0\x20\0\0\0", 8);
	memset(original + 0x260, 0, 4); /* no init_size */
}

static void assert_differs_in_fields_only(const uint8_t *cut, const uint8_t *original)
{
	assert(memcmp(cut, original, FIELDS) == 0);
	assert(memcmp(cut + FIELDS_END, original + FIELDS_END, ORIGINAL_SIZE - FIELDS_END) == 0);
}

/* libFuzzer sees what memcmp() compares, and so learns the sum. */
static bool has_sum(const uint8_t *cut, const uint8_t *sum)
{
	uint8_t digest[MD5_DIGEST_LENGTH];
	MD5_CTX context;

	MD5Init(&context);
	MD5Update(&context, cut, ORIGINAL_SIZE);
	MD5Final(digest, &context);
	return memcmp(digest, sum, sizeof(digest)) == 0;
}

static void try_trailer(struct bytes input)
{
	_cleanup_free_ uint8_t *file = NULL, *cut = NULL;
	uint8_t original[ORIGINAL_SIZE], *trailer;
	uint64_t cut_size;
	size_t size, at;
	uint32_t crc;

	if (input.size < 1)
		return;
	make_original(original);
	file = assemble(bytes_make(original, sizeof(original)), bytes_make(gzip, sizeof(gzip)),
			&size);
	trailer = file + size - sizeof(gzip) - TRAILER;
	at = input.data[0] % TRAILER_CRC;
	for (size_t i = 1; i < input.size && at < TRAILER_CRC; i++)
		trailer[at++] = input.data[i];
	crc = (uint32_t)crc32(0, trailer, TRAILER_CRC);
	for (unsigned i = 0; i < 4; i++)
		trailer[TRAILER_CRC + i] = (uint8_t)(crc >> (8 * i));
	if (hybrid_cut(bytes_make(file, size), &cut, &cut_size, NULL) < 0)
		return;
	assert(cut_size == sizeof(original) && has_sum(cut, trailer + TRAILER_MD5));
	assert_differs_in_fields_only(cut, original);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest;

	if (size == 0)
		return 0;
	rest = bytes_make(data + 1, size - 1);
	if (data[0] == 0)
		try_file(rest);
	else if (data[0] == 1)
		try_original(rest);
	else
		try_trailer(rest);
	return 0;
}
