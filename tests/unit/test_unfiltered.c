/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_unfiltered.c - the worker where the kernel has no seccomp, and where a step of its
 * confinement is refused (prctl, seccomp_load, setresuid and setrlimit are replaced: ld --wrap, see
 * the Makefile).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "../../src/base/cleanup.h"
#include "../../src/system/worker.h"
#include "workerjob.h"

/* Which call fails, and with what; the worker inherits it. */
static struct {
	int prctl_option; /* -1: none */
	int prctl_errno, seccomp_load_errno, setresuid_errno, setrlimit_errno;
	bool lacks_large_ids; /* a user namespace with 65536 of them */
} fault;

int __real_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __real_seccomp_load(scmp_filter_ctx filter);
int __wrap_seccomp_load(scmp_filter_ctx filter);
int __real_setresuid(uid_t r, uid_t e, uid_t s);
int __wrap_setresuid(uid_t r, uid_t e, uid_t s);
int __real_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit);
int __wrap_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit);
int __wrap_setrlimit64(__rlimit_resource_t resource, const struct rlimit *limit);

static int fail_with(int error)
{
	errno = error;
	return -1;
}

int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return option == fault.prctl_option ? fail_with(fault.prctl_errno)
					    : __real_prctl(option, a, b, c, d);
}

int __wrap_seccomp_load(scmp_filter_ctx filter)
{
	return fault.seccomp_load_errno ? -fault.seccomp_load_errno : __real_seccomp_load(filter);
}

int __wrap_setresuid(uid_t r, uid_t e, uid_t s)
{
	if (fault.lacks_large_ids && r > 65535)
		return fail_with(EINVAL);
	return fault.setresuid_errno ? fail_with(fault.setresuid_errno) : __real_setresuid(r, e, s);
}

int __wrap_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return fault.setrlimit_errno ? fail_with(fault.setrlimit_errno)
				     : __real_setrlimit(resource, limit);
}

int __wrap_setrlimit64(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return __wrap_setrlimit(resource, limit);
}

static int reset(void **state)
{
	(void)state;
	memset(&fault, 0, sizeof(fault));
	fault.prctl_option = -1;
	return 0;
}

static void take_seccomp_away(void)
{
	fault.prctl_option = PR_GET_SECCOMP;
	fault.prctl_errno = EINVAL; /* prctl(2): a kernel without CONFIG_SECCOMP */
}

struct reply {
	int result, error;
};

static int run_job(workerjob_function *run, void *context, struct reply *reply, bool *answered,
		   struct pvk_error *err)
{
	return workerjob_run(run, context, reply, sizeof(*reply), answered, err);
}

/* --- steps that are refused --- */

/* Would be seen by the parent. */
WORKER_JOB(leave_a_mark)
{
	(void)reply;
	(void)progress;
	(void)err;
	*(volatile char *)context = 1;
	return 0;
}

static void assert_job_never_begins(int error)
{
	char *mark = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pvk_error err;
	struct reply reply;
	bool answered;

	assert_true(mark != MAP_FAILED);
	assert_int_equal(run_job(leave_a_mark, mark, &reply, &answered, &err), -error);
	assert_int_equal(err.code, error);
	assert_int_equal(*mark, 0);
	(void)munmap(mark, 4096);
}

static void without_its_filter_a_worker_does_not_begin(void **state)
{
	(void)state;
	fault.seccomp_load_errno = EACCES;
	assert_job_never_begins(EACCES);
	fault.seccomp_load_errno = ENOMEM;
	assert_job_never_begins(ENOMEM);
}

static void without_a_limit_a_worker_does_not_begin(void **state)
{
	(void)state;
	fault.setrlimit_errno = EPERM;
	assert_job_never_begins(EPERM);
}

static void a_worker_that_stays_root_does_not_begin(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	fault.setresuid_errno = EAGAIN;
	assert_job_never_begins(EAGAIN);
}

static void a_worker_that_might_gain_privileges_does_not_begin(void **state)
{
	static const int options[] = {PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE, PR_SET_PDEATHSIG};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		fault.prctl_option = options[i];
		fault.prctl_errno = EPERM;
		assert_job_never_begins(EPERM);
	}
}

/* --- a kernel that has no seccomp: the other steps hold --- */

static int tell(void *reply, long result)
{
	((struct reply *)reply)->result = result < 0 ? -1 : (int)result;
	((struct reply *)reply)->error = result < 0 ? errno : 0;
	return 0;
}

#define UNUSED ((void)context, (void)progress, (void)err)

WORKER_JOB(open_file)
{
	UNUSED;
	return tell(reply, open("/dev/null", O_RDONLY | O_CLOEXEC));
}

WORKER_JOB(open_socket)
{
	UNUSED;
	return tell(reply, socket(AF_UNIX, SOCK_STREAM, 0));
}

WORKER_JOB(make_process)
{
	long pid;

	UNUSED;
	pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid == 0)
		_exit(0);
	return tell(reply, pid);
}

WORKER_JOB(become_root)
{
	UNUSED;
	return tell(reply, __real_setresuid(0, 0, 0));
}

WORKER_JOB(kill_parent)
{
	UNUSED;
	return tell(reply, kill(getppid(), SIGTERM));
}

WORKER_JOB(trace_parent)
{
	UNUSED;
	return tell(reply, ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

WORKER_JOB(raise_a_limit)
{
	const struct rlimit limit = {1, 1};

	UNUSED;
	return tell(reply, __real_setrlimit(RLIMIT_NOFILE, &limit));
}

WORKER_JOB(remove_a_file)
{
	UNUSED;
	return tell(reply, unlink(context));
}

WORKER_JOB(dump_no_core)
{
	UNUSED;
	return tell(reply, __real_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) ? fail_with(0) : 0);
}

static char own_file[] = "/tmp/pvkprep-unfiltered.XXXXXX";

/* Another user's processes and files are out of reach only for a worker that was started as root.
 */
static const struct {
	const char *what;
	workerjob_function *run;
	void *context;
	bool wants_root;
	int result, error;
} attempts[] = {
	{"open", open_file, NULL, false, -1, EMFILE},
	{"socket", open_socket, NULL, false, -1, EMFILE},
	{"raise a limit", raise_a_limit, NULL, false, -1, EPERM},
	{"no core dump", dump_no_core, NULL, false, 0, 0},
	{"fork", make_process, NULL, true, -1, EAGAIN},
	{"setresuid", become_root, NULL, true, -1, EPERM},
	{"kill", kill_parent, NULL, true, -1, EPERM},
	{"ptrace", trace_parent, NULL, true, -1, EPERM},
	{"unlink", remove_a_file, own_file, true, -1, EPERM}, /* the directory is sticky */
};

static void without_seccomp_the_other_steps_hold(void **state)
{
	int fd = mkostemp(own_file, O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	take_seccomp_away();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct pvk_error err;
		struct reply reply;
		bool answered;

		if (attempts[i].wants_root && geteuid() != 0)
			continue;
		assert_int_equal(
			run_job(attempts[i].run, attempts[i].context, &reply, &answered, &err), 0);
		if (reply.result != attempts[i].result || reply.error != attempts[i].error)
			fail_msg("%s: %d (%s)", attempts[i].what, reply.result,
				 strerror(reply.error));
	}
	(void)unlink(own_file);
	(void)close(fd);
}

WORKER_JOB(tell_its_user)
{
	UNUSED;
	return tell(reply, (long)getuid());
}

static void where_its_number_is_not_to_be_had_a_worker_is_nobody(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	if (geteuid() != 0)
		skip();
	take_seccomp_away();
	assert_int_equal(run_job(tell_its_user, NULL, &reply, &answered, &err), 0);
	assert_int_equal(reply.result, 1886808944);
	fault.lacks_large_ids = true;
	assert_int_equal(run_job(tell_its_user, NULL, &reply, &answered, &err), 0);
	assert_int_equal(reply.result, 65534);
}

static void without_seccomp_it_is_said(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	take_seccomp_away();
	assert_int_equal(run_job(dump_no_core, NULL, &reply, &answered, &err), 0);
	assert_true(worker_was_unfiltered());
}

/* Its end of the pipe is closed, and it stays: nothing but the parent can end that. */
WORKER_JOB(close_and_sleep)
{
	UNUSED;
	(void)reply;
	for (int fd = 0; fd < 64; fd++)
		(void)close(fd);
	for (;;)
		(void)pause();
	return 0;
}

static void without_seccomp_a_worker_that_sleeps_is_ended(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	(void)alarm(60);
	take_seccomp_away();
	assert_int_equal(run_job(close_and_sleep, NULL, &reply, &answered, &err), -PVK_E_WORKER);
	assert_false(answered);
	(void)alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_its_filter_a_worker_does_not_begin, reset),
		cmocka_unit_test_setup(without_a_limit_a_worker_does_not_begin, reset),
		cmocka_unit_test_setup(a_worker_that_stays_root_does_not_begin, reset),
		cmocka_unit_test_setup(a_worker_that_might_gain_privileges_does_not_begin, reset),
		cmocka_unit_test_setup(without_seccomp_the_other_steps_hold, reset),
		cmocka_unit_test_setup(where_its_number_is_not_to_be_had_a_worker_is_nobody, reset),
		cmocka_unit_test_setup(without_seccomp_it_is_said, reset),
		cmocka_unit_test_setup(without_seccomp_a_worker_that_sleeps_is_ended, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
