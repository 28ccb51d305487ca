/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.c - see lock.h */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "signals.h"

/* How long a termination signal, or the end of our patience, may go unseen. */
#define TICK_MICROSECONDS 200000

/* --- a clock that ticks into flock(2) --- */

struct ticking {
	struct itimerval timer;
	struct sigaction action;
	sigset_t mask;
};

static void tick(int signal_number)
{
	(void)signal_number;
}

static void start_ticking(struct ticking *before)
{
	static const struct itimerval timer = {
		.it_interval = {.tv_usec = TICK_MICROSECONDS},
		.it_value = {.tv_usec = TICK_MICROSECONDS},
	};
	const struct sigaction action = {.sa_handler = tick}; /* no SA_RESTART: the call returns */
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)sigaction(SIGALRM, &action, &before->action);
	(void)sigprocmask(SIG_UNBLOCK, &set, &before->mask);
	(void)setitimer(ITIMER_REAL, &timer, &before->timer);
}

static void stop_ticking(const struct ticking *before)
{
	(void)setitimer(ITIMER_REAL, &before->timer, NULL);
	(void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
	(void)sigaction(SIGALRM, &before->action, NULL);
}

/* In the kernel's own queue, so that those who ask first are served first. */
static int wait_for(int fd, unsigned seconds)
{
	const time_t end = clock_seconds() + (time_t)seconds;
	struct ticking before;
	int r;

	start_ticking(&before);
	do
		r = flock(fd, LOCK_EX) == 0 ? 0 : -errno;
	while (r == -EINTR && !signals_pending() && clock_seconds() < end);
	stop_ticking(&before);
	return r;
}

int lock_take(int fd, unsigned seconds, struct pvk_error *err)
{
	int r = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;

	if (r == -EWOULDBLOCK || r == -EINTR)
		r = wait_for(fd, seconds);
	if (r == -EINTR && signals_pending())
		return pvk_fail(err, PVK_E_INTERRUPTED, "interrupted by a signal");
	if (r == -EINTR)
		return pvk_fail(err, PVK_E_BUSY,
				"another run of pvkprep is at work in it (waited %u s)", seconds);
	return r < 0 ? pvk_fail_errno(err, -r, "cannot lock the directory") : 0;
}

/* --- a file of its own --- */

/* Whoever had the lock before has removed the file that we waited for. */
static bool is_there_still(int dirfd, int fd)
{
	struct stat named, open;

	return fstatat(dirfd, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &open) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

int lock_take_file(int dirfd, unsigned seconds, struct lock *ret, struct pvk_error *err)
{
	_cleanup_close_ int owned = dirfd;

	for (;;) {
		const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
		_cleanup_close_ int fd = openat(dirfd, LOCK_FILE, flags, 0600);
		int r;

		if (fd < 0)
			return pvk_fail_errno(err, errno, "cannot make a lock file");
		r = lock_take(fd, seconds, err);
		if (r < 0)
			return r;
		if (!is_there_still(dirfd, fd))
			continue;
		*ret = (struct lock){.dirfd = take_fd(&owned), .fd = take_fd(&fd)};
		return 0;
	}
}

void lock_release(struct lock *lock)
{
	if (lock->fd >= 0)
		(void)unlinkat(lock->dirfd, LOCK_FILE, 0);
	close_keep_errno(&lock->fd);
	close_keep_errno(&lock->dirfd);
}
