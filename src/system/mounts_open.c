/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts_open.c - the top directory of a file system, which is where a loader's paths begin; for
 * btrfs it may be mounted nowhere, when the system itself is in a subvolume (Debian's and Ubuntu's
 * installers put it into /@rootfs or /@).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <unistd.h>

#include "mounts.h"
#include "syscalls.h"

static int set_text(int config, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, config, FSCONFIG_SET_STRING, key, value, 0);
}

/*
 * A mount that is in no directory tree and goes with its descriptor. The file system is mounted
 * already, so nothing is replayed or written; "ro", or btrfs would make a read-only one writable.
 */
static int open_btrfs(const char *device, const char *key, const char *value)
{
	_cleanup_close_ int config = (int)syscall(SYS_fsopen, "btrfs", FSOPEN_CLOEXEC);
	char source[96];
	int fd;

	(void)snprintf(source, sizeof(source), "/dev/%s", device);
	if (config < 0 || set_text(config, "source", source) < 0 ||
	    (key && set_text(config, key, value) < 0) ||
	    syscall(SYS_fsconfig, config, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    syscall(SYS_fsconfig, config, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, config, FSMOUNT_CLOEXEC,
			  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				  MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Of a plain directory that stands for a file system another one's may be a part. */
static int open_bare(const struct root *root, const struct filesystem *fs)
{
	_cleanup_close_ int fd = root_openat(root, fs->mountpoint, O_PATH | O_DIRECTORY);
	int bare;

	if (fd < 0 || (!root->is_live && fs->here[0] == '\0'))
		return -ENOENT;
	bare = (int)syscall(SYS_open_tree, fd, "",
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return bare < 0 ? -errno : bare;
}

int filesystem_open_subvolume(const struct root *root, const struct filesystem *fs, const char *key,
			      const char *value)
{
	const char *device = root->is_live ? fs->device : fs->here;

	/* One that nobody has mounted would be written to: its log is replayed. */
	if (fs->mountpoint[0] == '\0' || device[0] == '\0')
		return -ENODEV;
	return open_btrfs(device, key, value);
}

int filesystem_open_top(const struct root *root, const struct filesystem *fs, bool *ret_is_bare)
{
	int fd;

	*ret_is_bare = true;
	if (fs->mountpoint[0] == '\0')
		return -ENOENT;
	/* 5: include/uapi/linux/btrfs_tree.h, BTRFS_FS_TREE_OBJECTID. */
	if (fs->subtree[0] != '\0')
		return filesystem_open_subvolume(root, fs, "subvolid", "5");
	fd = open_bare(root, fs);
	if (fd >= 0)
		return fd;
	*ret_is_bare = false;
	return root_openat(root, fs->mountpoint, O_RDONLY | O_DIRECTORY);
}
