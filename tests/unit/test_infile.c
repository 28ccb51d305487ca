/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/limits.h"
#include "../../src/system/infile.h"
#include "tmptree.h"

#define CONTENT "some bytes"

static int make_tree(void **state)
{
	static struct tmptree tree;

	tmptree_init(&tree);
	tmptree_write_text(&tree, "file", CONTENT);
	*state = &tree;
	return 0;
}

static int remove_tree(void **state)
{
	tmptree_done(*state);
	return 0;
}

static void assert_refused(const struct tmptree *tree, const char *name, enum infile_check check,
			   int code, const char *word)
{
	struct infile file = INFILE_INIT;
	struct pvk_error err = {0};

	assert_int_equal(infile_open(tree->fd, name, check, &file, &err), -code);
	if (!strstr(err.msg, word))
		fail_msg("%s: '%s' has no '%s'", name, err.msg, word);
	assert_int_equal(file.fd, -1);
}

static void a_file_is_read_whole_into_private_memory(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_infile_ struct infile file = INFILE_INIT;

	assert_int_equal(infile_open(tree->fd, "file", INFILE_TRUSTED, &file, NULL), 0);
	assert_int_equal(infile_read(&file, NULL), 0);
	assert_int_equal(file.bytes.size, strlen(CONTENT));
	assert_memory_equal(file.bytes.data, CONTENT, strlen(CONTENT));
	tmptree_write_text(tree, "file", "SOME BYTES");
	assert_memory_equal(file.bytes.data, CONTENT, strlen(CONTENT));
	assert_int_equal(fcntl(file.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void an_empty_file_has_no_bytes(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_infile_ struct infile file = INFILE_INIT;

	tmptree_write_text(tree, "empty", "");
	assert_int_equal(infile_open(tree->fd, "empty", INFILE_ANY, &file, NULL), 0);
	assert_int_equal(infile_read(&file, NULL), 0);
	assert_int_equal(file.bytes.size, 0);
}

/* None of them may block: the test would hang. */
static void what_is_no_regular_file_is_refused_by_its_kind(void **state)
{
	const struct tmptree *tree = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct infile file = INFILE_INIT;
	struct pvk_error err;

	tmptree_mkdir(tree, "dir");
	tmptree_symlink(tree, "file\n", "link");
	tmptree_symlink(tree, "link-loop", "link-loop");
	assert_int_equal(mkfifoat(tree->fd, "fifo", 0644), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", tree->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_refused(tree, "dir", INFILE_ANY, PVK_E_REFUSED, "is a directory");
	assert_refused(tree, "fifo", INFILE_ANY, PVK_E_REFUSED, "is a FIFO");
	assert_refused(tree, "socket", INFILE_ANY, PVK_E_REFUSED, "is a socket");
	assert_refused(tree, "link", INFILE_ANY, PVK_E_REFUSED, "is a symbolic link to 'file\\n'");
	assert_refused(tree, "link-loop", INFILE_ANY, PVK_E_REFUSED, "is a symbolic link");
	assert_refused(tree, "nowhere", INFILE_ANY, ENOENT, "No such file");
	assert_int_equal(infile_open(dev, "null", INFILE_ANY, &file, &err), -PVK_E_REFUSED);
	assert_non_null(strstr(err.msg, "is a device"));
}

/* The open alone of a device may do something: of a watchdog, a tape. Seen with inotify(7). */
static void what_is_no_regular_file_is_not_even_opened(void **state)
{
	static const char *const names[] = {"kept-shut", "device"};
	const struct tmptree *tree = *state;
	_cleanup_close_ int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char event[sizeof(struct inotify_event) + NAME_MAX + 1], path[128];

	assert_int_equal(mkfifoat(tree->fd, names[0], 0644), 0);
	for (size_t i = 0; i < (geteuid() == 0 ? 2 : 1); i++) {
		struct infile file = INFILE_INIT;

		if (i == 1) /* /dev/null */
			assert_int_equal(mknodat(tree->fd, names[i], S_IFCHR | 0644, makedev(1, 3)),
					 0);
		(void)snprintf(path, sizeof(path), "%s/%s", tree->path, names[i]);
		assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
		assert_int_equal(infile_open(tree->fd, names[i], INFILE_ANY, &file, NULL),
				 -PVK_E_REFUSED);
		assert_int_equal(read(watch, event, sizeof(event)), -1);
		assert_int_equal(errno, EAGAIN);
	}
}

static void a_file_that_others_can_write_is_not_trusted(void **state)
{
	static const mode_t modes[] = {0664, 0646, 0666, 04622};
	const struct tmptree *tree = *state;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		_cleanup_infile_ struct infile file = INFILE_INIT;

		tmptree_chmod(tree, "file", modes[i]);
		assert_refused(tree, "file", INFILE_TRUSTED, PVK_E_REFUSED, "written by others");
		assert_int_equal(infile_open(tree->fd, "file", INFILE_ANY, &file, NULL), 0);
	}
	tmptree_chmod(tree, "file", 0644);
}

static void a_file_of_another_user_is_not_trusted(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_infile_ struct infile file = INFILE_INIT;

	if (geteuid() != 0)
		skip();
	tmptree_write_text(tree, "foreign", "x");
	assert_int_equal(fchownat(tree->fd, "foreign", 4711, 0, 0), 0);
	assert_refused(tree, "foreign", INFILE_TRUSTED, PVK_E_REFUSED, "belongs to user 4711");
	assert_int_equal(infile_open(tree->fd, "foreign", INFILE_ANY, &file, NULL), 0);
}

static void a_file_over_the_limit_is_not_read(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_infile_ struct infile file = INFILE_INIT;
	_cleanup_close_ int fd = -1;

	tmptree_write_text(tree, "large", "");
	fd = openat(tree->fd, "large", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)PVK_MAX_INPUT + 1), 0);
	assert_refused(tree, "large", INFILE_ANY, PVK_E_LIMIT, "over the limit");
	assert_int_equal(ftruncate(fd, (off_t)PVK_MAX_INPUT), 0);
	assert_int_equal(infile_open(tree->fd, "large", INFILE_ANY, &file, NULL), 0);
}

static void a_file_that_changes_before_it_is_read_is_told(void **state)
{
	const struct tmptree *tree = *state;
	struct pvk_error err;

	for (int longer = 0; longer < 2; longer++) {
		_cleanup_infile_ struct infile file = INFILE_INIT;

		tmptree_write_text(tree, "file", CONTENT);
		assert_int_equal(infile_open(tree->fd, "file", INFILE_ANY, &file, NULL), 0);
		tmptree_write_text(tree, "file", longer ? CONTENT CONTENT : "some");
		assert_int_equal(infile_read(&file, &err), -PVK_E_CHANGED);
		assert_null(file.bytes.data);
	}
	tmptree_write_text(tree, "file", CONTENT);
}

static void a_second_link_is_no_change_but_a_new_time_is(void **state)
{
	const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	const struct tmptree *tree = *state;
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct pvk_error err;

	assert_int_equal(infile_open(tree->fd, "file", INFILE_ANY, &file, NULL), 0);
	assert_int_equal(linkat(tree->fd, "file", tree->fd, "second", 0), 0);
	assert_int_equal(infile_verify_unchanged(&file, NULL), 0);
	assert_int_equal(futimens(file.fd, times), 0);
	assert_int_equal(infile_verify_unchanged(&file, &err), -PVK_E_CHANGED);
	assert_non_null(strstr(err.msg, "changed"));
}

static void a_descriptor_that_is_refused_is_closed(void **state)
{
	struct infile file = INFILE_INIT;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(infile_take(fd, INFILE_ANY, &file, NULL), -PVK_E_REFUSED);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	infile_close(&file);
	infile_close(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole_into_private_memory),
		cmocka_unit_test(an_empty_file_has_no_bytes),
		cmocka_unit_test(what_is_no_regular_file_is_refused_by_its_kind),
		cmocka_unit_test(what_is_no_regular_file_is_not_even_opened),
		cmocka_unit_test(a_file_that_others_can_write_is_not_trusted),
		cmocka_unit_test(a_file_of_another_user_is_not_trusted),
		cmocka_unit_test(a_file_over_the_limit_is_not_read),
		cmocka_unit_test(a_file_that_changes_before_it_is_read_is_told),
		cmocka_unit_test(a_second_link_is_no_change_but_a_new_time_is),
		cmocka_unit_test(a_descriptor_that_is_refused_is_closed),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
