/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_lzma.c - .lzma ("alone") through liblzma. The format has no checksum: what is damaged may
 * still decode, to other bytes. Specification: xz, doc/lzma-file-format.txt.
 */
#include "decode_liblzma.h"

#include "../base/cleanup.h"

/* Section 1.1: properties (1), dictionary size (4), uncompressed size (8, all ones: unknown). */
#define LZMA_HEADER_SIZE 13
#define LZMA_DICT_OFFSET 1
#define LZMA_SIZE_OFFSET 5

/* Beside the dictionary: the probability tables, at their largest (lc + lp = 12). */
#define LZMA_STATE_SIZE (UINT64_C(6) << 20)

int decode_lzma(struct bytes in, struct decode_sink *sink, struct pvk_error *err)
{
	_cleanup_(end_lzma) lzma_stream lzma = LZMA_STREAM_INIT;
	lzma_ret rc;

	rc = lzma_alone_decoder(&lzma, sink->memory_limit);
	return decode_run_liblzma(&lzma, rc, "lzma", in, sink, err);
}

int lzma_stated_size(struct bytes in, uint64_t *ret_size, struct pvk_error *err)
{
	uint64_t size;

	if (in.size < LZMA_HEADER_SIZE || !bytes_le64(in, LZMA_SIZE_OFFSET, &size))
		return decode_fail_truncated("lzma", err);
	if (size == UINT64_MAX)
		return 0;
	*ret_size = size;
	return 1;
}

uint64_t lzma_stated_memory(struct bytes in)
{
	uint32_t dictionary;

	return bytes_le32(in, LZMA_DICT_OFFSET, &dictionary) ? dictionary + LZMA_STATE_SIZE : 0;
}
