/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/elfimage.h"
#include "../../src/formats/limits.h"
#include "elfbuild.h"

/* In memory of exactly that size, so that sanitizers see the first byte too many. */
static int examine(const void *data, size_t size, struct elfimage *elf)
{
	_cleanup_free_ uint8_t *copy = malloc(size + !size);

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, data, size);
	return elfimage_examine(bytes_make(copy, size), elf, NULL);
}

static void examine_built(const struct elfbuild *b, struct elfimage *elf)
{
	size_t size;
	_cleanup_free_ uint8_t *data = elfbuild_make(b, &size);

	assert_int_equal(examine(data, size, elf), 0);
}

static void the_facts_of_linux_6_1_are_told(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_linux_6_1(&b);
	examine_built(&b, &elf);
	assert_int_equal(elf.ident_class, 2);
	assert_int_equal(elf.ident_data, 1);
	assert_int_equal(elf.ident_version, 1);
	assert_int_equal(elf.type, 2);
	assert_int_equal(elf.machine, 62);
	assert_int_equal(elf.version, 1);
	assert_int_equal(elf.entry, 0x1000000);
	assert_int_equal(elf.defects, 0);
	assert_int_equal(elf.segments, 5);
	assert_int_equal(elf.loads, 4);
	assert_int_equal(elf.sections, 3);
	assert_int_equal(elf.paddr_start, 0x1000000);
	assert_int_equal(elf.paddr_end, 0x1004000);
	assert_int_equal(elf.notes.source, XEN_NOTES_PT_NOTE);
	assert_int_equal(elf.notes.present, 0x7f7fa);
	assert_string_equal(elf.notes.loader, "generic");
	assert_string_equal(elf.kernel_version, "6.1.0-test (builder@example.org) #1 SMP Debian");
	assert_true(elfimage_is_pv_capable(&elf));
	assert_true(elfimage_is_pvh_capable(&elf));
}

static void a_pvh_only_kernel_is_not_pv_capable(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_pvh_only(&b);
	examine_built(&b, &elf);
	assert_false(elfimage_is_pv_capable(&elf));
	assert_true(elfimage_is_pvh_capable(&elf));
}

static void the_end_of_the_last_segment_is_told(void **state)
{
	struct elfbuild b;
	struct elfimage elf;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.has_sections = false; /* so that the last segment ends the file */
	data = elfbuild_make(&b, &size);
	assert_int_equal(examine(data, size, &elf), 0);
	assert_int_equal(elf.load_file_end, size);
	assert_int_equal(elf.sections, 0);
	assert_int_equal(elf.defects, 0);
}

static void a_32_bit_kernel_is_examined(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.ident_class = 1;
	b.machine = 3;
	examine_built(&b, &elf);
	assert_int_equal(elf.ident_class, 1);
	assert_int_equal(elf.machine, 3);
	assert_int_equal(elf.defects, 0);
	assert_int_equal(elf.loads, 4);
	assert_int_equal(elf.paddr_end, 0x1004000);
	assert_int_equal(elf.notes.present, 0x7f7fa);
}

static void foreign_byte_order_and_version_are_only_identified(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.ident_data = 2;
	examine_built(&b, &elf);
	assert_int_equal(elf.ident_data, 2);
	assert_int_equal(elf.segments, 0);
	assert_int_equal(elf.notes.present, 0);

	elfbuild_linux_6_1(&b);
	b.ident_version = 0;
	examine_built(&b, &elf);
	assert_int_equal(elf.ident_version, 0);
	assert_int_equal(elf.segments, 0);
}

static void what_has_no_whole_header_is_no_elf(void **state)
{
	struct elfbuild b;
	struct elfimage elf = {.machine = 4711};
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_linux_6_1(&b);
	data = elfbuild_make(&b, &size);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(examine(data, i, &elf), -PVK_E_FORMAT);
	data[4] = 3; /* class */
	assert_int_equal(examine(data, size, &elf), -PVK_E_FORMAT);
	data[4] = 2;
	data[0] = 'e';
	assert_int_equal(examine(data, size, &elf), -PVK_E_FORMAT);
	assert_int_equal(elf.machine, 4711);
}

#define FIRST_LOAD ELFBUILD_PHDRS
#define NOTE_PHDR  (ELFBUILD_PHDRS + 4 * ELFBUILD_PHDR_SIZE)

static void each_damage_is_told(void **state)
{
	static const struct {
		size_t offset;
		size_t size;
		uint64_t value;
		uint32_t defects;
	} rows[] = {
		{32, 8, 0xfffff000, ELF_DEFECT_PHDRS_OUTSIDE | ELF_DEFECT_NO_LOAD}, /* e_phoff */
		{32, 8, UINT64_MAX, ELF_DEFECT_PHDRS_OUTSIDE | ELF_DEFECT_NO_LOAD},
		{32, 8, 0, ELF_DEFECT_PHDRS_OUTSIDE | ELF_DEFECT_NO_LOAD},
		{40, 8, 0xfffff000, ELF_DEFECT_SHDRS_OUTSIDE}, /* e_shoff */
		{40, 8, UINT64_MAX, ELF_DEFECT_SHDRS_OUTSIDE},
		{54, 2, 32, ELF_DEFECT_PHENTSIZE}, /* e_phentsize */
		{56, 2, 0, ELF_DEFECT_NO_LOAD},	   /* e_phnum */
		{56, 2, PVK_MAX_PHNUM + 1, ELF_DEFECT_TOO_MANY | ELF_DEFECT_NO_LOAD},
		{56, 2, 0xffff, ELF_DEFECT_PHDRS_OUTSIDE | ELF_DEFECT_NO_LOAD},
		{60, 2, 0xffff, ELF_DEFECT_SHDRS_OUTSIDE},		     /* e_shnum */
		{FIRST_LOAD + 8, 8, 0x10000000, ELF_DEFECT_SEGMENT_OUTSIDE}, /* p_offset */
		{FIRST_LOAD + 8, 8, UINT64_MAX, ELF_DEFECT_SEGMENT_OUTSIDE},
		{FIRST_LOAD + 24, 8, UINT64_MAX, ELF_DEFECT_SEGMENT_WRAPS}, /* p_paddr */
		{FIRST_LOAD + 32, 8, UINT64_MAX,
		 ELF_DEFECT_SEGMENT_OUTSIDE | ELF_DEFECT_SEGMENT_SIZES}, /* p_filesz */
		{FIRST_LOAD + 40, 8, 1, ELF_DEFECT_SEGMENT_SIZES},	 /* p_memsz */
		{FIRST_LOAD + 40, 8, UINT64_MAX, ELF_DEFECT_SEGMENT_WRAPS},
		{NOTE_PHDR + 8, 8, 0x10000000, ELF_DEFECT_NOTE_BROKEN},
		{NOTE_PHDR + 8, 8, 0, 0}, /* Xen passes over it */
		{NOTE_PHDR + 32, 8, UINT64_MAX, ELF_DEFECT_NOTE_BROKEN},
		{NOTE_PHDR + 32, 8, 100, ELF_DEFECT_NOTE_BROKEN},
		{NOTE_PHDR + 56, 4, UINT32_MAX, ELF_DEFECT_NOTE_BROKEN}, /* n_namesz of the first */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b;
		struct elfimage elf;
		size_t size;
		_cleanup_free_ uint8_t *data = NULL;

		elfbuild_linux_6_1(&b);
		/* Room for PVK_MAX_PHNUM + 1 headers. */
		b.loads[0].filesz = b.loads[0].memsz = 0x8000;
		data = elfbuild_make(&b, &size);
		memcpy(data + rows[i].offset, &rows[i].value, rows[i].size);
		assert_int_equal(examine(data, size, &elf), 0);
		if (elf.defects != rows[i].defects)
			fail_msg("row %zu: defects %#x, expected %#x", i, elf.defects,
				 rows[i].defects);
	}
}

static void every_cut_inside_the_segments_is_told(void **state)
{
	struct elfbuild b;
	struct elfimage elf;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.has_sections = false;
	data = elfbuild_make(&b, &size);
	for (size_t i = 64; i < size; i++) {
		const uint32_t expected = i < ELFBUILD_PHDRS + 5 * ELFBUILD_PHDR_SIZE
						  ? ELF_DEFECT_PHDRS_OUTSIDE
						  : ELF_DEFECT_SEGMENT_OUTSIDE;

		assert_int_equal(examine(data, i, &elf), 0);
		assert_int_equal(elf.defects & expected, expected);
	}
}

static void notes_are_sought_where_loaders_look(void **state)
{
	static const struct {
		enum elfbuild_place place;
		bool has_sections;
		enum xen_note_source source;
	} rows[] = {
		{ELFBUILD_PT_NOTE, true, XEN_NOTES_PT_NOTE},
		{ELFBUILD_PT_NOTE, false, XEN_NOTES_PT_NOTE},
		{ELFBUILD_SHT_NOTE, true, XEN_NOTES_SHT_NOTE},
		{ELFBUILD_SHT_NOTE, false, XEN_NOTES_NONE},
		{ELFBUILD_GUEST, true, XEN_NOTES_XEN_GUEST},
		{ELFBUILD_NOWHERE, true, XEN_NOTES_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b;
		struct elfimage elf;

		elfbuild_linux_6_1(&b);
		b.place = rows[i].place;
		b.has_sections = rows[i].has_sections;
		memcpy(b.guest_text, "LOADER=generic", sizeof("LOADER=generic"));
		examine_built(&b, &elf);
		assert_int_equal(elf.notes.source, rows[i].source);
		assert_string_equal(elf.notes.loader,
				    rows[i].source == XEN_NOTES_NONE ? "" : "generic");
		assert_int_equal(elf.defects, 0);
	}
}

static void a_section_without_content_is_not_read(void **state)
{
	struct elfbuild b;
	struct elfimage elf;
	size_t size;
	uint64_t table;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.place = ELFBUILD_GUEST;
	memcpy(b.guest_text, "LOADER=generic", sizeof("LOADER=generic"));
	data = elfbuild_make(&b, &size);
	assert_true(bytes_le64(bytes_make(data, size), 40, &table));
	data[table + 64 + 4] = 8; /* sh_type: SHT_NOBITS */
	assert_int_equal(examine(data, size, &elf), 0);
	assert_int_equal(elf.notes.source, XEN_NOTES_NONE);
}

static void a_segment_without_permission_is_not_loadable(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.loads[1].flags = 0;
	examine_built(&b, &elf);
	assert_int_equal(elf.loads, 3);
	b.load_count = 2;
	b.loads[0].flags = 0;
	examine_built(&b, &elf);
	assert_int_equal(elf.loads, 0);
	assert_int_equal(elf.defects, ELF_DEFECT_NO_LOAD | ELF_DEFECT_PERMISSION);
}

static void the_banner_with_a_build_number_is_the_version(void **state)
{
	static const struct {
		const char *text;
		const char *version;
	} rows[] = {
		{"", ""},
		{"Linux version ", ""},
		{"Linux version %s (%s)\n", ""},
		{"Linux version 6.1\n", "6.1"},
		{"Linux version 6.1", "6.1"},
		{"xLinux version 6.1 # SMP\nLinux version 6.1 #1 SMP\n", "6.1 #1 SMP"},
		{"Linux version 6.1 #1 SMP\nLinux version 6.2 #2 SMP\n", "6.1 #1 SMP"},
		{"Linux version 6.1 # SMP\nLinux version 6.2 # SMP\n", "6.1 # SMP"},
		{"Linux version %s\nLinux version 6.2 # SMP\n", "6.2 # SMP"},
		{"Linux version 6.1\x1b[31m\t\xc3\xa4 #1\n", "6.1[31m #1"},
		{"linux version 6.1\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b;
		struct elfimage elf;

		elfbuild_linux_6_1(&b);
		memcpy(b.banner, rows[i].text, strlen(rows[i].text) + 1);
		examine_built(&b, &elf);
		assert_string_equal(elf.kernel_version, rows[i].version);
	}
}

static void a_long_banner_is_cut(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_linux_6_1(&b);
	memset(b.banner, '7', sizeof(b.banner) - 1);
	b.banner[sizeof(b.banner) - 1] = '\0';
	memcpy(b.banner, "Linux version ", strlen("Linux version "));
	b.loads[0].filesz = b.loads[0].memsz = sizeof(b.banner);
	examine_built(&b, &elf);
	assert_int_equal(strlen(elf.kernel_version), sizeof(elf.kernel_version) - 1);
}

static void the_banner_counts_only_inside_the_segments(void **state)
{
	struct elfbuild b;
	struct elfimage elf;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.banner[0] = '\0';
	elfbuild_raw_note(&b, "Test", 1, "Linux version 6.1 #1", 21);
	examine_built(&b, &elf);
	assert_string_equal(elf.kernel_version, "");
}

/* Sanitizers need the whole address space. */
static void limit_memory(rlim_t size)
{
#ifndef PVK_SANITIZE
	const struct rlimit limit = {size, size};

	(void)setrlimit(RLIMIT_AS, &limit);
#else
	(void)size;
#endif
}

static int examine_flood_in_little_memory(const void *data, size_t size)
{
	struct elfimage elf;
	const pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		limit_memory(192 << 20);
		_exit(elfimage_examine(bytes_make(data, size), &elf, NULL) == 0 &&
				      elf.notes.source == XEN_NOTES_PT_NOTE
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_flood_of_sections_costs_no_memory(void **state)
{
	/* libelf would take some 250 bytes for each section that fits into the file. */
	const size_t big_size = 64 << 20;
	_cleanup_free_ uint8_t *big = calloc(1, big_size);
	const uint64_t table = 1 << 20, count = (big_size - table) / 64;
	static const uint16_t none;
	struct elfbuild b;
	size_t size;
	uint8_t *data;

	(void)state;
	assert_non_null(big);
	elfbuild_linux_6_1(&b);
	data = elfbuild_make(&b, &size);
	memcpy(big, data, size);
	free(data);
	/* e_shnum 0: the number is in sh_size of the first section header (gABI). */
	memcpy(big + 40, &table, sizeof(table));
	memcpy(big + 60, &none, sizeof(none));
	memcpy(big + table + 32, &count, sizeof(count));
	assert_int_equal(examine_flood_in_little_memory(big, big_size), 0);
}

/* A file of `size` bytes with `count` segments that all span everything behind the headers. */
static uint8_t *make_overlap(size_t size, uint16_t count)
{
	uint8_t *big = calloc(1, size);
	struct elfbuild b;
	size_t small_size;
	_cleanup_free_ uint8_t *data = NULL;

	assert_non_null(big);
	elfbuild_linux_6_1(&b);
	b.place = ELFBUILD_NOWHERE;
	b.has_sections = false;
	data = elfbuild_make(&b, &small_size);
	memcpy(big, data, 64);
	memcpy(big + 56, &count, sizeof(count));
	for (size_t i = 0; i < count; i++) {
		const uint64_t offset = 64 + 56 * (uint64_t)count, filesz = size - offset;
		uint8_t *phdr = big + 64 + 56 * i;

		memcpy(phdr, data + 64, 56);
		memcpy(phdr + 8, &offset, 8);
		memcpy(phdr + 32, &filesz, 8);
		memcpy(phdr + 40, &filesz, 8);
	}
	return big;
}

static double time_overlap(size_t size, uint16_t count)
{
	_cleanup_free_ uint8_t *data = make_overlap(size, count);
	struct elfimage elf;
	clock_t start;

	start = clock();
	assert_int_equal(elfimage_examine(bytes_make(data, size), &elf, NULL), 0);
	assert_int_equal(elf.loads, count);
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void overlapping_segments_are_searched_once(void **state)
{
	const size_t size = 8 << 20;

	(void)state;
	(void)time_overlap(size, 1); /* warms up */
	assert_true(time_overlap(size, PVK_MAX_PHNUM) < 0.05 + 50 * time_overlap(size, 1));
}

static void each_defect_has_a_text(void **state)
{
	(void)state;
	assert_null(elf_defect_text(0));
	for (uint32_t bit = ELF_DEFECT_PHDRS_OUTSIDE; bit <= ELF_DEFECT_PERMISSION; bit <<= 1)
		assert_non_null(elf_defect_text(bit));
	assert_null(elf_defect_text(ELF_DEFECT_PERMISSION << 1));
	assert_string_equal(elf_defect_text(ELF_DEFECT_NO_LOAD | ELF_DEFECT_SEGMENT_WRAPS),
			    elf_defect_text(ELF_DEFECT_NO_LOAD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_facts_of_linux_6_1_are_told),
		cmocka_unit_test(a_pvh_only_kernel_is_not_pv_capable),
		cmocka_unit_test(the_end_of_the_last_segment_is_told),
		cmocka_unit_test(a_32_bit_kernel_is_examined),
		cmocka_unit_test(foreign_byte_order_and_version_are_only_identified),
		cmocka_unit_test(what_has_no_whole_header_is_no_elf),
		cmocka_unit_test(each_damage_is_told),
		cmocka_unit_test(every_cut_inside_the_segments_is_told),
		cmocka_unit_test(notes_are_sought_where_loaders_look),
		cmocka_unit_test(a_section_without_content_is_not_read),
		cmocka_unit_test(a_segment_without_permission_is_not_loadable),
		cmocka_unit_test(the_banner_with_a_build_number_is_the_version),
		cmocka_unit_test(a_long_banner_is_cut),
		cmocka_unit_test(the_banner_counts_only_inside_the_segments),
		cmocka_unit_test(a_flood_of_sections_costs_no_memory),
		cmocka_unit_test(overlapping_segments_are_searched_once),
		cmocka_unit_test(each_defect_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
