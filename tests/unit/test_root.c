/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/system/root.h"
#include "../../src/system/syscalls.h"
#include "tmptree.h"

#define LINKS_ALLOWED 40 /* of the kernel: include/linux/namei.h, MAXSYMLINKS */

struct world {
	struct tmptree tree; /* the guest's tree is its directory "in" */
	struct root root;
};

static void make_chain(const struct tmptree *tree, unsigned links)
{
	char from[64], to[64];

	for (unsigned i = 0; i < links; i++) {
		(void)snprintf(from, sizeof(from), "in/chain/%u", i + 1);
		(void)snprintf(to, sizeof(to), "%u", i);
		tmptree_symlink(tree, to, from);
	}
}

static int make_world(void **state)
{
	static struct world world;
	struct tmptree *tree = &world.tree;
	char path[128];

	tmptree_init(tree);
	tmptree_write_text(tree, "secret", "outside");
	tmptree_write_text(tree, "in/boot/file", "inside");
	tmptree_write_text(tree, "in/secret", "decoy");
	tmptree_write_text(tree, "in/deep/a/b/file", "deep");
	tmptree_symlink(tree, "boot/file", "in/relative");
	tmptree_symlink(tree, "/boot/file", "in/absolute");
	tmptree_symlink(tree, "../../../../secret", "in/boot/up");
	tmptree_symlink(tree, "/../../secret", "in/absolute-up");
	tmptree_symlink(tree, "..", "in/deep/parent");
	tmptree_symlink(tree, "/", "in/top");
	tmptree_symlink(tree, "boot", "in/dirlink");
	tmptree_symlink(tree, "boot/", "in/dirlink-slash");
	tmptree_symlink(tree, "boot/file/", "in/filelink-slash");
	tmptree_symlink(tree, "nowhere", "in/dangling");
	tmptree_symlink(tree, "loop-b", "in/loop-a");
	tmptree_symlink(tree, "loop-a", "in/loop-b");
	tmptree_symlink(tree, "self/x", "in/self");
	tmptree_symlink(tree, "relative", "in/twice");
	tmptree_symlink(tree, ".", "in/dot");
	(void)snprintf(path, sizeof(path), "%s/secret", tree->path);
	tmptree_symlink(tree, path, "in/host-path");
	tmptree_write_text(tree, "in/chain/0", "end of the chain");
	make_chain(tree, LINKS_ALLOWED + 1);
	(void)snprintf(path, sizeof(path), "%s/in", tree->path);
	*state = &world;
	return root_open(path, &world.root, NULL);
}

static int remove_world(void **state)
{
	struct world *world = *state;

	root_close(&world->root);
	tmptree_done(&world->tree);
	return 0;
}

#define INSIDE "inside"

static const struct row {
	const char *path;
	int flags;
	int error;	     /* 0: it opens */
	const char *content; /* NULL: a directory, or not read */
} rows[] = {
	{"/boot/file", O_RDONLY, 0, INSIDE},
	{"boot/file", O_RDONLY, 0, INSIDE},
	{"//boot///file", O_RDONLY, 0, INSIDE},
	{"./boot/./file", O_RDONLY, 0, INSIDE},
	{"/deep/a/../../boot/file", O_RDONLY, 0, INSIDE},
	{"/deep/a/b/../b/file", O_RDONLY, 0, "deep"},
	/* The root is its own parent. */
	{"..", O_RDONLY | O_DIRECTORY, 0, NULL},
	{"../secret", O_RDONLY, 0, "decoy"},
	{"/../../../secret", O_RDONLY, 0, "decoy"},
	{"boot/../../secret", O_RDONLY, 0, "decoy"},
	{"boot/up", O_RDONLY, 0, "decoy"},
	{"absolute-up", O_RDONLY, 0, "decoy"},
	{"deep/parent/../secret", O_RDONLY, 0, "decoy"},
	/* Links. */
	{"relative", O_RDONLY, 0, INSIDE},
	{"absolute", O_RDONLY, 0, INSIDE},
	{"twice", O_RDONLY, 0, INSIDE},
	{"dirlink/file", O_RDONLY, 0, INSIDE},
	{"dirlink-slash/file", O_RDONLY, 0, INSIDE},
	{"top/top/boot/file", O_RDONLY, 0, INSIDE},
	{"deep/parent/parent/boot/file", O_RDONLY, ENOENT, NULL},
	{"dot/dot/dot/boot/file", O_RDONLY, 0, INSIDE},
	{"dirlink/../secret", O_RDONLY, 0, "decoy"},
	{"host-path", O_RDONLY, ENOENT, NULL},
	{"dangling", O_RDONLY, ENOENT, NULL},
	{"loop-a", O_RDONLY, ELOOP, NULL},
	{"loop-a/file", O_RDONLY, ELOOP, NULL},
	{"self", O_RDONLY, ELOOP, NULL},
	{"chain/40", O_RDONLY, 0, "end of the chain"},
	{"chain/41", O_RDONLY, ELOOP, NULL},
	/* O_NOFOLLOW: the last one is not followed, those before are. */
	{"relative", O_RDONLY | O_NOFOLLOW, ELOOP, NULL},
	{"relative", O_PATH | O_NOFOLLOW, 0, NULL},
	{"loop-a", O_PATH | O_NOFOLLOW, 0, NULL},
	{"dangling", O_PATH | O_NOFOLLOW, 0, NULL},
	{"dirlink", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, ENOTDIR, NULL},
	{"dirlink/file", O_RDONLY | O_NOFOLLOW, 0, INSIDE},
	{"top/relative", O_RDONLY | O_NOFOLLOW, ELOOP, NULL},
	/* Slashes at the end ask for a directory, and follow a link. */
	{"boot/", O_RDONLY, 0, NULL},
	{"boot/.", O_RDONLY, 0, NULL},
	{"boot/file/", O_RDONLY, ENOTDIR, NULL},
	{"boot/file//", O_RDONLY, ENOTDIR, NULL},
	{"boot/file/.", O_RDONLY, ENOTDIR, NULL},
	{"boot/file/..", O_RDONLY, ENOTDIR, NULL},
	{"boot/file/x", O_RDONLY, ENOTDIR, NULL},
	{"relative/", O_RDONLY, ENOTDIR, NULL},
	{"filelink-slash", O_RDONLY, ENOTDIR, NULL},
	{"dirlink/", O_RDONLY | O_NOFOLLOW, 0, NULL},
	{"dirlink-slash", O_RDONLY, 0, NULL},
	{"dirlink-slash/", O_RDONLY, 0, NULL},
	{"loop-a/", O_RDONLY | O_NOFOLLOW, ELOOP, NULL},
	{"nowhere/", O_RDONLY, ENOENT, NULL},
	/* Kinds and absence. */
	{"/", O_RDONLY | O_DIRECTORY, 0, NULL},
	{".", O_RDONLY | O_DIRECTORY, 0, NULL},
	{"boot", O_RDONLY | O_DIRECTORY, 0, NULL},
	{"boot/file", O_RDONLY | O_DIRECTORY, ENOTDIR, NULL},
	{"nowhere", O_RDONLY, ENOENT, NULL},
	{"nowhere/file", O_RDONLY, ENOENT, NULL},
	{"nowhere/../boot/file", O_RDONLY, ENOENT, NULL},
	{"boot", O_WRONLY, EISDIR, NULL},
};

static void check_open_fd(const char *who, const struct row *row, int fd)
{
	char text[64];
	ssize_t n;

	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	if (row->content) {
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		if (strcmp(text, row->content) != 0)
			fail_msg("%s '%s': reads '%s'", who, row->path, text);
	}
}

static void check_rows(const struct root *root, const char *who,
		       int (*open_path)(const struct root *, const char *, int))
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_close_ int fd = open_path(root, rows[i].path, rows[i].flags);

		if (fd != -rows[i].error && (fd < 0 || rows[i].error != 0))
			fail_msg("%s '%s' (flags %#o): %d, not %d", who, rows[i].path,
				 (unsigned)rows[i].flags, fd, -rows[i].error);
		if (fd >= 0)
			check_open_fd(who, &rows[i], fd);
	}
}

static bool has_openat2(void)
{
	return syscall(SYS_openat2, -1, "", NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
}

static void the_kernel_resolves_every_path_inside(void **state)
{
	struct world *world = *state;

	if (!has_openat2())
		skip();
	check_rows(&world->root, "openat2", root_openat);
}

static void the_walk_resolves_every_path_likewise(void **state)
{
	struct world *world = *state;

	check_rows(&world->root, "walk", root_walk);
}

static void a_path_of_the_greatest_length_is_an_error_and_no_overrun(void **state)
{
	struct world *world = *state;
	char path[PATH_MAX + 64], name[NAME_MAX + 3];

	memset(path, 'a', sizeof(path));
	for (size_t i = 1; i < sizeof(path); i += 2)
		path[i] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(root_walk(&world->root, path, O_RDONLY), -ENAMETOOLONG);
	assert_int_equal(root_openat(&world->root, path, O_RDONLY), -ENAMETOOLONG);
	memset(name, 'n', sizeof(name) - 1);
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(root_walk(&world->root, name, O_RDONLY), -ENAMETOOLONG);
	assert_int_equal(root_openat(&world->root, name, O_RDONLY), -ENAMETOOLONG);
	name[NAME_MAX] = '\0';
	assert_int_equal(root_walk(&world->root, name, O_RDONLY), -ENOENT);
	assert_int_equal(root_openat(&world->root, name, O_RDONLY), -ENOENT);
}

static void a_device_or_fifo_is_looked_at_and_not_opened(void **state)
{
	struct world *world = *state;
	_cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), fd = -1;
	char event[sizeof(struct inotify_event) + NAME_MAX + 1], path[128], *text;
	struct stat st;
	size_t size;

	assert_int_equal(mkfifoat(world->root.fd, "shut", 0644), 0);
	(void)snprintf(path, sizeof(path), "%s/in/shut", world->tree.path);
	assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
	fd = root_openat(&world->root, "/shut", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(read(fd, event, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(root_read_file(&world->root, "/shut", 10, &text, &size), -EINVAL);
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
}

static void the_walk_leaks_no_descriptor(void **state)
{
	struct world *world = *state;
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

	close_keep_errno(&before);
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = root_walk(&world->root, rows[i].path, rows[i].flags);

		close_keep_errno(&fd);
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(after, before + 1);
	close_keep_errno(&before);
	close_keep_errno(&after);
}

static void a_tree_that_is_none_is_an_error_with_its_name(void **state)
{
	struct world *world = *state;
	struct pvk_error err;
	struct root root;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/secret", world->tree.path);
	assert_int_equal(root_open(path, &root, &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "/secret"));
	assert_int_equal(root_open("/no/such/tree", &root, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'/no/such/tree'"));
}

static void only_the_running_systems_tree_is_live(void **state)
{
	struct world *world = *state;
	struct root root;

	assert_false(world->root.is_live);
	assert_int_equal(root_open(NULL, &root, NULL), 0);
	assert_true(root.is_live);
	assert_string_equal(root.path, "");
	root_close(&root);
	assert_int_equal(root_open("/", &root, NULL), 0);
	assert_true(root.is_live);
	assert_string_equal(root.path, "");
	root_close(&root);
	assert_int_equal(root.fd, -1);
}

static void a_small_file_is_read_whole_and_a_large_one_refused(void **state)
{
	struct world *world = *state;
	char *text = NULL;
	size_t size = 99;

	assert_int_equal(root_read_file(&world->root, "/boot/file", 5, &text, &size), -E2BIG);
	assert_null(text);
	assert_int_equal(size, 99);
	assert_int_equal(root_read_file(&world->root, "/boot/file", 6, &text, &size), 0);
	assert_string_equal(text, INSIDE);
	assert_int_equal(size, 6);
	free(text);
}

static void what_is_no_regular_file_is_not_read(void **state)
{
	struct world *world = *state;
	char *text = NULL;
	size_t size;

	assert_int_equal(mkfifoat(world->root.fd, "fifo", 0644), 0);
	assert_int_equal(root_read_file(&world->root, "/boot", 100, &text, &size), -EINVAL);
	assert_int_equal(root_read_file(&world->root, "/fifo", 100, &text, &size), -EINVAL);
	assert_int_equal(root_read_file(&world->root, "/nowhere", 100, &text, &size), -ENOENT);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_resolves_every_path_inside),
		cmocka_unit_test(the_walk_resolves_every_path_likewise),
		cmocka_unit_test(a_path_of_the_greatest_length_is_an_error_and_no_overrun),
		cmocka_unit_test(a_device_or_fifo_is_looked_at_and_not_opened),
		cmocka_unit_test(the_walk_leaks_no_descriptor),
		cmocka_unit_test(a_tree_that_is_none_is_an_error_with_its_name),
		cmocka_unit_test(only_the_running_systems_tree_is_live),
		cmocka_unit_test(a_small_file_is_read_whole_and_a_large_one_refused),
		cmocka_unit_test(what_is_no_regular_file_is_not_read),
	};

	return cmocka_run_group_tests(tests, make_world, remove_world);
}
