/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * streams.h - compressed streams for tests, made by the libraries' own encoders or by the codecs'
 * command line tools. Whatever goes wrong here aborts the test program.
 */
#ifndef PVK_TESTS_STREAMS_H
#define PVK_TESTS_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include <lzma.h>

#include "../../src/base/bytes.h"
#include "../../src/formats/decode.h"

/* Owned bytes, of a stream or of anything else. */
struct stream {
	uint8_t *data;
	size_t size;
};

void stream_done(struct stream *stream);

#define _cleanup_stream_ __attribute__((cleanup(stream_done)))

static inline struct bytes stream_view(const struct stream *stream)
{
	return bytes_make(stream->data, stream->size);
}

/* Plain content as in a kernel: zeros, text, calls, and a quarter of noise; the same each time. */
struct stream stream_plain(size_t size);

struct stream stream_copy(struct bytes b);
struct stream stream_join(struct bytes first, struct bytes second);

/* What the kernel build makes, in small (fast encoder settings, small dictionaries). */
struct stream stream_encode(enum codec codec, struct bytes plain);

struct xz_options {
	lzma_check check;
	uint32_t dictionary; /* bytes */
	size_t block;	     /* plain bytes of a block; 0: all in one */
	bool x86;
};
struct stream stream_encode_xz(struct bytes plain, const struct xz_options *options);

/* .lzma with the size in its header and no end marker; needs liblzma 5.4. */
#ifdef LZMA_FILTER_LZMA1EXT
struct stream stream_encode_lzma_sized(struct bytes plain);
#endif

/* The two flags of the container that the encoders below know. */
#define STREAM_CHECKSUM 1u
#define STREAM_SIZE	2u

/* `flags`: STREAM_*; `window_log`: 0, the level's own. */
struct stream stream_encode_zstd(struct bytes plain, unsigned flags, int window_log);

/* `flags`: STREAM_*. Blocks of 64 KiB, linked; or of 4 MiB, independent, with checksums. */
struct stream stream_encode_lz4_frame(struct bytes plain, unsigned flags, bool linked);

/* `flags`: those of lzop's header that announce checksums. */
#define LZOP_ALL_CHECKSUMS 0x1303u
struct stream stream_encode_lzo(struct bytes plain, uint32_t flags);

/* A gzip member with every optional header field: extra, name, comment, header checksum. */
struct stream stream_encode_gzip_dressed(struct bytes plain);

/* What `command` (for a shell) makes of `plain` on its standard input. */
struct stream stream_from_command(const char *command, struct bytes plain);

#endif
