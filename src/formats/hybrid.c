/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hybrid.c - see hybrid.h */
#include "hybrid.h"

#include <errno.h>
#include <libdeflate.h>
#include <md5.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "bzimage.h"
#include "limits.h"

enum {
	TRAILER_MAGIC = 0,
	TRAILER_VERSION = 8,
	TRAILER_LENGTH = 12,
	TRAILER_ORIGINAL_SIZE = 16,
	TRAILER_FILE_SIZE = 24,
	TRAILER_FIELDS = 32,
	TRAILER_MD5 = 40,
	TRAILER_ZERO = 56,
	TRAILER_CRC = 60,
	TRAILER_SIZE = 64,
};

#define VERSION	  1
#define ALIGNMENT 16

static const uint8_t magic[8] = {'P', 'V', 'h', 'y', 'b', 'r', 'i', 'd'};

/* Linux Documentation/arch/x86/boot.rst: payload_offset and payload_length, side by side. */
#define OFF_FIELDS  0x248
#define FIELDS_SIZE 8

/*
 * Measured on the ELF images of three Debian kernels (6.1 cloud, 6.1, 6.12 cloud; 53.2, 65.9,
 * 57.6 MB), size in MB and seconds of processor time:
 *
 *	zlib       -6  10.78 1.26   11.29 1.40   13.46 1.47
 *	zlib       -9  10.77 3.88   11.28 4.08   13.45 4.76
 *	libdeflate  4  10.90 0.29   11.44 0.38   13.61 0.43
 *	libdeflate  6  10.76 0.52   11.29 0.48   13.45 0.59
 *	libdeflate  9  10.72 1.30   11.23 1.44   13.39 1.62
 *	libdeflate 12  10.36 4.15   10.85 5.21   12.96 5.64
 *
 * Level 6 is as small as zlib's best in a seventh of its time; what comes after costs twice the
 * time for each half percent of the file.
 */
#define GZIP_LEVEL 6

static uint64_t trailer_start(uint64_t original_size)
{
	return (original_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uint64_t get_le64(struct bytes trailer, uint64_t off)
{
	uint64_t value = 0;

	(void)bytes_le64(trailer, off, &value);
	return value;
}

static uint32_t get_le32(struct bytes trailer, uint64_t off)
{
	uint32_t value = 0;

	(void)bytes_le32(trailer, off, &value);
	return value;
}

static bool is_zero(struct bytes b)
{
	for (size_t i = 0; i < b.size; i++)
		if (b.data[i] != 0)
			return false;
	return true;
}

static bool is_in_order(struct bytes trailer)
{
	return bytes_match(trailer, TRAILER_MAGIC, magic, sizeof(magic)) &&
	       get_le32(trailer, TRAILER_VERSION) == VERSION &&
	       get_le32(trailer, TRAILER_LENGTH) == TRAILER_SIZE &&
	       get_le32(trailer, TRAILER_ZERO) == 0 &&
	       get_le32(trailer, TRAILER_CRC) == libdeflate_crc32(0, trailer.data, TRAILER_CRC);
}

/* The padding lies where the sizes say, and is what the format says. */
static bool is_padded(struct bytes file, uint64_t original_size, uint64_t trailer)
{
	struct bytes padding;

	return original_size <= trailer && trailer_start(original_size) == trailer &&
	       bytes_sub(file, original_size, trailer - original_size, &padding) &&
	       is_zero(padding);
}

bool hybrid_read(struct bytes file, struct hybrid *ret)
{
	struct hybrid hybrid = {.has_trailer = true};
	struct bzimage header;
	struct bytes trailer;

	if (bzimage_parse(file, &header, NULL) < 0 || header.payload_start < TRAILER_SIZE ||
	    header.payload_start + header.payload_size != file.size ||
	    !bytes_sub(file, header.payload_start - TRAILER_SIZE, TRAILER_SIZE, &trailer) ||
	    !is_in_order(trailer) || get_le64(trailer, TRAILER_FILE_SIZE) != file.size)
		return false;
	hybrid.original_size = get_le64(trailer, TRAILER_ORIGINAL_SIZE);
	if (hybrid.original_size < BZIMAGE_HEADER_SIZE ||
	    !is_padded(file, hybrid.original_size, header.payload_start - TRAILER_SIZE))
		return false;
	hybrid.payload_offset = get_le32(trailer, TRAILER_FIELDS);
	hybrid.payload_length = get_le32(trailer, TRAILER_FIELDS + 4);
	memcpy(hybrid.md5, trailer.data + TRAILER_MD5, sizeof(hybrid.md5));
	*ret = hybrid;
	return true;
}

static void md5(struct bytes b, uint8_t digest[MD5_DIGEST_LENGTH])
{
	MD5_CTX context;

	MD5Init(&context);
	MD5Update(&context, b.data, b.size);
	MD5Final(digest, &context);
}

static void put_le32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static void put_le64(uint8_t *at, uint64_t value)
{
	put_le32(at, (uint32_t)value);
	put_le32(at + 4, (uint32_t)(value >> 32));
}

int hybrid_cut(struct bytes file, uint8_t **ret, uint64_t *ret_size, struct pvk_error *err)
{
	_cleanup_free_ uint8_t *original = NULL;
	uint8_t digest[MD5_DIGEST_LENGTH];
	struct hybrid hybrid;

	if (!hybrid_read(file, &hybrid))
		return pvk_fail(err, PVK_E_FORMAT,
				"holds no packaged image: no hybrid of pvkprep's, or damaged");
	original = malloc((size_t)hybrid.original_size);
	if (!original)
		return pvk_fail(err, ENOMEM, "no memory for %s", text_size(hybrid.original_size).s);
	memcpy(original, file.data, (size_t)hybrid.original_size);
	put_le32(original + OFF_FIELDS, hybrid.payload_offset);
	put_le32(original + OFF_FIELDS + 4, hybrid.payload_length);
	md5(bytes_make(original, (size_t)hybrid.original_size), digest);
	if (memcmp(digest, hybrid.md5, sizeof(digest)) != 0)
		return pvk_fail(
			err, PVK_E_CORRUPT,
			"the packaged image in the hybrid is damaged: its MD5 sum is not the one that was noted");
	*ret = TAKE_PTR(original);
	*ret_size = hybrid.original_size;
	return 0;
}

uint64_t hybrid_size(uint64_t original_size, uint64_t gzip_size)
{
	return trailer_start(original_size) + TRAILER_SIZE + gzip_size;
}

int hybrid_check_size(struct bytes original, uint64_t gzip_size, struct pvk_error *err)
{
	const uint64_t size = hybrid_size(original.size, gzip_size);
	struct bzimage header;
	int r = bzimage_parse(original, &header, err);

	if (r < 0)
		return r;
	if (size > PVK_MAX_INPUT)
		return pvk_fail(err, PVK_E_UNSUPPORTED,
				"a hybrid of it would be %s large, over the limit of %s",
				text_size(size).s, text_size(PVK_MAX_INPUT).s);
	if (header.init_size > 0 && size - header.code_start > header.init_size)
		return pvk_fail(
			err, PVK_E_UNSUPPORTED,
			"a hybrid of it would be %s large, more than loaders outside of PV have room for (init_size, %u bytes)",
			text_size(size).s, header.init_size);
	return 0;
}

void hybrid_assemble(struct bytes original, struct bytes gzip, uint8_t *out)
{
	const uint64_t start = trailer_start(original.size);
	const uint64_t payload = start + TRAILER_SIZE;
	uint8_t *trailer = out + start;
	struct bzimage header = {0};

	(void)bzimage_parse(original, &header, NULL);
	memcpy(out, original.data, original.size);
	memset(out + original.size, 0, (size_t)(payload - original.size));
	memcpy(out + payload, gzip.data, gzip.size);

	memcpy(trailer + TRAILER_MAGIC, magic, sizeof(magic));
	put_le32(trailer + TRAILER_VERSION, VERSION);
	put_le32(trailer + TRAILER_LENGTH, TRAILER_SIZE);
	put_le64(trailer + TRAILER_ORIGINAL_SIZE, original.size);
	put_le64(trailer + TRAILER_FILE_SIZE, payload + gzip.size);
	memcpy(trailer + TRAILER_FIELDS, original.data + OFF_FIELDS, FIELDS_SIZE);
	md5(original, trailer + TRAILER_MD5);
	put_le32(trailer + TRAILER_CRC, libdeflate_crc32(0, trailer, TRAILER_CRC));

	put_le32(out + OFF_FIELDS, (uint32_t)(payload - header.code_start));
	put_le32(out + OFF_FIELDS + 4, (uint32_t)gzip.size);
}

uint64_t hybrid_gzip_bound(uint64_t size)
{
	return libdeflate_gzip_compress_bound(NULL, (size_t)size);
}

static void free_compressor(struct libdeflate_compressor **compressor)
{
	if (*compressor)
		libdeflate_free_compressor(*compressor);
}

int hybrid_gzip(struct bytes plain, uint8_t *out, uint64_t capacity, uint64_t *ret_size,
		struct pvk_error *err)
{
	_cleanup_(free_compressor) struct libdeflate_compressor *compressor =
		libdeflate_alloc_compressor(GZIP_LEVEL);
	size_t size;

	if (!compressor)
		return pvk_fail(err, ENOMEM, "no memory for the compressor");
	size = libdeflate_gzip_compress(compressor, plain.data, plain.size, out, (size_t)capacity);
	if (size == 0)
		return pvk_fail(err, PVK_E_LIMIT, "gzip makes more than %llu bytes of it",
				(unsigned long long)capacity);
	*ret_size = size;
	return 0;
}
