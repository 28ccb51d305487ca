/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/limits.h"
#include "../../src/formats/xennotes.h"
#include "elfbuild.h"

/* Notes in memory of exactly their size, so that sanitizers see the first byte too many. */
static int parse(const void *data, size_t size, struct xen_notes *notes)
{
	_cleanup_free_ uint8_t *copy = malloc(size + !size);
	unsigned budget = PVK_MAX_NOTES;

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, data, size);
	memset(notes, 0, sizeof(*notes));
	return xen_notes_add(notes, bytes_make(copy, size), &budget, NULL);
}

static int parse_built(const struct elfbuild *b, struct xen_notes *notes)
{
	size_t size;
	_cleanup_free_ uint8_t *data = elfbuild_notes(b, &size);

	return parse(data, size, notes);
}

static void the_notes_of_linux_6_1_are_read(void **state)
{
	struct elfbuild b;
	struct xen_notes notes;

	(void)state;
	elfbuild_linux_6_1(&b);
	assert_int_equal(parse_built(&b, &notes), 0);
	assert_int_equal(notes.present, 0x7f7fa); /* as in Debian's 6.1.192 */
	assert_int_equal(notes.number[XEN_NOTE_ENTRY], 0xffffffff81003010);
	assert_int_equal(notes.number[XEN_NOTE_VIRT_BASE], 0xffffffff80000000);
	assert_int_equal(notes.number[XEN_NOTE_INIT_P2M], 0x8000000000);
	assert_int_equal(notes.number[XEN_NOTE_SUPPORTED_FEATURES], 0x8801);
	assert_int_equal(notes.number[XEN_NOTE_MOD_START_PFN], 1);
	assert_string_equal(notes.guest_os, "linux");
	assert_string_equal(notes.guest_version, "2.6");
	assert_string_equal(notes.xen_version, "xen-3.0");
	assert_string_equal(notes.loader, "generic");
	assert_string_equal(notes.pae_mode, "yes");
	assert_string_equal(notes.features, "!writable_page_tables|pae_pgdir_above_4gb");
}

static void the_notes_of_linux_6_12_are_read(void **state)
{
	struct elfbuild b;
	struct xen_notes notes;

	(void)state;
	elfbuild_linux_6_12(&b);
	assert_int_equal(parse_built(&b, &notes), 0);
	assert_int_equal(notes.present, 0xfe7fa); /* as in Debian's 6.12.107 */
	assert_int_equal(notes.number[XEN_NOTE_PHYS32_ENTRY], 0x1000020);
	/* Three words: only the first, the alignment, is the number. */
	assert_int_equal(notes.number[XEN_NOTE_PHYS32_RELOC], 0x200000);
	assert_string_equal(notes.features, "!writable_page_tables");
}

static void only_notes_of_the_owner_xen_count(void **state)
{
	static const struct {
		const char *owner;
		uint32_t size;
		bool counts;
	} rows[] = {
		{"Xen", 4, true},   {"Xen", 3, true},	 {"Xen", 8, true}, {"Xenx", 5, false},
		{"Xenx", 4, false}, {"xen", 4, false},	 {"Xe", 2, false}, {"Xe", 3, false},
		{"GNU", 4, false},  {"Linux", 6, false}, {"", 0, false},   {"", 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b = {0};
		struct xen_notes notes;

		elfbuild_raw_note(&b, rows[i].owner, XEN_NOTE_LOADER, "generic", 8);
		b.notes[0].owner_size = rows[i].size;
		assert_int_equal(parse_built(&b, &notes), 0);
		if (xen_notes_have(&notes, XEN_NOTE_LOADER) != rows[i].counts)
			fail_msg("owner '%s' of %u bytes", rows[i].owner, rows[i].size);
	}
}

static void the_last_note_of_a_type_counts(void **state)
{
	struct elfbuild b = {0};
	struct xen_notes notes;

	(void)state;
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_LOADER, "a-longer-text", 14);
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_LOADER, "generic", 8);
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_ENTRY, "\1\0\0\0\0\0\0\0", 8);
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_ENTRY, "\2\0\0\0", 4);
	assert_int_equal(parse_built(&b, &notes), 0);
	assert_string_equal(notes.loader, "generic");
	assert_int_equal(notes.number[XEN_NOTE_ENTRY], 2);
}

static void numbers_have_four_or_eight_bytes(void **state)
{
	static const uint8_t desc[] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	for (uint32_t size = 0; size <= sizeof(desc); size++) {
		struct elfbuild b = {0};
		struct xen_notes notes;
		int r;

		elfbuild_raw_note(&b, "Xen", XEN_NOTE_ENTRY, desc, size);
		r = parse_built(&b, &notes);
		assert_int_equal(r, size < 4 ? -PVK_E_TRUNCATED : 0);
		assert_int_equal(xen_notes_have(&notes, XEN_NOTE_ENTRY), size >= 4);
		assert_int_equal(notes.number[XEN_NOTE_ENTRY], size < 4	  ? 0
							       : size < 8 ? 0x04030201
									  : 0x0807060504030201);
	}
}

static void text_needs_no_nul_and_is_cut_to_its_field(void **state)
{
	struct elfbuild b = {0};
	struct xen_notes notes;
	char expected[sizeof(notes.loader)];

	(void)state;
	memset(expected, 'x', sizeof(expected) - 1);
	expected[sizeof(expected) - 1] = '\0';
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_FEATURES, "!dom0", 5);
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_LOADER, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			  40);
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_GUEST_OS, "", 0);
	assert_int_equal(parse_built(&b, &notes), 0);
	assert_string_equal(notes.features, "!dom0");
	assert_string_equal(notes.loader, expected);
	assert_string_equal(notes.guest_os, "");
	assert_true(xen_notes_have(&notes, XEN_NOTE_GUEST_OS));
}

static void unknown_types_are_passed_over(void **state)
{
	static const uint32_t types[] = {XEN_NOTE_COUNT,       31,	   32,	      33,
					 64 + XEN_NOTE_LOADER, 0x80000000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct elfbuild b = {0};
		struct xen_notes notes;

		elfbuild_raw_note(&b, "Xen", types[i], "x", 1);
		elfbuild_raw_note(&b, "Xen", XEN_NOTE_LOADER, "generic", 8);
		assert_int_equal(parse_built(&b, &notes), 0);
		assert_int_equal(notes.present, 1u << XEN_NOTE_LOADER);
	}
}

static void a_note_over_the_end_is_refused_and_what_came_before_stays(void **state)
{
	static const struct {
		uint32_t owner_size;
		uint32_t desc_size;
	} rows[] = {{4, 200},	     {4, UINT32_MAX}, {200, 8},
		    {UINT32_MAX, 8}, {0xfffffffd, 0}, {UINT32_MAX, UINT32_MAX}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b = {0};
		struct xen_notes notes;
		size_t size;
		_cleanup_free_ uint8_t *data = NULL;

		elfbuild_raw_note(&b, "Xen", XEN_NOTE_LOADER, "generic", 8);
		elfbuild_raw_note(&b, "Xen", XEN_NOTE_ENTRY, "12345678", 8);
		data = elfbuild_notes(&b, &size);
		memcpy(data + 24, &rows[i].owner_size, 4);
		memcpy(data + 28, &rows[i].desc_size, 4);
		assert_int_equal(parse(data, size, &notes), -PVK_E_TRUNCATED);
		assert_int_equal(notes.present, 1u << XEN_NOTE_LOADER);
	}
}

static void every_prefix_is_read_without_leaving_it(void **state)
{
	struct elfbuild b;
	struct xen_notes notes;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;
	unsigned whole = 0;

	(void)state;
	elfbuild_linux_6_12(&b);
	data = elfbuild_notes(&b, &size);
	for (size_t i = 0; i < size; i++)
		whole += parse(data, i, &notes) == 0;
	/* Cuts between two notes, and those inside the zeros that align the end of one. */
	assert_in_range(whole, b.note_count, 3 * b.note_count);
}

static void zeros_behind_the_last_note_are_padding(void **state)
{
	struct elfbuild b = {0};
	struct xen_notes notes;
	uint8_t data[64] = {0};
	size_t size;
	_cleanup_free_ uint8_t *built = NULL;

	(void)state;
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_LOADER, "generic", 8);
	built = elfbuild_notes(&b, &size);
	memcpy(data, built, size);
	for (size_t extra = 0; extra < 12; extra++)
		assert_int_equal(parse(data, size + extra, &notes), 0);
	data[size + 4] = 1;
	assert_int_equal(parse(data, size + 8, &notes), -PVK_E_TRUNCATED);
	assert_string_equal(notes.loader, "generic");
}

static void the_number_of_notes_is_limited_over_all_segments(void **state)
{
	static const uint8_t empty_notes[12 * 10];
	struct xen_notes notes = {0};
	unsigned budget = 25;

	(void)state;
	assert_int_equal(xen_notes_add(&notes, bytes_make(empty_notes, 120), &budget, NULL), 0);
	assert_int_equal(xen_notes_add(&notes, bytes_make(empty_notes, 120), &budget, NULL), 0);
	assert_int_equal(budget, 5);
	assert_int_equal(xen_notes_add(&notes, bytes_make(empty_notes, 120), &budget, NULL),
			 -PVK_E_LIMIT);
	assert_int_equal(budget, 0);
}

static void the_failure_names_the_note(void **state)
{
	struct elfbuild b = {0};
	struct xen_notes notes = {0};
	struct pvk_error err = {0};
	unsigned budget = 10;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_raw_note(&b, "Xen", XEN_NOTE_VIRT_BASE, "12", 2);
	data = elfbuild_notes(&b, &size);
	assert_int_equal(xen_notes_add(&notes, bytes_make(data, size), &budget, &err),
			 -PVK_E_TRUNCATED);
	assert_string_equal(err.msg, "Xen note VIRT_BASE has only 2 bytes");
}

static void parse_guest(const char *text, size_t size, struct xen_notes *notes)
{
	_cleanup_free_ char *copy = malloc(size + !size);

	assert_non_null(copy);
	memcpy(copy, text, size);
	memset(notes, 0, sizeof(*notes));
	xen_notes_add_guest_section(notes, bytes_make(copy, size));
}

static void the_guest_section_is_read(void **state)
{
	static const char text[] = "GUEST_OS=linux,GUEST_VER=2.6,XEN_VER=xen-3.0,"
				   "VIRT_BASE=0xffffffff80000000,VIRT_ENTRY=0xffffffff80001000,"
				   "LOADER=generic,FEATURES=a|b,PAE=yes[extended-cr3],NONSENSE=1,X";
	struct xen_notes notes;

	(void)state;
	parse_guest(text, sizeof(text), &notes);
	assert_string_equal(notes.guest_os, "linux");
	assert_string_equal(notes.guest_version, "2.6");
	assert_string_equal(notes.xen_version, "xen-3.0");
	assert_string_equal(notes.loader, "generic");
	assert_string_equal(notes.features, "a|b");
	assert_string_equal(notes.pae_mode, "yes[extended-cr3]");
	assert_int_equal(notes.number[XEN_NOTE_VIRT_BASE], 0xffffffff80000000);
	assert_int_equal(notes.number[XEN_NOTE_ENTRY], 0xffffffff80001000);
	/* Only in this form the physical addresses count from VIRT_BASE by default. */
	assert_false(xen_notes_have(&notes, XEN_NOTE_PADDR_OFFSET));
	assert_int_equal(notes.number[XEN_NOTE_PADDR_OFFSET], 0xffffffff80000000);
}

static void the_guest_section_may_say_its_paddr_offset(void **state)
{
	static const char text[] = "VIRT_BASE=0xc0000000,ELF_PADDR_OFFSET=0";
	struct xen_notes notes;

	(void)state;
	parse_guest(text, sizeof(text), &notes);
	assert_true(xen_notes_have(&notes, XEN_NOTE_PADDR_OFFSET));
	assert_int_equal(notes.number[XEN_NOTE_PADDR_OFFSET], 0);
}

static void odd_guest_sections_are_survived(void **state)
{
	static const char *const texts[] = {
		"",	    ",",	  ",,,",
		"=",	    "LOADER",	  "LOADER=",
		"LOADER=,", "VIRT_BASE=", "x",
		"LOADE=R",  "=LOADER=",	  "VIRT_BASE=999999999999999999999999999999999999999",
	};
	struct xen_notes notes;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse_guest(texts[i], strlen(texts[i]), &notes);
		assert_string_equal(notes.loader, "");
	}
	/* What stands behind a NUL is not text. */
	parse_guest("GUEST_OS=linux\0,LOADER=generic", 30, &notes);
	assert_string_equal(notes.guest_os, "linux");
	assert_string_equal(notes.loader, "");
}

static void every_note_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(xen_note_name(XEN_NOTE_ENTRY), "ENTRY");
	assert_string_equal(xen_note_name(XEN_NOTE_PHYS32_RELOC), "PHYS32_RELOC");
	for (int i = 0; i < XEN_NOTE_COUNT; i++)
		assert_non_null(xen_note_name((enum xen_note)i));
	assert_null(xen_note_name(XEN_NOTE_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_notes_of_linux_6_1_are_read),
		cmocka_unit_test(the_notes_of_linux_6_12_are_read),
		cmocka_unit_test(only_notes_of_the_owner_xen_count),
		cmocka_unit_test(the_last_note_of_a_type_counts),
		cmocka_unit_test(numbers_have_four_or_eight_bytes),
		cmocka_unit_test(text_needs_no_nul_and_is_cut_to_its_field),
		cmocka_unit_test(unknown_types_are_passed_over),
		cmocka_unit_test(a_note_over_the_end_is_refused_and_what_came_before_stays),
		cmocka_unit_test(every_prefix_is_read_without_leaving_it),
		cmocka_unit_test(zeros_behind_the_last_note_are_padding),
		cmocka_unit_test(the_number_of_notes_is_limited_over_all_segments),
		cmocka_unit_test(the_failure_names_the_note),
		cmocka_unit_test(the_guest_section_is_read),
		cmocka_unit_test(the_guest_section_may_say_its_paddr_offset),
		cmocka_unit_test(odd_guest_sections_are_survived),
		cmocka_unit_test(every_note_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
