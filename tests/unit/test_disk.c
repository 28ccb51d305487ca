/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/system/disk.h"
#include "tmptree.h"

#define MIB (UINT64_C(1) << 20)

/* The file system as the test wants it. */
static struct statvfs fs;
static int statvfs_error;

int __wrap_fstatvfs(int fd, struct statvfs *ret);
int __wrap_fstatvfs64(int fd, struct statvfs *ret);

int __wrap_fstatvfs(int fd, struct statvfs *ret)
{
	(void)fd;
	errno = statvfs_error;
	if (statvfs_error != 0)
		return -1;
	*ret = fs;
	return 0;
}

int __wrap_fstatvfs64(int fd, struct statvfs *ret)
{
	return __wrap_fstatvfs(fd, ret);
}

static int set_up(void **state)
{
	(void)state;
	statvfs_error = 0;
	fs = (struct statvfs){
		.f_bsize = 4096,
		.f_frsize = 1024,
		.f_bfree = 64 * 1024, /* in units of f_frsize: 64 MiB */
		.f_bavail = 64 * 1024,
		.f_files = 1000,
		.f_ffree = 500,
	};
	return 0;
}

static void what_fits_with_a_little_to_spare_is_allowed(void **state)
{
	uint64_t missing = 99;

	(void)state;
	assert_int_equal(disk_check_space(-1, 63 * MIB, &missing, NULL), 0);
	assert_int_equal(missing, 0);
}

static void what_does_not_fit_is_told_with_what_is_missing(void **state)
{
	struct pvk_error err;
	uint64_t missing, spare;

	(void)state;
	/* Exactly the free space: the spare part is what is missing. */
	assert_int_equal(disk_check_space(-1, 64 * MIB, &spare, NULL), -PVK_E_NO_SPACE);
	assert_true(spare > 0 && spare < MIB);
	assert_int_equal(disk_check_space(-1, 64 * MIB - spare, &missing, NULL), 0);
	assert_int_equal(disk_check_space(-1, 64 * MIB - spare + 1, &missing, NULL),
			 -PVK_E_NO_SPACE);
	assert_int_equal(missing, 1);
	assert_int_equal(disk_check_space(-1, 100 * MIB, &missing, &err), -PVK_E_NO_SPACE);
	assert_int_equal(missing, 36 * MIB + spare);
	assert_string_equal(
		err.msg,
		"no space: the prepared image needs 105.1 MB, 67.1 MB are free, 38.0 MB are missing");
}

/* The other user of the two is tried in a child. */
static int check_as(uid_t uid, uint64_t size)
{
	pid_t pid = fork();
	uint64_t missing;
	int status;

	if (pid == 0) {
		if (uid != geteuid() && setresuid(uid, uid, uid) < 0)
			_exit(9);
		_exit(disk_check_space(-1, size, &missing, NULL) == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status);
}

static void reserved_blocks_are_roots_alone(void **state)
{
	(void)state;
	fs.f_bavail = 10 * 1024;
	assert_false(check_as(geteuid() == 0 ? 65534 : geteuid(), 32 * MIB));
	assert_true(check_as(geteuid() == 0 ? 65534 : geteuid(), 5 * MIB));
	if (geteuid() == 0)
		assert_true(check_as(0, 32 * MIB));
}

static void no_free_inode_is_told(void **state)
{
	struct pvk_error err;
	uint64_t missing = 99;

	(void)state;
	fs.f_ffree = 1;
	assert_int_equal(disk_check_space(-1, MIB, &missing, &err), -PVK_E_NO_SPACE);
	assert_int_equal(missing, 0);
	assert_non_null(strstr(err.msg, "inodes"));
	fs.f_files = 0; /* btrfs */
	fs.f_ffree = 0;
	assert_int_equal(disk_check_space(-1, MIB, &missing, NULL), 0);
}

static void an_unanswered_question_is_an_error(void **state)
{
	struct pvk_error err;
	uint64_t missing;

	(void)state;
	statvfs_error = EIO;
	assert_int_equal(disk_check_space(-1, MIB, &missing, &err), -EIO);
	assert_non_null(strstr(err.msg, "free space"));
}

/* Best effort, on a directory that is no mount of its own, and on no directory at all: it returns,
 * and leaves no child. */
static void settling_always_comes_back(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;

	(void)state;
	tmptree_init(&tree);
	disk_settle(tree.fd);
	tmptree_write_text(&tree, "afterwards", "it can be written");
	disk_settle(-1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_fits_with_a_little_to_spare_is_allowed, set_up),
		cmocka_unit_test_setup(what_does_not_fit_is_told_with_what_is_missing, set_up),
		cmocka_unit_test_setup(reserved_blocks_are_roots_alone, set_up),
		cmocka_unit_test_setup(no_free_inode_is_told, set_up),
		cmocka_unit_test_setup(an_unanswered_question_is_an_error, set_up),
		cmocka_unit_test_setup(settling_always_comes_back, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
