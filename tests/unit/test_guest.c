/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/system/guest.h"
#include "tmptree.h"

/* The files of /sys/hypervisor (NULL: absent), and what they make the guest. */
static const struct {
	const char *type, *guest_type, *features;
	enum guest_mode mode;
} rows[] = {
	{NULL, NULL, NULL, GUEST_NOT_XEN},
	{"xen\n", "PV\n", NULL, GUEST_PV},
	{"xen\n", "PVH\n", NULL, GUEST_PVH},
	{"xen\n", "HVM\n", NULL, GUEST_HVM},
	{"xen\n", "PV\n", "00000804\n", GUEST_PV}, /* the word goes before the bits */
	{"xen\n", NULL, "00000801\n", GUEST_PV},
	{"xen\n", NULL, "00000804\n", GUEST_HVM},
	{"xen\n", "novel\n", "00000804\n", GUEST_HVM},
	{"xen\n", NULL, "\n", GUEST_NOT_XEN},
	{"xen\n", NULL, NULL, GUEST_NOT_XEN},
	{"xenon\n", "PV\n", NULL, GUEST_NOT_XEN},
	{"kvm\n", "PV\n", "00000801\n", GUEST_NOT_XEN},
	{"", "PV\n", NULL, GUEST_NOT_XEN},
};

static enum guest_mode detect(size_t row)
{
	_cleanup_tmptree_ struct tmptree tree;
	enum guest_mode mode;
	struct root root;

	tmptree_init(&tree);
	if (rows[row].type)
		tmptree_write_text(&tree, "sys/type", rows[row].type);
	if (rows[row].guest_type)
		tmptree_write_text(&tree, "sys/guest_type", rows[row].guest_type);
	if (rows[row].features)
		tmptree_write_text(&tree, "sys/properties/features", rows[row].features);
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	mode = guest_detect_in(&root, "/sys");
	root_close(&root);
	return mode;
}

static void the_mode_is_read_from_sysfs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (detect(i) != rows[i].mode)
			fail_msg("row %zu: %s", i, guest_mode_name(detect(i)));
}

static void another_tree_is_a_pv_guests(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct root root;

	(void)state;
	tmptree_init(&tree);
	tmptree_write_text(&tree, "sys/hypervisor/type", "xen\n");
	tmptree_write_text(&tree, "sys/hypervisor/guest_type", "HVM\n");
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	assert_int_equal(guest_detect(&root), GUEST_PV);
	root.is_live = true;
	assert_int_equal(guest_detect(&root), GUEST_HVM);
	root_close(&root);
}

static void a_directory_name_too_long_is_no_xen(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	char dir[PATH_MAX];
	struct root root;

	(void)state;
	tmptree_init(&tree);
	memset(dir, '/', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	assert_int_equal(guest_detect_in(&root, dir), GUEST_NOT_XEN);
	root_close(&root);
}

static void every_mode_has_its_names(void **state)
{
	(void)state;
	assert_string_equal(guest_mode_name(GUEST_PV), "pv");
	assert_string_equal(guest_mode_name(GUEST_PVH), "pvh");
	assert_string_equal(guest_mode_name(GUEST_HVM), "hvm");
	assert_string_equal(guest_mode_name(GUEST_NOT_XEN), "none");
	assert_string_equal(guest_mode_text(GUEST_PVH), "a Xen PVH guest");
	assert_string_equal(guest_mode_text(GUEST_NOT_XEN), "not a Xen guest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mode_is_read_from_sysfs),
		cmocka_unit_test(another_tree_is_a_pv_guests),
		cmocka_unit_test(a_directory_name_too_long_is_no_xen),
		cmocka_unit_test(every_mode_has_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
