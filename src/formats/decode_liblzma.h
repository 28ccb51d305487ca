/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode_liblzma.h - what decode_xz.c lends to decode_lzma.c; the only header with <lzma.h> */
#ifndef PVK_DECODE_LIBLZMA_H
#define PVK_DECODE_LIBLZMA_H

#include <lzma.h>

#include "decode_internal.h"

/* For _cleanup_: an lzma_stream that starts as LZMA_STREAM_INIT. */
static inline void end_lzma(lzma_stream *lzma)
{
	lzma_end(lzma);
}

/*
 * Runs a decoder that lzma_*_decoder() has just set up with the answer `rc`, to the end of its
 * one stream. The caller keeps `lzma` and ends it.
 */
int decode_run_liblzma(lzma_stream *lzma, lzma_ret rc, const char *name, struct bytes in,
		       struct decode_sink *sink, struct pvk_error *err);

#endif
