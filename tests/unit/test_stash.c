/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../src/policy/stash.h"
#include "tmptree.h"

#define IMAGE	 "boot/vmlinuz-6.1"
#define PACKAGED "boot/pvkprep/packaged-6.1"
#define CONTENT	 "the packaged image"

static const struct kernel kernel = {
	.version = "6.1",
	.file = "vmlinuz-6.1",
	.packaged = "packaged-6.1",
	.record = "6.1.json",
};

/* --- calls that fail on demand; see WRAP in the Makefile --- */

static int link_error;	    /* every linkat() */
static int proc_link_error; /* linkat() through /proc alone */
static int rename_error;
static int fsync_error;

int __real_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static bool fails(int error)
{
	if (error != 0)
		errno = error;
	return error != 0;
}

int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	if (fails(link_error) || (strncmp(from, "/proc/", 6) == 0 && fails(proc_link_error)))
		return -1;
	return __real_linkat(from_fd, from, to_fd, to, flags);
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails(rename_error) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __wrap_fsync(int fd)
{
	return fails(fsync_error) ? -1 : __real_fsync(fd);
}

/* --- */

struct world {
	struct tmptree tree;
	struct root root;
	struct bootdir boot;
	struct infile image;
};

static int make_world(void **state)
{
	static struct world world;

	link_error = proc_link_error = rename_error = fsync_error = 0;
	tmptree_init(&world.tree);
	tmptree_write_text(&world.tree, IMAGE, CONTENT);
	tmptree_chmod(&world.tree, IMAGE, 0600);
	tmptree_mkdir(&world.tree, "boot/pvkprep");
	*state = &world;
	if (root_open(world.tree.path, &world.root, NULL) < 0 ||
	    bootdir_open(&world.root, &world.boot, NULL) < 0 ||
	    infile_open(world.boot.fd, kernel.file, INFILE_TRUSTED, &world.image, NULL) < 0)
		return -1;
	return infile_read(&world.image, NULL);
}

static int remove_world(void **state)
{
	struct world *world = *state;

	link_error = proc_link_error = rename_error = fsync_error = 0;
	infile_close(&world->image);
	bootdir_close(&world->boot);
	root_close(&world->root);
	tmptree_done(&world->tree);
	return 0;
}

static struct bytes text(const char *s)
{
	return bytes_make(s, strlen(s));
}

static int keep(struct world *world, struct pvk_error *err)
{
	return stash_keep(&world->boot, &kernel, &world->image, err);
}

/* Nothing of ours lies about, and the image is as it was. */
static void assert_clean(const struct world *world, unsigned kept)
{
	assert_int_equal(tmptree_count(&world->tree, "boot"), 2);
	assert_int_equal(tmptree_count(&world->tree, "boot/pvkprep"), kept);
	assert_true(tmptree_holds(&world->tree, IMAGE, text(CONTENT)));
}

static void an_image_is_kept_by_a_second_link(void **state)
{
	struct world *world = *state;

	assert_int_equal(stash_size(&world->boot, &kernel), 0);
	assert_int_equal(keep(world, NULL), 0);
	assert_int_equal(tmptree_stat(&world->tree, PACKAGED).st_ino, world->image.st.st_ino);
	assert_int_equal(stash_size(&world->boot, &kernel), strlen(CONTENT));
	assert_int_equal(keep(world, NULL), 0);
	assert_clean(world, 1);
}

static void without_proc_the_name_is_linked(void **state)
{
	struct world *world = *state;

	proc_link_error = ENOENT;
	assert_int_equal(keep(world, NULL), 0);
	assert_int_equal(tmptree_stat(&world->tree, PACKAGED).st_ino, world->image.st.st_ino);
	assert_clean(world, 1);
}

/* The file that was read is to be kept, not whatever bears its name by now. */
static void a_name_that_stands_for_another_file_by_now_is_not_linked(void **state)
{
	struct world *world = *state;
	struct pvk_error err;

	proc_link_error = ENOENT;
	tmptree_remove(&world->tree, IMAGE);
	tmptree_write_text(&world->tree, IMAGE, CONTENT);
	assert_int_equal(keep(world, &err), -ESTALE);
	assert_non_null(strstr(err.msg, "packaged-6.1"));
	assert_clean(world, 0);
}

static void without_hard_links_a_copy_is_kept(void **state)
{
	static const int errors[] = {EPERM, EMLINK, EOPNOTSUPP, ENOSYS, EXDEV};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		link_error = errors[i];
		assert_int_equal(keep(world, NULL), 0);
		assert_true(tmptree_stat(&world->tree, PACKAGED).st_ino != world->image.st.st_ino);
		assert_true(tmptree_holds(&world->tree, PACKAGED, text(CONTENT)));
		assert_int_equal(tmptree_stat(&world->tree, PACKAGED).st_mode & 07777, 0600);
		assert_clean(world, 1);
	}
}

static void an_older_one_is_replaced(void **state)
{
	struct world *world = *state;

	tmptree_write_text(&world->tree, PACKAGED, "of the version before");
	assert_int_equal(keep(world, NULL), 0);
	assert_true(tmptree_holds(&world->tree, PACKAGED, text(CONTENT)));
	assert_clean(world, 1);
}

static void a_failure_leaves_the_older_one(void **state)
{
	struct world *world = *state;
	struct pvk_error err;

	tmptree_write_text(&world->tree, PACKAGED, "of the version before");
	link_error = ENOSPC;
	assert_int_equal(keep(world, &err), -ENOSPC);
	assert_non_null(
		strstr(err.msg, "cannot keep the packaged image as '/boot/pvkprep/packaged-6.1'"));
	link_error = 0;
	rename_error = EROFS;
	assert_int_equal(keep(world, &err), -EROFS);
	assert_clean(world, 1);
	assert_true(tmptree_holds(&world->tree, PACKAGED, text("of the version before")));
	rename_error = 0;
	fsync_error = EIO;
	assert_int_equal(keep(world, &err), -EIO);
	link_error = EPERM;
	assert_int_equal(
		keep(world, &err),
		tmptree_stat(&world->tree, PACKAGED).st_ino == world->image.st.st_ino ? 0 : -EIO);
	assert_clean(world, 1);
}

static void the_kept_image_goes_back_in_one_step(void **state)
{
	struct world *world = *state;

	assert_int_equal(keep(world, NULL), 0);
	tmptree_remove(&world->tree, IMAGE);
	tmptree_write_text(&world->tree, IMAGE, "prepared");
	assert_int_equal(stash_put_back(&world->boot, &kernel, NULL), 0);
	assert_int_equal(tmptree_stat(&world->tree, IMAGE).st_ino, world->image.st.st_ino);
	assert_int_equal(stash_size(&world->boot, &kernel), 0);
	assert_clean(world, 0);
}

static void two_names_of_one_file_become_one(void **state)
{
	struct world *world = *state;

	assert_int_equal(keep(world, NULL), 0);
	assert_int_equal(stash_put_back(&world->boot, &kernel, NULL), 0);
	assert_int_equal(tmptree_stat(&world->tree, IMAGE).st_nlink, 1);
	assert_clean(world, 0);
}

static void what_cannot_be_put_back_stays_kept(void **state)
{
	struct world *world = *state;
	struct pvk_error err;

	assert_int_equal(stash_put_back(&world->boot, &kernel, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "cannot find the kept image"));
	tmptree_write_text(&world->tree, PACKAGED, "another");
	rename_error = EIO;
	assert_int_equal(stash_put_back(&world->boot, &kernel, &err), -EIO);
	assert_non_null(strstr(err.msg, "rename the kept image"));
	assert_clean(world, 1);
	rename_error = 0;
	fsync_error = EIO;
	assert_int_equal(stash_put_back(&world->boot, &kernel, &err), -EIO);
	assert_non_null(strstr(err.msg, "the packaged image is back, but"));
}

static void what_is_no_regular_file_is_not_kept(void **state)
{
	struct world *world = *state;
	struct bootdir bare = {.fd = world->boot.fd, .own_fd = -1};

	tmptree_mkdir(&world->tree, PACKAGED);
	assert_int_equal(stash_size(&world->boot, &kernel), 0);
	assert_int_equal(stash_size(&bare, &kernel), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		TEST(an_image_is_kept_by_a_second_link),
		TEST(without_proc_the_name_is_linked),
		TEST(a_name_that_stands_for_another_file_by_now_is_not_linked),
		TEST(without_hard_links_a_copy_is_kept),
		TEST(an_older_one_is_replaced),
		TEST(a_failure_leaves_the_older_one),
		TEST(the_kept_image_goes_back_in_one_step),
		TEST(two_names_of_one_file_become_one),
		TEST(what_cannot_be_put_back_stays_kept),
		TEST(what_is_no_regular_file_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
