/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h - one writing run at a time, by flock(2): the lock ends with the process however it ends.
 *
 * A tree's lock is on its boot directory itself, so that no lock file is left behind in it. The
 * running system has other users: each could lock a directory that he may read, and so keep every
 * kernel upgrade from being prepared. There the lock is on a file that is root's alone, in /run.
 */
#ifndef PVK_LOCK_H
#define PVK_LOCK_H

#include "../base/errors.h"

/* Somebody waits for the answer: a run that takes longer than this is told instead. */
#define PVK_LOCK_SECONDS 20
/* A kernel's hook: what is not prepared now is unprepared in the menus that are written next. */
#define PVK_LOCK_HOOK_SECONDS 120

#define LOCK_FILE "pvkprep.lock"

struct lock {
	int dirfd; /* owned: where the file is */
	int fd;
};

#define LOCK_INIT ((struct lock){.dirfd = -1, .fd = -1})

/*
 * Waits up to `seconds`; then -PVK_E_BUSY. -PVK_E_INTERRUPTED if a termination signal comes
 * meanwhile (signals.h). The lock goes when fd is closed.
 */
int lock_take(int fd, unsigned seconds, struct pvk_error *err);

/*
 * The same by a file of its own in dirfd, which becomes the lock's whatever the result.
 * lock_release() removes the file; one that a kill leaves behind is in nobody's way. Where none can
 * be made: -errno.
 */
int lock_take_file(int dirfd, unsigned seconds, struct lock *ret, struct pvk_error *err);
void lock_release(struct lock *lock);

#endif
