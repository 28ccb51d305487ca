/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock.c - see lock.h */
#include "lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "signals.h"

#define POLL_MS 50

int lock_take(int dirfd, struct pvk_error *err)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

	for (int waited = 0;; waited += POLL_MS) {
		if (flock(dirfd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return pvk_fail_errno(err, errno, "cannot lock the directory");
		if (signals_pending())
			return pvk_fail(err, PVK_E_INTERRUPTED, "interrupted by a signal");
		if (waited >= PVK_LOCK_SECONDS * 1000)
			return pvk_fail(err, PVK_E_BUSY,
					"another run of pvkprep is at work in it (waited %d s)",
					PVK_LOCK_SECONDS);
		(void)nanosleep(&pause, NULL);
	}
}
