/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reopen.h - what may be of any kind is looked at before it is opened: the open alone starts a
 * watchdog, rewinds a tape, lets the writer of a FIFO go on. A descriptor with O_PATH opens
 * nothing, and /proc/self/fd leads from it to that very file, whatever has its name by then.
 */
#ifndef PVK_REOPEN_H
#define PVK_REOPEN_H

/*
 * Opens for reading what path_fd (O_PATH) stands for, if it is a regular file or a directory;
 * anything else stays such a descriptor, for a look at its kind. Takes path_fd over. -errno; -ELOOP
 * for a symbolic link; -ENOENT also where /proc is not mounted.
 */
int reopen_path(int path_fd, int flags);

/* openat(2) with that look; by name, after it, where /proc is not mounted. */
int reopen_openat(int dirfd, const char *name, int flags);

#endif
