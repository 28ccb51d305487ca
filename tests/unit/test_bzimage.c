/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/formats/bzimage.h"
#include "bzbuild.h"
#include "mutate.h"

#define PAYLOAD_SIZE 100

static struct stream make_image(void)
{
	uint8_t payload[PAYLOAD_SIZE];

	memset(payload, 0x5a, sizeof(payload));
	return bzbuild_wrap(bytes_make(payload, sizeof(payload)));
}

/* A refusal has a code of the two that the header promises, a sentence, and an untouched result. */
static void assert_refused(struct bytes file, int code, const char *word)
{
	struct bzimage image, untouched;
	struct pvk_error err = {0};

	memset(&untouched, 0x77, sizeof(untouched));
	memcpy(&image, &untouched, sizeof(image));
	assert_int_equal(bzimage_parse(file, &image, &err), -code);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, word))
		fail_msg("'%s' has no '%s'", err.msg, word);
	assert_memory_equal(&image, &untouched, sizeof(image));
	assert_int_equal(bzimage_parse(file, &image, NULL), -code);
}

static void a_good_header_is_read(void **state)
{
	_cleanup_stream_ struct stream image = make_image();
	struct bzimage header;

	(void)state;
	assert_true(bzimage_is(stream_view(&image)));
	assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
	assert_int_equal(header.protocol, 0x020f);
	assert_int_equal(header.setup_sects, BZBUILD_SETUP_SECTS);
	assert_int_equal(header.payload_start, BZBUILD_PAYLOAD);
	assert_int_equal(header.payload_size, PAYLOAD_SIZE);
	assert_int_equal(header.stub_end, image.size);
	assert_int_equal(header.init_size, BZBUILD_INIT_SIZE);
	assert_false(header.is_hybrid);
	assert_string_equal(header.version, BZBUILD_VERSION);
}

/* One field at a time is made hostile. */
static const struct {
	const char *what;
	size_t offset;
	unsigned width;
	uint64_t value;
	int code;
	const char *word;
} hostile[] = {
	{"payload_length 0", BZ_PAYLOAD_LENGTH, 4, 0, PVK_E_FORMAT, "too short"},
	{"payload_length 5", BZ_PAYLOAD_LENGTH, 4, 5, PVK_E_FORMAT, "too short"},
	{"payload_length one past the end", BZ_PAYLOAD_LENGTH, 4, 177, PVK_E_TRUNCATED,
	 "past the end"},
	{"payload_length 4 GiB - 1", BZ_PAYLOAD_LENGTH, 4, UINT32_MAX, PVK_E_TRUNCATED,
	 "past the end"},
	{"payload_offset past the end", BZ_PAYLOAD_OFFSET, 4, 0x100000, PVK_E_TRUNCATED,
	 "past the end"},
	{"payload_offset that wraps 32 bits", BZ_PAYLOAD_OFFSET, 4, 0xfffff840, PVK_E_TRUNCATED,
	 "past the end"},
	{"payload_offset 4 GiB - 1", BZ_PAYLOAD_OFFSET, 4, UINT32_MAX, PVK_E_TRUNCATED,
	 "past the end"},
	{"protocol 2.07", BZ_PROTOCOL, 2, 0x0207, PVK_E_FORMAT, "2.07"},
	{"protocol 0", BZ_PROTOCOL, 2, 0, PVK_E_FORMAT, "0.00"},
	{"setup_sects 255", BZ_SETUP_SECTS, 1, 255, PVK_E_TRUNCATED, "past the end"},
	{"boot_flag", BZ_BOOT_FLAG, 2, 0x55aa, PVK_E_FORMAT, "not a bzImage"},
	{"HdrS", BZ_HDRS, 1, 'h', PVK_E_FORMAT, "not a bzImage"},
};

static void each_hostile_field_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		_cleanup_stream_ struct stream image = make_image();

		print_message("# %s\n", hostile[i].what);
		bzbuild_set(&image, hostile[i].offset, hostile[i].width, hostile[i].value);
		assert_refused(stream_view(&image), hostile[i].code, hostile[i].word);
	}
}

/* In 32 bits offset and length would come round to the start of the file. */
static void offset_and_length_that_wrap_together_are_refused(void **state)
{
	_cleanup_stream_ struct stream image = make_image();

	(void)state;
	bzbuild_set(&image, BZ_PAYLOAD_OFFSET, 4, UINT32_MAX - BZBUILD_CODE + 1);
	bzbuild_set(&image, BZ_PAYLOAD_LENGTH, 4, 64);
	assert_refused(stream_view(&image), PVK_E_TRUNCATED, "past the end");
	bzbuild_set(&image, BZ_PAYLOAD_LENGTH, 4, UINT32_MAX);
	assert_refused(stream_view(&image), PVK_E_TRUNCATED, "past the end");
}

static void a_payload_that_ends_with_the_file_is_taken(void **state)
{
	_cleanup_stream_ struct stream image = make_image();
	struct bzimage header;

	(void)state;
	bzbuild_set(&image, BZ_PAYLOAD_LENGTH, 4, image.size - BZBUILD_PAYLOAD);
	assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
	assert_int_equal(header.payload_start + header.payload_size, image.size);
	bzbuild_set(&image, BZ_PAYLOAD_LENGTH, 4, image.size - BZBUILD_PAYLOAD + 1);
	assert_refused(stream_view(&image), PVK_E_TRUNCATED, "past the end");
}

/* boot.rst reads 0 as 4; neither GRUB nor Xen does. */
static void setup_sects_0_is_taken_literally(void **state)
{
	_cleanup_stream_ struct stream image = make_image();
	struct bzimage header;

	(void)state;
	bzbuild_set(&image, BZ_SETUP_SECTS, 1, 0);
	assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
	assert_int_equal(header.payload_start, 512 + BZBUILD_STUB);
	assert_string_equal(header.version, "");
}

static void protocol_2_08_suffices_but_has_no_init_size(void **state)
{
	_cleanup_stream_ struct stream image = make_image();
	struct bzimage header;

	(void)state;
	bzbuild_set(&image, BZ_PROTOCOL, 2, 0x0208);
	assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
	assert_int_equal(header.init_size, 0);
	bzbuild_set(&image, BZ_PROTOCOL, 2, 0x020a);
	assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
	assert_int_equal(header.init_size, BZBUILD_INIT_SIZE);
}

static void a_file_shorter_than_the_header_is_refused(void **state)
{
	_cleanup_stream_ struct stream image = make_image();

	(void)state;
	assert_int_equal(BZ_HEADER_END, 616);
	assert_refused(bytes_make(image.data, 615), PVK_E_TRUNCATED, "shorter than its header");
	/* With 616 bytes the header is whole, and the payload is what is missing. */
	assert_refused(bytes_make(image.data, 616), PVK_E_TRUNCATED, "past the end");
	assert_refused(bytes_make(image.data, BZ_HDRS + 3), PVK_E_FORMAT, "not a bzImage");
	assert_refused(bytes_make(NULL, 0), PVK_E_FORMAT, "not a bzImage");
}

static void a_payload_behind_the_stub_is_a_hybrid(void **state)
{
	_cleanup_stream_ struct stream image = make_image();
	_cleanup_stream_ struct stream hybrid =
		bzbuild_hybrid(stream_view(&image), bytes_make("\x1f\x8b\x08\0\0\0\0\0", 8));
	struct bzimage header;

	(void)state;
	assert_int_equal(bzimage_parse(stream_view(&hybrid), &header, NULL), 0);
	assert_true(header.is_hybrid);
	assert_int_equal(header.payload_start, header.stub_end);
	assert_int_equal(header.payload_size, 8);
}

/* A pointer out of the setup code, a string that never ends, and none at all. */
static void a_version_outside_the_setup_code_is_not_read(void **state)
{
	static const uint16_t pointers[] = {0, BZBUILD_SETUP_SECTS * 512, 0x4000, 0xffff};
	struct bzimage header;

	(void)state;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		_cleanup_stream_ struct stream image = make_image();

		bzbuild_set(&image, BZ_KERNEL_VERSION, 2, pointers[i]);
		assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
		assert_string_equal(header.version, "");
	}
}

static void an_endless_version_is_cut(void **state)
{
	_cleanup_stream_ struct stream image = make_image();
	struct bzimage header;

	(void)state;
	memset(image.data + 0x300, 'v', BZBUILD_CODE - 0x300);
	assert_int_equal(bzimage_parse(stream_view(&image), &header, NULL), 0);
	assert_int_equal(strlen(header.version), sizeof(header.version) - 1);
}

/* Whatever the header says, the payload that is answered lies inside the file. */
static void check_mutant(struct bytes mutant, size_t where, void *context)
{
	struct pvk_error err = {0};
	struct bzimage image;
	int r = bzimage_parse(mutant, &image, &err);

	(void)context;
	if (r == 0 ? !range_is_inside(image.payload_start, image.payload_size, mutant.size) ||
			     image.payload_size < 6 ||
			     strlen(image.version) >= sizeof(image.version)
		   : (r != -PVK_E_FORMAT && r != -PVK_E_TRUNCATED) || err.msg[0] == '\0')
		fail_msg("mutant %zu: result %d", where, r);
}

static void no_prefix_and_no_flipped_bit_leads_outside(void **state)
{
	_cleanup_stream_ struct stream image = make_image();

	(void)state;
	mutate_each_prefix(stream_view(&image), 1, 0, check_mutant, NULL);
	mutate_each_bit(stream_view(&image), 0x1f0, BZ_HEADER_END - 0x1f0, check_mutant, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_header_is_read),
		cmocka_unit_test(each_hostile_field_is_refused),
		cmocka_unit_test(offset_and_length_that_wrap_together_are_refused),
		cmocka_unit_test(a_payload_that_ends_with_the_file_is_taken),
		cmocka_unit_test(setup_sects_0_is_taken_literally),
		cmocka_unit_test(protocol_2_08_suffices_but_has_no_init_size),
		cmocka_unit_test(a_file_shorter_than_the_header_is_refused),
		cmocka_unit_test(a_payload_behind_the_stub_is_a_hybrid),
		cmocka_unit_test(a_version_outside_the_setup_code_is_not_read),
		cmocka_unit_test(an_endless_version_is_cut),
		cmocka_unit_test(no_prefix_and_no_flipped_bit_leads_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
