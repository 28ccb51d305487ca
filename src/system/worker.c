/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker.c - see worker.h */
#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "sandbox.h"
#include "signals.h"
#include "syscalls.h"

/* Beside the processor time limit, which a stopped or starved worker never reaches. */
#define WALL_SECONDS 900
#define TICK_MS	     100
/* To confine itself takes milliseconds; libseccomp has been seen to loop when memory is short. */
#define READY_SECONDS 30
/* From the answer to the end of the process, which has to give back its memory first. */
#define END_SECONDS 10

struct answer {
	int result;
	int unfiltered; /* no bool: a worker that was taken over may send any byte */
	struct pvk_error error;
	unsigned char reply[WORKER_REPLY_MAX];
};

_Static_assert(sizeof(struct answer) <= PIPE_BUF, "an answer goes through the pipe in one piece");

static bool was_unfiltered;

bool worker_was_unfiltered(void)
{
	return was_unfiltered;
}

/* Closes every descriptor but one; without close_range(2) (Linux 5.9), one by one. */
static void close_all_but(int keep)
{
	long max;

	if ((keep == 0 || syscall(SYS_close_range, 0u, (unsigned)keep - 1u, 0u) == 0) &&
	    syscall(SYS_close_range, (unsigned)keep + 1u, ~0u, 0u) == 0)
		return;
	max = sysconf(_SC_OPEN_MAX);
	for (int fd = 0; fd < (max > 0 && max < 65536 ? (int)max : 65536); fd++)
		if (fd != keep)
			(void)close(fd);
}

/* What parent and worker both see. */
struct shared {
	_Atomic uint64_t progress;
	atomic_bool is_ready; /* the worker is confined, and at its job */
};

/* The worker itself: confines itself, runs the job, sends the answer, ends. */
static _Noreturn void work(const struct worker_job *job, int pipe_fd, struct shared *shared)
{
	const struct sandbox_limits limits = {
		.memory = job->memory,
		.cpu_seconds = job->cpu_seconds ? job->cpu_seconds : PVK_WORKER_CPU_SECONDS,
	};
	static struct answer answer; /* zeroed, and not on the stack */
	bool filtered = false;

	answer.result = sandbox_enter(&limits, &filtered, &answer.error);
	/* After sandbox_enter(), which reads /proc, and before any untrusted byte is touched. */
	answer.unfiltered = !filtered;
	if (answer.result == 0) {
		atomic_store(&shared->is_ready, true);
		answer.result =
			job->run(job->context, answer.reply, &shared->progress, &answer.error);
	}
	_exit(write(pipe_fd, &answer, sizeof(answer)) == (ssize_t)sizeof(answer) ? 0 : 1);
}

static pid_t start(const struct worker_job *job, int *ret_pipe, struct shared *shared,
		   struct pvk_error *err)
{
	const pid_t parent = getpid();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return pvk_fail_errno(err, errno, "cannot make a pipe for the worker");
	pid = fork();
	if (pid == 0) {
		close_all_but(ends[1]);
		if (getppid() != parent)
			_exit(1); /* orphaned before the death signal could be asked for */
		work(job, ends[1], shared);
	}
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return pvk_fail_errno(err, errno, "cannot start the worker");
	}
	*ret_pipe = ends[0];
	return pid;
}

/* Waits for the whole answer or the end of the worker. 1: answer read, 0: none came. */
static int await(const struct worker_job *job, int fd, const struct shared *shared,
		 struct answer *answer, struct pvk_error *err)
{
	const time_t start = clock_seconds();

	for (;;) {
		struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
		int n = poll(&poll_fd, 1, TICK_MS);

		if (n > 0)
			return read(fd, answer, sizeof(*answer)) == (ssize_t)sizeof(*answer);
		if (signals_pending())
			return pvk_fail(err, PVK_E_INTERRUPTED, "interrupted by a signal");
		if (clock_seconds() > start + WALL_SECONDS)
			return pvk_fail(err, PVK_E_WORKER, "the worker did not finish in %d s",
					WALL_SECONDS);
		if (!atomic_load(&shared->is_ready) && clock_seconds() > start + READY_SECONDS)
			return pvk_fail(err, PVK_E_WORKER,
					"the worker could not confine itself in %d s",
					READY_SECONDS);
		if (job->watch)
			job->watch->tick(job->watch->context, atomic_load(&shared->progress));
	}
}

/*
 * Waits for the end of the worker, whose end of the pipe closes with it. One that was taken over
 * might never come to it, and without using up its processor time: blocked on a pipe that is full.
 */
static int await_end(int fd, struct pvk_error *err)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char more;
	int n;

	do
		n = poll(&poll_fd, 1, END_SECONDS * 1000);
	while (n < 0 && errno == EINTR);
	if (n > 0 && read(fd, &more, 1) == 0)
		return 0;
	return pvk_fail(err, PVK_E_WORKER, "the worker did not end with its answer");
}

static int explain_death(int status, struct pvk_error *err)
{
	int signal_number;

	if (!WIFSIGNALED(status))
		return pvk_fail(err, PVK_E_WORKER, "the worker ended without an answer (status %d)",
				WEXITSTATUS(status));
	signal_number = WTERMSIG(status);
	switch (signal_number) {
	case SIGSYS:
		return pvk_fail(
			err, PVK_E_WORKER,
			"the worker was killed: it tried a system call that it is not allowed");
	case SIGXCPU:
		return pvk_fail(err, PVK_E_WORKER,
				"the worker was killed: it took too much processor time");
	case SIGBUS:
		return pvk_fail(
			err, PVK_E_WORKER,
			"the worker was killed: the output could not be written (disk error or disk full)");
	case SIGKILL:
		return pvk_fail(
			err, PVK_E_WORKER,
			"the worker was killed (SIGKILL: by root, or by the kernel for want of memory)");
	default:
		return pvk_fail(err, PVK_E_WORKER, "the worker crashed (%s)",
				strsignal(signal_number));
	}
}

static int reap(pid_t pid, struct pvk_error *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return pvk_fail_errno(err, errno, "lost the worker");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return explain_death(status, err);
}

static void unmap_shared(struct shared **shared)
{
	if (*shared)
		(void)munmap(*shared, sizeof(**shared));
}

int worker_run(const struct worker_job *job, void *reply, bool *ret_answered, struct pvk_error *err)
{
	_cleanup_(unmap_shared) struct shared *shared = NULL;
	_cleanup_close_ int fd = -1;
	struct answer answer;
	struct pvk_error death;
	int answered, ended = 0, reaped;
	pid_t pid;
	void *page;

	assert(job->reply_size <= WORKER_REPLY_MAX);
	*ret_answered = false;
	page = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	if (page == MAP_FAILED)
		return pvk_fail_errno(err, errno, "no memory for the worker");
	shared = page;
	pid = start(job, &fd, shared, err);
	if (pid < 0)
		return pid;
	answered = await(job, fd, shared, &answer, err);
	if (answered >= 0)
		ended = await_end(fd, err);
	/* One that is at its end keeps the status that it ended with. */
	(void)kill(pid, SIGKILL);
	reaped = reap(pid, &death);
	if (answered < 0 || ended < 0)
		return answered < 0 ? answered : ended;
	if (answered == 0 || reaped < 0) {
		if (reaped == 0)
			return pvk_fail(err, PVK_E_WORKER, "the worker ended without an answer");
		if (err)
			*err = death;
		return reaped;
	}
	pvk_error_make_safe(&answer.error);
	if (answer.result > 0)
		return pvk_fail(err, PVK_E_WORKER, "the worker sent an impossible answer");
	if (!atomic_load(&shared->is_ready)) { /* it never came to the job */
		if (err)
			*err = answer.error;
		return answer.result < 0 ? answer.result : -PVK_E_WORKER;
	}
	was_unfiltered |= answer.unfiltered != 0;
	memcpy(reply, answer.reply, job->reply_size);
	*ret_answered = true;
	if (answer.result < 0 && err)
		*err = answer.error;
	return answer.result;
}
