/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first byte chooses the codec, the rest is its stream. */
#include <assert.h>

#include "../../src/formats/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM (1u << 20)

static uint8_t output[ROOM];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_sink sink = {.data = output, .capacity = ROOM, .memory_limit = 64u << 20};
	const struct decoder *decoder =
		size > 0 ? decoder_get(CODEC_GZIP + data[0] % (CODEC_COUNT - 1)) : NULL;
	uint64_t stated;

	if (!decoder)
		return 0;
	if (decoder->stated_size)
		(void)decoder->stated_size(bytes_make(data + 1, size - 1), &stated, NULL);
	if (decoder->stated_memory)
		(void)decoder->stated_memory(bytes_make(data + 1, size - 1));
	if (decoder->decode(bytes_make(data + 1, size - 1), &sink, NULL) == 0)
		assert(sink.length <= ROOM);
	return 0;
}
