/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/system/outfile.h"
#include "tmptree.h"

#define OLD "the old content"
#define NEW "the new content, which is longer"

/* --- calls of the C library that fail on demand; see WRAP in the Makefile --- */

enum call {
	CALL_NONE,
	CALL_OPENAT,
	CALL_FALLOCATE,
	CALL_POSIX_FALLOCATE,
	CALL_MMAP,
	CALL_FCHOWN,
	CALL_FCHMOD,
	CALL_FSETXATTR,
	CALL_FSYNC,
	CALL_CLOSE,
	CALL_RENAMEAT,
};

static struct {
	enum call call;
	int nth; /* counts down: the one that makes it 0 fails */
	int error;
} fault;

static bool no_fallocate; /* a file system without the call */
static bool fixed_random;

static bool fails(enum call call)
{
	if (fault.call != call || --fault.nth != 0)
		return false;
	errno = fault.error;
	return true;
}

int __real_openat(int dirfd, const char *path, int flags, ...);
int __wrap_openat(int dirfd, const char *path, int flags, ...);
int __wrap_openat64(int dirfd, const char *path, int flags, ...);
int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size);
int __real_posix_fallocate(int fd, off_t offset, off_t size);
int __wrap_posix_fallocate(int fd, off_t offset, off_t size);
int __wrap_posix_fallocate64(int fd, off_t offset, off_t size);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __real_fchown(int fd, uid_t owner, gid_t group);
int __wrap_fchown(int fd, uid_t owner, gid_t group);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
ssize_t __real_getrandom(void *buf, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buf, size_t size, unsigned flags);

int __wrap_openat(int dirfd, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails(CALL_OPENAT) ? -1 : __real_openat(dirfd, path, flags, mode);
}

int __wrap_openat64(int dirfd, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return __wrap_openat(dirfd, path, flags, mode);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size)
{
	if (no_fallocate) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fails(CALL_FALLOCATE) ? -1 : __real_fallocate(fd, mode, offset, size);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t size)
{
	return __wrap_fallocate(fd, mode, offset, size);
}

int __wrap_posix_fallocate(int fd, off_t offset, off_t size)
{
	return fails(CALL_POSIX_FALLOCATE) ? fault.error : __real_posix_fallocate(fd, offset, size);
}

int __wrap_posix_fallocate64(int fd, off_t offset, off_t size)
{
	return __wrap_posix_fallocate(fd, offset, size);
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return fails(CALL_MMAP) ? MAP_FAILED : __real_mmap(at, size, prot, flags, fd, offset);
}

void *__wrap_mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return __wrap_mmap(at, size, prot, flags, fd, offset);
}

int __wrap_fchown(int fd, uid_t owner, gid_t group)
{
	return fails(CALL_FCHOWN) ? -1 : __real_fchown(fd, owner, group);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return fails(CALL_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	return fails(CALL_FSETXATTR) ? -1 : __real_fsetxattr(fd, name, value, size, flags);
}

int __wrap_fsync(int fd)
{
	return fails(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

/* As close(2): the descriptor is gone even when it fails. */
int __wrap_close(int fd)
{
	const bool is_failing = fails(CALL_CLOSE);
	int r = __real_close(fd);

	if (!is_failing)
		return r;
	errno = fault.error;
	return -1;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails(CALL_RENAMEAT) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

ssize_t __wrap_getrandom(void *buf, size_t size, unsigned flags)
{
	if (!fixed_random)
		return __real_getrandom(buf, size, flags);
	memset(buf, 0xab, size);
	return (ssize_t)size;
}

/* --- */

static int set_up(void **state)
{
	static struct tmptree tree;

	memset(&fault, 0, sizeof(fault));
	no_fallocate = fixed_random = false;
	tmptree_init(&tree);
	tmptree_write_text(&tree, "target", OLD);
	*state = &tree;
	return 0;
}

static int tear_down(void **state)
{
	memset(&fault, 0, sizeof(fault));
	tmptree_done(*state);
	return 0;
}

static struct bytes text(const char *s)
{
	return bytes_make(s, strlen(s));
}

/* The whole life of one replacement. */
static int write_new(const struct tmptree *tree, int like_fd, struct pvk_error *err)
{
	_cleanup_outfile_ struct outfile out = OUTFILE_INIT;
	int r = outfile_begin(tree->fd, strlen(NEW), &out, err);

	if (r < 0)
		return r;
	memcpy(out.data, NEW, strlen(NEW));
	r = outfile_commit(&out, like_fd, "target", err);
	assert_null(out.data);
	assert_int_equal(out.fd, -1);
	return r;
}

static void a_commit_replaces_the_target(void **state)
{
	const struct tmptree *tree = *state;
	struct stat before = tmptree_stat(tree, "target"), after;

	assert_int_equal(write_new(tree, -1, NULL), 0);
	assert_true(tmptree_holds(tree, "target", text(NEW)));
	after = tmptree_stat(tree, "target");
	assert_true(after.st_ino != before.st_ino);
	assert_int_equal(after.st_mode & 07777, 0644);
	assert_int_equal(tmptree_count(tree, "."), 1);
}

static void until_the_commit_the_target_is_untouched(void **state)
{
	const struct tmptree *tree = *state;
	struct outfile out = OUTFILE_INIT;
	struct stat st;

	assert_int_equal(outfile_begin(tree->fd, 100000, &out, NULL), 0);
	assert_int_equal(out.size, 100000);
	memset(out.data, 'x', out.size);
	assert_true(tmptree_holds(tree, "target", text(OLD)));
	st = tmptree_stat(tree, out.temp);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 100000);
	assert_true(st.st_blocks * 512 >= 100000);
	outfile_abort(&out);
	outfile_abort(&out);
	assert_int_equal(tmptree_count(tree, "."), 1);
	assert_true(tmptree_holds(tree, "target", text(OLD)));
}

/* Each step in turn; `like` tells whether owner and attributes are copied. */
static const struct {
	enum call call;
	int nth;
	int error;
	bool like;
	const char *word;
} faults[] = {
	{CALL_OPENAT, 1, EROFS, false, "create a temporary file"},
	{CALL_FALLOCATE, 1, ENOSPC, false, "cannot allocate"},
	{CALL_FALLOCATE, 1, EDQUOT, false, "cannot allocate"},
	{CALL_FALLOCATE, 1, EFBIG, false, "cannot allocate"},
	{CALL_MMAP, 1, ENODEV, false, "cannot map"},
	{CALL_FCHMOD, 1, EPERM, false, "set its mode"},
	{CALL_FCHMOD, 1, EPERM, true, "set its mode"},
	{CALL_FSYNC, 1, EIO, false, "write the new image to disk"},
	{CALL_FSYNC, 1, ENOSPC, true, "write the new image to disk"},
	{CALL_CLOSE, 1, EIO, false, "close the new image"},
	{CALL_RENAMEAT, 1, EROFS, false, "rename the new image"},
	{CALL_RENAMEAT, 1, ENOSPC, true, "rename the new image"},
};

static void a_failure_of_any_step_leaves_the_old_file_and_no_other(void **state)
{
	const struct tmptree *tree = *state;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		_cleanup_close_ int like =
			faults[i].like ? __real_openat(tree->fd, "target", O_RDONLY | O_CLOEXEC)
				       : -1;
		const struct stat before = tmptree_stat(tree, "target");
		struct pvk_error err = {0};
		struct stat after;
		int r;

		fault.call = faults[i].call;
		fault.nth = faults[i].nth;
		fault.error = faults[i].error;
		r = write_new(tree, like, &err);
		fault.call = CALL_NONE;
		if (r != -faults[i].error || err.sys_errno != faults[i].error ||
		    !strstr(err.msg, faults[i].word) || !strstr(err.msg, strerror(faults[i].error)))
			fail_msg("fault %zu: %d, '%s'", i, r, err.msg);
		after = tmptree_stat(tree, "target");
		assert_int_equal(after.st_ino, before.st_ino);
		assert_true(tmptree_holds(tree, "target", text(OLD)));
		assert_int_equal(tmptree_count(tree, "."), 1);
	}
}

/* The new file is in place by then: the message must not say anything else. */
static void a_failed_fsync_of_the_directory_is_told_as_what_it_is(void **state)
{
	const struct tmptree *tree = *state;
	struct pvk_error err;

	fault.call = CALL_FSYNC;
	fault.nth = 2;
	fault.error = EIO;
	assert_int_equal(write_new(tree, -1, &err), -EIO);
	assert_non_null(strstr(err.msg, "the new file is in place"));
	assert_true(tmptree_holds(tree, "target", text(NEW)));
	assert_int_equal(tmptree_count(tree, "."), 1);
}

static void a_file_system_without_fallocate_is_filled_by_hand(void **state)
{
	const struct tmptree *tree = *state;
	struct pvk_error err;

	no_fallocate = true;
	assert_int_equal(write_new(tree, -1, NULL), 0);
	assert_true(tmptree_holds(tree, "target", text(NEW)));
	fault.call = CALL_POSIX_FALLOCATE;
	fault.nth = 1;
	fault.error = ENOSPC;
	assert_int_equal(write_new(tree, -1, &err), -ENOSPC);
	assert_int_equal(tmptree_count(tree, "."), 1);
}

static void impossible_sizes_are_refused(void **state)
{
	const struct tmptree *tree = *state;
	struct outfile out = OUTFILE_INIT;

	assert_int_equal(outfile_begin(tree->fd, 0, &out, NULL), -EFBIG);
	assert_int_equal(outfile_begin(tree->fd, UINT64_MAX, &out, NULL), -EFBIG);
	assert_int_equal(tmptree_count(tree, "."), 1);
}

/* The name is another's then: a run that holds no lock, or a fork of the same pid. */
static void a_clash_of_names_does_not_remove_the_other_file(void **state)
{
	const struct tmptree *tree = *state;
	struct outfile out = OUTFILE_INIT;

	fixed_random = true;
	tmptree_write_text(tree, ".pvkprep.abababababababab", "of another run");
	assert_int_equal(outfile_begin(tree->fd, 10, &out, NULL), -EEXIST);
	assert_true(tmptree_exists(tree, ".pvkprep.abababababababab"));
	assert_true(tmptree_holds(tree, ".pvkprep.abababababababab", text("of another run")));
}

static void mode_and_attributes_are_those_of_the_original(void **state)
{
	static const mode_t modes[] = {0600, 0644, 0640, 0755};
	const struct tmptree *tree = *state;
	bool has_xattr = false;
	char value[16] = "";

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		_cleanup_close_ int like = -1;

		tmptree_chmod(tree, "target", 0644);
		like = openat(tree->fd, "target", O_RDONLY | O_CLOEXEC);
		has_xattr = fsetxattr(like, "user.pvk", "value", 5, 0) == 0;
		tmptree_chmod(tree, "target", modes[i]);
		assert_int_equal(write_new(tree, like, NULL), 0);
		assert_int_equal(tmptree_stat(tree, "target").st_mode & 07777, modes[i]);
	}
	if (has_xattr) {
		_cleanup_close_ int fd = openat(tree->fd, "target", O_RDONLY | O_CLOEXEC);

		assert_int_equal(fgetxattr(fd, "user.pvk", value, sizeof(value)), 5);
		assert_string_equal(value, "value");
	}
}

static void a_signature_of_other_bytes_is_not_copied(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_close_ int like = openat(tree->fd, "target", O_RDONLY | O_CLOEXEC), fd = -1;
	char value[16];

	if (fsetxattr(like, "security.ima", "\x04\x04digest", 8, 0) < 0)
		skip(); /* not root, or no such attributes here */
	assert_int_equal(write_new(tree, like, NULL), 0);
	fd = openat(tree->fd, "target", O_RDONLY | O_CLOEXEC);
	assert_true(fgetxattr(fd, "security.ima", value, sizeof(value)) < 0);
}

static void attributes_that_cannot_be_copied_are_an_error(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_close_ int like = openat(tree->fd, "target", O_RDONLY | O_CLOEXEC);
	struct pvk_error err;

	if (fsetxattr(like, "user.pvk", "value", 5, 0) < 0)
		skip();
	fault.call = CALL_FSETXATTR;
	fault.nth = 1;
	fault.error = ENOSPC;
	assert_int_equal(write_new(tree, like, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, "copy attribute 'user.pvk'"));
	assert_true(tmptree_holds(tree, "target", text(OLD)));
	assert_int_equal(tmptree_count(tree, "."), 1);
}

static void the_owner_is_that_of_the_original(void **state)
{
	const struct tmptree *tree = *state;
	_cleanup_close_ int like = openat(tree->fd, "target", O_RDONLY | O_CLOEXEC);
	struct pvk_error err;
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchownat(tree->fd, "target", 4711, 4712, 0), 0);
	tmptree_chmod(tree, "target", 04755); /* chown clears the bit: it is set afterwards */
	fault.call = CALL_FCHOWN;
	fault.nth = 1;
	fault.error = EPERM;
	assert_int_equal(write_new(tree, like, &err), -EPERM);
	assert_non_null(strstr(err.msg, "set its owner"));
	assert_int_equal(write_new(tree, like, NULL), 0);
	st = tmptree_stat(tree, "target");
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
	assert_int_equal(st.st_mode & 07777, 04755);
}

static void a_small_file_is_replaced_likewise(void **state)
{
	const struct tmptree *tree = *state;

	assert_int_equal(outfile_replace(tree->fd, "target", NEW, strlen(NEW), NULL), 0);
	assert_true(tmptree_holds(tree, "target", text(NEW)));
	assert_int_equal(outfile_replace(tree->fd, "fresh", "x", 1, NULL), 0);
	assert_true(tmptree_holds(tree, "fresh", text("x")));
	fault.call = CALL_FSYNC;
	fault.nth = 1;
	fault.error = EIO;
	assert_int_equal(outfile_replace(tree->fd, "target", OLD, strlen(OLD), NULL), -EIO);
	assert_true(tmptree_holds(tree, "target", text(NEW)));
	assert_int_equal(tmptree_count(tree, "."), 2);
}

static void only_names_of_our_own_form_are_swept(void **state)
{
	static const char *const kept[] = {
		".pvkprep.0123456789abcde",   ".pvkprep.0123456789abcdef0",
		".pvkprep.0123456789ABCDEF",  ".pvkprep.0123456789abcdeg",
		"pvkprep.0123456789abcdef",   ".pvkprep.",
		".pvkprep.0123456789abcdef~", ".pvkprep-0123456789abcdef",
		"x.pvkprep.0123456789abcdef",
	};
	const struct tmptree *tree = *state;
	char name[32];

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		tmptree_write_text(tree, kept[i], "");
	tmptree_mkdir(tree, ".pvkprep.00000000000000dd"); /* no file of ours: stays */
	tmptree_write_text(tree, ".pvkprep.0123456789abcdef", "");
	outfile_temp_name(name);
	tmptree_write_text(tree, name, "");
	assert_int_equal(outfile_sweep(tree->fd), 2);
	assert_false(tmptree_exists(tree, name));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_true(tmptree_exists(tree, kept[i]));
	assert_true(tmptree_exists(tree, ".pvkprep.00000000000000dd"));
	assert_true(tmptree_exists(tree, "target"));
	assert_int_equal(outfile_sweep(tree->fd), 0);
	assert_int_equal(outfile_sweep(-1), 0);
}

static void the_old_file_keeps_a_name_until_the_new_one_is_in_place(void **state)
{
	const struct tmptree *tree = *state;
	const ino_t inode = tmptree_stat(tree, "target").st_ino;
	char held[32];

	outfile_hold(tree->fd, "target", held);
	assert_memory_equal(held, OUTFILE_PREFIX, strlen(OUTFILE_PREFIX));
	tmptree_write_text(tree, "new", NEW);
	assert_int_equal(renameat(tree->fd, "new", tree->fd, "target"), 0);
	assert_int_equal(tmptree_stat(tree, held).st_ino, inode);
	assert_true(tmptree_holds(tree, held, text(OLD)));
	outfile_release(tree->fd, held);
	assert_true(tmptree_holds(tree, "target", text(NEW)));
	assert_int_equal(tmptree_count(tree, "."), 1);
}

static void a_file_with_a_second_link_or_without_any_is_not_held(void **state)
{
	const struct tmptree *tree = *state;
	char held[32] = "x";

	outfile_hold(tree->fd, "absent", held);
	assert_string_equal(held, "");
	assert_int_equal(linkat(tree->fd, "target", tree->fd, "second", 0), 0);
	outfile_hold(tree->fd, "target", held);
	assert_string_equal(held, "");
	outfile_release(tree->fd, held);
	assert_int_equal(tmptree_count(tree, "."), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_commit_replaces_the_target),
		TEST(until_the_commit_the_target_is_untouched),
		TEST(a_failure_of_any_step_leaves_the_old_file_and_no_other),
		TEST(a_failed_fsync_of_the_directory_is_told_as_what_it_is),
		TEST(a_file_system_without_fallocate_is_filled_by_hand),
		TEST(impossible_sizes_are_refused),
		TEST(a_clash_of_names_does_not_remove_the_other_file),
		TEST(mode_and_attributes_are_those_of_the_original),
		TEST(a_signature_of_other_bytes_is_not_copied),
		TEST(attributes_that_cannot_be_copied_are_an_error),
		TEST(the_owner_is_that_of_the_original),
		TEST(a_small_file_is_replaced_likewise),
		TEST(only_names_of_our_own_form_are_swept),
		TEST(the_old_file_keeps_a_name_until_the_new_one_is_in_place),
		TEST(a_file_with_a_second_link_or_without_any_is_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
