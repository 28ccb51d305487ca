/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk.c - see disk.h */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"

/* A directory block, the record, the indirect blocks of a fragmented file. */
#define SPARE_BYTES 262144
#define SPARE_FILES 4

/* A freeze takes milliseconds; most of that time is a sync, which a slow disk may draw out. */
#define GUARD_MS 5000

/* From linux/magic.h and fs/ext4/ext4.h (EXT4_IOC_CHECKPOINT, Linux 5.14): not in old headers. */
#define EXT4_MAGIC	0xef53
#define XFS_MAGIC	0x58465342
#define BTRFS_MAGIC	0x9123683e
#define EXT4_CHECKPOINT _IOW('f', 43, uint32_t)

int disk_check_space(int dirfd, uint64_t size, uint64_t *ret_missing, struct pvk_error *err)
{
	struct statvfs fs;
	uint64_t available;

	if (fstatvfs(dirfd, &fs) < 0)
		return pvk_fail_errno(err, errno, "cannot ask for the free space");
	/* Root may use the reserved blocks; a kernel is what they are there for. */
	available = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
	*ret_missing = 0;
	if (size + SPARE_BYTES > available) {
		*ret_missing = size + SPARE_BYTES - available;
		return pvk_fail(
			err, PVK_E_NO_SPACE,
			"no space: the prepared image needs %s, %s are free, %s are missing",
			text_size(size + SPARE_BYTES).s, text_size(available).s,
			text_size(*ret_missing).s);
	}
	/* btrfs and others count no inodes: 0 of 0. */
	if (fs.f_files > 0 && fs.f_ffree < SPARE_FILES)
		return pvk_fail(err, PVK_E_NO_SPACE,
				"no space: the file system has no free inodes");
	return 0;
}

/* Is the directory on another file system than its parent, i.e. a mount of its own? */
static bool is_own_mount(int dirfd)
{
	struct stat self, parent;

	return fstat(dirfd, &self) == 0 && fstatat(dirfd, "..", &parent, 0) == 0 &&
	       self.st_dev != parent.st_dev;
}

/*
 * The guardian: sleeps until the parent says that nothing is left to thaw, and thaws if that one is
 * dead, or has not said so after some seconds: somebody stopped it. In a session of its own, so
 * that a signal to the whole process group does not reach it. Thawing what is not frozen, or only
 * on its way there, is an error without effect: it is tried again.
 */
static _Noreturn void guard(int pipe_fd, int dirfd)
{
	struct pollfd end = {.fd = pipe_fd, .events = POLLIN};
	bool is_over = false;
	char byte;

	(void)setsid();
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	while (!is_over) {
		const bool is_told = poll(&end, 1, GUARD_MS) > 0;

		is_over = (is_told && read(pipe_fd, &byte, 1) > 0) ||
			  ioctl(dirfd, FITHAW, 0) == 0 || is_told;
	}
	_exit(0);
}

/* True: nothing of ours is frozen any more. EBUSY: it is frozen already, and another's to thaw. */
static bool freeze_once(int dirfd)
{
	if (ioctl(dirfd, FIFREEZE, 0) == 0)
		return ioctl(dirfd, FITHAW, 0) == 0;
	return errno == EBUSY;
}

static void freeze_and_thaw(int dirfd)
{
	int ends[2];
	pid_t guardian;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	guardian = fork();
	if (guardian == 0) {
		(void)close(ends[1]);
		guard(ends[0], dirfd);
	}
	if (guardian > 0 && freeze_once(dirfd))
		(void)!write(ends[1], "", 1);
	(void)close(ends[1]); /* ends the guardian in any case */
	(void)close(ends[0]); /* only now: no SIGPIPE, should the guardian have been killed */
	if (guardian > 0)
		while (waitpid(guardian, NULL, 0) < 0 && errno == EINTR)
			;
}

/* ext4's own way, without a stop for anybody. ENODEV: it has no journal. */
static bool checkpoint_ext4(int dirfd)
{
	uint32_t flags = 0;

	return ioctl(dirfd, EXT4_CHECKPOINT, &flags) == 0 || errno == ENODEV;
}

void disk_checkpoint(int dirfd)
{
	struct statfs fs;
	uint32_t type;

	if (geteuid() != 0 || fstatfs(dirfd, &fs) < 0)
		return;
	/* A signed word of 32 bits on some machines. */
	type = (uint32_t)fs.f_type;
	if (type == BTRFS_MAGIC || (type == EXT4_MAGIC && checkpoint_ext4(dirfd)))
		return;
	if (type == EXT4_MAGIC || type == XFS_MAGIC || is_own_mount(dirfd))
		freeze_and_thaw(dirfd);
}

void disk_settle(int dirfd)
{
	(void)syncfs(dirfd);
	disk_checkpoint(dirfd);
}
