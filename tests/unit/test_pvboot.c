/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/base/cleanup.h"
#include "../../src/policy/pvboot.h"
#include "elfbuild.h"

static int judge(enum pvboot_arch arch, const struct elfbuild *build, size_t cut)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	data = elfbuild_make(build, &size);
	return pvboot_judge(arch, bytes_make(data, cut < size ? size - cut : 0), NULL, NULL);
}

/* What grub-mkimage writes: GUEST_OS, LOADER, XEN_VERSION, ENTRY, VIRT_BASE; as a kernel has them.
 */
static struct elfbuild good(void)
{
	struct elfbuild build;

	elfbuild_linux_6_1(&build);
	return build;
}

static void a_pv_image_of_the_right_width_is_good(void **state)
{
	const struct elfbuild build = good();

	(void)state;
	assert_int_equal(judge(PVBOOT_X86_64, &build, 0), 0);
	assert_true(judge(PVBOOT_I386, &build, 0) < 0);
}

static void an_image_without_an_entry_note_is_none(void **state)
{
	struct elfbuild build = good();

	(void)state;
	elfbuild_drop_note(&build, XEN_NOTE_ENTRY);
	assert_int_equal(judge(PVBOOT_X86_64, &build, 0), -PVK_E_NOT_PV);
}

static void an_image_for_another_loader_is_none(void **state)
{
	struct elfbuild build = good();

	(void)state;
	elfbuild_text_note(&build, XEN_NOTE_LOADER, "special");
	assert_int_equal(judge(PVBOOT_X86_64, &build, 0), -PVK_E_NOT_PV);
}

static void a_cut_image_is_none(void **state)
{
	struct elfbuild build = good();

	(void)state;
	build.has_sections = false;
	assert_int_equal(judge(PVBOOT_X86_64, &build, 0), 0);
	assert_true(judge(PVBOOT_X86_64, &build, 1) < 0);
	assert_int_equal(judge(PVBOOT_X86_64, &build, SIZE_MAX), -PVK_E_TRUNCATED);
}

static void what_is_no_elf_is_none(void **state)
{
	static const char text[] = "this is no image at all";

	(void)state;
	assert_true(pvboot_judge(PVBOOT_X86_64, bytes_make(text, sizeof(text)), NULL, NULL) < 0);
}

static bool needs(const char *text)
{
	return pvboot_needs_modules(PVBOOT_X86_64, bytes_make(text, strlen(text)));
}

/* The texts are those of images that grub-mkimage 2.06 made with and without normal in them. */
static void a_grub_without_normal_in_it_needs_its_modules(void **state)
{
	(void)state;
	assert_true(needs("...%s/x86_64-xen/%s.mod...Welcome to GRUB!...normal..."));
	assert_false(needs("...%s/x86_64-xen/%s.mod...normal...grub_normal_execute..."));
	assert_false(needs("...%s/i386-xen/%s.mod..."));
	assert_false(needs("any other kernel"));
	assert_false(pvboot_needs_modules(PVBOOT_X86_64, bytes_make(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pv_image_of_the_right_width_is_good),
		cmocka_unit_test(an_image_without_an_entry_note_is_none),
		cmocka_unit_test(an_image_for_another_loader_is_none),
		cmocka_unit_test(a_cut_image_is_none),
		cmocka_unit_test(what_is_no_elf_is_none),
		cmocka_unit_test(a_grub_without_normal_in_it_needs_its_modules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
