/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_layers.c - image_examine_layers(), see image.h: streams around streams, and bytes behind
 * them. */
#include "image.h"

bool image_is_wrap(enum codec codec)
{
	return codec == CODEC_GZIP || codec == CODEC_XZ || codec == CODEC_LZO;
}

bool image_may_have_layers(const struct image *image)
{
	const int problem = image->problem.code;
	/* gzip's own idea of its size comes last, so what follows it also makes it wrong. */
	const bool is_odd_gzip =
		image->codec == CODEC_GZIP &&
		(problem == PVK_E_TRAILING || problem == PVK_E_SIZE || problem == PVK_E_LIMIT);

	if (image->container == IMAGE_COMPRESSED && image_is_wrap(image->codec))
		return is_odd_gzip || (problem == PVK_E_FORMAT && image->is_decoded);
	return is_odd_gzip &&
	       (image->container == IMAGE_BZIMAGE || image->container == IMAGE_HYBRID);
}

/* Decodes at the beginning of the room that is left, and takes it away from there. What follows a
 * gzip stream is told; behind the others it is an error, as for the loaders. */
static int unwrap(struct bytes in, enum codec codec, struct decode_sink *room,
		  struct image_wrap *ret, struct bytes *ret_plain, struct pvk_error *err)
{
	const struct decoder *decoder = decoder_get(codec);
	struct image_wrap wrap = {.codec = codec};
	struct decode_sink sink = *room;
	int r = decoder->decode(in, &sink, err);

	if (r < 0 && (r != -PVK_E_TRAILING || codec != CODEC_GZIP))
		return r;
	wrap.plain_size = sink.length;
	wrap.trailing = in.size - sink.taken;
	if (decoder->stated_memory)
		wrap.decoder_memory = decoder->stated_memory(in);
	(void)bytes_le32(in, in.size - sizeof(uint32_t), &wrap.last_word);
	*ret_plain = bytes_make(sink.data, sink.length);
	room->data += sink.length;
	room->capacity -= sink.length;
	*ret = wrap;
	return 0;
}

/* The gzip payload of a bzImage, with bytes behind the stream. */
static int examine_payload(struct bytes view, struct decode_sink *room, struct image *image,
			   struct pvk_error *err)
{
	struct bytes payload, plain;
	int r;

	if (!bytes_sub(view, image->payload_start, image->payload_size, &payload))
		return pvk_fail(err, PVK_E_TRUNCATED, "payload lies outside the file");
	r = unwrap(payload, CODEC_GZIP, room, &image->payload_wrap, &plain, err);
	if (r == 0)
		r = elfimage_examine(plain, &image->elf, err);
	if (r < 0)
		return r;
	image->image_size = image->image_size_max = plain.size;
	image->is_decoded = image->is_elf = true;
	image->problem = (struct pvk_error){0};
	return 0;
}

static int examine_inside(struct bytes view, struct decode_sink *room, struct image *inner,
			  struct pvk_error *err)
{
	struct decode_sink sink = *room;
	struct bytes elf;
	int r;

	if (inner->container == IMAGE_COMPRESSED)
		return pvk_fail(&inner->problem, PVK_E_FORMAT, "holds a %s stream",
				codec_name(inner->codec));
	r = inner->problem.code ? -inner->problem.code
				: image_examine(view, &sink, inner, &elf, err);
	return r < 0 && image_may_have_layers(inner) ? examine_payload(view, room, inner, err) : r;
}

/* Stream by stream, to what is no stream or cannot be unpacked. */
static int examine_wrapped(struct bytes file, struct decode_sink *room, struct image *image,
			   struct pvk_error *err)
{
	struct image_wrap wraps[IMAGE_WRAPS_MAX];
	struct image inner = *image;
	struct bytes view = file, plain;
	uint8_t count = 0;
	int r;

	do {
		r = unwrap(view, inner.codec, room, &wraps[count], &plain, err);
		if (r < 0)
			break;
		count++;
		view = plain;
		(void)image_identify(view, &inner, NULL);
	} while (inner.container == IMAGE_COMPRESSED && image_is_wrap(inner.codec) &&
		 count < IMAGE_WRAPS_MAX);
	if (count == 0)
		return r;
	r = examine_inside(view, room, &inner, err);
	inner.file_size = file.size;
	inner.wrap_count = count;
	for (uint8_t i = 0; i < count; i++)
		inner.wraps[i] = wraps[i];
	*image = inner;
	return r;
}

int image_examine_layers(struct bytes file, struct decode_sink *sink, struct image *image,
			 struct pvk_error *err)
{
	struct decode_sink room = *sink, once = *sink;
	struct pvk_error problem = {0};
	struct bytes elf;
	int r;

	r = image->problem.code ? -image->problem.code
				: image_examine(file, &once, image, &elf, &problem);
	if (r < 0 && image_may_have_layers(image))
		r = image->container == IMAGE_COMPRESSED
			    ? examine_wrapped(file, &room, image, &problem)
			    : examine_payload(file, &room, image, &problem);
	if (r == 0)
		return 0;
	if (image->problem.code == 0)
		image->problem = problem;
	if (err)
		*err = image->problem;
	return -image->problem.code;
}
