/* SPDX-License-Identifier: GPL-2.0-or-later */
/* streams.c - see streams.h */
#include "streams.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzo/lzo1x.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "../../src/base/cleanup.h"

/* Room for any encoder here: none grows its input by more than a hundredth and some headers. */
#define ROOM(size) ((size) + (size) / 50 + 4096)

#define LZ4_LEGACY_BLOCK (8u << 20)
#define LZOP_BLOCK	 (256u << 10)

#define must(condition)                                                                    \
	do {                                                                               \
		if (!(condition)) {                                                        \
			(void)fprintf(stderr, "streams.c:%d: %s\n", __LINE__, #condition); \
			abort();                                                           \
		}                                                                          \
	} while (0)

static struct stream new_stream(size_t room)
{
	struct stream stream = {.data = malloc(room > 0 ? room : 1)};

	must(stream.data);
	return stream;
}

void stream_done(struct stream *stream)
{
	free(stream->data);
	*stream = (struct stream){0};
}

static void append(struct stream *stream, const void *data, size_t size)
{
	if (size > 0)
		memcpy(stream->data + stream->size, data, size);
	stream->size += size;
}

static void append_be32(struct stream *stream, uint32_t value)
{
	uint8_t b[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
			(uint8_t)value};

	append(stream, b, sizeof(b));
}

static void append_le32(struct stream *stream, uint32_t value)
{
	append_be32(stream, __builtin_bswap32(value));
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

struct stream stream_copy(struct bytes b)
{
	return stream_join(b, bytes_make(NULL, 0));
}

struct stream stream_join(struct bytes first, struct bytes second)
{
	struct stream joined = new_stream(first.size + second.size);

	append(&joined, first.data, first.size);
	append(&joined, second.data, second.size);
	return joined;
}

/* e8, a relative address of four bytes, three nops; and again. */
static uint8_t byte_of_calls(size_t i)
{
	if (i % 8 == 0)
		return 0xe8;
	if (i % 8 > 4)
		return 0x90;
	return (uint8_t)((0x123456 - i) >> (i % 8 - 1) * 8);
}

struct stream stream_plain(size_t size)
{
	static const char text[] = "Linux version 6.1.0 (debian-kernel@lists.debian.org) #1 SMP ";
	struct stream plain = new_stream(size);
	uint32_t noise = 1;

	for (size_t i = 0; i < size; i++) {
		noise = noise * 1664525 + 1013904223;
		switch (i / 64 % 4) {
		case 0:
			plain.data[i] = (uint8_t)text[i % (sizeof(text) - 1)];
			break;
		case 1:
			plain.data[i] = byte_of_calls(i);
			break;
		case 2:
			plain.data[i] = (uint8_t)(noise >> 24);
			break;
		default:
			plain.data[i] = 0;
			break;
		}
	}
	plain.size = size;
	return plain;
}

static struct stream encode_gzip(struct bytes plain, gz_header *header)
{
	struct stream stream = new_stream(ROOM(plain.size));
	z_stream z = {0};

	must(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	if (header)
		must(deflateSetHeader(&z, header) == Z_OK);
	z.next_in = plain.data;
	z.avail_in = (uInt)plain.size;
	z.next_out = stream.data;
	z.avail_out = (uInt)ROOM(plain.size);
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	stream.size = z.total_out;
	must(deflateEnd(&z) == Z_OK);
	return stream;
}

struct stream stream_encode_gzip_dressed(struct bytes plain)
{
	uint8_t extra[] = "extra", name[] = "vmlinux.bin", comment[] = "comment";
	gz_header header = {
		.time = 1,
		.os = 3,
		.extra = extra,
		.extra_len = sizeof(extra),
		.name = name,
		.comment = comment,
		.hcrc = 1,
	};

	return encode_gzip(plain, &header);
}

static struct stream encode_bzip2(struct bytes plain)
{
	struct stream stream = new_stream(ROOM(plain.size));
	unsigned int size = (unsigned int)ROOM(plain.size);
	char nothing = 0;

	/* The cast takes away a const that libbz2's interface lacks; it only reads there. */
	must(BZ2_bzBuffToBuffCompress((char *)stream.data, &size,
				      plain.size > 0 ? (char *)(uintptr_t)plain.data : &nothing,
				      (unsigned int)plain.size, 9, 0, 0) == BZ_OK);
	stream.size = size;
	return stream;
}

/* Runs an encoder over `plain`; with `block`, liblzma is told to end a block every so often. */
static struct stream run_liblzma(lzma_stream *lzma, struct bytes plain, size_t block)
{
	struct stream stream = new_stream(ROOM(plain.size));
	size_t done = 0;
	lzma_ret rc;

	lzma->next_out = stream.data;
	lzma->avail_out = ROOM(plain.size);
	do {
		size_t part = block > 0 ? smaller(block, plain.size - done) : plain.size - done;
		bool is_last = done + part == plain.size;

		lzma->next_in = plain.data + done;
		lzma->avail_in = part;
		rc = lzma_code(lzma, is_last ? LZMA_FINISH : LZMA_FULL_FLUSH);
		must(rc == LZMA_STREAM_END && lzma->avail_in == 0);
		done += part;
	} while (done < plain.size);
	stream.size = (size_t)lzma->total_out;
	lzma_end(lzma);
	return stream;
}

static lzma_options_lzma lzma_options(uint32_t dictionary)
{
	lzma_options_lzma options;

	/* The fast mode with hash chains needs the least memory per byte of dictionary. */
	must(!lzma_lzma_preset(&options, 0));
	options.dict_size = dictionary;
	return options;
}

struct stream stream_encode_xz(struct bytes plain, const struct xz_options *options)
{
	lzma_options_lzma lzma2 = lzma_options(options->dictionary);
	lzma_filter filters[3] = {{.id = LZMA_FILTER_X86},
				  {.id = LZMA_FILTER_LZMA2, .options = &lzma2},
				  {.id = LZMA_VLI_UNKNOWN}};
	lzma_stream lzma = LZMA_STREAM_INIT;

	must(lzma_stream_encoder(&lzma, filters + (options->x86 ? 0 : 1), options->check) ==
	     LZMA_OK);
	return run_liblzma(&lzma, plain, options->block);
}

static struct stream encode_lzma(struct bytes plain)
{
	lzma_options_lzma options = lzma_options(1u << 20);
	lzma_stream lzma = LZMA_STREAM_INIT;

	must(lzma_alone_encoder(&lzma, &options) == LZMA_OK);
	return run_liblzma(&lzma, plain, 0);
}

#ifdef LZMA_FILTER_LZMA1EXT
struct stream stream_encode_lzma_sized(struct bytes plain)
{
	lzma_options_lzma options = lzma_options(1u << 20);
	lzma_filter filters[2] = {{.id = LZMA_FILTER_LZMA1EXT, .options = &options},
				  {.id = LZMA_VLI_UNKNOWN}};
	lzma_stream lzma = LZMA_STREAM_INIT;
	struct stream header = new_stream(13);
	struct stream body, whole;

	options.ext_flags = 0; /* no end marker */
	lzma_set_ext_size(options, plain.size);
	must(lzma_raw_encoder(&lzma, filters) == LZMA_OK);
	body = run_liblzma(&lzma, plain, 0);

	append(&header, "\x5d", 1); /* lc 3, lp 0, pb 2 */
	append_le32(&header, options.dict_size);
	append_le32(&header, (uint32_t)plain.size);
	append_le32(&header, 0);
	whole = stream_join(stream_view(&header), stream_view(&body));
	stream_done(&header);
	stream_done(&body);
	return whole;
}
#endif

static struct stream encode_lz4_legacy(struct bytes plain)
{
	struct stream stream = new_stream(ROOM(plain.size));

	append_le32(&stream, 0x184c2102);
	for (size_t done = 0; done < plain.size; done += LZ4_LEGACY_BLOCK) {
		int part = (int)smaller(LZ4_LEGACY_BLOCK, plain.size - done);
		int size = LZ4_compress_default(
			(const char *)plain.data + done, (char *)stream.data + stream.size + 4,
			part, (int)smaller(ROOM(plain.size) - stream.size - 4, 1u << 30));

		must(size > 0);
		append_le32(&stream, (uint32_t)size);
		stream.size += (size_t)size;
	}
	return stream;
}

struct stream stream_encode_lz4_frame(struct bytes plain, unsigned flags, bool linked)
{
	LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
	struct stream stream;
	size_t size;

	preferences.frameInfo.blockSizeID = linked ? LZ4F_max64KB : LZ4F_max4MB;
	preferences.frameInfo.blockMode = linked ? LZ4F_blockLinked : LZ4F_blockIndependent;
	if (!linked)
		preferences.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
	if (flags & STREAM_CHECKSUM)
		preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	if (flags & STREAM_SIZE)
		preferences.frameInfo.contentSize = plain.size;

	size = LZ4F_compressFrameBound(plain.size, &preferences);
	stream = new_stream(size);
	stream.size = LZ4F_compressFrame(stream.data, size, plain.data, plain.size, &preferences);
	must(!LZ4F_isError(stream.size));
	return stream;
}

/* As the tool does from a pipe: it does not know the size when it begins. */
struct stream stream_encode_zstd(struct bytes plain, unsigned flags, int window_log)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();
	struct stream stream = new_stream(ROOM(plain.size));
	ZSTD_inBuffer in = {.src = plain.data, .size = plain.size};
	ZSTD_outBuffer out = {.dst = stream.data, .size = ROOM(plain.size)};

	must(cctx);
	(void)ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, 1);
	(void)ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, window_log);
	(void)ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, (flags & STREAM_CHECKSUM) != 0);
	(void)ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, (flags & STREAM_SIZE) != 0);
	if (flags & STREAM_SIZE)
		must(!ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(cctx, plain.size)));
	while (in.pos < in.size)
		must(!ZSTD_isError(ZSTD_compressStream2(cctx, &out, &in, ZSTD_e_continue)));
	must(ZSTD_compressStream2(cctx, &out, &in, ZSTD_e_end) == 0);
	stream.size = out.pos;
	(void)ZSTD_freeCCtx(cctx);
	return stream;
}

static void append_lzop_sum(struct stream *stream, uint32_t flags, uint32_t adler_flag,
			    uint32_t crc_flag, const uint8_t *data, size_t size)
{
	if (flags & adler_flag)
		append_be32(stream, lzo_adler32(1, data, size));
	if (flags & crc_flag)
		append_be32(stream, lzo_crc32(0, data, size));
}

static void append_lzop_block(struct stream *stream, uint32_t flags, const uint8_t *data,
			      size_t size)
{
	_cleanup_free_ uint8_t *work = malloc(LZO1X_1_MEM_COMPRESS);
	_cleanup_free_ uint8_t *packed = malloc(ROOM(size));
	lzo_uint packed_size = ROOM(size);
	bool is_stored;

	must(work && packed);
	must(lzo1x_1_compress(data, size, packed, &packed_size, work) == LZO_E_OK);
	is_stored = packed_size >= size;
	append_be32(stream, (uint32_t)size);
	append_be32(stream, (uint32_t)(is_stored ? size : packed_size));
	append_lzop_sum(stream, flags, 0x0001, 0x0100, data, size);
	if (!is_stored)
		append_lzop_sum(stream, flags, 0x0002, 0x0200, packed, packed_size);
	append(stream, is_stored ? data : packed, is_stored ? size : packed_size);
}

struct stream stream_encode_lzo(struct bytes plain, uint32_t flags)
{
	struct stream stream = new_stream(ROOM(plain.size));
	const uint8_t *header;

	must(lzo_init() == LZO_E_OK);
	append(&stream, "\x89LZO\0\r\n\x1a\n", 9);
	header = stream.data + stream.size;
	append(&stream, "\x10\x40\x20\xa0\x09\x40\x03\x09", 8); /* versions, method, level */
	append_be32(&stream, flags);
	append_be32(&stream, 0100644);
	append_be32(&stream, 0); /* time */
	append_be32(&stream, 0);
	append(&stream,
	       "\x03"
	       "vml",
	       4);
	append_lzop_sum(&stream, flags & 0x1000 ? 2 : 1, 1, 2, header,
			(size_t)(stream.data + stream.size - header));

	for (size_t done = 0; done < plain.size; done += LZOP_BLOCK)
		append_lzop_block(&stream, flags, plain.data + done,
				  smaller(LZOP_BLOCK, plain.size - done));
	append_be32(&stream, 0);
	return stream;
}

struct stream stream_encode(enum codec codec, struct bytes plain)
{
	static const struct xz_options kernel = {
		.check = LZMA_CHECK_CRC32, .dictionary = 1u << 20, .x86 = true};

	switch (codec) {
	case CODEC_GZIP:
		return encode_gzip(plain, NULL);
	case CODEC_BZIP2:
		return encode_bzip2(plain);
	case CODEC_LZMA:
		return encode_lzma(plain);
	case CODEC_XZ:
		return stream_encode_xz(plain, &kernel);
	case CODEC_LZO:
		return stream_encode_lzo(plain, 0x0001);
	case CODEC_LZ4_LEGACY:
		return encode_lz4_legacy(plain);
	case CODEC_LZ4_FRAME:
		return stream_encode_lz4_frame(plain, STREAM_CHECKSUM, true);
	case CODEC_ZSTD:
		return stream_encode_zstd(plain, STREAM_CHECKSUM, 0);
	case CODEC_NONE:
	case CODEC_COUNT:
		break;
	}
	return stream_copy(plain);
}

struct stream stream_from_command(const char *command, struct bytes plain)
{
	struct stream stream = new_stream(ROOM(plain.size));
	_cleanup_fclose_ FILE *input = tmpfile();
	char line[512];
	FILE *output;

	must(input);
	must(fwrite(plain.data, 1, plain.size, input) == plain.size && fflush(input) == 0);
	(void)snprintf(line, sizeof(line), "%s </dev/fd/%d", command, fileno(input));
	output = popen(line, "r");
	must(output);
	stream.size = fread(stream.data, 1, ROOM(plain.size), output);
	if (pclose(output) != 0) {
		(void)fprintf(stderr, "failed, or not installed: %s\n", command);
		abort();
	}
	return stream;
}
