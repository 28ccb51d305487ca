/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_xz.c - xz through liblzma: exactly one stream, without padding. Filters (x86 BCJ in
 * kernels) are liblzma's own business. Specification: "The .xz File Format" 1.2.0.
 */
#include "decode_liblzma.h"

#include <stdlib.h>

#include "../base/cleanup.h"

/* The index has a record per block. A kernel has one block; xz -T makes one per 3 dictionaries.
 * This is enough for some hundred thousand. */
#define XZ_INDEX_MEMORY (UINT64_C(16) << 20)

/* Stream header and stream footer. */
#define XZ_FRAME_SIZE ((size_t)2 * LZMA_STREAM_HEADER_SIZE)

static int fail_liblzma(const lzma_stream *lzma, lzma_ret rc, const char *name,
			const struct decode_sink *sink, struct pvk_error *err)
{
	switch (rc) {
	case LZMA_MEM_ERROR:
		return decode_fail_no_memory(name, err);
	case LZMA_MEMLIMIT_ERROR:
		return decode_fail_memory(name, lzma_memusage(lzma), sink, err);
	case LZMA_UNSUPPORTED_CHECK:
		return pvk_fail(err, PVK_E_UNSUPPORTED,
				"%s stream has a checksum of a kind that liblzma does not know",
				name);
	case LZMA_OPTIONS_ERROR:
		return pvk_fail(err, PVK_E_UNSUPPORTED,
				"%s stream uses a filter or option that liblzma does not know",
				name);
	default:
		return decode_fail_corrupt(name, "checksum or structure", err);
	}
}

int decode_run_liblzma(lzma_stream *lzma, lzma_ret rc, const char *name, struct bytes in,
		       struct decode_sink *sink, struct pvk_error *err)
{
	struct decode_pump pump;
	int more;

	if (rc != LZMA_OK)
		return fail_liblzma(lzma, rc, name, sink, err);

	decode_pump_init(&pump, name, in, sink);
	do {
		decode_pump_offer(&pump);
		lzma->next_in = pump.in;
		lzma->avail_in = pump.in_size;
		lzma->next_out = pump.out;
		lzma->avail_out = pump.out_size;
		rc = lzma_code(lzma, LZMA_RUN);
		/* LZMA_BUF_ERROR: nothing could be done, which book() sees by itself. */
		if (rc != LZMA_OK && rc != LZMA_BUF_ERROR && rc != LZMA_STREAM_END)
			return fail_liblzma(lzma, rc, name, sink, err);
		more = decode_pump_book(&pump, pump.in_size - lzma->avail_in,
					pump.out_size - lzma->avail_out, rc == LZMA_STREAM_END,
					err);
	} while (more > 0);
	return more;
}

int decode_xz(struct bytes in, struct decode_sink *sink, struct pvk_error *err)
{
	_cleanup_(end_lzma) lzma_stream lzma = LZMA_STREAM_INIT;
	lzma_ret rc;

	/* A check of unknown kind could not be verified, so it must not pass (the flag makes
	 * liblzma stop). Without LZMA_CONCATENATED it stops behind the first stream. */
	rc = lzma_stream_decoder(&lzma, sink->memory_limit, LZMA_TELL_UNSUPPORTED_CHECK);
	return decode_run_liblzma(&lzma, rc, "xz", in, sink, err);
}

static void end_index(lzma_index **index)
{
	lzma_index_end(*index, NULL);
}

/* Specification 2: stream header, blocks, index, stream footer, which says how long the index is.
 */
int xz_stated_size(struct bytes in, uint64_t *ret_size, struct pvk_error *err)
{
	_cleanup_(end_index) lzma_index *index = NULL;
	uint64_t memory_limit = XZ_INDEX_MEMORY;
	lzma_stream_flags footer;
	struct bytes tail, body;
	size_t pos = 0;
	lzma_ret rc;

	if (in.size < XZ_FRAME_SIZE ||
	    !bytes_sub(in, in.size - LZMA_STREAM_HEADER_SIZE, LZMA_STREAM_HEADER_SIZE, &tail))
		return decode_fail_truncated("xz", err);
	if (lzma_stream_footer_decode(&footer, tail.data) != LZMA_OK)
		return decode_fail_corrupt("xz", "stream footer", err);
	if (footer.backward_size > in.size - XZ_FRAME_SIZE ||
	    !bytes_sub(in, in.size - LZMA_STREAM_HEADER_SIZE - footer.backward_size,
		       footer.backward_size, &body))
		return decode_fail_corrupt("xz", "index outside of the stream", err);

	rc = lzma_index_buffer_decode(&index, &memory_limit, NULL, body.data, &pos, body.size);
	if (rc == LZMA_MEM_ERROR)
		return decode_fail_no_memory("xz", err);
	if (rc == LZMA_MEMLIMIT_ERROR)
		return pvk_fail(err, PVK_E_LIMIT, "xz stream has too many blocks");
	if (rc != LZMA_OK || pos != body.size || lzma_index_stream_size(index) != in.size)
		return decode_fail_corrupt("xz", "index", err);
	*ret_size = lzma_index_uncompressed_size(index);
	return 1;
}

static void free_filters(lzma_filter *filters)
{
	for (; filters->id != LZMA_VLI_UNKNOWN; filters++)
		free(filters->options);
}

/* Specification 3.1: the filters stand in the header of the first block. */
uint64_t xz_stated_memory(struct bytes in)
{
	lzma_filter filters[LZMA_FILTERS_MAX + 1] = {{.id = LZMA_VLI_UNKNOWN}};
	lzma_block block = {.version = 0, .filters = filters};
	lzma_stream_flags flags;
	struct bytes header;
	uint64_t memory;
	uint8_t first;

	if (in.size < LZMA_STREAM_HEADER_SIZE ||
	    lzma_stream_header_decode(&flags, in.data) != LZMA_OK ||
	    !bytes_u8(in, LZMA_STREAM_HEADER_SIZE, &first) || first == 0)
		return 0;
	block.check = flags.check;
	block.header_size = lzma_block_header_size_decode(first);
	if (!bytes_sub(in, LZMA_STREAM_HEADER_SIZE, block.header_size, &header) ||
	    lzma_block_header_decode(&block, NULL, header.data) != LZMA_OK)
		return 0;
	memory = lzma_raw_decoder_memusage(filters);
	free_filters(filters);
	return memory == UINT64_MAX ? 0 : memory;
}
