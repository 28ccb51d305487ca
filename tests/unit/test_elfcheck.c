/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/elfcheck.h"
#include "../../src/formats/limits.h"
#include "elfbuild.h"
#include "mutate.h"

static int check_built(const struct elfbuild *b, struct pvk_error *err)
{
	size_t size;
	_cleanup_free_ uint8_t *data = elfbuild_make(b, &size);

	return elfcheck_is_pv_kernel(bytes_make(data, size), err);
}

static void pv_kernels_pass(void **state)
{
	struct elfbuild b;

	(void)state;
	elfbuild_linux_6_1(&b);
	assert_int_equal(check_built(&b, NULL), 0);
	b.has_sections = false;
	assert_int_equal(check_built(&b, NULL), 0);
	elfbuild_linux_6_12(&b);
	assert_int_equal(check_built(&b, NULL), 0);
	/* ET_DYN: no loader looks. */
	b.type = 3;
	assert_int_equal(check_built(&b, NULL), 0);
}

static void drop_entry(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_ENTRY);
}

static void drop_virt_base(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_VIRT_BASE);
}

static void drop_loader(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_LOADER);
}

static void drop_xen_version(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_XEN_VERSION);
}

static void change_loader(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_LOADER, "genuine");
}

static void change_xen_version(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_XEN_VERSION, "xen-9.9");
}

static void move_virt_base(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_VIRT_BASE, ELFBUILD_VIRT_BASE + 8, 8);
}

static void move_entry_up(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_ENTRY, ELFBUILD_VIRT_BASE + 0x1004001, 8);
}

static void move_entry_down(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_ENTRY, ELFBUILD_VIRT_BASE + 0xffffff, 8);
}

static void move_paddr_offset(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_PADDR_OFFSET, 0x100000000, 8);
}

static void shorten_entry(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_ENTRY, 0, 2);
}

static void notes_in_section(struct elfbuild *b)
{
	b->place = ELFBUILD_SHT_NOTE;
}

static void no_notes(struct elfbuild *b)
{
	b->place = ELFBUILD_NOWHERE;
}

static void class_32(struct elfbuild *b)
{
	b->ident_class = 1;
}

static void big_endian(struct elfbuild *b)
{
	b->ident_data = 2;
}

static void other_ident_version(struct elfbuild *b)
{
	b->ident_version = 2;
}

static void other_version(struct elfbuild *b)
{
	b->version = 2;
}

static void other_machine(struct elfbuild *b)
{
	b->machine = 183;
}

static void smaller_in_memory(struct elfbuild *b)
{
	b->loads[0].memsz = b->loads[0].filesz - 1;
}

static void wraps_around(struct elfbuild *b)
{
	b->loads[0].paddr = UINT64_MAX - 1;
}

static void no_permissions(struct elfbuild *b)
{
	b->loads[3].flags = 0;
}

static void no_loads(struct elfbuild *b)
{
	b->load_count = 0;
}

static void pvh_only(struct elfbuild *b)
{
	elfbuild_pvh_only(b);
}

static void what_some_loader_refuses_is_refused(void **state)
{
	static const struct {
		const char *name;
		void (*damage)(struct elfbuild *b);
		int code;
	} rows[] = {
		{"no ENTRY", drop_entry, PVK_E_NOT_PV},
		{"no VIRT_BASE", drop_virt_base, PVK_E_NOT_PV},
		{"no LOADER", drop_loader, PVK_E_NOT_PV},
		{"no XEN_VERSION", drop_xen_version, PVK_E_NOT_PV},
		{"wrong LOADER", change_loader, PVK_E_NOT_PV},
		{"wrong XEN_VERSION", change_xen_version, PVK_E_NOT_PV},
		{"unaligned VIRT_BASE", move_virt_base, PVK_E_NOT_PV},
		{"ENTRY above", move_entry_up, PVK_E_NOT_PV},
		{"ENTRY below", move_entry_down, PVK_E_NOT_PV},
		{"PADDR_OFFSET", move_paddr_offset, PVK_E_NOT_PV},
		{"short ENTRY", shorten_entry, PVK_E_TRUNCATED},
		{"SHT_NOTE only", notes_in_section, PVK_E_NOT_PV},
		{"no notes", no_notes, PVK_E_NOT_PV},
		{"PVH only", pvh_only, PVK_E_NOT_PV},
		{"class 32", class_32, PVK_E_FORMAT},
		{"big endian", big_endian, PVK_E_FORMAT},
		{"EI_VERSION", other_ident_version, PVK_E_FORMAT},
		{"e_version", other_version, PVK_E_FORMAT},
		{"machine", other_machine, PVK_E_NOT_PV},
		{"filesz > memsz", smaller_in_memory, PVK_E_FORMAT},
		{"wraps", wraps_around, PVK_E_FORMAT},
		{"no permissions", no_permissions, PVK_E_FORMAT},
		{"no PT_LOAD", no_loads, PVK_E_FORMAT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b;
		struct pvk_error err = {0};
		int r;

		elfbuild_linux_6_1(&b);
		rows[i].damage(&b);
		r = check_built(&b, &err);
		if (r != -rows[i].code || err.code != rows[i].code || err.msg[0] == '\0')
			fail_msg("%s: %d (%s)", rows[i].name, r, err.msg);
	}
}

static void damaged_tables_are_refused(void **state)
{
	static const struct {
		size_t offset;
		size_t size;
		uint64_t value;
		int code;
	} rows[] = {
		{32, 8, UINT64_MAX, PVK_E_TRUNCATED}, /* e_phoff */
		{32, 8, UINT64_MAX - 279, PVK_E_TRUNCATED},
		{54, 2, 32, PVK_E_FORMAT}, /* e_phentsize */
		{54, 2, 0, PVK_E_FORMAT},
		{56, 2, 0, PVK_E_FORMAT}, /* e_phnum */
		{56, 2, PVK_MAX_PHNUM, PVK_E_TRUNCATED},
		{56, 2, PVK_MAX_PHNUM + 1, PVK_E_FORMAT},
		{ELFBUILD_PHDRS + 8, 8, UINT64_MAX, PVK_E_TRUNCATED},  /* p_offset */
		{ELFBUILD_PHDRS + 32, 8, UINT64_MAX, PVK_E_TRUNCATED}, /* p_filesz */
		{ELFBUILD_PHDRS + 4 * ELFBUILD_PHDR_SIZE + 8, 8, 0, PVK_E_TRUNCATED},
		{ELFBUILD_PHDRS + 4 * ELFBUILD_PHDR_SIZE + 32, 8, UINT64_MAX, PVK_E_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct elfbuild b;
		size_t size;
		_cleanup_free_ uint8_t *data = NULL;

		elfbuild_linux_6_1(&b);
		data = elfbuild_make(&b, &size);
		memcpy(data + rows[i].offset, &rows[i].value, rows[i].size);
		assert_int_equal(elfcheck_is_pv_kernel(bytes_make(data, size), NULL),
				 -rows[i].code);
	}
}

static void is_refused(struct bytes mutant, size_t where, void *context)
{
	(void)context;
	if (elfcheck_is_pv_kernel(mutant, NULL) == 0)
		fail_msg("accepted at %zu bytes", where);
}

static void survives(struct bytes mutant, size_t where, void *context)
{
	(void)where;
	*(unsigned *)context += elfcheck_is_pv_kernel(mutant, NULL) != 0;
}

static void every_proper_prefix_is_refused(void **state)
{
	struct elfbuild b;
	size_t size;

	(void)state;
	for (int i = 0; i < 2; i++) {
		_cleanup_free_ uint8_t *data = NULL;

		i == 0 ? elfbuild_linux_6_1(&b) : elfbuild_linux_6_12(&b);
		b.has_sections = false; /* then the last segment ends the file */
		data = elfbuild_make(&b, &size);
		mutate_each_prefix(bytes_make(data, size), 1, 0, is_refused, NULL);
	}
}

static void flipped_bits_are_survived(void **state)
{
	struct elfbuild b;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;
	unsigned refused = 0;

	(void)state;
	elfbuild_linux_6_12(&b);
	data = elfbuild_make(&b, &size);
	mutate_each_bit(bytes_make(data, size), 0, size, survives, &refused);
	/* Magic, class, byte order and version alone are 7 * 8 bits that may not change. */
	assert_in_range(refused, 56, size * 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pv_kernels_pass),
		cmocka_unit_test(what_some_loader_refuses_is_refused),
		cmocka_unit_test(damaged_tables_are_refused),
		cmocka_unit_test(every_proper_prefix_is_refused),
		cmocka_unit_test(flipped_bits_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
