/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sandbox.c - the list of system calls, and sandbox_enter() by itself; what it does to a
 * worker is in test_worker.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/system/sandbox.h"

static void every_call_on_the_list_has_its_name_and_a_reason(void **state)
{
	(void)state;
	for (const struct sandbox_rule *rule = sandbox_rules(); rule->name; rule++) {
		assert_int_equal(seccomp_syscall_resolve_name(rule->name), rule->syscall);
		assert_true(strlen(rule->reason) > 3);
		for (const struct sandbox_rule *other = rule + 1; other->name; other++)
			assert_string_not_equal(rule->name, other->name);
	}
}

/* What would let a worker out, or let it harm others. */
static void nothing_that_reaches_outside_is_on_the_list(void **state)
{
	static const char *const names[] = {
		"open",	   "openat",	 "openat2",	   "creat",	 "connect",
		"socket",  "socketpair", "bind",	   "sendto",	 "sendmsg",
		"execve",  "execveat",	 "fork",	   "vfork",	 "clone",
		"clone3",  "ptrace",	 "kill",	   "pidfd_open", "process_vm_writev",
		"unlink",  "rename",	 "renameat2",	   "chmod",	 "chown",
		"mount",   "prctl",	 "ioctl",	   "dup",	 "dup2",
		"fcntl",   "setuid",	 "io_uring_setup", "shmat",	 "mlock",
		"seccomp", "bpf",	 "memfd_create",   "ftruncate",	 "pwrite64",
		"writev",  "sendfile",	 "splice",	   "prlimit64",	 "setrlimit",
	};

	(void)state;
	for (const struct sandbox_rule *rule = sandbox_rules(); rule->name; rule++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			assert_string_not_equal(rule->name, names[i]);
}

/* Runs in a child of its own, since there is no way back; 0: all is well. */
static int in_child(int (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const struct sandbox_limits limits = {.memory = 64u << 20, .cpu_seconds = 5};

static int enter_and_end(void)
{
	struct pvk_error err;
	bool filtered = false;

	if (sandbox_enter(&limits, &filtered, &err) < 0)
		return 1;
	return filtered ? 0 : 2;
}

static void the_sandbox_is_entered_and_left_by_exit_alone(void **state)
{
	(void)state;
	assert_int_equal(in_child(enter_and_end), 0);
}

/* An administrator's lower limit must neither be raised nor stop the worker. */
static int enter_under_lower_limits(void)
{
	const struct rlimit low = {.rlim_cur = 2, .rlim_max = 2};
	struct pvk_error err;
	bool filtered;

	if (setrlimit(RLIMIT_CPU, &low) < 0)
		return 3;
	return sandbox_enter(&limits, &filtered, &err) < 0 ? 1 : 0;
}

static void a_lower_limit_that_was_set_before_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(in_child(enter_under_lower_limits), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_on_the_list_has_its_name_and_a_reason),
		cmocka_unit_test(nothing_that_reaches_outside_is_on_the_list),
		cmocka_unit_test(the_sandbox_is_entered_and_left_by_exit_alone),
		cmocka_unit_test(a_lower_limit_that_was_set_before_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
