/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h - everything that is known of one kernel file: its container, its payload, and the ELF
 * inside. One fixed-size struct without pointers, so that the worker can send it through a pipe.
 *
 * Two steps, since the memory for the second comes from outside: image_identify() reads headers
 * only and says how large the decoded image will be; image_examine() decodes it and looks at the
 * ELF. Both are pure.
 */
#ifndef PVK_IMAGE_H
#define PVK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/bytes.h"
#include "../base/errors.h"
#include "decode.h"
#include "elfimage.h"
#include "hybrid.h"

enum image_container {
	IMAGE_UNKNOWN,	  /* nothing that a loader takes for a kernel */
	IMAGE_ELF,	  /* bare ELF: what pvkprep makes with format = elf */
	IMAGE_BZIMAGE,	  /* as distributions ship it */
	IMAGE_HYBRID,	  /* bzImage with a gzip'ed ELF appended and the header pointed at it */
	IMAGE_COMPRESSED, /* the whole file is one compressed stream */
	IMAGE_UKI,	  /* systemd-stub PE with a .linux section */
	IMAGE_ZBOOT,	  /* EFI zboot PE (not an x86 format) */
};

/* Loaders unpack gzip, xz and lzop around a file, each at most once (GRUB grub-core/kern/file.c).
 */
#define IMAGE_WRAPS_MAX 3

/* A stream around something else, or one with bytes behind it. */
struct image_wrap {
	enum codec codec;
	uint64_t plain_size;
	uint64_t decoder_memory; /* as in struct image */
	uint64_t trailing;	 /* bytes behind the stream */
	uint32_t last_word;	 /* of stream and trailing bytes: loaders take it for gzip's size */
};

struct image {
	enum image_container container;
	enum codec codec;	/* of the payload; CODEC_NONE: the payload is plain */
	uint64_t file_size;	/* bytes */
	uint64_t payload_start; /* the stream in the file, without the size word */
	uint64_t payload_size;
	uint64_t size_word; /* as declared behind the stream; 0 without has_size_word */
	bool has_size_word;
	uint64_t stub_end;	 /* bzImage: where setup and protected-mode code end; else 0 */
	uint64_t image_size;	 /* plain size: declared, and exact once is_examined; 0: unknown */
	uint64_t image_size_max; /* no more than this may come out */
	uint16_t protocol;	 /* bzImage only, else 0 */
	uint32_t init_size;	 /* bzImage only, else 0 */
	struct hybrid hybrid;	 /* what is known of the packaged image in a hybrid */
	uint64_t decoder_memory; /* xz, lzma: what the stream needs, bytes; 0: small or unknown */
	char version[256];	 /* kernel version text from the setup header or the banner */
	char detail[64];	 /* zboot: compression name; uki: payload of the kernel inside */
	/* Set by image_examine_layers() only, outermost first: then what is told above and below,
	 * but for file_size, is of what is inside them. */
	struct image_wrap wraps[IMAGE_WRAPS_MAX];
	uint8_t wrap_count;
	struct image_wrap payload_wrap; /* likewise: a gzip payload with bytes behind it */
	bool is_decoded; /* image_examine() got all bytes, with good checksums and size */
	bool is_elf;	 /* `elf` below is filled */
	struct elfimage elf;
	struct pvk_error problem; /* why is_decoded or is_elf is false; code 0: no problem */
};

/*
 * What a file is, by its headers. Always fills *ret; answers 0 if the file can be examined further
 * (ELF, bzImage, hybrid, compressed), and a negative PVK_E_* with the reason, also in
 * ret->problem, if not.
 */
int image_identify(struct bytes file, struct image *ret, struct pvk_error *err);

/*
 * Decodes the payload of a file that image_identify() took into sink (at least image_size bytes,
 * or image_size_max where image_size is 0), demands the exact size, and fills image->elf from the
 * result. The sink may be NULL where image_needs_sink() is false (bare ELF, plain payload).
 * *ret_elf is the ELF's bytes, inside `file` or the sink.
 *
 * Fails when the payload does not decode or is no ELF; an ELF that is merely not a good kernel is
 * a success: ask loaders.h.
 */
int image_examine(struct bytes file, struct decode_sink *sink, struct image *image,
		  struct bytes *ret_elf, struct pvk_error *err);

/*
 * The same for whom only the judgement counts, and as far as loaders go: a file that is compressed
 * as a whole and holds a bzImage or another stream is unpacked layer by layer, and bytes behind a
 * gzip stream are told instead of refused (`wraps`, `payload_wrap`). May be called with an image
 * that image_identify() refused, if image_may_have_layers(). The sink holds all layers one behind
 * the other; where it ends, they do.
 */
int image_examine_layers(struct bytes file, struct decode_sink *sink, struct image *image,
			 struct pvk_error *err);
bool image_may_have_layers(const struct image *image);

/* Is there a loader that unpacks such a stream where it is the whole file: GRUB's file filters? */
bool image_is_wrap(enum codec codec);

/* Of what the loaders find once the wraps are off. */
static inline uint64_t image_inner_size(const struct image *image)
{
	return image->wrap_count > 0 ? image->wraps[image->wrap_count - 1].plain_size
				     : image->file_size;
}

/*
 * Is the file as long as its own header says? A PV loader does not mind when what is missing lies
 * behind the payload; but such a file is damaged, and nothing to keep or to prepare from.
 */
int image_check_whole(const struct image *image, struct pvk_error *err);

/* Is the plain image a copy (decoded), not a part of the file as it is? */
static inline bool image_needs_sink(const struct image *image)
{
	return image->codec != CODEC_NONE;
}

/* "elf", "bzimage", "hybrid", "uki", "zboot", "unknown"; for a compressed file the codec's name. */
const char *image_container_name(const struct image *image);

/* "lz4", "zstd", ...; "none" for a plain payload. */
const char *image_payload_name(const struct image *image);

#endif
