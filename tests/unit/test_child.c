/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/base/clock.h"
#include "../../src/system/child.h"
#include "../../src/system/signals.h"

#define SLEEP_LONG "/bin/sleep 100"

/* What every program of a test inherits: its reader sees the end when the last of them has ended.
 */
struct thread_of_life {
	int reader, writer;
};

static struct thread_of_life make_thread(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	return (struct thread_of_life){ends[0], ends[1]};
}

static void assert_all_ended(struct thread_of_life *life)
{
	struct pollfd poll_fd = {.fd = life->reader, .events = POLLIN};

	(void)close(life->writer);
	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
	assert_true(poll_fd.revents & POLLHUP);
	(void)close(life->reader);
}

static int run_shell(const char *script, const struct child *how, char output[CHILD_OUTPUT_MAX],
		     struct pvk_error *err)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	struct child child = *how;

	child.argv = argv;
	return child_run(&child, output, err);
}

static void its_status_and_the_beginning_of_its_output_come_back(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(
		run_shell("echo out; echo err >&2; exit 3", &(struct child){0}, output, NULL), 3);
	assert_string_equal(output, "out\nerr\n");
	assert_int_equal(run_shell("yes | head -c 100000", &(struct child){0}, output, NULL), 0);
	assert_int_equal(strlen(output), CHILD_OUTPUT_MAX - 1);
}

static void a_program_that_is_not_there_is_told(void **state)
{
	const char *argv[] = {"/nowhere/program", NULL};
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	assert_int_equal(child_run(&(struct child){.argv = argv}, output, NULL), -ENOENT);
}

static void what_stays_in_the_background_is_not_waited_for(void **state)
{
	char output[CHILD_OUTPUT_MAX], *end;
	const time_t start = clock_seconds();
	long pid;

	(void)state;
	assert_int_equal(run_shell(SLEEP_LONG " & echo $!", &(struct child){0}, output, NULL), 0);
	assert_true(clock_seconds() < start + 50);
	pid = strtol(output, &end, 10);
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0); /* it is there: it was not killed */
}

static void at_its_time_it_is_killed_with_all_that_it_started(void **state)
{
	struct thread_of_life life = make_thread();
	char output[CHILD_OUTPUT_MAX];
	struct pvk_error err;

	(void)state;
	assert_int_equal(
		run_shell(SLEEP_LONG " & (" SLEEP_LONG "); echo no",
			  &(struct child){.fds = &life.writer, .fd_count = 1, .seconds = 1}, output,
			  &err),
		-ETIMEDOUT);
	assert_non_null(strstr(err.msg, "did not end in time"));
	assert_string_equal(output, "");
	assert_all_ended(&life);
}

static void one_that_closes_its_output_is_not_waited_for_without_end(void **state)
{
	char output[CHILD_OUTPUT_MAX];

	(void)state;
	(void)alarm(60);
	assert_int_equal(run_shell("exec >&- 2>&-; exec " SLEEP_LONG, &(struct child){.seconds = 1},
				   output, NULL),
			 -ETIMEDOUT);
	(void)alarm(0);
}

/* SIGTERM for this process, after some time; the helper is waited for by the caller. */
static pid_t be_asked_to_stop(unsigned after_ms)
{
	const pid_t self = getpid();
	const pid_t pid = fork();

	if (pid == 0) {
		(void)poll(NULL, 0, (int)after_ms);
		_exit(kill(self, SIGTERM) == 0 ? 0 : 1);
	}
	return pid;
}

static void forget_signal(const sigset_t *old)
{
	(void)signal(SIGTERM, SIG_IGN);
	signals_restore(old);
	(void)signal(SIGTERM, SIG_DFL);
}

static void asked_to_stop_we_kill_it_with_all_that_it_started(void **state)
{
	struct thread_of_life life = make_thread();
	char output[CHILD_OUTPUT_MAX];
	struct pvk_error err;
	sigset_t old;
	pid_t helper;

	(void)state;
	signals_block(&old);
	helper = be_asked_to_stop(500);
	assert_int_equal(run_shell(SLEEP_LONG " & (" SLEEP_LONG "); echo no",
				   &(struct child){.fds = &life.writer, .fd_count = 1}, output,
				   &err),
			 -PVK_E_INTERRUPTED);
	assert_non_null(strstr(err.msg, "interrupted by a signal"));
	assert_all_ended(&life);
	/* One more is not begun. */
	assert_int_equal(run_shell("exit 0", &(struct child){0}, output, &err), -PVK_E_INTERRUPTED);
	forget_signal(&old);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
}

static void asked_to_stop_we_let_end_what_has_to(void **state)
{
	char output[CHILD_OUTPUT_MAX];
	sigset_t old;
	pid_t helper;

	(void)state;
	signals_block(&old);
	helper = be_asked_to_stop(0);
	assert_int_equal(run_shell("/bin/sleep 1; exit 5", &(struct child){.must_finish = true},
				   output, NULL),
			 5);
	forget_signal(&old);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
}

/* pgrp, session and terminal, as /proc has them: nothing typed at ours reaches it. */
static void it_has_a_session_of_its_own(void **state)
{
	char output[CHILD_OUTPUT_MAX], ours[32];

	(void)state;
	(void)snprintf(ours, sizeof(ours), "%d\n", (int)getsid(0));
	assert_int_equal(run_shell("read -r pid comm st ppid pgrp sid tty rest </proc/$$/stat; "
				   "[ $pid = $pgrp ] && [ $tty = 0 ] && echo $sid",
				   &(struct child){0}, output, NULL),
			 0);
	assert_string_not_equal(output, ours);
}

static void it_ends_when_we_are_killed(void **state)
{
	struct thread_of_life life = make_thread();
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		const int fds[] = {life.writer, ready[1]};
		char script[128], output[CHILD_OUTPUT_MAX];

		(void)snprintf(script, sizeof(script), "echo >&%d; exec " SLEEP_LONG, ready[1]);
		(void)run_shell(script, &(struct child){.fds = fds, .fd_count = 2}, output, NULL);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_all_ended(&life);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_status_and_the_beginning_of_its_output_come_back),
		cmocka_unit_test(a_program_that_is_not_there_is_told),
		cmocka_unit_test(what_stays_in_the_background_is_not_waited_for),
		cmocka_unit_test(at_its_time_it_is_killed_with_all_that_it_started),
		cmocka_unit_test(one_that_closes_its_output_is_not_waited_for_without_end),
		cmocka_unit_test(asked_to_stop_we_kill_it_with_all_that_it_started),
		cmocka_unit_test(asked_to_stop_we_let_end_what_has_to),
		cmocka_unit_test(it_has_a_session_of_its_own),
		cmocka_unit_test(it_ends_when_we_are_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
