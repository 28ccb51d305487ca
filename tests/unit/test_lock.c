/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
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
	assert_int_equal(lock_take(fd, 0, NULL), 0);
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
	assert_int_equal(lock_take(mine, 20, NULL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close_keep_errno(&ready[0]);
	close_keep_errno(&ready[1]);
}

static void a_lock_that_is_never_given_back_is_told(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	_cleanup_close_ int holder = -1, mine = -1;
	struct itimerval timer;
	struct pvk_error err;

	(void)state;
	tmptree_init(&tree);
	holder = open_tree(&tree);
	mine = open_tree(&tree);
	assert_int_equal(flock(holder, LOCK_EX), 0);
	assert_int_equal(lock_take(mine, 1, &err), -PVK_E_BUSY);
	assert_non_null(strstr(err.msg, "waited 1 s"));
	/* the clock that ended the wait is off again */
	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	assert_false(timerisset(&timer.it_value));
}

static struct lock take_file(const struct tmptree *tree, unsigned seconds)
{
	struct lock lock = LOCK_INIT;

	assert_int_equal(lock_take_file(open_tree(tree), seconds, &lock, NULL), 0);
	return lock;
}

static void a_lock_file_is_roots_alone_and_goes_with_the_lock(void **state)
{
	_cleanup_tmptree_ struct tmptree tree;
	struct lock lock, other = LOCK_INIT;

	(void)state;
	tmptree_init(&tree);
	lock = take_file(&tree, 0);
	assert_int_equal(tmptree_stat(&tree, LOCK_FILE).st_mode & 07777, 0600);
	assert_int_equal(lock_take_file(open_tree(&tree), 0, &other, NULL), -PVK_E_BUSY);
	lock_release(&lock);
	assert_int_equal(tmptree_count(&tree, "."), 0);
	/* as a kill leaves it */
	tmptree_write_text(&tree, LOCK_FILE, "");
	lock = take_file(&tree, 0);
	lock_release(&lock);
	assert_int_equal(tmptree_count(&tree, "."), 0);
}

/* Who waited gets the lock of a file that is removed as the wait ends. */
static void no_two_hold_a_lock_file_when_it_changes_hands(void **state)
{
	enum {
		RUNS = 8,
		ROUNDS = 100
	};
	unsigned *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_cleanup_tmptree_ struct tmptree tree;

	(void)state;
	tmptree_init(&tree);
	assert_true(count != MAP_FAILED);
	for (int run = 0; run < RUNS; run++) {
		if (fork() != 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			struct lock lock = take_file(&tree, 60);
			const unsigned before = *(volatile unsigned *)count;

			(void)sched_yield();
			*(volatile unsigned *)count = before + 1;
			lock_release(&lock);
		}
		_exit(0);
	}
	for (int run = 0; run < RUNS; run++)
		assert_true(wait(NULL) > 0);
	assert_int_equal(*count, RUNS * ROUNDS);
	(void)munmap(count, sizeof(*count));
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
	assert_int_equal(lock_take(mine, 20, &err), -PVK_E_INTERRUPTED);
	(void)signal(SIGTERM, SIG_IGN); /* forgets the one that waits */
	signals_restore(&old);
	(void)signal(SIGTERM, SIG_DFL);
	assert_false(signals_pending());
}

/* nohup, or apt: a hang-up is not meant for us. Blocked, it would wait all the same. */
static void a_signal_that_the_caller_ignores_is_no_interruption(void **state)
{
	sigset_t old;

	(void)state;
	(void)signal(SIGHUP, SIG_IGN);
	signals_block(&old);
	assert_int_equal(raise(SIGHUP), 0);
	assert_false(signals_pending());
	signals_restore(&old);
	(void)signal(SIGHUP, SIG_DFL);
}

/* As a script in Perl may start us: then wait(2) would tell of no child. */
static void the_ends_of_children_are_told_even_if_the_caller_ignored_his(void **state)
{
	sigset_t old;
	int status;
	pid_t child;

	(void)state;
	(void)signal(SIGCHLD, SIG_IGN);
	signals_block(&old);
	child = fork();
	if (child == 0)
		_exit(7);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	signals_restore(&old);
}

static void what_is_no_descriptor_cannot_be_locked(void **state)
{
	struct pvk_error err;

	(void)state;
	assert_true(lock_take(-1, 0, &err) < 0);
	assert_non_null(strstr(err.msg, "cannot lock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lock_lasts_until_the_directory_is_closed),
		cmocka_unit_test(a_lock_that_is_given_back_in_time_is_taken),
		cmocka_unit_test(a_lock_that_is_never_given_back_is_told),
		cmocka_unit_test(a_lock_file_is_roots_alone_and_goes_with_the_lock),
		cmocka_unit_test(no_two_hold_a_lock_file_when_it_changes_hands),
		cmocka_unit_test(waiting_for_the_lock_ends_with_a_signal),
		cmocka_unit_test(a_signal_that_the_caller_ignores_is_no_interruption),
		cmocka_unit_test(the_ends_of_children_are_told_even_if_the_caller_ignored_his),
		cmocka_unit_test(what_is_no_descriptor_cannot_be_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
