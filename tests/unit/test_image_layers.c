/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_image_layers.c - streams around streams, and bytes behind them: what each loader makes of
 * them. The column for GRUB is what grub-file 2.06 says of the same forms, where it does not crash;
 * "gzip+junk" and "bz-gzip+size" were tried on a real pvgrub, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/formats/limits.h"
#include "../../src/formats/loaders.h"
#include "bzbuild.h"

#define ROOM (8u << 20)

static void append(struct stream *to, const char *bytes, size_t size)
{
	struct stream joined = stream_join(stream_view(to), bytes_make(bytes, size));

	stream_done(to);
	*to = joined;
}

/* The last bytes of what GRUB reads lie in the last window, as long as the kernel is small. */
static void append_number(struct stream *to, uint32_t number)
{
	char word[4];

	for (unsigned i = 0; i < 4; i++)
		word[i] = (char)(number >> (8 * i));
	append(to, word, sizeof(word));
}

static const struct {
	const char *name;
	enum codec codec;
} codecs[] = {
	{"none", CODEC_NONE}, {"gzip", CODEC_GZIP},	 {"xz", CODEC_XZ},
	{"lzo", CODEC_LZO},   {"lz4", CODEC_LZ4_LEGACY}, {"zstd", CODEC_ZSTD},
};

static enum codec codec_of(const char *name)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (strcmp(codecs[i].name, name) == 0)
			return codecs[i].codec;
	fail_msg("no codec '%s'", name);
	return CODEC_NONE;
}

/*
 * What is done to the ELF, from the inside out: a codec; "bz-CODEC", a bzImage with that payload
 * and its size word; "bz", one around what is there; "+junk", "+zeros", "+size" (the ELF's), "+end"
 * (a size that GRUB never meets, though enough), "+window" (one that it meets).
 */
static void do_step(struct stream *it, const char *step, size_t elf_size)
{
	struct stream made = {0};

	if (strcmp(step, "+junk") == 0)
		append(it, "junk", 4);
	else if (strcmp(step, "+zeros") == 0)
		append(it, "\0\0\0\0", 4);
	else if (strcmp(step, "+size") == 0)
		append_number(it, (uint32_t)elf_size);
	else if (strcmp(step, "+end") == 0)
		append_number(it, (uint32_t)elf_size + 1);
	else if (strcmp(step, "bz") == 0)
		made = bzbuild_wrap(stream_view(it));
	else if (strncmp(step, "bz-", 3) == 0) {
		struct stream payload = bzbuild_payload(codec_of(step + 3), stream_view(it));

		made = bzbuild_wrap(stream_view(&payload));
		stream_done(&payload);
	} else {
		made = stream_encode(codec_of(step), stream_view(it));
	}
	if (made.data) {
		stream_done(it);
		*it = made;
	}
}

static struct stream build(const char *steps)
{
	struct stream it = bzbuild_elf();
	const size_t elf_size = it.size;
	char step[16];
	int taken;

	while (sscanf(steps, " %15s%n", step, &taken) == 1) {
		do_step(&it, step, elf_size);
		steps += taken;
	}
	return it;
}

static void examine(const struct stream *file, struct image *image)
{
	struct decode_sink sink = {
		.data = malloc(ROOM), .capacity = ROOM, .memory_limit = PVK_MAX_DECODER_MEMORY};
	struct pvk_error err = {0};
	int r;

	assert_non_null(sink.data);
	r = image_identify(stream_view(file), image, &err);
	if (r == 0 || image_may_have_layers(image))
		r = image_examine_layers(stream_view(file), &sink, image, &err);
	assert_true(r == 0 || r == -err.code);
	assert_int_equal(r, -image->problem.code);
	assert_true(r < 0 || (image->is_decoded && image->is_elf));
	assert_int_equal(image->file_size, file->size);
	free(sink.data);
}

static void every_loader_takes_the_layers_off_as_it_does(void **state)
{
	static const struct {
		const char *steps;
		bool grub;
		enum loader_outcome xen;
	} rows[] = {
		{"gzip", true, LOADER_STARTS},
		{"bz-xz", true, LOADER_STARTS},
		{"bz-xz gzip", true, LOADER_STARTS},
		{"bz-gzip gzip", true, LOADER_STARTS},
		{"bz-lz4 gzip", false, LOADER_STARTS},
		{"bz-zstd gzip", false, LOADER_STARTS},
		{"bz gzip", true, LOADER_STARTS},
		{"bz-gzip xz", true, LOADER_REFUSES},
		{"bz-xz lzo", true, LOADER_REFUSES},
		{"gzip gzip", false, LOADER_REFUSES},
		{"xz gzip", true, LOADER_REFUSES},
		{"gzip xz", false, LOADER_REFUSES},
		{"lzo xz gzip", true, LOADER_REFUSES},
		{"bz-xz lzo xz gzip", true, LOADER_REFUSES},
		{"bz-xz xz lzo", false, LOADER_REFUSES},
		{"lz4 gzip", false, LOADER_REFUSES},
		{"bz-xz lz4", false, LOADER_REFUSES},
		{"gzip +junk", true, LOADER_REFUSES},
		{"gzip +zeros", false, LOADER_REFUSES},
		{"gzip +end", true, LOADER_STARTS},
		{"gzip +size", false, LOADER_STARTS},
		{"xz +junk", false, LOADER_REFUSES},
		{"xz +junk gzip", false, LOADER_REFUSES},
		{"xz gzip +junk", false, LOADER_REFUSES},
		{"bz-xz gzip +junk", true, LOADER_REFUSES},
		{"bz-xz gzip +zeros", false, LOADER_REFUSES},
		{"gzip +size bz", false, LOADER_STARTS},
		{"gzip +end bz", true, LOADER_STARTS},
		{"gzip +junk bz", true, LOADER_REFUSES},
		{"gzip +zeros bz", false, LOADER_REFUSES},
		{"lzo bz", true, LOADER_REFUSES},
		{"bz-lzo", false, LOADER_UNRELIABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream file = build(rows[i].steps);
		struct loader_verdict grub, xen;
		struct image image;

		examine(&file, &image);
		loader_judge(LOADER_PVGRUB, &image, &grub);
		loader_judge(LOADER_XEN, &image, &xen);
		if (grub.outcome != (rows[i].grub ? LOADER_STARTS : LOADER_REFUSES))
			fail_msg("%s: GRUB %s: %s", rows[i].steps,
				 loader_outcome_name(grub.outcome), grub.reason);
		if (xen.outcome != rows[i].xen)
			fail_msg("%s: Xen %s: %s", rows[i].steps, loader_outcome_name(xen.outcome),
				 xen.reason);
		stream_done(&file);
	}
}

static void what_is_inside_is_told(void **state)
{
	struct stream file = build("bz-xz gzip +junk");
	struct image image;

	(void)state;
	examine(&file, &image);
	assert_int_equal(image.wrap_count, 1);
	assert_int_equal(image.wraps[0].codec, CODEC_GZIP);
	assert_int_equal(image.wraps[0].trailing, 4);
	assert_int_equal(image.container, IMAGE_BZIMAGE);
	assert_int_equal(image.codec, CODEC_XZ);
	assert_string_equal(image.version, BZBUILD_VERSION);
	assert_string_equal(image_container_name(&image), "gzip");
	assert_int_equal(image_check_whole(&image, NULL), 0);
	stream_done(&file);
}

/* Damage in an inner stream is damage; the outermost of four is one too many. */
static void what_cannot_be_unpacked_is_refused(void **state)
{
	struct stream file = build("bz-xz gzip"), inner = build("bz-xz"), deep;
	struct loader_verdict verdict;
	struct image image;

	(void)state;
	inner.data[BZBUILD_PAYLOAD + 100] ^= 1;
	stream_done(&file);
	file = stream_encode(CODEC_GZIP, stream_view(&inner));
	examine(&file, &image);
	loader_judge(LOADER_PVGRUB, &image, &verdict);
	assert_int_equal(verdict.outcome, LOADER_REFUSES);
	stream_done(&file);
	stream_done(&inner);

	deep = build("bz-xz gzip gzip gzip gzip");
	examine(&deep, &image);
	assert_int_equal(image.wrap_count, IMAGE_WRAPS_MAX);
	loader_judge(LOADER_PVGRUB, &image, &verdict);
	assert_int_equal(verdict.outcome, LOADER_REFUSES);
	stream_done(&deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_loader_takes_the_layers_off_as_it_does),
		cmocka_unit_test(what_is_inside_is_told),
		cmocka_unit_test(what_cannot_be_unpacked_is_refused),
	};

	return cmocka_run_group_tests_name("image_layers", tests, NULL, NULL);
}
