/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/system/lock.h"
#include "../../src/system/signals.h"
#include "tmptree.h"

static int open_tree(const struct tmptree *tree)
{
	return open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Another open file description is to flock(2) what another process is. */
static bool is_free(const struct tmptree *tree)
{
	_cleanup_close_ int fd = open_tree(tree);

	return flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void the_lock_lasts_until_the_directory_is_closed(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	int fd;

	(void)state;
	tmptree_init(&tree);
	fd = open_tree(&tree);
	assert_true(is_free(&tree));
	assert_int_equal(lock_take(fd, NULL), 0);
	assert_false(is_free(&tree));
	close_keep_errno(&fd);
	assert_true(is_free(&tree));
	assert_int_equal(tmptree_count(&tree, "."), 0); /* no lock file */
}

static void a_lock_that_is_given_back_in_time_is_taken(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	_cleanup_close_ int mine = -1;
	int ready[2];
	pid_t other;
	char byte;

	(void)state;
	tmptree_init(&tree);
	assert_int_equal(pipe(ready), 0);
	other = fork();
	if (other == 0) {
		const struct timespec pause = {.tv_nsec = 200000000L};
		int fd = open_tree(&tree);

		_exit(flock(fd, LOCK_EX) < 0 || write(ready[1], "x", 1) != 1 ||
		      nanosleep(&pause, NULL) < 0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	mine = open_tree(&tree);
	assert_int_equal(lock_take(mine, NULL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close_keep_errno(&ready[0]);
	close_keep_errno(&ready[1]);
}

static void waiting_for_the_lock_ends_with_a_signal(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	_cleanup_close_ int holder = -1, mine = -1;
	struct pvk_error err;
	sigset_t old;

	(void)state;
	tmptree_init(&tree);
	holder = open_tree(&tree);
	mine = open_tree(&tree);
	assert_int_equal(flock(holder, LOCK_EX), 0);
	signals_block(&old);
	assert_false(signals_pending());
	assert_int_equal(raise(SIGTERM), 0);
	assert_true(signals_pending());
	assert_int_equal(lock_take(mine, &err), -PVK_E_INTERRUPTED);
	(void)signal(SIGTERM, SIG_IGN); /* forgets the one that waits */
	signals_restore(&old);
	(void)signal(SIGTERM, SIG_DFL);
	assert_false(signals_pending());
}

static void what_is_no_descriptor_cannot_be_locked(void **state)
{
	struct pvk_error err;

	(void)state;
	assert_true(lock_take(-1, &err) < 0);
	assert_non_null(strstr(err.msg, "cannot lock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lock_lasts_until_the_directory_is_closed),
		cmocka_unit_test(a_lock_that_is_given_back_in_time_is_taken),
		cmocka_unit_test(waiting_for_the_lock_ends_with_a_signal),
		cmocka_unit_test(what_is_no_descriptor_cannot_be_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
