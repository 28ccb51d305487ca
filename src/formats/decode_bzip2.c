/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode_bzip2.c - bzip2 through libbz2: exactly one stream */
#include "decode_internal.h"

#include <bzlib.h>

#include "../base/cleanup.h"

/* bzip2(1), MEMORY MANAGEMENT: 100k + 4 x block size, the block at most 900k. */
#define BZIP2_MEMORY UINT64_C(3700000)

static void end_decompress(bz_stream *bz)
{
	(void)BZ2_bzDecompressEnd(bz);
}

static int fail_bzip2(int rc, struct pvk_error *err)
{
	if (rc == BZ_MEM_ERROR)
		return decode_fail_no_memory("bzip2", err);
	return decode_fail_corrupt("bzip2", "checksum or structure", err);
}

int decode_bzip2(struct bytes in, struct decode_sink *sink, struct pvk_error *err)
{
	_cleanup_(end_decompress) bz_stream bz = {0};
	struct decode_pump pump;
	int rc;

	rc = decode_check_memory("bzip2", BZIP2_MEMORY, sink, err);
	if (rc < 0)
		return rc;
	rc = BZ2_bzDecompressInit(&bz, 0, 0);
	if (rc != BZ_OK)
		return fail_bzip2(rc, err);

	decode_pump_init(&pump, "bzip2", in, sink);
	do {
		decode_pump_offer(&pump);
		/* libbz2 only reads there; its struct has no const. */
		bz.next_in = (char *)(uintptr_t)pump.in;
		bz.avail_in = (unsigned int)pump.in_size;
		bz.next_out = (char *)pump.out;
		bz.avail_out = (unsigned int)pump.out_size;
		rc = BZ2_bzDecompress(&bz);
		if (rc != BZ_OK && rc != BZ_STREAM_END)
			return fail_bzip2(rc, err);
		rc = decode_pump_book(&pump, pump.in_size - bz.avail_in,
				      pump.out_size - bz.avail_out, rc == BZ_STREAM_END, err);
	} while (rc > 0);
	return rc;
}
