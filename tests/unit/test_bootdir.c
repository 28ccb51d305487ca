/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/policy/bootdir.h"
#include "tmptree.h"

struct world {
	struct tmptree tree;
	struct root root;
	struct bootdir boot;
};

static int make_world(void **state)
{
	static struct world world;

	tmptree_init(&world.tree);
	tmptree_mkdir(&world.tree, "boot");
	*state = &world;
	if (root_open(world.tree.path, &world.root, NULL) < 0)
		return -1;
	return bootdir_open(&world.root, &world.boot, NULL);
}

static int remove_world(void **state)
{
	struct world *world = *state;

	bootdir_close(&world->boot);
	root_close(&world->root);
	tmptree_done(&world->tree);
	return 0;
}

static void the_kernels_are_listed_newest_first(void **state)
{
	static const char *const files[] = {
		"vmlinuz-6.1.0-9-amd64",
		"vmlinuz-6.1.0-10-amd64",
		"vmlinuz-5.10.0-32-amd64",
		"vmlinuz-6.1.0-10-amd64.dpkg-new",
		"vmlinuz-6.1.0-10-amd64.dpkg-tmp",
		"vmlinuz-1.rpmnew",
		"vmlinuz-1.rpmsave",
		"vmlinuz-1.sig",
		"vmlinuz-",
		"vmlinuz",
		"vmlinux-6.1.0-9-amd64",
		"kernel-6.1",
		"initrd.img-6.1.0-9-amd64",
		".vmlinuz-6.2",
		"Vmlinuz-6.2",
		"config-6.1.0-9-amd64",
		"vmlinuz-rescue",
	};
	static const char *const listed[] = {"rescue", "6.1.0-10-amd64", "6.1.0-9-amd64",
					     "5.10.0-32-amd64"};
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct world *world = *state;
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "boot/%s", files[i]);
		tmptree_write_text(&world->tree, path, "");
	}
	assert_int_equal(bootdir_list(&world->boot, &list, NULL), 0);
	assert_int_equal(list.count, sizeof(listed) / sizeof(listed[0]));
	for (size_t i = 0; i < list.count; i++)
		assert_string_equal(list.items[i].version, listed[i]);
	assert_string_equal(list.items[1].file, "vmlinuz-6.1.0-10-amd64");
	assert_string_equal(list.items[1].packaged, "packaged-6.1.0-10-amd64");
	assert_string_equal(list.items[1].record, "6.1.0-10-amd64.json");
}

static void a_link_is_left_out_only_when_its_kernel_is_listed_itself(void **state)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct world *world = *state;

	tmptree_write_text(&world->tree, "boot/vmlinuz-6.1", "");
	tmptree_symlink(&world->tree, "vmlinuz-6.1", "boot/vmlinuz-default");
	tmptree_symlink(&world->tree, "vmlinuz-gone", "boot/vmlinuz-dangling");
	tmptree_symlink(&world->tree, "../vmlinuz-6.1", "boot/vmlinuz-elsewhere");
	tmptree_symlink(&world->tree, "vmlinuz-default", "boot/vmlinuz-twice");
	assert_int_equal(bootdir_list(&world->boot, &list, NULL), 0);
	assert_int_equal(list.count, 4);
	for (size_t i = 0; i < list.count; i++)
		assert_string_not_equal(list.items[i].version, "default");
}

static void a_name_without_room_for_ours_beside_it_is_left_out(void **state)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct world *world = *state;
	char path[sizeof("boot/") + NAME_MAX];

	memset(path, '6', sizeof(path));
	memcpy(path, "boot/vmlinuz-", 13);
	path[sizeof(path) - 1] = '\0';
	tmptree_write_text(&world->tree, path, "");
	tmptree_write_text(&world->tree, "boot/vmlinuz-6.1", "");
	assert_int_equal(bootdir_list(&world->boot, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].version, "6.1");
}

static void an_empty_boot_lists_nothing(void **state)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct world *world = *state;

	assert_int_equal(bootdir_list(&world->boot, &list, NULL), 0);
	assert_int_equal(list.count, 0);
}

static void a_directory_full_of_kernels_is_no_boot(void **state)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct world *world = *state;
	struct pvk_error err;
	char path[64];

	for (unsigned i = 0; i <= PVK_MAX_KERNELS; i++) {
		(void)snprintf(path, sizeof(path), "boot/vmlinuz-%u", i);
		tmptree_write_text(&world->tree, path, "");
	}
	assert_int_equal(bootdir_list(&world->boot, &list, &err), -PVK_E_LIMIT);
	assert_null(list.items);
	tmptree_remove(&world->tree, "boot/vmlinuz-0");
	assert_int_equal(bootdir_list(&world->boot, &list, &err), 0);
	assert_int_equal(list.count, PVK_MAX_KERNELS);
}

/* --- our own directory --- */

static void our_own_directory_is_made_once_and_opened(void **state)
{
	struct world *world = *state;
	struct bootdir again = BOOTDIR_INIT;

	assert_int_equal(world->boot.own_fd, -1);
	assert_int_equal(bootdir_make_own(&world->boot, NULL), 0);
	assert_true(world->boot.own_fd >= 0);
	assert_int_equal(bootdir_make_own(&world->boot, NULL), 0);
	assert_int_equal(tmptree_stat(&world->tree, "boot/pvkprep").st_mode & 07777, 0755);
	assert_int_equal(bootdir_open(&world->root, &again, NULL), 0);
	assert_true(again.own_fd >= 0);
	bootdir_close(&again);
	assert_int_equal(again.own_fd, -1);
}

static void an_own_directory_that_is_a_link_or_writable_by_others_is_refused(void **state)
{
	struct world *world = *state;
	struct bootdir again = BOOTDIR_INIT;
	struct pvk_error err;

	tmptree_mkdir(&world->tree, "elsewhere");
	tmptree_symlink(&world->tree, "../elsewhere", "boot/pvkprep");
	assert_true(bootdir_open(&world->root, &again, &err) < 0);
	assert_true(bootdir_make_own(&world->boot, &err) < 0);
	tmptree_remove(&world->tree, "boot/pvkprep");
	tmptree_mkdir(&world->tree, "boot/pvkprep");
	tmptree_chmod(&world->tree, "boot/pvkprep", 0775);
	assert_int_equal(bootdir_open(&world->root, &again, &err), -PVK_E_REFUSED);
	assert_int_equal(again.fd, -1);
	tmptree_chmod(&world->tree, "boot/pvkprep", 0700);
	assert_int_equal(bootdir_open(&world->root, &again, &err), 0);
	bootdir_close(&again);
}

static void a_tree_without_boot_is_an_error_that_names_it(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct bootdir boot = BOOTDIR_INIT;
	struct pvk_error err;
	struct root root;

	(void)state;
	tmptree_init(&tree);
	assert_int_equal(root_open(tree.path, &root, NULL), 0);
	assert_int_equal(bootdir_open(&root, &boot, &err), -ENOENT);
	assert_non_null(strstr(err.msg, tree.path));
	assert_non_null(strstr(err.msg, "/boot'"));
	tmptree_write_text(&tree, "boot", "a file");
	assert_int_equal(bootdir_open(&root, &boot, &err), -ENOTDIR);
	root_close(&root);
}

static void the_lock_sweeps_what_a_killed_run_left(void **state)
{
	struct world *world = *state;
	_cleanup_close_ int other =
		openat(world->tree.fd, "boot", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(bootdir_make_own(&world->boot, NULL), 0);
	tmptree_write_text(&world->tree, "boot/.pvkprep.0123456789abcdef", "");
	tmptree_write_text(&world->tree, "boot/pvkprep/.pvkprep.0123456789abcdef", "");
	tmptree_write_text(&world->tree, "boot/.pvkprep.of-another", "");
	assert_int_equal(bootdir_lock(&world->boot, 0, NULL), 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(tmptree_count(&world->tree, "boot"), 2);
	assert_int_equal(tmptree_count(&world->tree, "boot/pvkprep"), 0);
}

/* Who waits for the lock meets what the run before has made of the directory. */
static void the_lock_finds_our_own_directory_as_it_is_now(void **state)
{
	struct world *world = *state;

	assert_int_equal(bootdir_make_own(&world->boot, NULL), 0);
	assert_int_equal(unlinkat(world->tree.fd, "boot/pvkprep", AT_REMOVEDIR), 0);
	assert_int_equal(bootdir_lock(&world->boot, 0, NULL), 0);
	assert_int_equal(world->boot.own_fd, -1);
	tmptree_mkdir(&world->tree, "boot/pvkprep");
	tmptree_write_text(&world->tree, "boot/pvkprep/1.json", "");
	assert_int_equal(bootdir_lock(&world->boot, 0, NULL), 0);
	assert_int_equal(faccessat(world->boot.own_fd, "1.json", F_OK, 0), 0);
}

/* --- names of one kernel --- */

static const struct {
	const char *argument, *version; /* version NULL: refused */
} arguments[] = {
	{"6.1", "6.1"},
	{"vmlinuz-6.1", "6.1"},
	{"/boot/vmlinuz-6.1", "6.1"},
	{"//boot/./vmlinuz-6.1", "6.1"},
	{"/boot/../boot/vmlinuz-6.1", "6.1"},
	{"/bootlink/vmlinuz-6.1", "6.1"},
	{"/vmlinuz", "6.1"},
	{"/vmlinuz.abs", "6.1"},
	{"/twice", "6.1"},
	{"default", "6.1"},
	{"/boot/vmlinuz-default", "6.1"},
	{"7.0-not-there", "7.0-not-there"},
	{"/boot/vmlinuz-7.0-not-there", "7.0-not-there"},
	{"", NULL},
	{"vmlinuz-", NULL},
	{"/", NULL},
	{"/boot", NULL},
	{"/boot/", NULL},
	{"/boot/vmlinuz-", NULL},
	{"/boot/config-6.1", NULL},
	{"/boot/vmlinuz-6.1.dpkg-new", NULL},
	{"/srv/vmlinuz-6.1", NULL},
	{"/elsewhere", NULL},
	{"/loop", NULL},
	{"/boot/sub/vmlinuz-6.1", NULL},
};

static void a_kernel_is_named_by_version_file_or_path(void **state)
{
	struct world *world = *state;
	struct tmptree *tree = &world->tree;

	tmptree_write_text(tree, "boot/vmlinuz-6.1", "");
	tmptree_write_text(tree, "boot/sub/vmlinuz-6.1", "");
	tmptree_write_text(tree, "srv/vmlinuz-6.1", "");
	tmptree_symlink(tree, "boot", "bootlink");
	tmptree_symlink(tree, "boot/vmlinuz-6.1", "vmlinuz");
	tmptree_symlink(tree, "/boot/vmlinuz-6.1", "vmlinuz.abs");
	tmptree_symlink(tree, "vmlinuz", "twice");
	tmptree_symlink(tree, "vmlinuz-6.1", "boot/vmlinuz-default");
	tmptree_symlink(tree, "srv/vmlinuz-6.1", "elsewhere");
	tmptree_symlink(tree, "loop", "loop");
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		struct pvk_error err = {0};
		struct kernel kernel;
		int r = bootdir_resolve(&world->root, &world->boot, arguments[i].argument, &kernel,
					&err);

		if (arguments[i].version
			    ? r < 0 || strcmp(kernel.version, arguments[i].version) != 0
			    : r != -PVK_E_REFUSED || err.msg[0] == '\0')
			fail_msg("'%s': %d, %s", arguments[i].argument, r,
				 r < 0 ? err.msg : kernel.version);
	}
}

static void a_name_too_long_is_refused(void **state)
{
	struct world *world = *state;
	struct kernel kernel;
	char name[NAME_MAX + 2];

	memset(name, '6', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(bootdir_resolve(&world->root, &world->boot, name, &kernel, NULL),
			 -ENAMETOOLONG);
	name[NAME_MAX - 9] = '\0'; /* "packaged-" before it just fits */
	assert_int_equal(bootdir_resolve(&world->root, &world->boot, name, &kernel, NULL), 0);
	assert_int_equal(strlen(kernel.packaged), NAME_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		TEST(the_kernels_are_listed_newest_first),
		TEST(a_link_is_left_out_only_when_its_kernel_is_listed_itself),
		TEST(a_name_without_room_for_ours_beside_it_is_left_out),
		TEST(an_empty_boot_lists_nothing),
		TEST(a_directory_full_of_kernels_is_no_boot),
		TEST(our_own_directory_is_made_once_and_opened),
		TEST(an_own_directory_that_is_a_link_or_writable_by_others_is_refused),
		TEST(a_tree_without_boot_is_an_error_that_names_it),
		TEST(the_lock_sweeps_what_a_killed_run_left),
		TEST(the_lock_finds_our_own_directory_as_it_is_now),
		TEST(a_kernel_is_named_by_version_file_or_path),
		TEST(a_name_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
