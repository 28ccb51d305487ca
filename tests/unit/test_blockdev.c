/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../../src/system/blockdev.h"
#include "tmptree.h"

/* No such devices are here: what is left is the name. */
static void a_name_tells_where_sysfs_does_not(void **state)
{
	static const struct {
		const char *name;
		enum blockdev_kind kind;
	} rows[] = {
		{"pvk-xvda1", BLOCKDEV_PLAIN},
		{"mapper/pvk-no-such", BLOCKDEV_LVM},
		{"md-pvk-no-such", BLOCKDEV_MIRROR},
		{"null", BLOCKDEV_PLAIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (blockdev_look(rows[i].name) != rows[i].kind)
			fail_msg("row %zu", i);
}

static void ext_features_are_read_and_nothing_else_is_taken_for_them(void **state)
{
	static const uint8_t magic[] = {0x53, 0xef}, features[] = {0xc2, 0x82, 0x02, 0x00};
	_cleanup_tmptree_ struct tmptree tree;
	uint8_t image[4096] = {0};
	char path[PATH_MAX];
	uint32_t found = 7;

	(void)state;
	tmptree_init(&tree);
	(void)snprintf(path, sizeof(path), "%s/image", tree.path);
	assert_int_equal(blockdev_read_ext_features(path, &found), -ENOENT);
	tmptree_write(&tree, "image", bytes_make(image, sizeof(image)));
	assert_int_equal(blockdev_read_ext_features(path, &found), -ENODATA);
	memcpy(image + 1024 + 0x38, magic, sizeof(magic));
	memcpy(image + 1024 + 0x60, features, sizeof(features));
	tmptree_write(&tree, "image", bytes_make(image, 1500)); /* cut */
	assert_int_equal(blockdev_read_ext_features(path, &found), -ENODATA);
	assert_int_equal(found, 7);
	tmptree_write(&tree, "image", bytes_make(image, sizeof(image)));
	assert_int_equal(blockdev_read_ext_features(path, &found), 0);
	assert_int_equal(found, 0x282c2);
}

static void the_version_of_an_xfs_is_read(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	uint8_t image[4096] = "XFSB";
	unsigned version = 7;
	char path[PATH_MAX];

	(void)state;
	tmptree_init(&tree);
	(void)snprintf(path, sizeof(path), "%s/image", tree.path);
	image[100] = 0xb4; /* feature bits above the version */
	image[101] = 0xa5;
	tmptree_write(&tree, "image", bytes_make(image, sizeof(image)));
	assert_int_equal(blockdev_read_xfs_version(path, &version), 0);
	assert_int_equal(version, 5);
	image[0] = 'Y';
	tmptree_write(&tree, "image", bytes_make(image, sizeof(image)));
	assert_int_equal(blockdev_read_xfs_version(path, &version), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_tells_where_sysfs_does_not),
		cmocka_unit_test(ext_features_are_read_and_nothing_else_is_taken_for_them),
		cmocka_unit_test(the_version_of_an_xfs_is_read),
	};

	return cmocka_run_group_tests_name("blockdev", tests, NULL, NULL);
}
