/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c - see child.h */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/text.h"
#include "signals.h"

#define DEFAULT_SECONDS 60
#define POLL_MS		200
#define END_MS		10
#define EXIT_NOT_RUN	127

/* DPKG_ROOT and friends of a maintainer script would redirect dpkg-divert; nothing is handed on. */
static char *const environment[] = {
	(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	(char[]){"LC_ALL=C"},
	(char[]){"DEBIAN_FRONTEND=noninteractive"},
	NULL,
};

static void inherit(const struct child *child)
{
	for (size_t i = 0; i < child->fd_count; i++) {
		const int flags = fcntl(child->fds[i], F_GETFD);

		if (flags >= 0)
			(void)fcntl(child->fds[i], F_SETFD, flags & ~FD_CLOEXEC);
	}
}

/*
 * In a session of its own: it can be killed with all that it started, and what is typed at our
 * terminal reaches us alone, who wait for it and put things right. Should we be killed outright, it
 * ends with us, but not the programs that it runs: they come to their end, and nobody would be
 * there to put back what one of them had written half.
 */
static void detach(const struct child *child, pid_t parent)
{
	(void)setsid();
	if (child->must_finish)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_NOT_RUN); /* too late to be told */
}

/* Everything else that we hold is close-on-exec, our lock included. */
static _Noreturn void become(const struct child *child, int pipe_fd, pid_t parent)
{
	const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	detach(child, parent);
	if (null_fd >= 0)
		(void)dup2(null_fd, STDIN_FILENO);
	else
		(void)close(STDIN_FILENO);
	(void)dup2(child->stdout_fd > 0 ? child->stdout_fd : pipe_fd, STDOUT_FILENO);
	(void)dup2(pipe_fd, STDERR_FILENO);
	inherit(child);
	/* What we, or a hook of ours, ignore is nothing to a script with pipes. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(child->argv[0], (char *const *)(uintptr_t)child->argv, environment);
	_exit(EXIT_NOT_RUN);
}

/* It has ended, though perhaps not yet been waited for. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

static int check_wanted(const struct child *child, struct pvk_error *err)
{
	if (!child->must_finish && signals_pending())
		return pvk_fail(err, PVK_E_INTERRUPTED, "%s was interrupted by a signal",
				child->argv[0]);
	return 0;
}

/*
 * Reads the output until the program has ended, or there is no time left. What does not fit is
 * thrown away. What it leaves running in the background may hold the pipe open: that is not waited
 * for.
 */
static int collect(const struct child *child, pid_t pid, int fd, char output[CHILD_OUTPUT_MAX],
		   struct pvk_error *err)
{
	const time_t end =
		clock_seconds() + (time_t)(child->seconds ? child->seconds : DEFAULT_SECONDS);
	size_t used = 0;

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		const bool is_last = has_ended(pid);
		char piece[512];
		ssize_t n;
		int r = check_wanted(child, err);

		if (r == 0 && clock_seconds() > end)
			r = pvk_fail(err, ETIMEDOUT, "%s did not end in time", child->argv[0]);
		if (r < 0)
			return is_last ? 0 : r;
		if (poll(&poll_fd, 1, is_last ? 0 : fd < 0 ? END_MS : POLL_MS) <= 0) {
			if (is_last)
				return 0;
			continue;
		}
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) { /* its end is a matter of moments, or its output is closed */
			fd = -1;
			continue;
		}
		if ((size_t)n > CHILD_OUTPUT_MAX - 1 - used)
			n = (ssize_t)(CHILD_OUTPUT_MAX - 1 - used);
		memcpy(output + used, piece, (size_t)n);
		used += (size_t)n;
		output[used] = '\0';
	}
}

static int explain(const char *program, int status, struct pvk_error *err)
{
	if (WIFSIGNALED(status))
		return pvk_fail(err, ECHILD, "%s was killed (%s)", program,
				strsignal(WTERMSIG(status)));
	return WEXITSTATUS(status);
}

int child_run(const struct child *child, char output[CHILD_OUTPUT_MAX], struct pvk_error *err)
{
	const char *program = child->argv[0];
	_cleanup_close_ int fd = -1;
	const pid_t self = getpid();
	int ends[2], status = 0, r;
	pid_t pid;

	output[0] = '\0';
	if (access(program, X_OK) < 0)
		return pvk_fail_errno(err, errno == ENOTDIR ? ENOENT : errno, "cannot run %s",
				      program);
	r = check_wanted(child, err);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return pvk_fail_errno(err, errno, "cannot make a pipe for %s", program);
	fd = ends[0];
	pid = fork();
	if (pid == 0)
		become(child, ends[1], self);
	(void)close(ends[1]);
	if (pid < 0)
		return pvk_fail_errno(err, errno, "cannot start %s", program);
	r = collect(child, pid, fd, output, err);
	if (r < 0) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL); /* it may not have come to have a group of its own */
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return pvk_fail_errno(err, errno, "lost %s", program);
	return r < 0 ? r : explain(program, status, err);
}
