/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reopen.c - see reopen.h */
#include "reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../base/cleanup.h"

int reopen_path(int path_fd, int flags)
{
	_cleanup_close_ int owned = path_fd;
	char path[32];
	struct stat st;
	int fd;

	if (fstat(owned, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return take_fd(&owned);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", owned);
	fd = open(path, (flags & ~O_NOFOLLOW) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int reopen_openat(int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, O_PATH | (flags & O_NOFOLLOW) | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	fd = reopen_path(fd, flags);
	if (fd != -ENOENT)
		return fd;
	fd = openat(dirfd, name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
