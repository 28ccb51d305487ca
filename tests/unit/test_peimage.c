/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/limits.h"
#include "../../src/formats/peimage.h"
#include "bzbuild.h"
#include "mutate.h"

#define PE    0x40
#define TABLE (PE + 24)

static const char content[] = "a kernel, or so";

static struct stream make_uki(void)
{
	return bzbuild_pe(".linux", bytes_make(content, sizeof(content)));
}

static void the_linux_section_is_found(void **state)
{
	_cleanup_stream_ struct stream image = make_uki();
	struct bytes section;

	(void)state;
	assert_true(peimage_find_linux(stream_view(&image), &section));
	assert_int_equal(section.size, sizeof(content)); /* without the padding to 512 */
	assert_memory_equal(section.data, content, sizeof(content));
}

static void the_shorter_of_the_two_sizes_counts(void **state)
{
	_cleanup_stream_ struct stream image = make_uki();
	struct bytes section;

	(void)state;
	bzbuild_set(&image, TABLE + 16, 4, 3);
	assert_true(peimage_find_linux(stream_view(&image), &section));
	assert_int_equal(section.size, 3);
}

static void an_optional_header_is_stepped_over(void **state)
{
	_cleanup_stream_ struct stream image = make_uki();
	struct bytes section;

	(void)state;
	memmove(image.data + TABLE + 112, image.data + TABLE, 40);
	memset(image.data + TABLE, 0, 40);
	bzbuild_set(&image, PE + 20, 2, 112);
	assert_true(peimage_find_linux(stream_view(&image), &section));
	assert_int_equal(section.size, sizeof(content));
}

static const struct {
	const char *what;
	size_t offset;
	unsigned width;
	uint64_t value;
} hostile[] = {
	{"no MZ", 0, 2, 0},
	{"PE header outside the file", 0x3c, 4, 0xfffffff0},
	{"PE header at the last bytes", 0x3c, 4, 0x3fe},
	{"no PE signature", PE, 4, 0},
	{"no sections", PE + 6, 2, 0},
	{"section table outside the file", PE + 20, 2, 0xffff},
	{"another name", TABLE + 1, 1, 'L'},
	{"a longer name", TABLE + 6, 2, 0x7878},
	{"content outside the file", TABLE + 20, 4, 0x400},
	{"content near 4 GiB", TABLE + 20, 4, 0xffffffff},
};

static void each_hostile_field_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		_cleanup_stream_ struct stream image = make_uki();
		struct bytes section = bytes_make(NULL, 99);

		bzbuild_set(&image, hostile[i].offset, hostile[i].width, hostile[i].value);
		if (peimage_find_linux(stream_view(&image), &section))
			fail_msg("%s: taken", hostile[i].what);
		assert_int_equal(section.size, 99);
	}
}

static void sizes_of_4_gib_are_refused(void **state)
{
	_cleanup_stream_ struct stream image = make_uki();
	struct bytes section;

	(void)state;
	bzbuild_set(&image, TABLE + 8, 4, UINT32_MAX);
	bzbuild_set(&image, TABLE + 16, 4, UINT32_MAX);
	assert_false(peimage_find_linux(stream_view(&image), &section));
}

/* A table of 65535 rows that is inside the file: only the first rows are looked at. */
static void more_sections_than_the_format_allows_are_not_read(void **state)
{
	_cleanup_stream_ struct stream image = {.size = TABLE + 200 * 40};
	struct bytes section;

	(void)state;
	image.data = calloc(1, image.size);
	memcpy(image.data, "MZ", 2);
	bzbuild_set(&image, 0x3c, 4, PE);
	memcpy(image.data + PE, "PE\0\0", 4);
	bzbuild_set(&image, PE + 6, 2, 65535);
	memcpy(image.data + TABLE + (size_t)PVK_MAX_PE_SECTIONS * 40, ".linux", 6);
	assert_false(peimage_find_linux(stream_view(&image), &section));
	memcpy(image.data + TABLE + (size_t)(PVK_MAX_PE_SECTIONS - 1) * 40, ".linux", 6);
	assert_true(peimage_find_linux(stream_view(&image), &section));
}

static void zboot_is_told_with_its_compression(void **state)
{
	_cleanup_stream_ struct stream image = bzbuild_zboot("gzip");
	_cleanup_stream_ struct stream nameless = bzbuild_zboot("");
	_cleanup_stream_ struct stream uki = make_uki();
	char name[32];

	(void)state;
	assert_true(peimage_is_zboot(stream_view(&image), name));
	assert_string_equal(name, "gzip");
	assert_true(peimage_is_zboot(stream_view(&nameless), name));
	assert_string_equal(name, "");
	memset(image.data + 24, 'n', 200);
	assert_true(peimage_is_zboot(stream_view(&image), name));
	assert_int_equal(strlen(name), 31);
	assert_false(peimage_is_zboot(stream_view(&uki), name));
	assert_false(peimage_is_zboot(bytes_make("MZ\0\0zim", 7), name));
}

static void check_mutant(struct bytes mutant, size_t where, void *context)
{
	const uint8_t *end = mutant.data + mutant.size;
	struct bytes section;
	char name[32];

	(void)context;
	(void)peimage_is_zboot(mutant, name);
	if (peimage_find_linux(mutant, &section) &&
	    (section.data < mutant.data || section.data > end ||
	     section.size > (size_t)(end - section.data)))
		fail_msg("mutant %zu: section outside the file", where);
}

static void no_prefix_and_no_flipped_bit_leads_outside(void **state)
{
	_cleanup_stream_ struct stream image = make_uki();

	(void)state;
	mutate_each_prefix(stream_view(&image), 1, 0, check_mutant, NULL);
	mutate_each_bit(stream_view(&image), 0, TABLE + 40, check_mutant, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_linux_section_is_found),
		cmocka_unit_test(the_shorter_of_the_two_sizes_counts),
		cmocka_unit_test(an_optional_header_is_stepped_over),
		cmocka_unit_test(each_hostile_field_is_refused),
		cmocka_unit_test(sizes_of_4_gib_are_refused),
		cmocka_unit_test(more_sections_than_the_format_allows_are_not_read),
		cmocka_unit_test(zboot_is_told_with_its_compression),
		cmocka_unit_test(no_prefix_and_no_flipped_bit_leads_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
