/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../src/system/dpkgdb.h"
#include "tmptree.h"

#define INFO	"var/lib/dpkg/info/"
#define VERSION "6.1.0-50-amd64"
#define SUM	"0123456789abcdef0123456789abcdef"
#define OTHER	"ffffffffffffffffffffffffffffffff"

static int find(const char *list, const char *content, struct dpkg_md5 *ret, struct pvk_error *err)
{
	_cleanup_tmptree_ struct tmptree tree;
	char path[128];
	struct root root;
	int r;

	tmptree_init(&tree);
	(void)snprintf(path, sizeof(path), INFO "%s", list);
	tmptree_write_text(&tree, path, content);
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	memset(ret, 0, sizeof(*ret));
	r = dpkgdb_find_md5(&root, VERSION, ret, err);
	root_close(&root);
	return r;
}

static void the_sum_is_found_with_its_package(void **state)
{
	struct dpkg_md5 found;

	(void)state;
	assert_int_equal(find("linux-image-" VERSION ".md5sums",
			      OTHER "  boot/System.map-" VERSION "\n" SUM "  boot/vmlinuz-" VERSION
				    "\n" OTHER "  lib/modules/x\n",
			      &found, NULL),
			 1);
	assert_string_equal(found.md5, SUM);
	assert_string_equal(found.package, "linux-image-" VERSION);
	assert_int_equal(find("linux-image-" VERSION ":amd64.md5sums",
			      SUM "  boot/vmlinuz-" VERSION, &found, NULL),
			 1);
	assert_string_equal(found.package, "linux-image-" VERSION ":amd64");
}

static void a_line_that_is_not_exactly_it_is_passed_over(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n\n",
		SUM "  boot/vmlinuz-" VERSION "-dbg\n",
		SUM "  boot/vmlinuz-6.1.0-50-amd6\n",
		SUM "  usr/boot/vmlinuz-" VERSION "\n",
		"0123456789ABCDEF0123456789abcdef  boot/vmlinuz-" VERSION "\n",
		"0123456789abcdef0123456789abcde  boot/vmlinuz-" VERSION "\n",
		"0" SUM "  boot/vmlinuz-" VERSION "\n",
		SUM " boot/vmlinuz-" VERSION "\n",
		"boot/vmlinuz-" VERSION "\n",
		"x",
	};
	struct dpkg_md5 found;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (find("linux-image-" VERSION ".md5sums", lines[i], &found, NULL) != 0)
			fail_msg("'%s' was taken", lines[i]);
}

static void only_lists_of_that_version_are_read(void **state)
{
	static const char *const names[] = {"linux-image-6.1.0-51-amd64.md5sums",
					    "linux-image.md5sums", "linux-image-" VERSION ".list",
					    ".md5sums"};
	struct dpkg_md5 found;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(find(names[i], SUM "  boot/vmlinuz-" VERSION "\n", &found, NULL),
				 0);
}

static void a_tree_without_dpkg_lists_nothing(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct dpkg_md5 found;
	struct root root;

	(void)state;
	tmptree_init(&tree);
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	assert_int_equal(dpkgdb_find_md5(&root, VERSION, &found, NULL), 0);
	tmptree_write_text(&tree, "var/lib/dpkg", "a file");
	assert_int_equal(dpkgdb_find_md5(&root, VERSION, &found, NULL), 0);
	root_close(&root);
}

static void a_list_of_files_tells_who_owns_the_image(void **state)
{
	static const struct {
		const char *file, *content;
		int owns;
	} rows[] = {
		{INFO "linux-image-" VERSION ".list", "/.\n/boot\n/boot/vmlinuz-" VERSION "\n", 1},
		{INFO "linux-image-" VERSION ".list", "/boot/vmlinuz-" VERSION, 1},
		{INFO "linux-image-" VERSION ".list", "/boot/vmlinuz-" VERSION "-dbg\n", 0},
		{INFO "linux-image-" VERSION ".list", "/usr/boot/vmlinuz-" VERSION "\n", 0},
		{INFO "linux-image-" VERSION ".list", "", 0},
		{INFO "linux-image-other.list", "/boot/vmlinuz-" VERSION "\n", 0},
		{INFO "linux-image-" VERSION ".md5sums", "/boot/vmlinuz-" VERSION "\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_tmptree_ struct tmptree tree;
		struct root root;

		tmptree_init(&tree);
		tmptree_write_text(&tree, rows[i].file, rows[i].content);
		assert_int_equal(root_open(tree.path, &root, NULL), 0);
		if (dpkgdb_owns_image(&root, VERSION, NULL) != rows[i].owns)
			fail_msg("row %zu", i);
		root_close(&root);
	}
}

/* Debian has a kernel's modules in its package, Ubuntu and sid in one of their own, and headers
 * only put a link beside them. */
static void the_modules_are_their_package_s(void **state)
{
	static const struct {
		const char *file, *content, *package;
	} rows[] = {
		{"linux-image-" VERSION, "/lib/modules/" VERSION "/modules.builtin\n",
		 "linux-image-" VERSION},
		{"linux-modules-" VERSION, "/.\n/lib/modules/" VERSION "/modules.order\n",
		 "linux-modules-" VERSION},
		{"linux-modules-" VERSION ":amd64",
		 "/usr/lib/modules/" VERSION "/modules.builtin\n",
		 "linux-modules-" VERSION ":amd64"},
		{"linux-headers-" VERSION,
		 "/lib/modules/" VERSION "\n/lib/modules/" VERSION "/build\n", NULL},
		{"linux-modules-" VERSION, "/lib/modules/" VERSION "-rt/modules.builtin\n", NULL},
		{"linux-modules-other", "/lib/modules/" VERSION "/modules.builtin\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_tmptree_ struct tmptree tree;
		char path[128], package[128] = "";
		struct root root;

		tmptree_init(&tree);
		(void)snprintf(path, sizeof(path), INFO "%s.list", rows[i].file);
		tmptree_write_text(&tree, path, rows[i].content);
		assert_int_equal(root_open(tree.path, &root, NULL), 0);
		if (dpkgdb_find_modules(&root, VERSION, package, NULL) != (rows[i].package != NULL))
			fail_msg("row %zu", i);
		assert_string_equal(package, rows[i].package ? rows[i].package : "");
		root_close(&root);
	}
}

/* While dpkg unpacks, the old version's list still lies in info: it must not be asked. */
static void the_package_that_is_being_unpacked_has_its_own_list(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct dpkg_md5 found = {0};
	struct root root;

	(void)state;
	tmptree_init(&tree);
	tmptree_write_text(&tree, INFO "linux-image-" VERSION ".md5sums",
			   OTHER "  boot/vmlinuz-" VERSION "\n");
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	assert_int_equal(dpkgdb_find_unpacked_md5(&root, VERSION, &found, NULL), 0);
	tmptree_write_text(&tree, "var/lib/dpkg/tmp.ci/md5sums",
			   SUM "  boot/vmlinuz-" VERSION "\n");
	assert_int_equal(dpkgdb_find_unpacked_md5(&root, VERSION, &found, NULL), 1);
	assert_string_equal(found.md5, SUM);
	assert_string_equal(found.package, "linux-image-" VERSION);
	assert_int_equal(dpkgdb_find_unpacked_md5(&root, "6.2", &found, NULL), 0);
	root_close(&root);
}

/* A sum that is there and cannot be read must not be taken for none. */
static void a_list_that_cannot_be_read_is_an_error(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct dpkg_md5 found;
	struct pvk_error err;
	struct root root;

	(void)state;
	tmptree_init(&tree);
	tmptree_mkdir(&tree, INFO "linux-image-" VERSION ".md5sums");
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	assert_true(dpkgdb_find_md5(&root, VERSION, &found, &err) < 0);
	assert_non_null(strstr(err.msg, "linux-image-" VERSION ".md5sums"));
	root_close(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sum_is_found_with_its_package),
		cmocka_unit_test(a_line_that_is_not_exactly_it_is_passed_over),
		cmocka_unit_test(only_lists_of_that_version_are_read),
		cmocka_unit_test(a_tree_without_dpkg_lists_nothing),
		cmocka_unit_test(a_list_of_files_tells_who_owns_the_image),
		cmocka_unit_test(the_modules_are_their_package_s),
		cmocka_unit_test(the_package_that_is_being_unpacked_has_its_own_list),
		cmocka_unit_test(a_list_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
