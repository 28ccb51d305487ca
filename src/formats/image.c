/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c - see image.h */
#include "image.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bzimage.h"
#include "limits.h"
#include "peimage.h"

/* The kernel build appends the plain size to every payload but gzip (scripts/Makefile.lib). */
#define SIZE_WORD 4

static int take_problem(struct image *image, const struct pvk_error *problem, struct pvk_error *err)
{
	image->problem = *problem;
	if (err)
		*err = *problem;
	return -problem->code;
}

/* Cuts the size word off the payload and holds it against what the header allows. */
static int read_size_word(struct bytes file, struct image *image, struct pvk_error *err)
{
	uint32_t word = 0;

	if (image->payload_size <= SIZE_WORD)
		return pvk_fail(err, PVK_E_TRUNCATED, "payload is too short for its size word");
	image->payload_size -= SIZE_WORD;
	(void)bytes_le32(file, image->payload_start + image->payload_size, &word);
	image->has_size_word = true;
	image->size_word = word;
	image->image_size = word;
	return 0;
}

static int check_image_size(const struct image *image, struct pvk_error *err)
{
	const char *source = image->has_size_word ? "size word" : "stream";

	if (image->has_size_word && image->image_size == 0)
		return pvk_fail(err, PVK_E_SIZE, "size word of the %s payload is 0",
				codec_name(image->codec));
	/* The kernel unpacks itself inside init_size bytes, so no sound payload is larger. */
	if (image->init_size > 0 && image->image_size > image->init_size)
		return pvk_fail(
			err, PVK_E_SIZE,
			"%s of the %s payload says %llu bytes, more than the kernel's own limit (init_size, %u bytes)",
			source, codec_name(image->codec), (unsigned long long)image->image_size,
			image->init_size);
	if (image->image_size > PVK_MAX_OUTPUT)
		return pvk_fail(err, PVK_E_LIMIT,
				"%s of the %s payload says %llu bytes, over the limit of %llu",
				source, codec_name(image->codec),
				(unsigned long long)image->image_size,
				(unsigned long long)PVK_MAX_OUTPUT);
	return 0;
}

/* Does the stream reach to the end of the payload, so that no size word can be behind it? */
static bool fills_payload(const struct decoder *decoder, struct bytes payload)
{
	uint64_t length;

	return decoder->stated_length && decoder->stated_length(payload, &length) > 0 &&
	       length == payload.size;
}

/* Finds out how large the stream at payload_start will be, as far as it can be known. */
static int size_payload(struct bytes file, struct image *image, struct pvk_error *err)
{
	const struct decoder *decoder = decoder_get(image->codec);
	struct bytes stream = {0};
	int r;

	if (!decoder) {
		image->image_size = image->payload_size;
		image->image_size_max = image->payload_size;
		return 0;
	}
	(void)bytes_sub(file, image->payload_start, image->payload_size, &stream);
	if (decoder->stated_memory)
		image->decoder_memory = decoder->stated_memory(stream);
	if (image->container == IMAGE_BZIMAGE && decoder->has_size_word &&
	    !fills_payload(decoder, stream)) {
		r = read_size_word(file, image, err);
		if (r < 0)
			return r;
	} else if (decoder->stated_size) {
		r = decoder->stated_size(stream, &image->image_size, err);
		if (r < 0)
			return r;
	}
	r = check_image_size(image, err);
	if (r < 0)
		return r;
	image->image_size_max = PVK_MAX_OUTPUT;
	if (image->image_size > 0)
		image->image_size_max = image->image_size;
	else if (image->init_size > 0 && image->init_size < PVK_MAX_OUTPUT)
		image->image_size_max = image->init_size;
	return 0;
}

static int identify_bzimage(struct bytes file, struct image *image, struct pvk_error *err)
{
	const struct decoder *decoder;
	struct bzimage header;
	struct bytes payload = {0};
	int r;

	image->container = IMAGE_BZIMAGE;
	/* Told also when the rest is refused: which protocol it was decides a loader's words. */
	(void)bytes_le16(file, BZIMAGE_OFF_PROTOCOL, &image->protocol);
	r = bzimage_parse(file, &header, err);
	if (r < 0)
		return r;
	image->init_size = header.init_size;
	image->payload_start = header.payload_start;
	image->payload_size = header.payload_size;
	image->stub_end = header.stub_end;
	memcpy(image->version, header.version, sizeof(header.version));
	(void)bytes_sub(file, image->payload_start, image->payload_size, &payload);
	assert(payload.data); /* bzimage_parse() has looked */
	decoder = decoder_find(payload);
	if (decoder)
		image->codec = decoder->codec;
	else if (!elfimage_is(payload))
		return pvk_fail(
			err, PVK_E_FORMAT,
			"cannot read bzImage: payload begins with %02x %02x %02x %02x, no compression that Linux uses",
			payload.data[0], payload.data[1], payload.data[2], payload.data[3]);
	/* No loader reads syssize: a packaged kernel with a wrong one stays what it is. */
	if (header.is_hybrid && image->codec == CODEC_GZIP) {
		image->container = IMAGE_HYBRID;
		(void)hybrid_read(file, &image->hybrid);
	}
	return size_payload(file, image, err);
}

static void name_inner_payload(struct bytes linux_section, struct image *image)
{
	struct image inner;

	if (bzimage_is(linux_section)) {
		memset(&inner, 0, sizeof(inner));
		(void)identify_bzimage(linux_section, &inner, NULL);
		(void)snprintf(image->detail, sizeof(image->detail), "bzImage with %s payload",
			       codec_name(inner.codec));
		memcpy(image->version, inner.version, sizeof(image->version));
	} else {
		(void)snprintf(image->detail, sizeof(image->detail), "no bzImage inside");
	}
}

static int identify_unusable(struct bytes file, struct image *image, struct pvk_error *err)
{
	struct bytes section;

	if (peimage_is_zboot(file, image->detail)) {
		image->container = IMAGE_ZBOOT;
		return pvk_fail(err, PVK_E_UNSUPPORTED,
				"is an EFI zboot image, not an x86 kernel: no PV loader reads it");
	}
	if (peimage_find_linux(file, &section)) {
		image->container = IMAGE_UKI;
		name_inner_payload(section, image);
		return pvk_fail(
			err, PVK_E_UNSUPPORTED,
			"is a unified kernel image (UKI): no PV loader reads it; install the plain kernel image");
	}
	if (file.size == 0)
		return pvk_fail(err, PVK_E_FORMAT, "file is empty");
	return pvk_fail(err, PVK_E_FORMAT,
			"not a kernel image: neither ELF nor bzImage nor a compressed stream");
}

static int identify(struct bytes file, struct image *image, struct pvk_error *err)
{
	const struct decoder *decoder;

	image->payload_size = file.size;
	if (elfimage_is(file)) {
		image->container = IMAGE_ELF;
		return size_payload(file, image, err);
	}
	if (bzimage_is(file))
		return identify_bzimage(file, image, err);
	decoder = decoder_find(file);
	if (!decoder)
		return identify_unusable(file, image, err);
	image->container = IMAGE_COMPRESSED;
	image->codec = decoder->codec;
	return size_payload(file, image, err);
}

int image_identify(struct bytes file, struct image *ret, struct pvk_error *err)
{
	struct pvk_error problem = {0};
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->file_size = file.size;
	r = identify(file, ret, &problem);
	return r < 0 ? take_problem(ret, &problem, err) : 0;
}

static int decode_payload(struct bytes file, struct decode_sink *sink, struct image *image,
			  struct pvk_error *err)
{
	const struct decoder *decoder = decoder_get(image->codec);
	struct bytes stream = {0};
	int r;

	if (sink->capacity > image->image_size_max)
		sink->capacity = (size_t)image->image_size_max;
	(void)bytes_sub(file, image->payload_start, image->payload_size, &stream);
	r = decoder->decode(stream, sink, err);
	if (r < 0 && sink->is_full && sink->capacity == image->image_size)
		return pvk_fail(err, PVK_E_SIZE,
				"%s payload decodes to more than the %llu bytes that it declares",
				decoder->name, (unsigned long long)image->image_size);
	if (r < 0)
		return r;
	if (image->image_size > 0 && sink->length != image->image_size)
		return pvk_fail(err, PVK_E_SIZE,
				"%s payload decodes to %zu bytes, but declares %llu", decoder->name,
				sink->length, (unsigned long long)image->image_size);
	image->image_size = sink->length;
	return 0;
}

static int examine(struct bytes file, struct decode_sink *sink, struct image *image,
		   struct bytes *ret_elf, struct pvk_error *err)
{
	struct bytes plain;
	int r;

	if (image_needs_sink(image)) {
		r = decode_payload(file, sink, image, err);
		if (r < 0)
			return r;
		plain = bytes_make(sink->data, sink->length);
	} else if (!bytes_sub(file, image->payload_start, image->payload_size, &plain)) {
		return pvk_fail(err, PVK_E_TRUNCATED, "payload lies outside the file");
	}
	image->is_decoded = true;
	if (!elfimage_is(plain))
		return pvk_fail(err, PVK_E_FORMAT, "%s payload is no ELF image%s",
				codec_name(image->codec),
				bzimage_is(plain) ? " (a bzImage inside another container)" : "");
	r = elfimage_examine(plain, &image->elf, err);
	if (r < 0)
		return r;
	image->is_elf = true;
	*ret_elf = plain;
	return 0;
}

int image_examine(struct bytes file, struct decode_sink *sink, struct image *image,
		  struct bytes *ret_elf, struct pvk_error *err)
{
	struct pvk_error problem = {0};
	int r;

	r = examine(file, sink, image, ret_elf, &problem);
	if (r < 0)
		return take_problem(image, &problem, err);
	if (image->version[0] == '\0')
		memcpy(image->version, image->elf.kernel_version, sizeof(image->version));
	return 0;
}

int image_check_whole(const struct image *image, struct pvk_error *err)
{
	if (image->stub_end <= image_inner_size(image))
		return 0;
	return pvk_fail(err, PVK_E_TRUNCATED,
			"cannot read bzImage: it is cut short, %llu bytes of at least %llu",
			(unsigned long long)image->file_size, (unsigned long long)image->stub_end);
}

const char *image_container_name(const struct image *image)
{
	if (image->wrap_count > 0)
		return codec_name(image->wraps[0].codec);
	switch (image->container) {
	case IMAGE_ELF:
		return "elf";
	case IMAGE_BZIMAGE:
		return "bzimage";
	case IMAGE_HYBRID:
		return "hybrid";
	case IMAGE_COMPRESSED:
		return codec_name(image->codec);
	case IMAGE_UKI:
		return "uki";
	case IMAGE_ZBOOT:
		return "zboot";
	case IMAGE_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *image_payload_name(const struct image *image)
{
	return codec_name(image->codec);
}
