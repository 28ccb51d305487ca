/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bzbuild.c - see bzbuild.h */
#include "bzbuild.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "elfbuild.h"

#define VERSION_POINTER 0x100 /* less 0x200, as the field has it */

static struct stream zeros(size_t size)
{
	struct stream stream = {.data = calloc(1, size), .size = size};

	assert(stream.data);
	return stream;
}

void bzbuild_set(struct stream *image, size_t offset, unsigned width, uint64_t value)
{
	assert(offset + width <= image->size);
	for (unsigned i = 0; i < width; i++)
		image->data[offset + i] = (uint8_t)(value >> (8 * i));
}

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

struct stream bzbuild_wrap(struct bytes payload)
{
	const size_t code = BZBUILD_STUB + payload.size + BZBUILD_STUB;
	struct stream image = zeros(BZBUILD_CODE + round_up(code, 16));

	memset(image.data + BZBUILD_CODE, 0x90, image.size - BZBUILD_CODE);
	memcpy(image.data + BZBUILD_PAYLOAD, payload.data, payload.size);
	memcpy(image.data + 0x200 + VERSION_POINTER, BZBUILD_VERSION, sizeof(BZBUILD_VERSION));
	bzbuild_set(&image, BZ_SETUP_SECTS, 1, BZBUILD_SETUP_SECTS);
	bzbuild_set(&image, BZ_SYSSIZE, 4, (image.size - BZBUILD_CODE) / 16);
	bzbuild_set(&image, BZ_BOOT_FLAG, 2, 0xaa55);
	memcpy(image.data + BZ_HDRS, "HdrS", 4);
	bzbuild_set(&image, BZ_PROTOCOL, 2, 0x020f);
	bzbuild_set(&image, BZ_KERNEL_VERSION, 2, VERSION_POINTER);
	bzbuild_set(&image, BZ_PAYLOAD_OFFSET, 4, BZBUILD_STUB);
	bzbuild_set(&image, BZ_PAYLOAD_LENGTH, 4, payload.size);
	bzbuild_set(&image, BZ_INIT_SIZE, 4, BZBUILD_INIT_SIZE);
	return image;
}

struct stream bzbuild_payload(enum codec codec, struct bytes plain)
{
	_cleanup_stream_ struct stream stream = {0};
	uint8_t word[4];

	if (codec == CODEC_NONE)
		return stream_copy(plain);
	stream = stream_encode(codec, plain);
	for (unsigned i = 0; i < sizeof(word); i++)
		word[i] = (uint8_t)(plain.size >> (8 * i));
	return stream_join(stream_view(&stream),
			   bytes_make(word, decoder_get(codec)->has_size_word ? sizeof(word) : 0));
}

struct stream bzbuild_hybrid(struct bytes bzimage, struct bytes gzip)
{
	const size_t start = round_up(bzimage.size, 16);
	struct stream image = zeros(start + gzip.size);

	memcpy(image.data, bzimage.data, bzimage.size);
	memcpy(image.data + start, gzip.data, gzip.size);
	bzbuild_set(&image, BZ_PAYLOAD_OFFSET, 4, start - BZBUILD_CODE);
	bzbuild_set(&image, BZ_PAYLOAD_LENGTH, 4, gzip.size);
	return image;
}

/* DOS header, "PE", COFF header without optional header, one row of the section table. */
struct stream bzbuild_pe(const char *section, struct bytes content)
{
	const size_t pe = 0x40, row = pe + 24, data = 0x200;
	struct stream image = zeros(data + round_up(content.size, 512));

	memcpy(image.data, "MZ", 2);
	bzbuild_set(&image, 0x3c, 4, pe);
	memcpy(image.data + pe, "PE\0\0", 4);
	bzbuild_set(&image, pe + 4, 2, 0x8664);
	bzbuild_set(&image, pe + 6, 2, 1);
	memcpy(image.data + row, section, strnlen(section, 8));
	bzbuild_set(&image, row + 8, 4, content.size);
	bzbuild_set(&image, row + 16, 4, round_up(content.size, 512));
	bzbuild_set(&image, row + 20, 4, data);
	memcpy(image.data + data, content.data, content.size);
	return image;
}

struct stream bzbuild_zboot(const char *compression)
{
	struct stream image = zeros(1024);

	memcpy(image.data, "MZ\0\0zimg", 8);
	bzbuild_set(&image, 8, 4, 0x200);
	bzbuild_set(&image, 12, 4, 0x100);
	memcpy(image.data + 24, compression, strlen(compression));
	return image;
}

struct stream bzbuild_elf(void)
{
	struct stream elf;
	struct elfbuild b;

	elfbuild_linux_6_1(&b);
	elf.data = elfbuild_make(&b, &elf.size);
	return elf;
}

struct stream bzbuild_kernel(enum codec codec)
{
	_cleanup_stream_ struct stream elf = bzbuild_elf();
	_cleanup_stream_ struct stream payload = bzbuild_payload(codec, stream_view(&elf));

	return bzbuild_wrap(stream_view(&payload));
}
